"""Acts of a node that are logged and not yet final on a chain of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.events import ChainTransaction
from zhidao.trust.service.chain.settled import Number, SettledBook
from zhidao.trust.wire.evm.transaction import decode

# So many acts of one sender are on their way at once; clients keep 16 to 64 for an account.
_TOGETHER_MAX: Final = 16
# So often an act is refused (no money for gas, say) before it lets the others pass.
REFUSALS: Final = 5


@dataclass(frozen=True, slots=True)
class Written:
    """A logged transaction: its version in the chain's aggregate, who asserted it, what for."""

    version: int
    transaction: Transaction
    party: PartyId
    purpose: str
    title: str

    @property
    def number(self) -> Number:
        """Its sender and nonce."""
        return self.transaction.sender, self.transaction.nonce


@dataclass(slots=True)
class Act:
    """What one number of one sender is for: the bytes written for it, raised ones last."""

    written: list[Written] = field(default_factory=list)
    polls: int = 0
    looks: int = 0
    refusals: int = 0

    @property
    def newest(self) -> Written:
        """The bytes that are sent now."""
        return self.written[-1]

    @property
    def sender(self) -> Address:
        """Whose act it is."""
        return self.newest.transaction.sender


class Acts:
    """What this node wrote, as the log tells it, and which of it is still on its way."""

    def __init__(self) -> None:
        self._own: dict[bytes, Written] = {}
        self._waiting: dict[Number, Act] = {}
        # Versions below `watermark` are all taken, and of those above it the ones in `_taken`.
        self.watermark = 0
        self._taken: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Act]:
        return iter(self._waiting.values())

    def own(self, transaction_hash: bytes) -> Written | None:
        """The transaction of that hash, if this node wrote it."""
        return self._own.get(transaction_hash)

    def note(self, event: SignedEvent) -> None:
        """Takes a logged transaction, once, in whatever order they come."""
        if event.version in self._taken or event.version <= self.watermark:
            return
        self._taken.add(event.version)
        while self.watermark + 1 in self._taken:
            self.watermark += 1
            self._taken.discard(self.watermark)
        fact = ChainTransaction.of(event)
        try:
            transaction = decode(parse_hex(fact.raw))
        except (MalformedInput, Refused):
            # Junk in the log was never a transaction, and no endpoint would take it.
            return
        written = Written(
            event.version, transaction, event.asserted_by.party, fact.purpose, fact.title
        )
        self._own[transaction.hash] = written
        act = self._waiting.setdefault(written.number, Act())
        act.written.append(written)
        act.written.sort(key=lambda one: one.version)

    def settle(self, written: Written) -> None:
        """Its number is used up: nothing waits for it."""
        self._waiting.pop(written.number, None)

    def settle_all(self, book: SettledBook) -> None:
        """The same for all whose numbers the book holds."""
        self._waiting = {n: a for n, a in self._waiting.items() if book.of_number(n) is None}

    def front(self, registrar: Address) -> list[Act]:
        """The acts that may be on their way: those of the first one's sender, in order.

        What another sender wrote later may rest on them, and blocks come in any order. A sender
        whom the chain refuses lets the others pass, but for the registrar, on whom all rest. Of
        several who are refused the one with the fewest refusals is next, so that none of them
        stands before the others for good.
        """
        refused: dict[Address, int] = {}
        for act in self:
            if act.refusals >= REFUSALS and act.sender != registrar:
                refused[act.sender] = max(act.refusals, refused.get(act.sender, 0))
        acts = sorted(self, key=lambda act: (refused.get(act.sender, 0), act.written[0].version))
        front: list[Act] = []
        for act in acts[:_TOGETHER_MAX]:
            if front and act.sender != front[0].sender:
                break
            front.append(act)
        return front
