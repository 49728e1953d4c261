"""A node's chain: signed transactions in log order, executed one a block, with a receipt each.

Everything follows from the log: a block's number is the transaction's version in its aggregate,
its time the second in which the event was recorded, never earlier than the block before. So a
replay gives the same state. A logged transaction that breaks a rule of the chain changes nothing
and gets a receipt that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, Block, StateChanges, Transaction
from zhidao.trust.domain.title_state import TitleBook, TitleState
from zhidao.trust.service.chain.ports import Engine
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.snapshot import Entry, Head
from zhidao.trust.wire.evm.keccak import keccak256
from zhidao.trust.wire.evm.title_contract import Registry, events_of, refusal_of
from zhidao.trust.wire.evm.title_guard import guard_terms, title_call_of
from zhidao.trust.wire.evm.transaction import decode

NO_ACTION: Final = "other"


class TitleChain:
    """The state of a node's chain, and of the titles in its registry."""

    def __init__(self, engine: Engine, *, chain_id: int, registry: Registry) -> None:
        self._engine = engine
        self._admission = Admission(chain_id)
        self._titles = TitleBook(registry=registry.token, factory=registry.factory)
        self._receipts: dict[bytes, Receipt] = {}
        self._moves: dict[bytes, list[Receipt]] = {}
        self._block = Block(0, 0)
        # All entries from block 1 on, in order.
        self._entries: list[Entry] = []
        self._guards: set[Address] = set()

    @property
    def height(self) -> int:
        """The number of the newest block."""
        return self._block.number

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a transaction, or None if it was not executed yet."""
        return self._receipts.get(transaction_hash)

    def moves(self, title: bytes) -> tuple[Receipt, ...]:
        """Receipts of the transactions that touched a title, in order."""
        return tuple(self._moves.get(title, ()))

    def title(self, title: bytes) -> TitleState | None:
        """A title as it stands now, or None."""
        return self._titles.get(title)

    def is_guard(self, address: Address) -> bool:
        """Whether the published guard contract stands at an address."""
        return address in self._guards

    def state_root(self) -> bytes:
        """The root of the machine's state."""
        return self._engine.state_root()

    def entries(self, first: int = 1) -> Sequence[Entry]:
        """What was executed from a block on."""
        return self._entries[first - 1 :]

    def admission(self) -> Admission:
        """The senders' counts after the newest block."""
        return self._admission.copy()

    def head(self) -> Head:
        """Everything but the receipts, to go on from later."""
        return Head(
            self._admission.chain_id,
            self._block,
            self._engine.dump(),
            self._admission.counts(),
            self._titles.states(),
        )

    def changes(self) -> StateChanges:
        """What the machine wrote since this was asked last."""
        return self._engine.changes()

    def restore(self, head: Head, entries: Sequence[Entry]) -> None:
        """Goes on from a head; this chain has executed nothing yet."""
        assert self.height == 0, "a chain that runs is not replaced"
        self._engine.load(head.state)
        self._admission = Admission(head.chain_id, head.counts)
        self._titles.restore(head.titles)
        self._block = head.block
        for entry in entries:
            self._keep(entry)

    def _keep(self, entry: Entry) -> None:
        receipt = entry.receipt
        # The same bytes logged twice: the first receipt is the true one.
        self._receipts.setdefault(receipt.hash, receipt)
        for state in receipt.titles:
            self._moves.setdefault(state.title, []).append(receipt)
        self._entries.append(entry)
        made = receipt.transaction
        if made and made.to is None and receipt.created and guard_terms(made.data):
            self._guards.add(receipt.created)

    def execute(self, raw: bytes, *, number: int, recorded_s: int, title: str = "") -> Receipt:
        """Executes the transaction of block `number`; a block that stands is not done again.

        `title`: for which it was logged, as a reader is told.

        Raises Refused with code `out_of_order` if a block before it is missing.
        """
        if number <= self._block.number:
            return self._receipts[keccak256(raw)]
        if number != self._block.number + 1:
            raise Refused(
                f"block {number} cannot follow block {self._block.number}", code="out_of_order"
            )
        self._block = Block(number, max(recorded_s, self._block.timestamp_s))
        receipt = self._execute(raw)
        self._keep(Entry(receipt, title))
        return receipt

    def try_out(self, transaction: Transaction, now_s: int = 0) -> None:
        """Raises the Refused that the transaction would meet now; changes nothing.

        now_s: the time, where a time lock may have run out since the newest block.
        """
        self._admission.check(transaction)
        block = Block(self._block.number, max(now_s, self._block.timestamp_s))
        outcome = self._engine.try_out(transaction, block)
        if not outcome.succeeded:
            raise refusal_of(outcome)

    def _execute(self, raw: bytes) -> Receipt:
        transaction = None
        try:
            transaction = decode(raw)
            self._admission.admit(transaction)
        except (MalformedInput, Refused) as refusal:
            return Receipt(
                keccak256(raw), self._block, transaction, NO_ACTION, 0, None, (), refusal
            )
        outcome = self._engine.execute(transaction, self._block)
        call = title_call_of(transaction)
        return Receipt(
            hash=transaction.hash,
            block=self._block,
            transaction=transaction,
            action=(call.action if call else "") or NO_ACTION,
            gas_used=outcome.gas_used,
            created=outcome.created,
            titles=self._titles.apply(events_of(outcome.logs)) if outcome.succeeded else (),
            refusal=None if outcome.succeeded else refusal_of(outcome),
        )
