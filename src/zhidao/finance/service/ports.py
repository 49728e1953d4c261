"""What finance asks of the world beside its journal and the archive."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from zhidao.core.actor import Actor
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Entry
from zhidao.finance.domain.banking_calendars import KnownCalendar
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.ledger import Account
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.screening.screening import Lists


class Calendars(Protocol):
    """The banking calendars that this node knows."""

    def calendar(self, name: str) -> KnownCalendar:
        """A calendar by its name. Raises Refused (`calendar_not_known`)."""
        ...

    def calendars(self) -> list[KnownCalendar]:
        """All that are known, by name."""
        ...


class LedgerStore(Protocol):
    """Append-only batches of the ledger, one shard beside the other, one validator each."""

    async def acquire(self, shard: str, *, holder: str) -> int:
        """Makes the holder this shard's validator and returns its epoch, higher than any before.

        From then on nothing is written under an older epoch.
        """
        ...

    async def shards(self) -> tuple[str, ...]:
        """The shards that have accounts, in order of name."""
        ...

    async def accounts(self, shard: str) -> tuple[Account, ...]:
        """All accounts in the order of their opening, their sums zero."""
        ...

    async def batches(self, shard: str, *, after: int) -> tuple[Batch, ...]:
        """The next batches behind a number, in order, as they were written; none at the end."""
        ...

    async def batch_at(self, shard: str, *, at_ns: int) -> int:
        """The number of the last batch that began up to this moment (Unix); 0 for none."""
        ...

    async def find(self, shard: str, names: Sequence[Name]) -> History:
        """Of these names: stored transfers, failed ids, and what became of reservations.

        With a post or void comes the reservation that it names.
        """
        ...

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], *, epoch: int, entries: Sequence[Entry]
    ) -> None:
        """Writes accounts and the events that tell of them in one transaction.

        Each entry is the first of its own aggregate. Raises Conflict if an account stands already,
        and Conflict with code `fenced` if the epoch is not the newest.
        """
        ...

    async def commit(
        self,
        batch: Batch,
        *,
        epoch: int,
        entry: Entry,
        before: Awaitable[None] | None = None,
    ) -> None:
        """Writes a batch, its ids, its head and its event in one transaction.

        The bulk may be sent while the batch before is still being written; `before` ends when that
        one stands, and nothing of this batch stands earlier. Raises what `before` raises,
        Conflict with code `fenced` if the epoch is not the newest, Conflict if the number or an id
        is taken or a reservation is resolved already.
        """
        ...

    async def snapshot(self, shard: str) -> tuple[bytes, str] | None:
        """The newest balances that were kept and the digest that the log states of them."""
        ...

    async def keep_snapshot(
        self, shard: str, number: int, data: bytes, *, epoch: int, entry: Entry
    ) -> None:
        """Keeps the balances after a batch with the event that states them; older ones may go."""
        ...

    async def statements(self, shard: str) -> int:
        """How often balances were stated."""
        ...

    async def stated(self, shard: str) -> tuple[int, str] | None:
        """The newest batch that the journal tells of, and the head it states (hex)."""
        ...


class WrittenBalances(Protocol):
    """Balances as they were behind some of the ledger's batches: only what moved in between."""

    async def until(self, shard: str) -> int:
        """Behind which batch balances were written down last; 0 for none."""
        ...

    async def write(
        self, shard: str, *, after: int, until: int, balances: Mapping[Name, int]
    ) -> None:
        """What stands on accounts behind a batch, those that moved since the one before; at once.

        Raises Conflict if another batch than `after` was the last.
        """
        ...

    async def newest(self, shard: str, names: Sequence[Name], *, until: int) -> dict[Name, int]:
        """What stood on accounts behind a batch; those that never moved are left out."""
        ...


class TransferPlaces(Protocol):
    """Finds the record of a transfer in the ledger's batches."""

    async def place(self, shard: str, name: Name) -> tuple[int, int] | None:
        """Batch number and place within the batch, from 0; None if no transfer stands there."""
        ...


@dataclass(frozen=True, slots=True)
class IndexedDeal:
    """Where a deal is found: the index is a finder, the deal's history is the truth.

    `terminal`: several are joined by a slash.
    """

    deal: str
    consignment: str
    terminal: str


class DealIndex(Protocol):
    """Finds deals by consignment and by terminal; entries may be stale, never missing."""

    async def add(self, entry: IndexedDeal) -> None:
        """Adds an open deal; again: nothing changes."""
        ...

    async def close(self, deal: IndexedDeal) -> None:
        """The deal needs no more events."""
        ...

    async def of_consignment(self, consignment: str) -> tuple[str, ...]:
        """Deals ever opened for a consignment, in order of name."""
        ...

    async def open_of_terminal(self, terminal: str) -> tuple[str, ...]:
        """Open deals that wait for this terminal."""
        ...

    async def open(self) -> tuple[str, ...]:
        """All open deals."""
        ...


class Remembered(NamedTuple):
    """A message that came in or went out. `digest`: of its bytes in the archive."""

    message: str
    definition: str
    digest: str


class MessageIndex(Protocol):
    """The messages of each bank by their ids: so that none is taken for another's repetition."""

    async def remember(self, bank: str, other: str, messages: Sequence[Remembered]) -> list[str]:
        """Writes down messages between a bank and another; returns the digest under each id.

        An id that was used stays with its first digest. `other`: who sent it, or `>` and the
        receiver of a message that went out.
        """
        ...

    async def of_message(self, bank: str, other: str, message: str) -> Remembered | None:
        """A message by its id, or None."""
        ...

    async def of_marks(self, bank: str, marks: Sequence[int]) -> dict[int, Remembered]:
        """Messages by the first eight bytes of their digests, as the ledger's transfers bear."""
        ...


