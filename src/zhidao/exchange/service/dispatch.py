"""Carries what waits to each peer, one bundle at a time, until its receipts are here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Refused, Unavailable, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS
from zhidao.exchange.domain.limits import BUNDLE_BYTES_MAX, BUNDLE_ITEMS_MAX, REASON_CHARACTERS_MAX
from zhidao.exchange.domain.patience import GIVE_UP_S, pause_ns
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.service.outbox import Outbox
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Book, Due, Sent, Store, Transport
from zhidao.exchange.wire.bundle import ENVELOPE, RECEIPT, Item, decode_bundle, encode_bundle

# So many documents are opened and signed for in a few hundredths of a second.
AT_ONCE: Final = 40
_LOOK_S: Final = 1.0
# What comes within this time travels together: a request and two commits cost more than it.
_GATHER_S: Final = 0.01
_PAUSE_AFTER_TROUBLE_S: Final = 0.2
_LOG: Final = logging.getLogger("zhidao.exchange")


class PeerRefused(Refused):
    """A peer will not take a bundle, however often it comes."""

    default_code = "peer_refused"


class Dispatcher:
    """One task for each peer. Dying anywhere repeats at most one bundle, which is harmless."""

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
        self._woken: dict[PartyId, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self._failures: dict[PartyId, int] = {}
        # After a peer found a bundle bad, documents go one by one until the bad one is found.
        self._singly: set[PartyId] = set()
        self._full: set[PartyId] = set()

    def wake(self, node: PartyId) -> None:
        """Something waits for this peer."""
        self._event(node).set()

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
                    tasks.pop(node).cancel()
                waits = [asyncio.create_task(self._changed.wait()), *tasks.values()]
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                waits[0].cancel()
                for task in done - {waits[0]}:
                    task.result()
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def step(self, node: PartyId) -> bool:
        """Carries one bundle if anything waits; returns whether there was progress.

        What goes wrong is noted at the documents. Raises Unavailable of the node's own ground.
        """
        peer = self._peers.of(node)
        limit = 1 if node in self._singly else AT_ONCE
        rows = await self._store.waiting(node, limit=limit, bytes_max=BUNDLE_BYTES_MAX - 512 * 1024)
        dues = await self._store.due_receipts(node, limit=BUNDLE_ITEMS_MAX - len(rows))
        (self._full.add if len(rows) == limit else self._full.discard)(node)
        if not rows and not dues:
            self._singly.discard(node)
            return False
        try:
            progress = await self._carry(peer, rows, dues)
        except PeerRefused as error:
            return await self._refused(node, rows, error)
        except ZhidaoError as error:
            if isinstance(error, Unavailable) and error.is_own_ground:
                raise
            await self._failed(node, rows, error.code, str(error))
            return False
        if progress:
            self._failures.pop(node, None)
        else:
            await self._failed(node, rows, "no_receipt", "the peer gave no receipt; it asks later")
        return progress

    async def _keep(self, node: PartyId) -> None:
        woken = self._event(node)
        while True:
            woken.clear()
            try:
                moved = await self.step(node)
                if not moved:
                    before_ns = self._clock.now().tai_ns - self._give_up_ns
                    if dead := await self._store.give_up(node, before_ns=before_ns):
                        _LOG.error("%d documents for %s are dead letters now", dead, node)
            except ZhidaoError as error:
                # The peer may have gone meanwhile, or the database; the others go on.
                _LOG.warning("the exchange with %s waits: %s", node, error)
                await asyncio.sleep(_PAUSE_AFTER_TROUBLE_S)
                continue
            if moved:
                # Behind a full bundle more waits already.
                await asyncio.sleep(0 if node in self._full else _GATHER_S)
                continue
            await self._rest(node, woken)

    async def _rest(self, node: PartyId, woken: asyncio.Event) -> None:
        failures = self._failures.get(node, 0)
        if failures:
            # What is new does not shorten the pause of a peer that does not answer.
            await asyncio.sleep(pause_ns(failures, self._randomness.token(4)) / NS)
            return
        try:
            await asyncio.wait_for(woken.wait(), _LOOK_S)
        except TimeoutError:
            return
        await asyncio.sleep(_GATHER_S)

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
        if len(rows) > 1:
            self._singly.add(node)
            return True
        await self._failed(node, rows, error.code, str(error))
        for row in rows:
            await self._store.bury(row.document)
        return False

    async def _failed(self, node: PartyId, rows: Sequence[Sent], code: str, reason: str) -> None:
        self._failures[node] = self._failures.get(node, 0) + 1
        documents = [row.document for row in rows]
        # These words may be a peer's: whatever they are, they must not stop this node.
        plain = "".join(c if c.isprintable() else " " for c in reason)[:REASON_CHARACTERS_MAX]
        said = code if code.isascii() and code.isprintable() else "peer_refused"
        await self._store.failed(documents, code=said, reason=plain)

    def _event(self, node: PartyId) -> asyncio.Event:
        return self._woken.setdefault(node, asyncio.Event())
