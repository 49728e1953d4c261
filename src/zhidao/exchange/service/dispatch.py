"""Carries what waits to each peer, in bundles, until its receipts are here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Refused, Unavailable, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.remedies import with_remedy
from zhidao.core.timescale import NS
from zhidao.exchange.domain.limits import BUNDLE_BYTES_MAX, BUNDLE_ITEMS_MAX, REASON_CHARACTERS_MAX
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.retry_policy import GIVE_UP_S, PAUSES
from zhidao.exchange.service.outbox import Outbox
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Book, Due, Sent, Store, Transport
from zhidao.exchange.wire.bundle import ENVELOPE, RECEIPT, Item, decode_bundle, encode_bundle

# So many documents are opened and signed for in a few hundredths of a second.
AT_ONCE: Final = 40
# While the recipient writes one bundle down, the next one travels and is opened.
FLYING_MAX: Final = 2
# More than so many committed rows wait in the store alone.
READY_MAX: Final = 400
_BYTES_MAX: Final = BUNDLE_BYTES_MAX - 512 * 1024
_LOOK_S: Final = 1.0
# What comes within this time travels together.
_GATHER_S: Final = 0.010
_PAUSE_AFTER_TROUBLE_S: Final = 0.2
# One side is not who the other takes it for: no repetition mends that.
STRANGERS: Final = frozenset(("peer_unknown_peer", "peer_bad_signature", "wrong_peer"))
_LOG: Final = logging.getLogger("zhidao.exchange")


class PeerRefused(Refused):
    """A peer will not take a bundle, however often it comes."""

    default_code = "peer_refused"


@dataclass(slots=True)
class _Line:
    """What is known of the way to one peer.

    `ready`: rows that were committed and not taken yet, in order. `hand`: documents in `ready` or
    on their way. `look`: whether the store may hold more than `ready` does. `dues`: whether
    receipts of ours may wait; `owing`: whether some are on their way. `singly`: a bundle was bad,
    so documents go one by one until it is found.
    """

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ready: deque[Sent] = field(default_factory=deque)
    hand: set[UUID] = field(default_factory=set)
    flying: set[asyncio.Task[bool]] = field(default_factory=set)
    look: bool = True
    dues: bool = True
    owing: bool = False
    failures: int = 0
    singly: bool = False

    @property
    def careful(self) -> bool:
        """Whether one bundle at a time is enough: something went wrong."""
        return self.singly or self.failures > 0

    def forget(self) -> None:
        """Goes by the store alone from now on."""
        self.ready.clear()
        self.hand.clear()
        self.look = self.dues = True


class Dispatcher:
    """One task for each peer, with two bundles on their way where all is well.

    The recipient takes bundles in the order in which they come, and puts documents back into
    theirs. Dying anywhere repeats at most those bundles, which is harmless.
    """

    def __init__(
        self,
        store: Store,
        peers: Peers,
        outbox: Outbox,
        transport: Transport,
        *,
        clock: Clock,
        randomness: Randomness,
        give_up_s: int = GIVE_UP_S,
    ) -> None:
        self._store = store
        self._peers = peers
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._randomness = randomness
        self._give_up_ns = give_up_s * NS
        self._lines: dict[PartyId, _Line] = {}
        self._changed = asyncio.Event()
        # Hears how a bundle to a peer ended: the code and reason of a failure, or twice nothing.
        self.ended: Callable[[PartyId, str, str], None] = lambda _node, _code, _reason: None

    def wake(self, node: PartyId) -> None:
        """Something waits for this peer: a document of before, or a receipt."""
        line = self._line(node)
        line.look = line.dues = True
        line.woken.set()

    def committed(self, row: Sent) -> None:
        """A document was written into the outbox: it goes from here, without asking the store.

        What the store holds beside goes first, so that documents keep their order.
        """
        line = self._line(row.recipient)
        if line.look or line.careful or len(line.ready) >= READY_MAX:
            line.look = True
        elif row.document not in line.hand:
            line.ready.append(row)
            line.hand.add(row.document)
        line.woken.set()

    def peers_changed(self) -> None:
        """A peer came or went."""
        self._changed.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        tasks: dict[PartyId, asyncio.Task[None]] = {}
        try:
            while True:
                self._changed.clear()
                known = {peer.node for peer in self._peers.every()}
                for node in known - set(tasks):
                    tasks[node] = asyncio.create_task(self._keep(node))
                for node in set(tasks) - known:
                    # Its line is left clean before the peer may come again.
                    leaving = tasks.pop(node)
                    leaving.cancel()
                    await asyncio.wait((leaving,))
                changed = asyncio.create_task(self._changed.wait())
                try:
                    waits = (changed, *tasks.values())
                    done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                for ended in done - {changed}:
                    ended.result()
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def step(self, node: PartyId) -> bool:
        """Carries one bundle if anything waits; returns whether there was progress.

        What goes wrong is noted at the documents. Raises Unavailable of the node's own parts.
        """
        line = self._line(node)
        line.forget()
        load = await self._load(node, line)
        return await self._fly(node, line, *load) if load else False

    async def _keep(self, node: PartyId) -> None:
        line = self._line(node)
        try:
            # What is wrong here the first bundle will meet again.
            with contextlib.suppress(ZhidaoError):
                await self._transport.get_ready(self._peers.of(node))
            while True:
                line.woken.clear()
                try:
                    await self._send_off(node, line)
                    await self._land(node, line)
                except ZhidaoError as error:
                    # The peer may have gone meanwhile, or the database; the others go on.
                    line.forget()
                    _LOG.warning("the exchange with %s waits: %s", node, error)
                    await asyncio.sleep(_PAUSE_AFTER_TROUBLE_S)
        finally:
            for task in line.flying:
                task.cancel()
            await asyncio.gather(*line.flying, return_exceptions=True)
            # What was on its way goes again with the next start.
            line.flying.clear()
            line.forget()
            line.owing = False

    async def _send_off(self, node: PartyId, line: _Line) -> None:
        """Fills the way with bundles, a moment apart: a request and two commits cost more."""
        if line.failures and not line.flying:
            # What is new does not shorten the pause of a peer that does not answer.
            await asyncio.sleep(PAUSES.pause_s(line.failures, self._randomness))
            line.look = line.dues = True
        while len(line.flying) < (1 if line.careful else FLYING_MAX):
            load = await self._load(node, line)
            if load is None:
                return
            line.flying.add(asyncio.create_task(self._fly(node, line, *load)))
            await asyncio.sleep(_GATHER_S)

    async def _land(self, node: PartyId, line: _Line) -> None:
        """Waits until a bundle has come back, or something new waits and there is room for it."""
        if not line.flying:
            await self._rest(node, line)
            return
        waits: set[asyncio.Task[Any]] = set(line.flying)
        if len(line.flying) < FLYING_MAX and not line.careful:
            waits.add(asyncio.create_task(line.woken.wait()))
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits - line.flying:
                task.cancel()
        landed = done & line.flying
        line.flying -= landed
        for flown in landed:
            if not flown.result():
                await self._bury_old(node)

    async def _load(
        self, node: PartyId, line: _Line
    ) -> tuple[Sequence[Sent], Sequence[Due]] | None:
        """What goes next, or None."""
        limit = 1 if line.singly else AT_ONCE
        rows = _taken(line, limit)
        if not rows and line.look:
            rows = await self._looked_up(node, line, limit)
        dues = await self._dues(node, line, BUNDLE_ITEMS_MAX - len(rows))
        if not rows and not dues:
            line.singly = line.singly and bool(line.flying)
            return None
        return rows, dues

    async def _looked_up(self, node: PartyId, line: _Line, limit: int) -> list[Sent]:
        """Documents that wait in the store and are not on their way."""
        # Cleared before the question: who writes while it is under way sets it again.
        line.look = False
        found = await self._store.waiting(node, limit=limit + len(line.hand), bytes_max=_BYTES_MAX)
        rows = [row for row in found if row.document not in line.hand][:limit]
        line.look = line.look or len(rows) == limit
        line.hand |= {row.document for row in rows}
        return rows

    async def _dues(self, node: PartyId, line: _Line, limit: int) -> Sequence[Due]:
        """Receipts that we owe, unless some are on their way."""
        if not line.dues or line.owing:
            return ()
        line.dues = False
        dues = await self._store.due_receipts(node, limit=limit)
        line.dues = line.dues or len(dues) == limit
        line.owing = line.owing or bool(dues)
        return dues

    async def _fly(
        self, node: PartyId, line: _Line, rows: Sequence[Sent], dues: Sequence[Due]
    ) -> bool:
        """One bundle there and its receipts back; returns whether there was progress."""
        try:
            progress = await self._carry(self._peers.of(node), rows, dues)
        except PeerRefused as error:
            return await self._refused(node, rows, error)
        except ZhidaoError as error:
            if isinstance(error, Unavailable) and error.is_own_infrastructure:
                line.forget()
                raise
            await self._failed(node, rows, error.code, with_remedy(error))
            return False
        finally:
            line.owing = line.owing and not dues
        line.hand -= {row.document for row in rows}
        if progress:
            line.failures = 0
            self.ended(node, "", "")
        else:
            await self._failed(node, rows, "no_receipt", "the peer gave no receipt; it asks later")
        return progress

    async def _bury_old(self, node: PartyId) -> None:
        before_ns = self._clock.now().tai_ns - self._give_up_ns
        if dead := await self._store.give_up(node, before_ns=before_ns):
            _LOG.error("%d documents for %s are dead letters now", dead, node)

    async def _rest(self, node: PartyId, line: _Line) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await line.woken.wait()
        except TimeoutError:
            line.look = line.dues = True
            await self._bury_old(node)

    async def _carry(self, peer: Peer, rows: Sequence[Sent], dues: Sequence[Due]) -> bool:
        items = [Item(ENVELOPE, row.envelope) for row in rows]
        items += [Item(RECEIPT, due.receipt) for due in dues]
        answer = await self._transport.post(peer, encode_bundle(items))
        receipts = [item.data for item in decode_bundle(answer, items_max=3 * len(items) + 1)]
        new = await self._outbox.take_receipts(peer, receipts)
        if dues:

            async def drop(book: Book) -> None:
                await book.drop_receipts(dues)

            await self._store.run(drop)
        return bool(new or dues)

    async def _refused(self, node: PartyId, rows: Sequence[Sent], error: PeerRefused) -> bool:
        """Finds the document that the peer cannot read, and sets it aside for a person."""
        _LOG.warning("%s refuses a bundle: %s", node, error)
        line = self._line(node)
        line.forget()
        if len(rows) > 1:
            line.singly = True
            return True
        await self._failed(node, rows, error.code, with_remedy(error))
        for row in rows:
            await self._store.bury(row.document)
        return False

    async def _failed(self, node: PartyId, rows: Sequence[Sent], code: str, reason: str) -> None:
        line = self._line(node)
        line.forget()
        line.failures += 1
        documents = [row.document for row in rows]
        # These words may be a peer's: whatever they are, they must not stop this node.
        plain = "".join(c if c.isprintable() else " " for c in reason)[:REASON_CHARACTERS_MAX]
        said = code if code.isascii() and code.isprintable() else "peer_refused"
        self.ended(node, said, plain)
        await self._store.failed(documents, code=said, reason=plain)

    def _line(self, node: PartyId) -> _Line:
        return self._lines.setdefault(node, _Line())


def _taken(line: _Line, limit: int) -> list[Sent]:
    """As many of the ready rows as one bundle holds, at least one if there is any."""
    rows: list[Sent] = []
    size = 0
    while line.ready and len(rows) < limit:
        size += len(line.ready[0].envelope)
        if size > _BYTES_MAX and rows:
            break
        rows.append(line.ready.popleft())
    return rows
