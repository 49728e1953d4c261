"""The ledger's one validator: groups become batches, batches become durable, then callers hear.

While one batch is written, the next is already judged and sent (three at a time, in order), so that
the database and this process work side by side. Single transfers that arrive meanwhile go together
into the next batch: that is the group commit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.journal import Entry, Scribe
from zhidao.finance.domain.ledger import snapshot as snapshots
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.ledger import TRANSFERS_MAX, Account, Result, Transfer
from zhidao.finance.domain.ledger.records import Movement, Name, Records, from_transfers
from zhidao.finance.domain.ledger.snapshot import Snapshot
from zhidao.finance.domain.ledger.validator import Validator
from zhidao.finance.events import BalancesStated, TransfersPosted
from zhidao.finance.service.ledger.recovery import recover
from zhidao.finance.service.ports import LedgerStore

_T = TypeVar("_T")
# Judging this many takes milliseconds: beside the loop from here on.
_ASIDE_FROM: Final = 512
_IN_FLIGHT: Final = 3
_TURNS_MAX: Final = 64
SNAPSHOT_EACH: Final = 500_000
"""Transfers between two kept balances: what a restart replays at most, in well under a second."""


@dataclass(slots=True)
class _Request:
    """What one caller wants applied as a batch of its own."""

    group: Records
    answer: asyncio.Future[list[Result]]


@dataclass(slots=True)
class _ShardState:
    """One shard: requests wait, one of their callers judges them all together."""

    judging: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_flight: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_IN_FLIGHT))
    waiting: list[_Request] = field(default_factory=list)
    leads: set[asyncio.Task[None]] = field(default_factory=set)
    called: bool = False
    """Whether somebody is on the way who judges what waits."""
    last_write: asyncio.Future[None] | None = None
    writing: list[set[Name]] = field(default_factory=list)
    """The ids of each batch that is judged and not durable yet."""
    validator: Validator | None = None
    epoch: int = 0
    fenced: bool = False
    since_snapshot: int = 0
    examined: bool = False
    differs: str = ""


# As long as an operator may wait to hear that a restored ledger fits again.
EXAMINED_EVERY_S: Final = 30.0


class Ledger:
    """Double entry over shards; a shard is named by its currency for now."""

    def __init__(
        self,
        store: LedgerStore,
        *,
        scribe: Scribe,
        clock: Clock,
        holder: str,
        snapshot_each: int = SNAPSHOT_EACH,
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._clock = clock
        self._holder = holder
        self._snapshot_each = snapshot_each
        self._shards: dict[str, _ShardState] = {}

    @property
    def differing(self) -> dict[str, str]:
        """Ledgers that are not what was logged of them, each with what was seen."""
        return {shard: state.differs for shard, state in self._shards.items() if state.differs}

    async def watch(self) -> None:
        """Compares ledgers with what was logged of them until cancelled, before anybody asks."""
        while True:
            await self.examine()
            await asyncio.sleep(EXAMINED_EVERY_S)

    async def examine(self) -> None:
        """Compares each ledger that nobody has asked for yet, or that differed, once."""
        for shard in await self._store.shards():
            state = self._shards.setdefault(shard, _ShardState())
            async with state.judging:
                if state.validator is None and (state.differs or not state.examined):
                    with contextlib.suppress(Refused):
                        await self._recovered(state, shard)

    async def submit(self, shard: str, transfers: Sequence[Transfer]) -> list[Result]:
        """Applies a batch; returns one result a transfer once those that hold are durable.

        Repeating a batch is safe: what holds already answers `exists`. Raises Unavailable if the
        outcome is unknown (repeat then), Refused for more than 8,189 transfers.
        """
        return await self.submit_records(shard, from_transfers(transfers))

    async def submit_records(self, shard: str, group: Records) -> list[Result]:
        """The same for a batch in columns, shape (n,): the form that big batches come in."""
        if len(group) > TRANSFERS_MAX:
            raise Refused(f"a batch of {len(group)} transfers; at most {TRANSFERS_MAX}")
        state = self._shards.setdefault(shard, _ShardState())
        request = _Request(group, asyncio.get_running_loop().create_future())
        state.waiting.append(request)
        if not state.called:
            self._call(state, shard)
        return await request.answer

    def _call(self, state: _ShardState, shard: str) -> None:
        """Has somebody judge what waits; who comes meanwhile is judged along with it."""
        state.called = True
        # In a task of its own: a caller that leaves must not leave the others waiting.
        lead = asyncio.create_task(self._lead(state, shard))
        state.leads.add(lead)
        lead.add_done_callback(state.leads.discard)

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], entries: Sequence[Entry]
    ) -> None:
        """Opens accounts with the events that tell of them. Raises Conflict if one stands."""
        state = self._shards.setdefault(shard, _ShardState())
        async with state.judging:
            held = await self._held(state, shard)
            await _settled(state)
            for account in accounts:
                if held.book.account(account.id) is not None:
                    raise Conflict(f"account {account.id} is open already")
            await self._certain(
                state,
                lambda: self._store.open_accounts(
                    shard, accounts, epoch=state.epoch, entries=entries
                ),
            )
            for account in accounts:
                held.book.put_account(account)

    async def account(self, shard: str, name: UUID) -> Account:
        """An account with its sums as of the newest durable batch. Raises NotFound."""
        account = await self._read(shard, lambda held: held.book.account(name))
        if account is None:
            raise NotFound("no account of that name")
        return account

    async def has_account(self, shard: str, name: UUID) -> bool:
        """Whether the account is open."""
        return await self._read(shard, lambda held: held.book.account(name)) is not None

    async def accounts(self, shard: str) -> tuple[Account, ...]:
        """All accounts of a shard in the order of their opening, for the trial balance."""
        return await self._read(shard, lambda held: tuple(held.book.accounts()))

    async def find(self, shard: str, names: Sequence[Name]) -> History:
        """What stands under these names as of the newest durable batch."""
        state = self._shards.setdefault(shard, _ShardState())
        async with state.judging:
            await self._held(state, shard)
            await _settled(state)
        return await self._store.find(shard, names) if names else History()

    async def find_written(self, shard: str, names: Sequence[Name]) -> History:
        """The same of what is written, without a wait for what is under way."""
        return await self._store.find(shard, names) if names else History()

    async def reserved(self, shard: str) -> tuple[Movement, ...]:
        """The reservations that nothing has ended as of the newest durable batch."""
        return await self._read(shard, lambda held: tuple(held.book.open.values()))

    async def shards(self) -> tuple[str, ...]:
        """The ledgers that have accounts, in order of name."""
        return await self._store.shards()

    async def state_balances(self, shard: str) -> BalancesStated:
        """Keeps the balances as they are now and states their root in the log."""
        state = self._shards.setdefault(shard, _ShardState())
        async with state.judging:
            held = await self._held(state, shard)
            await _settled(state)
            return await self._keep(state, held)

    async def _read(self, shard: str, look: Callable[[Validator], _T]) -> _T:
        """Looks at a shard when nothing is judged that is not durable yet."""
        state = self._shards.setdefault(shard, _ShardState())
        async with state.judging:
            held = await self._held(state, shard)
            await _settled(state)
            return look(held)

    async def _lead(self, state: _ShardState, shard: str) -> None:
        """Judges and writes all that waits, unless another caller already has."""
        async with state.in_flight:
            async with state.judging:
                await _gathered(state)
                requests, state.waiting = _share(state.waiting)
                state.called = False
                if state.waiting:
                    self._call(state, shard)
                if not requests:
                    return
                try:
                    written = await self._judge(state, shard, requests)
                except BaseException as error:  # noqa: BLE001 (each caller hears it)
                    _refuse(requests, error)
                    return
            try:
                answers = await written
            except BaseException as error:  # noqa: BLE001 (each caller hears it)
                _refuse(requests, error)
                return
        for request, answer in zip(requests, answers, strict=True):
            if not request.answer.done():
                request.answer.set_result(answer)

    async def _judge(
        self, state: _ShardState, shard: str, requests: Sequence[_Request]
    ) -> Awaitable[list[list[Result]]]:
        held = await self._held(state, shard)
        groups = [request.group for request in requests]
        asked = held.begin(groups, now_ns=self._clock.now().unix_ns)
        past = await self._past(state, shard, asked)
        try:
            if sum(map(len, groups)) < _ASIDE_FROM:
                answers, batch = held.apply(groups, past)
            else:
                answers, batch = await asyncio.to_thread(held.apply, groups, past)
        except BaseException:
            # Half a batch may be in the book.
            state.validator = None
            raise
        before = state.last_write
        if batch is not None:
            state.since_snapshot += batch.count
            state.last_write = asyncio.get_running_loop().create_future()
            state.writing.append(batch.ids)
        return self._write(state, batch, answers, before, state.last_write)

    async def _write(
        self,
        state: _ShardState,
        batch: Batch | None,
        answers: list[list[Result]],
        before: asyncio.Future[None] | None,
        done: asyncio.Future[None] | None,
    ) -> list[list[Result]]:
        """Writes a batch after the one before it; nobody hears an answer before that."""
        try:
            if batch is None:
                if before is not None:
                    await asyncio.shield(before)
                return answers
            turn = None if before is None else asyncio.shield(before)
            entry = self._event(batch)
            await self._certain(
                state,
                lambda: self._store.commit(batch, epoch=state.epoch, entry=entry, before=turn),
            )
        except BaseException:
            state.validator = None
            _written(state, batch)
            if batch is not None and done is not None:
                done.set_exception(_in_doubt(batch.shard))
                done.exception()
            raise
        _written(state, batch)
        if done is not None:
            done.set_result(None)
        return answers

    async def _past(self, state: _ShardState, shard: str, asked: Sequence[Name]) -> History:
        """What the table says of ids that may have been used."""
        if not asked:
            return History()
        if any(names.intersection(asked) for names in state.writing):
            # What is being written now is not found in the table yet.
            await _settled(state)
        return await self._store.find(shard, asked)

    async def _held(self, state: _ShardState, shard: str) -> Validator:
        if state.fenced:
            raise Unavailable(
                f"another validator took over ledger {shard}",
                code="fenced",
                remedy="ask that node, or restart this one to take it back",
            )
        if state.validator is None:
            if state.last_write is not None:
                # A write whose outcome is unknown is over before the table is read.
                await asyncio.wait([state.last_write])
                state.last_write = None
            if state.epoch == 0:
                state.epoch = await self._store.acquire(shard, holder=self._holder)
            state.validator = await self._recovered(state, shard)
            # However short lives are: what one applied again, the next one need not.
            state.since_snapshot = state.validator.replayed
        elif state.since_snapshot >= self._snapshot_each:
            await _settled(state)
            await self._keep(state, state.validator)
        return state.validator

    async def _recovered(self, state: _ShardState, shard: str) -> Validator:
        try:
            held = await recover(self._store, shard)
        except Refused as error:
            state.differs = str(error.args[0])
            raise
        state.examined, state.differs = True, ""
        return held

    async def _keep(self, state: _ShardState, held: Validator) -> BalancesStated:
        snapshot = Snapshot(held.shard, held.number, held.head, held.last_ns, held.book)
        data = await asyncio.to_thread(snapshots.encode, snapshot)
        accounts = tuple(held.book.accounts())
        stated = BalancesStated(
            ledger=held.shard,
            batch=held.number,
            head=held.head.hex(),
            accounts=len(accounts),
            root=snapshots.balances_root(accounts).hex(),
            digest=snapshots.digest(data),
        )
        version = await self._store.statements(held.shard) + 1
        entry = self._entry(stated, f"balances/{held.shard}", version)
        await self._certain(
            state,
            lambda: self._store.keep_snapshot(
                held.shard, held.number, data, epoch=state.epoch, entry=entry
            ),
        )
        state.since_snapshot = 0
        return stated

    async def _certain(self, state: _ShardState, act: Callable[[], Awaitable[None]]) -> None:
        """After a write whose outcome is unknown the memory is thrown away and read anew."""
        try:
            await act()
        except BaseException as error:
            state.validator = None
            if isinstance(error, ZhidaoError) and error.code == "fenced":
                state.fenced = True
            raise

    def _event(self, batch: Batch) -> Entry:
        fact = TransfersPosted(
            ledger=batch.shard,
            batch=batch.number,
            count=batch.count,
            root=batch.root.hex(),
            head=batch.head.hex(),
        )
        return self._entry(fact, f"ledger/{batch.shard}", batch.number)

    def _entry(self, fact: TransfersPosted | BalancesStated, aggregate: str, version: int) -> Entry:
        return self._scribe.write(
            fact,
            by=self._scribe.node,
            aggregate=aggregate,
            version=version,
            owner=self._scribe.node,
            visible=(),
            occurred_at=None,
        )


async def _gathered(state: _ShardState) -> None:
    """Waits for company while that is cheap: a commit costs as much for one as for hundreds.

    Little that waits lets the write before it end, and then each turn of the loop that brings
    more is followed by another.
    """
    if state.last_write is not None and _count(state.waiting) < _ASIDE_FROM:
        await asyncio.wait([state.last_write])
    for _ in range(_TURNS_MAX):
        before = len(state.waiting)
        await asyncio.sleep(0)
        if len(state.waiting) == before or _count(state.waiting) >= _ASIDE_FROM:
            return


def _count(waiting: Sequence[_Request]) -> int:
    """How many transfers wait."""
    return sum(len(request.group) for request in waiting)


def _share(waiting: list[_Request]) -> tuple[list[_Request], list[_Request]]:
    """As many of the waiting requests as one batch takes, at least one; and the rest."""
    total = 0
    for place, request in enumerate(waiting):
        total += len(request.group)
        if total > TRANSFERS_MAX and place:
            return waiting[:place], waiting[place:]
    return waiting, []


def _written(state: _ShardState, batch: Batch | None) -> None:
    if batch is not None:
        state.writing.remove(batch.ids)


async def _settled(state: _ShardState) -> None:
    """Waits until nothing is in flight. Raises what the last write ended with."""
    if state.last_write is not None:
        await asyncio.shield(state.last_write)


def _refuse(requests: Sequence[_Request], error: BaseException) -> None:
    for request in requests:
        if request.answer.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            request.answer.cancel()
            continue
        request.answer.set_exception(error)
        # Heard by us, should the caller have left.
        request.answer.exception()


def _in_doubt(shard: str) -> Unavailable:
    return Unavailable(
        f"ledger {shard}: whether the batch before stands is unknown", remedy="repeat the request"
    )
