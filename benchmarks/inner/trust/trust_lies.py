"""Ten ways in which a log (once with a witness) tells five nodes different stories.

Five nodes with the node's own routes, real HTTP between them, files for state. The clock runs from
the end of the lie until every honest node holds a proof; then the script without state
(docs/checks/fraud_check.py) must accept each of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import runpy
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from litestar import Litestar
from litestar.di import Provide
from tests.trust.watch_bench import LyingLog

from benchmarks.measuring import claim
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.api.trust.witness import Parts, routes
from zhidao.node.http.problems import HANDLERS
from zhidao.trust.adapters.http_network import HttpNetwork
from zhidao.trust.adapters.log.cosigned_notes import MemoryCosignedNotes
from zhidao.trust.adapters.log.fraud_files import FileFraudBook
from zhidao.trust.adapters.log.memory import MemoryLogStore
from zhidao.trust.adapters.witness.file import FileWitnessStore
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyLog, PolicyWitness
from zhidao.trust.service.log.entries import Entries
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.service.witness.cosigning import Feeder
from zhidao.trust.service.witness.mirror import Mirrors
from zhidao.trust.service.witness.mirror_adding import MirrorAdding
from zhidao.trust.service.witness.mirror_pushing import MirrorPushing
from zhidao.trust.service.witness.peers import Peers, origin_hash
from zhidao.trust.service.witness.watch import Watch, Watcher
from zhidao.trust.wire.log.add_checkpoint import encode_add_checkpoint
from zhidao.trust.wire.log.note import decode_note, encode_note
from zhidao.trust.wire.log.tiles import parse_tile_path

NODES: Final = 5
DEADLINE_S: Final = 10.0
ORIGIN: Final = "bench.example/lying"
SCRIPT: Final = Path(__file__).resolve().parents[3] / "docs" / "checks" / "fraud_check.py"
_POLL_S: Final = 0.4
_NOW: Final = Utc.parse("2026-11-24T10:00:00Z")


class History(LyingLog):
    """One of the histories that the lying operator keeps."""

    async def fork(self, shared: int, *leaves: bytes) -> History:
        """Another history with the same beginning."""
        other = History(self.clock, self.origin)
        await other.grow(*self.leaves[:shared])
        await other.grow(*leaves)
        return other


@dataclass
class Lies:
    """The nodes' addresses, and which history whom is shown."""

    honest: History
    clock: HandClock
    network: HttpNetwork
    witness_keys: list[Cosigner]
    urls: list[str] = field(default_factory=list)
    shown: dict[int, History | bytes] = field(default_factory=dict)
    books: list[FileFraudBook] = field(default_factory=list)

    async def submit(self, at: int, history: History, *, bad_proof: bool = False) -> int:
        """Asks a node to cosign, as a feeder does; the status of its answer."""
        held = await self.network.get(f"{self.urls[at]}/{origin_hash(ORIGIN)}/checkpoint")
        old = _size(held.body) if held.status == 200 else 0
        note = await history.log.reader.checkpoint()
        size = _size(note)
        proof = await history.log.reader.consistency(old, size) if 0 < old <= size else ()
        if bad_proof:
            proof = (b"\0" * 32,)
        body = encode_add_checkpoint(min(old, size), proof, note)
        answer = await self.network.post(f"{self.urls[at]}/add-checkpoint", body, kind="text/plain")
        return answer.status

    async def hand_in(self, at: int, note: bytes) -> None:
        """Somebody shows a node a head that he was given."""
        await self.network.post(f"{self.urls[at]}/gossip", note, kind="text/plain")

    async def serve(self, at: int, path: str) -> tuple[int, bytes]:
        """What the log answers to one of the nodes."""
        told = self.shown.get(at, self.honest)
        if isinstance(told, bytes):
            return (200, told) if path == "checkpoint" else await self._tile(self.honest, path)
        if path == "checkpoint":
            return 200, await told.log.reader.checkpoint()
        return await self._tile(told, path)

    async def _tile(self, history: History, path: str) -> tuple[int, bytes]:
        try:
            name = parse_tile_path(path.removeprefix("tile/"))
            return 200, await history.log.reader.tile(name)
        except (NotFound, MalformedInput):
            return 404, b""


async def _everywhere(lies: Lies, history: History, nodes: range | tuple[int, ...]) -> None:
    for at in nodes:
        await lies.submit(at, history)


async def two_roots_of_one_size(lies: Lies) -> None:
    """Two nodes cosign two histories of one size."""
    fork = await lies.honest.fork(4, b"x")
    lies.shown[1] = fork
    await lies.submit(0, lies.honest)
    await lies.submit(1, fork)


