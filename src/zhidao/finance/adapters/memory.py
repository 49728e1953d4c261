"""Finance's ports in memory: the twins of the PostgreSQL adapters, under the same contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from zhidao.core.errors import Conflict
from zhidao.core.journal import Entry, Journal
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.ledger import Account
from zhidao.finance.domain.ledger.records import Name, movements_of
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.events import BalancesStated, TransfersPosted
from zhidao.finance.service.ports import EndedPvp, IndexedDeal


class MemoryLedgerStore:
    """The ledger's batches in lists; events go to the given journal of the same room."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._epochs: dict[str, int] = {}
        self._accounts: dict[str, dict[UUID, Account]] = {}
        self._batches: dict[str, list[Batch]] = {}
        self._past: dict[str, History] = {}
        self._snapshots: dict[str, tuple[bytes, str]] = {}

    async def acquire(self, shard: str, *, holder: str) -> int:
        """The next epoch."""
        assert holder, "a validator has a name"
        self._epochs[shard] = self._epochs.get(shard, 0) + 1
        return self._epochs[shard]

    async def shards(self) -> tuple[str, ...]:
        """The shards with accounts."""
        return tuple(sorted(self._accounts))

    async def accounts(self, shard: str) -> tuple[Account, ...]:
        """All accounts of a shard."""
        return tuple(self._accounts.get(shard, {}).values())

    async def batches(self, shard: str, *, after: int) -> tuple[Batch, ...]:
        """The batches behind a number."""
        return tuple(self._batches.get(shard, ()))[after:]

    async def find(self, shard: str, names: Sequence[Name]) -> History:
        """What is known of these names."""
        past, found = self._past.get(shard, History()), History()
        wanted = list(names)
        for name in wanted:
            movement = past.transfers.get(name)
            if movement is not None:
                found.transfers[name] = movement
                if movement.pending_id in past.transfers:
                    wanted.append(movement.pending_id)
            if name in past.failures:
                found.failures.add(name)
        found.fates = {name: past.fates[name] for name in found.transfers if name in past.fates}
        return found

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], *, epoch: int, entries: Sequence[Entry]
    ) -> None:
        """Writes accounts and their events, or nothing."""
        self._check(shard, epoch)
        held = self._accounts.setdefault(shard, {})
        if any(account.id in held for account in accounts):
            raise Conflict(f"an account of ledger {shard} is open already")
        for entry in entries:
            await self._journal.append([entry])
        held.update({account.id: account for account in accounts})

    async def commit(
        self,
        batch: Batch,
        *,
        epoch: int,
        entry: Entry,
        before: Awaitable[None] | None = None,
    ) -> None:
        """Writes a batch and its event, or nothing."""
        if before is not None:
            await before
        self._check(batch.shard, epoch)
        held = self._batches.setdefault(batch.shard, [])
        past = self._past.setdefault(batch.shard, History())
        if batch.number != len(held) + 1:
            raise Conflict(f"batch {batch.number} of ledger {batch.shard} is taken")
        movements, failures = movements_of(batch.records), dict(batch.failures)
        if any(one.id in past.transfers or one.pending_id in past.fates for one in movements):
            raise Conflict(f"a transfer of batch {batch.number} stands already")
        await self._journal.append([entry])
        held.append(batch)
        past.remember(movements, failures)

    async def place(self, shard: str, name: Name) -> tuple[int, int] | None:
        """Batch number and place of a stored transfer."""
        for batch in self._batches.get(shard, ()):
            for place, movement in enumerate(movements_of(batch.records)):
                if movement.id == name:
                    return batch.number, place
        return None

    async def batch_at(self, shard: str, *, at_ns: int) -> int:
        """The last batch that began up to a moment."""
        began = [
            one.number
            for one in self._batches.get(shard, ())
            if len(one.records) and int(one.records["timestamp"][0]) <= at_ns
        ]
        return max(began, default=0)

    async def snapshot(self, shard: str) -> tuple[bytes, str] | None:
        """The newest balances and their stated digest."""
        return self._snapshots.get(shard)

    async def keep_snapshot(
        self, shard: str, number: int, data: bytes, *, epoch: int, entry: Entry
    ) -> None:
        """Keeps the balances and their event, or nothing."""
        assert number <= len(self._batches.get(shard, ())), "balances follow a batch"
        self._check(shard, epoch)
        await self._journal.append([entry])
        self._snapshots[shard] = data, BalancesStated.of(entry.event).digest

    async def statements(self, shard: str) -> int:
        """How often balances were stated."""
        return len(await self._journal.load(f"balances/{shard}", viewer=None))

    async def stated(self, shard: str) -> tuple[int, str] | None:
        """The newest batch of the journal and its head."""
        history = await self._journal.load(f"ledger/{shard}", viewer=None)
        if not history:
            return None
        fact = TransfersPosted.of(history[-1].event)
        return fact.batch, fact.head

    def _check(self, shard: str, epoch: int) -> None:
        if epoch != self._epochs.get(shard):
            raise Conflict(f"epoch {epoch} of ledger {shard} is over", code="fenced")


class MemoryDealIndex:
    """The index in a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[str, IndexedDeal] = {}
        self._closed: set[str] = set()

    async def add(self, entry: IndexedDeal) -> None:
        """Adds an entry once."""
        self._entries.setdefault(entry.deal, entry)

    async def close(self, deal: IndexedDeal) -> None:
        """Closes an entry."""
        if deal.deal in self._entries:
            self._closed.add(deal.deal)

    async def of_consignment(self, consignment: str) -> tuple[str, ...]:
        """By consignment, open or closed."""
        return self._names(lambda entry: entry.consignment == consignment)

    async def open_of_terminal(self, terminal: str) -> tuple[str, ...]:
        """By terminal, open only."""
        return self._names(
            lambda entry: terminal in entry.terminal.split("/") and entry.deal not in self._closed
        )

    async def open(self) -> tuple[str, ...]:
        """All that are open."""
        return self._names(lambda entry: entry.deal not in self._closed)

    def _names(self, wanted: Callable[[IndexedDeal], bool]) -> tuple[str, ...]:
        return tuple(sorted(name for name, entry in self._entries.items() if wanted(entry)))


class HeldLists:
    """Sanctions lists that were read before."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    async def lists(self) -> Lists:
        """Those lists."""
        return self._lists


