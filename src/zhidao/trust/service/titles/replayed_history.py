"""A title's history checked by a stranger: from signed transactions alone, executed once more.

Needs no node, no database and no file of contracts: the contracts' code stands in the first two
transactions, and its digest tells whether it is the published one.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import Refused
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, Block, Transaction, address_text
from zhidao.trust.domain.title_state import TitleBook, TitleState
from zhidao.trust.service.chain.ports import Engine, MakeEngine
from zhidao.trust.wire.evm.keccak import created_address
from zhidao.trust.wire.evm.title_contract import (
    ROLE_CALLS,
    Registry,
    call_of,
    events_of,
    is_factory_code,
    is_registry_code,
    refusal_of,
)
from zhidao.trust.wire.evm.title_guard import guard_terms, is_guard_call, title_call_of
from zhidao.trust.wire.evm.transaction import decode

TRANSACTIONS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Move:
    """One transaction's effect on one title. Addresses and hashes are `0x` texts.

    `signer` was recovered from the signature; `title` is the token id, as in `TitleMoved`.
    """

    title: str
    action: str
    transaction: str
    signer: str
    holder: str
    beneficiary: str
    active: bool


@dataclass(frozen=True, slots=True)
class TitleHistory:
    """What the transactions do, executed in the given order on an empty chain."""

    chain_id: int
    registry: str
    moves: tuple[Move, ...]


def title_history(
    raws: Sequence[bytes],
    make_engine: MakeEngine,
    *,
    times_s: Sequence[int] | None = None,
) -> TitleHistory:
    """Recovers the signers, executes the transactions and tells every title's moves.

    raws: signed bytes in log order, starting with the two that create the contracts; those of
    other titles may be left out. make_engine: an engine with an empty state for a chain id.
    times_s: when each was recorded (Unix time), which only time locks of guards look at.
    It proves what these transactions do, and not that the log holds no others for the title:
    that takes all open leaves of the log up to the same checkpoint.
    Raises MalformedInput for bytes that are no transaction, and Refused with the code
    `foreign_contracts` (not the published ones), `wrong_chain` (of two chains),
    `replayed_nonce` (out of order), `no_effect`
    (moves nothing), or the contract's own reason if one of them fails.
    """
    if not 2 <= len(raws) <= TRANSACTIONS_MAX:
        raise Refused(
            f"a history has 2 to {TRANSACTIONS_MAX} transactions, not {len(raws)}",
            code="foreign_contracts",
        )
    transactions = [decode(raw) for raw in raws]
    registry = _registry(transactions[0], transactions[1])
    check_order(transactions)
    engine = make_engine(transactions[0].chain_id)
    book = TitleBook(registry=registry.token, factory=registry.factory)
    moves: list[Move] = []
    guards: set[Address] = set()
    now_s = 0
    for number, transaction in enumerate(transactions, start=1):
        # As on the chain: a block is never earlier than the one before.
        now_s = max(now_s, times_s[number - 1] if times_s else 0)
        if transaction.to is None and guard_terms(transaction.data):
            guards.add(created_address(transaction.sender, transaction.nonce))
        moves.extend(_execute(engine, book, transaction, Block(number, now_s), guards))
    return TitleHistory(transactions[0].chain_id, address_text(registry.token), tuple(moves))


def _registry(first: Transaction, second: Transaction) -> Registry:
    registry = Registry.of(first.sender)
    created = (first.sender, first.nonce, first.to) == (second.sender, 0, None)
    published = (
        created
        and (second.nonce, second.to) == (1, None)
        and is_factory_code(first.data)
        and is_registry_code(second.data, registry.factory)
    )
    if not published:
        raise Refused(
            "the first two transactions do not create the published title contracts",
            code="foreign_contracts",
        )
    return registry


def check_order(transactions: Sequence[Transaction]) -> None:
    """Raises Refused if a transaction is another chain's, or stands twice or out of order."""
    counts: dict[Address, int] = {}
    for transaction in transactions:
        least = counts.get(transaction.sender, 0)
        # Numbers may be left out (other titles' transactions), never used twice or backwards.
        expected = max(least, transaction.nonce)
        Admission(transactions[0].chain_id, {transaction.sender: expected}).check(transaction)
        counts[transaction.sender] = transaction.nonce + 1


def _execute(
    engine: Engine,
    book: TitleBook,
    transaction: Transaction,
    block: Block,
    guards: Container[Address],
) -> list[Move]:
    outcome = engine.execute(transaction, block)
    in_guard = transaction.to in guards and is_guard_call(transaction.data)
    if not outcome.succeeded:
        if in_guard:
            # Logged and refused by the guard: it changed nothing.
            return []
        raise refusal_of(outcome)
    call = call_of(transaction.data) if transaction.to else None
    touched = book.apply(events_of(outcome.logs))
    # A call to an address without code succeeds and does nothing: no part of any history.
    is_role = call is not None and call.signature in ROLE_CALLS
    if transaction.to and not (touched or is_role or in_guard):
        raise Refused(
            f"0x{transaction.hash.hex()} moves no title of this registry", code="no_effect"
        )
    return [move_of(transaction, state) for state in touched]


def move_of(transaction: Transaction, state: TitleState) -> Move:
    """What a transaction did to a title that it left in this state."""
    call = title_call_of(transaction)
    return Move(
        title=state.title.hex(),
        action=(call.action if call else "") or "other",
        transaction="0x" + transaction.hash.hex(),
        signer=address_text(transaction.sender),
        holder=address_text(state.holder),
        beneficiary=address_text(state.beneficiary),
        active=state.active,
    )
