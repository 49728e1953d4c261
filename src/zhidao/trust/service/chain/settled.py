"""What is known to stand on a chain of others: receipts and titles, folded from recorded facts."""

from __future__ import annotations

from typing import Final

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused
from zhidao.trust.domain.evm import Address, Block, Transaction, address_text, parse_address
from zhidao.trust.domain.title_state import TitleBook, TitleState
from zhidao.trust.events import ChainSettled, SettledTitle
from zhidao.trust.service.chain.embedded import NO_ACTION
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.wire.evm.title_contract import Registry
from zhidao.trust.wire.evm.title_guard import guard_terms, title_call_of

NONCE_TAKEN: Final = "nonce_taken"
Number = tuple[Address, int]
"""A sender and the number of a transaction of it: the chain takes one for each."""


class SettledBook:
    """The fold of a chain's `ChainSettled` facts, in their order."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._titles = TitleBook(registry=registry.token, factory=registry.factory)
        self._receipts: dict[bytes, Receipt] = {}
        self._own: dict[Number, Receipt] = {}
        self._moves: dict[bytes, list[Receipt]] = {}
        self._guards: set[Address] = set()
        self.version = 0
        # The newest block of which something is recorded, and its hash.
        self.newest: tuple[int, bytes] | None = None

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a recorded transaction."""
        return self._receipts.get(transaction_hash)

    def of_number(self, number: Number) -> Receipt | None:
        """The receipt of what became of one of this node's acts, whichever bytes were mined."""
        return self._own.get(number)

    def moves(self, title: bytes) -> tuple[Receipt, ...]:
        """Receipts of the transactions that touched a title, in order."""
        return tuple(self._moves.get(title, ()))

    def is_guard(self, address: Address) -> bool:
        """Whether this node saw the published guard contract created at an address."""
        return address in self._guards

    def scratch(self) -> TitleBook:
        """A copy of the titles, to fold events on before they are recorded."""
        copy = TitleBook(registry=self._registry.token, factory=self._registry.factory)
        copy.restore(self._titles.states())
        return copy

    def take(self, fact: ChainSettled, own: Transaction | None) -> Receipt:
        """Takes a recorded fact in. `own`: the signed transaction, if this node wrote it."""
        self.version += 1
        transaction = own or _foreign(fact)
        receipt = _receipt(fact, transaction)
        self._receipts[receipt.hash] = receipt
        if own is not None:
            self._own[own.sender, own.nonce] = receipt
        self._titles.restore(receipt.titles)
        for state in receipt.titles:
            self._moves.setdefault(state.title, []).append(receipt)
        if transaction.to is None and receipt.created and guard_terms(transaction.data):
            self._guards.add(receipt.created)
        if fact.block_hash and (self.newest is None or fact.block >= self.newest[0]):
            self.newest = fact.block, parse_hex(fact.block_hash[2:])
        return receipt


def settled_title(state: TitleState) -> SettledTitle:
    """A title's state as a fact tells it."""
    return SettledTitle(
        title=state.title.hex(),
        escrow=address_text(state.escrow),
        holder=address_text(state.holder),
        beneficiary=address_text(state.beneficiary),
        nominee=address_text(state.nominee),
        surrendered=state.surrendered,
        active=state.active,
    )


def _state(told: SettledTitle) -> TitleState:
    return TitleState(
        title=parse_hex(told.title),
        escrow=parse_address(told.escrow),
        holder=parse_address(told.holder),
        beneficiary=parse_address(told.beneficiary),
        nominee=parse_address(told.nominee),
        surrendered=told.surrendered,
        active=told.active,
    )


def _receipt(fact: ChainSettled, transaction: Transaction) -> Receipt:
    call = title_call_of(transaction)
    return Receipt(
        hash=transaction.hash,
        block=Block(fact.block, fact.at_s),
        transaction=transaction,
        action=(call.action if call else "") or NO_ACTION,
        gas_used=fact.gas_used,
        created=parse_address(fact.created) if fact.created else None,
        titles=tuple(_state(one) for one in fact.titles),
        refusal=Refused(fact.reason, code=fact.code) if fact.code else None,
    )


def _foreign(fact: ChainSettled) -> Transaction:
    """What the chain told of a transaction that others sent; its signed bytes are not here."""
    return Transaction(
        chain_id=fact.chain_id,
        nonce=fact.nonce,
        fee_max_wei=0,
        tip_max_wei=0,
        gas=0,
        to=parse_address(fact.to) if fact.to else None,
        value_wei=0,
        data=parse_hex(fact.data),
        sender=parse_address(fact.sender),
        hash=parse_hex(fact.hash[2:]),
        raw=b"",
    )