class MemoryNameIndex:
    """Who named what how, in a set."""

    def __init__(self) -> None:
        self._named: set[tuple[str, str, str]] = set()

    async def add(self, kind: str, name: str, owner: str) -> None:
        """Adds an entry once."""
        self._named.add((kind, name, owner))

    async def owners(self, kind: str, name: str, *, limit: int) -> tuple[str, ...]:
        """Who named one so."""
        found = sorted(one[2] for one in self._named if one[:2] == (kind, name))
        return tuple(found[:limit])


class MemoryWrittenBalances:
    """Balances behind batches, in dictionaries."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._balances: dict[tuple[str, Name], list[tuple[int, int]]] = {}

    async def until(self, shard: str) -> int:
        """The last batch."""
        return self._until.get(shard, 0)

    async def write(
        self, shard: str, *, after: int, until: int, balances: Mapping[Name, int]
    ) -> None:
        """Writes all of them."""
        if self._until.get(shard, 0) != after:
            raise Conflict(f"balances of ledger {shard} are written down already")
        self._until[shard] = until
        for name, minor in balances.items():
            self._balances.setdefault((shard, name), []).append((until, minor))

    async def newest(self, shard: str, names: Sequence[Name], *, until: int) -> dict[Name, int]:
        """The last ones up to a batch."""
        found: dict[Name, int] = {}
        for name in names:
            for batch, minor in self._balances.get((shard, name), ()):
                if batch <= until:
                    found[name] = minor
        return found


class MemoryPaymentOrderIndex:
    """The finder of payments that wait, in a dictionary."""

    def __init__(self) -> None:
        self._due_ns: dict[str, int] = {}
        self._closed: set[str] = set()

    async def add(self, order: str) -> None:
        """Adds an entry once."""
        self._due_ns.setdefault(order, 0)

    async def put_off(self, order: str, *, until_ns: int) -> None:
        """Says when it is due."""
        if order in self._due_ns:
            self._due_ns[order] = until_ns

    async def close(self, order: str) -> None:
        """Closes an entry."""
        if order in self._due_ns:
            self._closed.add(order)

    async def due(self, *, now_ns: int, limit: int) -> tuple[str, ...]:
        """Those that are due."""
        waits = sorted((at, name) for name, at in self._due_ns.items() if at <= now_ns)
        return tuple([name for _, name in waits if name not in self._closed][:limit])


class MemoryEscrowIndex:
    """The finder of conditional payments in a dictionary."""

    def __init__(self) -> None:
        self._open: dict[str, set[str]] = {}
        self._due_ns: dict[str, int] = {}
        self._closed: set[str] = set()

    async def add(self, escrow: str, *, consignments: Sequence[str]) -> None:
        """Adds an entry once."""
        self._open.setdefault(escrow, set(consignments))
        self._due_ns.setdefault(escrow, 0)

    async def put_off(self, escrow: str, *, until_ns: int) -> None:
        """Says when it is due."""
        if escrow in self._open:
            self._due_ns[escrow] = until_ns

    async def close(self, escrow: str) -> None:
        """Closes an entry."""
        if escrow in self._open:
            self._closed.add(escrow)

    async def open_of(self, consignment: str) -> tuple[str, ...]:
        """Open ones of a consignment."""
        names = sorted(set(self._open) - self._closed)
        return tuple(name for name in names if consignment in self._open[name])

    async def open(self, *, after: str = "", limit: int = 1_000) -> tuple[str, ...]:
        """Open ones behind a key."""
        names = sorted(set(self._open) - self._closed)
        return tuple([name for name in names if name > after][:limit])

    async def due(self, *, now_ns: int, limit: int) -> tuple[str, ...]:
        """Those that are due."""
        waits = sorted((at, name) for name, at in self._due_ns.items() if at <= now_ns)
        return tuple([name for _, name in waits if name not in self._closed][:limit])


class MemoryPvpIndex:
    """The finder of payments versus payment in dictionaries."""

    def __init__(self) -> None:
        self._deals: dict[str, EndedPvp | None] = {}
        """By name; None while open."""
        self._channels: dict[tuple[str, str], str] = {}

    async def add(self, deal: str, *, bank: str) -> None:
        """Adds an entry once."""
        assert deal.startswith(f"pvp-deal/{bank}/"), "a deal bears its bank's name"
        self._deals.setdefault(deal, None)

    async def close(self, ended: Sequence[EndedPvp]) -> None:
        """Closes entries and keeps their channels."""
        for one in ended:
            self._deals[one.deal] = self._deals.get(one.deal) or one
            self._channels.setdefault((one.bank, one.channel), one.deal)

    async def open(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """Open ones behind a name."""
        names = sorted(name for name, ended in self._deals.items() if ended is None)
        return tuple([name for name in names if name > after][:limit])

    async def one_of_each_channel(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """A deal of each channel, behind a name."""
        return tuple([name for name in sorted(self._channels.values()) if name > after][:limit])

    async def sold(self, bank: str, quote: str) -> int:
        """The sum of a quote."""
        closed = (ended for ended in self._deals.values() if ended is not None)
        return sum(one.sold_minor for one in closed if (one.bank, one.quote) == (bank, quote))