class Schemas(Protocol):
    """The schema packs that an operator installed, if any."""

    async def check(self, message: str, document: bytes) -> str:
        """`valid by …` or `not checked`. Raises MalformedInput with the place if it is invalid.

        `message`: the message definition, such as `pacs.008.001.08`.
        """
        ...


class ListSource(Protocol):
    """Where the sanctions lists of this node come from."""

    async def lists(self) -> Lists:
        """The lists as they stand now; perhaps none.

        Raises Unavailable with code `lists_unreadable` if one of them cannot be read.
        """
        ...


class NameIndex(Protocol):
    """Finds who named something how; entries may be stale, never missing."""

    async def add(self, kind: str, name: str, owner: str) -> None:
        """An owner is about to open one of this kind and name; again: no change."""
        ...

    async def owners(self, kind: str, name: str, *, limit: int) -> tuple[str, ...]:
        """Who named one of this kind so, in order of name; at most `limit`."""
        ...


class Persons(Protocol):
    """Who signs in at this node with a password of their own."""

    async def standing(self, name: str) -> Actor | None:
        """As whom a person speaks now; None for one who is withdrawn, waits or never was."""
        ...


class PaymentOrderIndex(Protocol):
    """Finds payments that wait for their day; entries may be stale, never missing."""

    async def add(self, order: str) -> None:
        """An order is about to be kept; again: no change. It is due at once."""
        ...

    async def put_off(self, order: str, *, until_ns: int) -> None:
        """It is due at this moment (Unix) and not before, whatever was said earlier."""
        ...

    async def close(self, order: str) -> None:
        """All of it ended."""
        ...

    async def due(self, *, now_ns: int, limit: int) -> tuple[str, ...]:
        """Open ones that are due at this moment (Unix), the longest waiting first."""
        ...


class EscrowIndex(Protocol):
    """Finds conditional payments by their keys; entries may be stale, never missing."""

    async def add(self, escrow: str, *, consignments: Sequence[str]) -> None:
        """Adds an open one with the consignments that its condition speaks of; again: no change.

        It is due at once.
        """
        ...

    async def put_off(self, escrow: str, *, until_ns: int) -> None:
        """It is due at this moment (Unix) and not before, whatever was said earlier."""
        ...

    async def close(self, escrow: str) -> None:
        """It needs no more events."""
        ...

    async def open_of(self, consignment: str) -> tuple[str, ...]:
        """Open ones that wait for events of a consignment, in order of key."""
        ...

    async def open(self, *, after: str = "", limit: int = 1_000) -> tuple[str, ...]:
        """Open ones behind a key, in order of key."""
        ...

    async def due(self, *, now_ns: int, limit: int) -> tuple[str, ...]:
        """Open ones that are due at this moment (Unix), the longest waiting first."""
        ...


@dataclass(frozen=True, slots=True)
class EndedPvp:
    """A payment versus payment that ended, as its history tells. `deal`: the history's name.

    `sold_minor`: what it sold under a quote that its bank gave; 0 if it sold nothing, or the quote
    is another's.
    """

    deal: str
    bank: str
    channel: str
    quote: str
    sold_minor: int


class PvpIndex(Protocol):
    """Finds payments versus payment; entries may be stale, never missing.

    An entry is open from before the deal's first event until after its last: what is open is to be
    looked up in its history, what is closed needs no look.
    """

    async def add(self, deal: str, *, bank: str) -> None:
        """A deal is about to be made; again, or after its end: no change."""
        ...

    async def close(self, ended: Sequence[EndedPvp]) -> None:
        """Deals ended: all of them, their sums and their channels, or nothing. Again: no change."""
        ...

    async def open(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """Open ones behind a name, in order of name."""
        ...

    async def one_of_each_channel(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """Of each channel in which a deal ended one such deal, behind a name, in order of name."""
        ...

    async def sold(self, bank: str, quote: str) -> int:
        """What the closed deals sold under a quote that a bank gave, minor units."""
        ...


class Post(Protocol):
    """Carries messages of payment versus payment to parties at other nodes, in order, once each."""

    async def send(self, actor: Actor, *, node: str, party: str, kind: str, content: bytes) -> None:
        """Keeps a message until it is there; the same one again: nothing more is sent.

        Raises NotFound (`unknown_peer`).
        """
        ...


class Logged(Protocol):
    """Wakes who waits for events to come under a signed tree head."""

    @property
    def count(self) -> int:
        """How often it happened so far in this process."""
        ...

    async def after(self, seen: int, *, fallback_ns: int) -> bool:
        """Returns when it happened since `seen`, True, or after so many nanoseconds, False."""
        ...


class Decisions(Protocol):
    """What the logs say about decisions: of this node, and of its peers."""

    async def prove(self, event: SignedEvent) -> bytes | None:
        """A proof that this node's log holds the event; None while it is not there yet."""
        ...

    async def check(self, event: SignedEvent, proof: bytes, *, node: str) -> None:
        """Returns if a peer's log holds the event. Raises Refused (`pvp_unlogged`) otherwise."""
        ...

    def keys(self, node: str) -> tuple[str, ...]:
        """The Multikeys with which a peer decides and logs. Raises NotFound (`unknown_peer`)."""
        ...