async def one_against_four(lies: Lies) -> None:
    """One node is shown a history of its own."""
    fork = await lies.honest.fork(2, b"x", b"y", b"z")
    lies.shown[4] = fork
    await _everywhere(lies, lies.honest, range(4))
    await lies.submit(4, fork)


async def a_rewritten_beginning(lies: Lies) -> None:
    """A longer history begins otherwise."""
    fork = await lies.honest.fork(0, *(b"x%d" % n for n in range(300)))
    lies.shown |= {2: fork, 3: fork}
    await _everywhere(lies, lies.honest, (0, 1))
    await _everywhere(lies, fork, (2, 3))


async def a_late_fork(lies: Lies) -> None:
    """Both histories share 290 leaves and grow to different sizes."""
    await lies.honest.grow(*(b"%d" % n for n in range(290)))
    fork = await lies.honest.fork(290, *(b"y%d" % n for n in range(40)))
    lies.shown[3] = fork
    await _everywhere(lies, lies.honest, (0, 1, 2))
    await lies.submit(3, fork)


async def a_wrong_proof_of_growth(lies: Lies) -> None:
    """A node that cosigned is asked to go on with another history and a made-up proof."""
    await _everywhere(lies, lies.honest, range(NODES))
    fork = await lies.honest.fork(3, b"x", b"y", b"z")
    lies.shown[0] = fork
    await lies.submit(0, fork, bad_proof=True)


async def turned_back(lies: Lies) -> None:
    """A restored log signs a smaller head later: the same leaves, but fewer."""
    await _everywhere(lies, lies.honest, range(NODES))
    lies.clock.advance(3600)
    shorter = await lies.honest.fork(3)
    await lies.hand_in(2, await shorter.grow())


async def a_fork_for_readers_only(lies: Lies) -> None:
    """Witnesses see one history; whoever reads the log at one node sees another."""
    await _everywhere(lies, lies.honest, range(NODES))
    lies.shown[1] = await lies.honest.fork(3, b"x", b"y")


async def a_witness_that_helps(lies: Lies) -> None:
    """The fifth node's key cosigns both histories; the fork reaches one honest node."""
    await _everywhere(lies, lies.honest, range(4))
    fork = await lies.honest.fork(3, b"x", b"y")
    note = decode_note(await fork.log.reader.checkpoint())
    line = lies.witness_keys[4].cosign(note.text, _NOW.unix_ns // 10**9)
    await lies.hand_in(0, encode_note(note.with_lines([line])))


async def yesterday_for_one(lies: Lies) -> None:
    """One node is shown an old head again and again."""
    old = await lies.honest.log.reader.checkpoint()
    await lies.honest.grow(b"f", b"g")
    await _everywhere(lies, lies.honest, range(NODES))
    lies.shown[3] = old


async def a_head_out_of_a_proof(lies: Lies) -> None:
    """A party hands in the head of a proof that it was given; it is of another history."""
    await _everywhere(lies, lies.honest, range(NODES))
    fork = await lies.honest.fork(1, b"x")
    lies.shown[4] = fork
    await lies.hand_in(4, await fork.log.reader.checkpoint())


WAYS: Final[tuple[Callable[[Lies], Awaitable[None]], ...]] = (
    *(two_roots_of_one_size, one_against_four, a_rewritten_beginning, a_late_fork),
    *(a_wrong_proof_of_growth, turned_back, a_fork_for_readers_only, a_witness_that_helps),
    *(yesterday_for_one, a_head_out_of_a_proof),
)


def run() -> Iterator[dict[str, Any]]:
    """How long the slowest of the ten took, and how many were found and proven everywhere."""
    # Nodes cry out at each lie, which is told on purpose here.
    logging.disable(logging.ERROR)
    seconds, proven = [], 0
    for way in WAYS:
        took, accepted = asyncio.run(_played(way))
        seconds.append(took)
        proven += accepted
        if not accepted:
            print(f"not proven everywhere: {way.__name__}", flush=True)
    logging.disable(logging.NOTSET)
    yield claim("trust_lies_proven_at_every_node", [proven], "ways", target=len(WAYS))
    yield claim("trust_lies_slowest_s", [max(seconds)], "s", target=3, at_most=True)


async def _played(way: Callable[[Lies], Awaitable[None]]) -> tuple[float, bool]:
    """Seconds until every honest node holds a proof, and whether the script accepts them all."""
    with tempfile.TemporaryDirectory(prefix="zt-") as folder:
        async with _corridor(Path(folder)) as lies:
            await way(lies)
            started_s = time.perf_counter()
            honest = lies.books[:4] if way is a_witness_that_helps else lies.books
            while time.perf_counter() - started_s < DEADLINE_S:
                if all([await book.names() for book in honest]):
                    break
                await asyncio.sleep(0.005)
            took = time.perf_counter() - started_s
            accepted = all([await book.names() for book in honest])
        accepted = accepted and _script_accepts(Path(folder))
    return took, accepted


def _script_accepts(folder: Path) -> bool:
    """Whether the script without state accepts every proof that any node holds."""
    check = runpy.run_path(str(SCRIPT))["main"]
    with contextlib.redirect_stdout(io.StringIO()):
        return all(check(str(file)) == 0 for file in folder.rglob("*.zdfraud"))


@asynccontextmanager
async def _corridor(folder: Path) -> AsyncIterator[Lies]:
    clock = HandClock(_NOW)
    honest = History(clock, ORIGIN)
    await honest.grow(*(b"%d" % n for n in range(5)))
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(NODES + 1)]
    ports = [each.getsockname()[1] for each in sockets]
    keys = [
        Cosigner(f"w{at}.example", SoftwareKey(Algorithm.ED25519, bytes([at + 1]) * 32))
        for at in range(NODES)
    ]
    network = HttpNetwork()
    lies = Lies(honest, clock, network, keys)
    lies.urls = [f"http://127.0.0.1:{port}/witness" for port in ports[:NODES]]
    tasks: list[asyncio.Task[Any]] = []
    apps: list[Any] = []
    for at in range(NODES):
        app, work = await _node(at, lies, ports[NODES], folder / str(at))
        apps.append(app)
        tasks += [asyncio.create_task(each) for each in work]
    apps.append(_log_app(lies))
    servers = [
        uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", access_log=False))
        for app in apps
    ]
    for server in servers:
        server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    tasks += [
        asyncio.create_task(server.serve([each]))
        for server, each in zip(servers, sockets, strict=True)
    ]
    while not all(server.started for server in servers):  # noqa: ASYNC110 (no event for it)
        await asyncio.sleep(0.01)
    try:
        yield lies
    finally:
        for server in servers:
            server.should_exit = server.force_exit = True
        await asyncio.sleep(0.15)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await network.close()


