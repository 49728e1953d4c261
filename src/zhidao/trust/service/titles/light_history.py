"""A title's history by the rules of its contracts: what a compact proof can tell without a machine.

The transactions that create the contracts may be missing; then it is not shown whose code stands
at the registry's address, and whoever asks must say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import Refused
from zhidao.trust.domain.evm import WORD_BYTES, Address, Transaction, address_text
from zhidao.trust.domain.title_rules import GAS_ACT_MIN, GAS_MINT_MIN, TitleRules
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.service.titles.replayed_history import (
    TRANSACTIONS_MAX,
    Move,
    TitleHistory,
    check_order,
    move_of,
)
from zhidao.trust.wire.evm import title_contract as contract
from zhidao.trust.wire.evm.title_contract import Call, Registry, call_of, remark_of

_GRANT, _REVOKE = contract.ROLE_CALLS


def followed_transactions(transactions: Sequence[Transaction]) -> TitleHistory:
    """Follows the rules of the contracts; nothing is executed.

    transactions: in log order, beginning with the registrar's: it gives a role, or creates the
    contracts. Raises as `title_history` does, and `gas_too_low` where the gas might not suffice.
    """
    if not 1 <= len(transactions) <= TRANSACTIONS_MAX:
        raise Refused(
            f"a history has 1 to {TRANSACTIONS_MAX} transactions, not {len(transactions)}",
            code="foreign_contracts",
        )
    check_order(transactions)
    follower = Follower(transactions[0].sender)
    moves: list[Move] = []
    for transaction in transactions:
        if transaction.to is None:
            continue
        state = follower.follow(transaction)
        if state is not None:
            moves.append(move_of(transaction, state))
    registry = address_text(follower.registry.token)
    return TitleHistory(transactions[0].chain_id, registry, tuple(moves))


class Follower:
    """Follows transactions of one registry by its rules."""

    def __init__(self, registrar: Address) -> None:
        """registrar: the account whose first two transactions create factory and registry."""
        self.registry = Registry.of(registrar)
        self._rules = TitleRules(registrar, self.registry.escrow)
        self._titles: dict[Address, bytes] = {}

    def follow(self, transaction: Transaction) -> TitleState | None:
        """The title that a call touched, or None for a role. Raises Refused as the contract."""
        call = call_of(transaction.data)
        to = transaction.to
        if call is None or to is None or not (to == self.registry.token or to in self._titles):
            raise _no_effect(transaction)
        minting = call.signature == contract.MINT
        if transaction.gas < (GAS_MINT_MIN if minting else GAS_ACT_MIN):
            raise Refused("the gas might not suffice for this call", code="gas_too_low")
        if call.action and len(remark_of(call)) > contract.REMARK_BYTES_MAX:
            raise Refused(
                f"a remark has {contract.REMARK_BYTES_MAX} bytes at most", code="remark_too_long"
            )
        if to == self.registry.token:
            return self._in_registry(transaction, call)
        acted = _ACTS.get(call.signature)
        if acted is None:
            raise _no_effect(transaction)
        return acted(self._rules, transaction.sender, self._titles[to], call.values)

    def _in_registry(self, transaction: Transaction, call: Call) -> TitleState | None:
        sender, values = transaction.sender, call.values
        match call.signature:
            case contract.MINT:
                title = _word(values[2])
                state = self._rules.mint(
                    sender,
                    contract.MINTER_ROLE,
                    title,
                    beneficiary=Address(values[0]),  # type: ignore[arg-type]
                    holder=Address(values[1]),  # type: ignore[arg-type]
                )
                self._titles[state.escrow] = title
                return state
            case contract.RESTORE:
                return self._rules.restore(sender, contract.RESTORER_ROLE, _word(values[0]))
            case contract.BURN:
                return self._rules.burn(sender, contract.ACCEPTER_ROLE, _word(values[0]))
            case signature if signature in (_GRANT, _REVOKE):
                act = self._rules.grant if signature == _GRANT else self._rules.revoke
                act(sender, values[0], Address(values[1]))  # type: ignore[arg-type]
                return None
            case _:
                raise _no_effect(transaction)


_Act = Callable[[TitleRules, Address, bytes, Sequence[object]], TitleState]
_ACTS: Final[dict[str, _Act]] = {
    contract.TRANSFER_OWNERS: lambda rules, sender, title, values: rules.transfer(
        sender, title, beneficiary=_address(values[0]), holder=_address(values[1])
    ),
    contract.TRANSFER_HOLDER: lambda rules, sender, title, values: rules.transfer_holder(
        sender, title, _address(values[0])
    ),
    contract.ENDORSE: lambda rules, sender, title, values: rules.endorse(
        sender, title, _address(values[0])
    ),
    contract.NOMINATE: lambda rules, sender, title, values: rules.nominate(
        sender, title, _address(values[0])
    ),
    contract.REJECT_OWNERS: lambda rules, sender, title, _: rules.reject(sender, title),
    contract.REJECT_HOLDER: lambda rules, sender, title, _: rules.reject_holder(sender, title),
    contract.REJECT_BENEFICIARY: lambda rules, sender, title, _: rules.reject_beneficiary(
        sender, title
    ),
    contract.RETURN: lambda rules, sender, title, _: rules.give_back(sender, title),
}


def _address(value: object) -> Address:
    assert isinstance(value, bytes), "the type says address"
    return Address(value)


def _word(value: object) -> bytes:
    assert isinstance(value, int), "the type says uint256"
    return value.to_bytes(WORD_BYTES, "big")


def _no_effect(transaction: Transaction) -> Refused:
    return Refused(f"0x{transaction.hash.hex()} moves no title of this registry", code="no_effect")
