"""The executing end of the chain: what stands in the log runs, in leaf order, exactly once.

The machine's state lives in memory. It is built at first need, from a snapshot if one fits the
log and by replaying the rest, and then fed by the bus; an event that arrives early makes it read
the missing ones from the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Unavailable
from zhidao.core.events import SignedEvent
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.domain.paid_rules import Fees
from zhidao.trust.events import ChainTransaction
from zhidao.trust.service.chain.embedded import TitleChain
from zhidao.trust.service.chain.ports import LoggedTransactions
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.snapshot import Entry, NoSnapshots, Snapshots
from zhidao.trust.wire.evm.keccak import keccak256

_P = ParamSpec("_P")
_T = TypeVar("_T")
# So many transactions run in one go on the worker thread: about half a second.
_BATCH: Final = 64
_NS: Final = 1_000_000_000
_FREE: Final = Fees(0, 0)
# A restart replays fewer than these, which takes some tenths of a second.
SNAPSHOT_EVERY: Final = 32


class ChainExecutor:
    """Owns a chain's state. One thread of its own touches it, so a caller may go away any time."""

    def __init__(
        self,
        make_chain: Callable[[], TitleChain],
        logged: LoggedTransactions,
        aggregate: str,
        snapshots: Snapshots | None = None,
        *,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> None:
        """`make_chain` may import the engine: it runs on the chain's thread, at first need."""
        self._make_chain = make_chain
        self._snapshots = snapshots or NoSnapshots()
        self._snapshot_every = snapshot_every
        self._saved = 0
        self._logged = logged
        self._aggregate = aggregate
        self._thread = ThreadPoolExecutor(1, "chain")
        self._building: asyncio.Task[TitleChain] | None = None
        self._catching_up = asyncio.Lock()
        self._news = asyncio.Condition()

    async def take(self, event: SignedEvent) -> Receipt:
        """Executes a logged transaction, and before it those that are missing.

        Raises Unavailable if an earlier transaction has no leaf yet; the event comes again.
        """
        chain = await self._chain()
        if chain.height < event.version - 1:
            async with self._catching_up:
                await self._catch_up(chain)
        if chain.height < event.version - 1:
            raise Unavailable(f"block {event.version} came before its time", code="too_early")
        (receipt,) = await self._run(self._execute, chain, [event])
        async with self._news:
            self._news.notify_all()
        return receipt

    async def logged(self, event: SignedEvent) -> tuple[str, ...]:
        """Executes a logged transaction; the titles that it touched. Raises as `take`."""
        receipt = await self.take(event)
        return tuple(state.title.hex() for state in receipt.titles)

    async def check_offer(self, transaction: Transaction, *, is_paid_here: bool) -> None:
        """Nothing is offered here for gas."""
        del transaction, is_paid_here

    async def meet(self, sender: Address) -> None:
        """Nothing is asked of a chain whose senders all write here."""
        del sender

    async def prepare(self, sender: Address, gas: int) -> None:
        """Nobody pays for gas here."""
        del sender, gas

    def fees(self) -> Fees:
        """None are asked."""
        return _FREE

    async def receipt(self, transaction_hash: bytes, *, timeout_s: float) -> Receipt:
        """The receipt of a written transaction, as soon as it was logged and executed.

        Raises Unavailable after `timeout_s` seconds; asking again is safe.
        """
        try:
            async with asyncio.timeout(timeout_s):
                chain = await self._chain()
                async with self._news:
                    await self._news.wait_for(lambda: chain.receipt(transaction_hash) is not None)
        except TimeoutError as error:
            raise Unavailable(
                "the transaction is written but not executed yet",
                code="not_executed_yet",
                remedy="repeat the request; nothing is done twice",
            ) from error
        receipt = chain.receipt(transaction_hash)
        assert receipt is not None, "a receipt went away"
        return receipt

    async def moves(self, title: bytes) -> tuple[Receipt, ...]:
        """Receipts of all executed transactions that touched a title, in order."""
        return (await self._chain()).moves(title)

    async def try_out(self, transaction: Transaction, now_s: int = 0) -> None:
        """See `title_ports.Executor`.

        now_s: the time, for those that wait for a time lock.
        """
        chain = await self._chain()
        await self._run(chain.try_out, transaction, now_s)

    async def is_guard(self, address: Address) -> bool:
        """Whether the published guard contract stands at an address."""
        return (await self._chain()).is_guard(address)

    async def try_next(self, make: Callable[[Admission], Transaction]) -> None:
        """The same for a transaction made to follow the newest block."""
        chain = await self._chain()
        await self._run(_try_next, chain, make)

    async def state_root(self) -> bytes:
        """The root of the machine's state."""
        chain = await self._chain()
        return await self._run(chain.state_root)

    async def executed(self) -> tuple[Admission, Sequence[Entry]]:
        """The senders' counts and everything executed so far, as of one moment."""
        chain = await self._chain()
        return await self._run(_so_far, chain)

    async def _chain(self) -> TitleChain:
        """The chain, built from the log if it was not yet."""
        if self._building is None or _failed(self._building):
            self._building = asyncio.create_task(self._build())
        # A caller that goes away must not undo a long replay that others wait for.
        return await asyncio.shield(self._building)

    async def _build(self) -> TitleChain:
        chain = await self._run(self._make_chain)
        if await self._run(self._restore, chain) and not await self._fits(chain):
            await self._run(self._snapshots.discard)
            self._saved = 0
            chain = await self._run(self._make_chain)
        await self._catch_up(chain)
        return chain

    def _restore(self, chain: TitleChain) -> bool:
        kept = self._snapshots.load(chain.admission().chain_id)
        if kept is None:
            # Batches of an older head must not be continued.
            self._snapshots.discard()
            return False
        chain.restore(*kept)
        self._saved = chain.height
        return True

    async def _fits(self, chain: TitleChain) -> bool:
        """Whether the newest transaction of the snapshot is the log's at that place."""
        (last,) = chain.entries(chain.height)
        async for event in self._logged.replay(self._aggregate, after=chain.height - 1):
            raw = parse_hex(ChainTransaction.of(event).raw)
            return event.version == chain.height and keccak256(raw) == last.receipt.hash
        return False

    async def _catch_up(self, chain: TitleChain) -> None:
        batch: list[SignedEvent] = []
        async for event in self._logged.replay(self._aggregate, after=chain.height):
            batch.append(event)
            if len(batch) == _BATCH:
                await self._run(self._execute, chain, batch)
                batch = []
        await self._run(self._execute, chain, batch)

    def _execute(self, chain: TitleChain, events: Sequence[SignedEvent]) -> list[Receipt]:
        receipts = [_executed(chain, event) for event in events]
        if chain.height - self._saved >= self._snapshot_every:
            self._snapshots.save(chain.entries(self._saved + 1), chain.changes(), chain.head)
            self._saved = chain.height
        return receipts

    async def _run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        assert not kwargs, "the thread takes positional arguments"
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)


def _failed(task: asyncio.Task[TitleChain]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _executed(chain: TitleChain, event: SignedEvent) -> Receipt:
    fact = ChainTransaction.of(event)
    return chain.execute(
        parse_hex(fact.raw),
        number=event.version,
        recorded_s=event.recorded_at.unix_ns // _NS,
        title=fact.title,
    )


def _try_next(chain: TitleChain, make: Callable[[Admission], Transaction]) -> None:
    chain.try_out(make(chain.admission()))


def _so_far(chain: TitleChain) -> tuple[Admission, Sequence[Entry]]:
    return chain.admission(), chain.entries()
