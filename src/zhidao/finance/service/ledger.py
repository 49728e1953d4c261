"""The ledger's one validator: each batch goes through the machine, then becomes durable at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.journal import Entry, Scribe
from zhidao.finance.domain.chain import Batch, first_head
from zhidao.finance.domain.ledger import TRANSFERS_MAX, Account, Result, Transfer
from zhidao.finance.domain.machine import State, apply, replay
from zhidao.finance.events import TransfersPosted
from zhidao.finance.service.ports import LedgerStore


@dataclass(slots=True)
class _Shard:
    """What the validator holds in memory: it equals the durable rows, or is thrown away."""

    state: State
    number: int
    head: bytes
    last_ns: int


@dataclass(slots=True)
class _Desk:
    """One shard's desk: who comes first is served first."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    epoch: int = 0
    fenced: bool = False
    shard: _Shard | None = None


class Ledger:
    """Double entry over shards; a shard is named by its currency for now."""

    def __init__(self, store: LedgerStore, *, scribe: Scribe, clock: Clock, holder: str) -> None:
        self._store = store
        self._scribe = scribe
        self._clock = clock
        self._holder = holder
        self._desks: dict[str, _Desk] = {}

    async def submit(self, shard: str, transfers: Sequence[Transfer]) -> list[Result]:
        """Applies a batch; returns one result a transfer once those that hold are durable.

        Repeating a batch is safe: what holds already answers `exists`. Raises Unavailable if the
        outcome is unknown (repeat then), Refused for more than 8,189 transfers.
        """
        if len(transfers) > TRANSFERS_MAX:
            raise Refused(f"a batch of {len(transfers)} transfers; at most {TRANSFERS_MAX}")
        desk = self._desk(shard)
        async with desk.lock:
            held = await self._held(desk, shard)
            at_ns = max(self._clock.now().unix_ns, held.last_ns + 1)
            draft = held.state.draft()
            results = apply(transfers, draft, at_ns=at_ns)
            if draft.added:
                await self._commit(desk, held, draft, shard)
            return results

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], entries: Sequence[Entry]
    ) -> None:
        """Opens accounts with the events that tell of them. Raises Conflict if one stands."""
        desk = self._desk(shard)
        async with desk.lock:
            held = await self._held(desk, shard)
            for account in accounts:
                if held.state.account(account.id) is not None:
                    raise Conflict(f"account {account.id} is open already")
            with _Doubt(desk):
                await self._store.open_accounts(shard, accounts, epoch=desk.epoch, entries=entries)
            for account in accounts:
                held.state.put_account(account)

    async def account(self, shard: str, name: UUID) -> Account:
        """An account with its sums as of the newest durable batch. Raises NotFound."""
        desk = self._desk(shard)
        async with desk.lock:
            account = (await self._held(desk, shard)).state.account(name)
        if account is None:
            raise NotFound("no account of that name")
        return account

    async def has_account(self, shard: str, name: UUID) -> bool:
        """Whether the account is open."""
        desk = self._desk(shard)
        async with desk.lock:
            return (await self._held(desk, shard)).state.account(name) is not None

    async def accounts(self, shard: str) -> tuple[Account, ...]:
        """All accounts of a shard, for the trial balance."""
        desk = self._desk(shard)
        async with desk.lock:
            return tuple((await self._held(desk, shard)).state.accounts())

    def _desk(self, shard: str) -> _Desk:
        return self._desks.setdefault(shard, _Desk())

    async def _held(self, desk: _Desk, shard: str) -> _Shard:
        if desk.fenced:
            raise Unavailable(
                f"another validator took over ledger {shard}",
                code="fenced",
                remedy="ask that node, or restart this one to take it back",
            )
        if desk.shard is None:
            if desk.epoch == 0:
                desk.epoch = await self._store.acquire(shard, holder=self._holder)
            desk.shard = _recover(shard, *await self._store.load(shard))
        return desk.shard

    async def _commit(self, desk: _Desk, held: _Shard, draft: State, shard: str) -> None:
        batch = Batch.after(held.head, shard=shard, number=held.number + 1, transfers=draft.added)
        with _Doubt(desk):
            await self._store.commit(batch, epoch=desk.epoch, entry=self._event(batch))
        draft.keep()
        held.number = batch.number
        held.head = batch.head
        held.last_ns = batch.transfers[-1].timestamp

    def _event(self, batch: Batch) -> Entry:
        fact = TransfersPosted(
            ledger=batch.shard,
            batch=batch.number,
            count=len(batch.transfers),
            root=batch.root.hex(),
            head=batch.head.hex(),
        )
        return self._scribe.write(
            fact,
            by=self._scribe.node,
            aggregate=f"ledger/{batch.shard}",
            version=batch.number,
            owner=self._scribe.node,
            visible=(),
            occurred_at=None,
        )


class _Doubt:
    """After a write whose outcome is unknown the memory is thrown away and read anew."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            return
        self._desk.shard = None
        if isinstance(error, ZhidaoError) and error.code == "fenced":
            self._desk.fenced = True


def _recover(shard: str, accounts: tuple[Account, ...], batches: tuple[Batch, ...]) -> _Shard:
    """The state that all batches make. Raises Refused naming the first one that does not fit."""
    state = State()
    for account in accounts:
        state.put_account(account)
    head, last_ns = first_head(shard), 0
    for number, stored in enumerate(batches, start=1):
        again = Batch.after(head, shard=shard, number=number, transfers=stored.transfers)
        if again != replace(stored) or not replay(stored.transfers, state):
            raise Refused(
                f"ledger {shard}: batch {number} does not give the head that was logged for it",
                code="ledger_head_differs",
                remedy="restore the database from a backup that does",
            )
        head, last_ns = stored.head, stored.transfers[-1].timestamp
    return _Shard(state, len(batches), head, last_ns)
