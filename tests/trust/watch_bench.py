"""Nodes that watch each other in one process, and logs that may lie to them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from zhidao.core.ambient import HandClock
from zhidao.core.errors import MalformedInput, NotFound, Unavailable, ZhidaoError
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.log.fraud_files import MemoryFraudBook
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.adapters.witness.memory import MemoryWitnessStore
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyLog, PolicyWitness
from zhidao.trust.service.log.sequencer import Sequencer, TimedKey
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.service.witness.mirror import Mirrors
from zhidao.trust.service.witness.peers import Peers
from zhidao.trust.service.witness.ports import Answer
from zhidao.trust.service.witness.watch import Watch, Watcher
from zhidao.trust.wire.log.add_checkpoint import decode_add_checkpoint, encode_add_checkpoint
from zhidao.trust.wire.log.tiles import parse_tile_path

NOW = Utc.parse("2026-11-24T10:00:00Z")
ORIGIN = "log.example"
LOG_URL = "https://log.example/log"


class LyingLog:
    """A log whose operator has its keys and may keep several histories."""

    def __init__(self, clock: HandClock, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.clock = clock
        self.leaves: list[bytes] = []
        self.store = MemoryLogStore()
        self.log = Sequencer(
            origin=origin,
            key=SoftwareKey(Algorithm.ED25519, b"k" * 32),
            store=self.store,
            copy=MemoryHeadCopy(),
            timed=TimedKey(SoftwareKey(Algorithm.ML_DSA_44, b"q" * 32), clock),
        )

    async def grow(self, *leaves: bytes) -> bytes:
        if self.log.recovering:
            await self.log.start()
        self.leaves += leaves
        async with self.store.transaction() as transaction:
            await self.log.append(transaction, leaves)
        return await self.log.sign_checkpoint()

    async def answer(self, path: str) -> Answer:
        try:
            if path == "checkpoint":
                return Answer(200, await self.log.reader.checkpoint())
            name = parse_tile_path(path.removeprefix("tile/"))
            return Answer(200, await self.log.reader.tile(name))
        except (NotFound, MalformedInput):
            return Answer(404, b"")


async def fork_of(log: LyingLog, *, shared: int) -> LyingLog:
    fork = LyingLog(log.clock, log.origin)
    await fork.grow(*log.leaves[:shared])
    return fork


@dataclass
class WatchingNode:
    url: str
    witness: Witness
    mirrors: Mirrors
    watch: Watch
    frauds: MemoryFraudBook


class Corridor:
    """Some nodes and one log that they all watch; `served` says which history whom is shown."""

    def __init__(self, count: int) -> None:
        self.clock = HandClock(NOW)
        self.log = LyingLog(self.clock)
        self.served: dict[int, LyingLog] = {}
        self._cosigners = [
            Cosigner(f"w{at}.example", SoftwareKey(Algorithm.ED25519, bytes([at + 1]) * 32))
            for at in range(count)
        ]
        witnesses = tuple(
            PolicyWitness(f"w{at}", each.note_key, f"https://w{at}.example/witness")
            for at, each in enumerate(self._cosigners)
        )
        self.policy = Policy(
            tuple(PolicyLog(key, LOG_URL) for key in self.log.log.keys),
            witnesses,
            (PolicyGroup("most", count // 2 + 1, tuple(w.name for w in witnesses)),),
            "most",
        )
        self.nodes = [self._node(at) for at in range(count)]
        self._tasks: list[asyncio.Task[None]] = []

    def _node(self, at: int) -> WatchingNode:
        url = f"https://w{at}.example/witness"
        peers = Peers({"corridor": self.policy}, own_url=url)
        network = Wire(self, at)
        witness = Witness(
            cosigners=[self._cosigners[at]],
            logs=peers.log_keys,
            store=MemoryWitnessStore(),
            clock=self.clock,
        )
        mirrors = Mirrors(peers=peers, network=network, open_store=lambda _: MemoryLogStore())
        frauds = MemoryFraudBook()
        watch = Watch(
            Watcher(witness, peers, mirrors, network, frauds, self.clock, self._cosigners[at]),
            lambda _sentence, _proof: None,
            poll_s=0.05,
        )
        return WatchingNode(url, witness, mirrors, watch, frauds)

    async def submit(self, at: int, log: LyingLog) -> None:
        """The log asks one node to cosign its newest head, as a feeder does."""
        witness = self.nodes[at].witness
        held = witness.held(log.origin)
        old = held.size if held else 0
        note = await log.log.reader.checkpoint()
        size = await log.log.reader.size()
        proof = await log.log.reader.consistency(old, size) if 0 < old <= size else ()
        body = encode_add_checkpoint(min(old, size), proof, note)
        await witness.add_checkpoint(decode_add_checkpoint(body))

    async def __aenter__(self) -> Self:
        await self.log.grow(b"a", b"b")
        for node in self.nodes:
            await node.witness.start(keys_are_new=True)
            await node.mirrors.start()
            await node.watch.start()
            self._tasks += [
                asyncio.create_task(node.witness.run()),
                asyncio.create_task(node.watch.run()),
            ]
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task


class Wire:
    """Implements `Network` between the nodes of one corridor."""

    def __init__(self, corridor: Corridor, at: int) -> None:
        self._corridor = corridor
        self._at = at

    async def get(self, url: str) -> Answer:
        await asyncio.sleep(0)
        if url.startswith(f"{LOG_URL}/"):
            log = self._corridor.served.get(self._at, self._corridor.log)
            return await log.answer(url.removeprefix(f"{LOG_URL}/"))
        node = self._node(url)
        _, _, path = url.partition("/mirror/")
        hashed, _, rest = path.partition("/")
        try:
            reader = node.mirrors.reader(hashed)
            if rest == "checkpoint":
                return Answer(200, await reader.checkpoint())
            return Answer(200, await reader.tile(parse_tile_path(rest.removeprefix("tile/"))))
        except (NotFound, MalformedInput):
            return Answer(404, b"")

    async def post(self, url: str, body: bytes, *, kind: str, packed: bool = False) -> Answer:
        del packed
        await asyncio.sleep(0)
        node = self._node(url)
        try:
            if url.endswith("/gossip"):
                return Answer(200, await node.watch.hear(body))
            return Answer(200, (await node.watch.accuse(body)).encode())
        except ZhidaoError as error:
            return Answer(error.http_status, b"")

    def _node(self, url: str) -> WatchingNode:
        for node in self._corridor.nodes:
            if url.startswith(f"{node.url}/"):
                return node
        raise Unavailable(f"nobody is at {url}")