async def _node(at: int, lies: Lies, log_port: int, folder: Path) -> tuple[Any, list[Any]]:
    """One node: its application, and what runs beside it."""
    witnesses = tuple(
        PolicyWitness(f"w{n}", key.note_key, lies.urls[n])
        for n, key in enumerate(lies.witness_keys)
    )
    policy = Policy(
        tuple(PolicyLog(k, f"http://127.0.0.1:{log_port}/{at}") for k in lies.honest.log.keys),
        witnesses,
        (PolicyGroup("most", 3, tuple(each.name for each in witnesses)),),
        "most",
    )
    peers = Peers({"bench": policy}, own_url=lies.urls[at])
    witness = Witness(
        cosigners=[lies.witness_keys[at]],
        logs=peers.log_keys,
        store=FileWitnessStore(folder / "heads"),
        clock=lies.clock,
    )
    await witness.start(keys_are_new=True)
    mirrors = Mirrors(
        peers=peers,
        network=lies.network,
        open_store=lambda _origin: MemoryLogStore(),
    )
    await mirrors.start()
    book = FileFraudBook(folder / "fraud")
    lies.books.append(book)
    watch = Watch(
        Watcher(witness, peers, mirrors, lies.network, book, lies.clock, lies.witness_keys[at]),
        lambda _sentence, _proof: None,
        poll_s=_POLL_S,
    )
    await watch.start()
    own = MemoryLogStore()
    reader_log = History(lies.clock, ORIGIN).log
    parts = Parts(
        witness=witness,
        mirrors=mirrors,
        adding=MirrorAdding(mirrors, witness.held),
        watch=watch,
        feeder=Feeder(
            reader=reader_log.reader, policies={}, network=lies.network, kept=MemoryCosignedNotes()
        ),
        frauds=book,
        entries=Entries(reader_log, own),
        pushing=MirrorPushing(
            (), randomness=SeededRandomness(1), sound=lambda *_: None, clear=lambda _: None
        ),
    )

    async def actor() -> Actor:
        return Actor(party_id("bench"), Role.PARTY)

    app = Litestar(
        [routes(parts)], dependencies={"actor": Provide(actor)}, exception_handlers=HANDLERS
    )
    return app, [witness.run(), watch.run()]


def _log_app(lies: Lies) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive
        at, _, path = scope["path"].lstrip("/").partition("/")
        status, body = await lies.serve(int(at), path)
        head = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return app


def _size(note: bytes) -> int:
    return int(note.split(b"\n")[1])
