"""Bounds of what waits at a node, and of what its routes take."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import msgspec
from tests.bounds.case import Case, begun
from tests.contracts.test_seen_requests import REQUEST, request_of
from tests.node.http.test_bodies import Line, body_of, meet
from tests.node.identity import test_party_statements as statements

from zhidao.core.ambient import HandClock
from zhidao.core.ids import PartyId
from zhidao.core.journal import ON_BEHALF_OF, Entry
from zhidao.core.timescale import Utc
from zhidao.node.api import camara
from zhidao.node.api.trade import window
from zhidao.node.api.trust import mirror
from zhidao.node.http.bodies import Bodies
from zhidao.node.identity.party_statements import Statements
from zhidao.node.operations import backup
from zhidao.node.runtime.live import Live
from zhidao.node.runtime.workers import Workers
from zhidao.node.security.password_hashing import FairQueue
from zhidao.node.security.seen_requests import Seen, SeenRequests
from zhidao.node.shipment_timeline.export import ProofExport
from zhidao.store.day_files import read_manifest
from zhidao.store.memory import MemoryArchive, MemoryJournal


class Slow:
    """A store that answers nobody in this test's time."""

    async def take(self, marks: Sequence[Seen]) -> frozenset[bytes]:
        raise AssertionError("not in this test")

    async def forget(self, before_minute: int) -> None:
        await begun_for_ever()


async def begun_for_ever() -> None:
    await asyncio.Event().wait()


async def seen(count: int) -> None:
    requests = SeenRequests(Slow(), HandClock(Utc.parse("2026-03-01T08:00:00Z")))
    # The first batch is under way when the others come.
    await begun(requests.use(request_of("first"), REQUEST))
    for number in range(count):
        await begun(requests.use(request_of(f"n{number}"), REQUEST))


async def stated(count: int) -> None:
    class Writing(MemoryJournal):
        async def open_all(self, entries: Sequence[Entry]) -> frozenset[UUID]:
            await begun_for_ever()
            return frozenset()

    async def has_key(party: PartyId, key: str) -> bool:
        return True

    kept = Statements(Writing(), statements.scribe(), has_key)  # type: ignore[arg-type]
    await begun(kept.state(statements.ACTOR, statements.statement(0)))
    for number in range(count):
        await begun(kept.state(statements.ACTOR, statements.statement(number + 1)))


async def hashed(count: int, *, of_one: int) -> None:
    queue = FairQueue(ThreadPoolExecutor(1), at_once=0)
    for number in range(count):
        await begun(queue.run(str(number // of_one), lambda: None))


def worked(count: int, *, of_one: int) -> None:
    """So much work for processes of which there is none."""
    workers = Workers(0)
    try:
        for number in range(count):
            ON_BEHALF_OF.set(str(number // of_one))
            workers.submit(len, b"")
    finally:
        ON_BEHALF_OF.set("")
        workers.shutdown(cancel_futures=True)


async def pages(count: int, *, of_one: int) -> None:
    live, opened = Live(), []

    async def may_see(consignment: str) -> bool:
        return True

    for number in range(count):
        party = PartyId(f"p{number // of_one}")
        live.admit(party)
        opened.append(live.listen(party, may_see, holder=""))
        await anext(opened[-1])


def archived_day(size: int) -> object:
    """A manifest of so many bytes."""
    said = {"format": "zhidao-day", "v": 1, "table": "devices.position", "day": "2026-11-01"}
    said |= {"columns": [], "rows": 0, "bytes": 0, "sha256": "", "root": ""}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "2026-11-01.json"
        file.write_text(json.dumps(said).ljust(size))
        return read_manifest(file)


def fingerprint(size: int) -> object:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "key"
        file.write_text(statements.KEY.public.fingerprint.ljust(size))
        return backup.fingerprint_in(str(file))


async def exported(size: int) -> None:
    archive = MemoryArchive()
    digests = [await archive.put(data) for data in (b"x" * (size - 9), b"y" * 9)]
    export = ProofExport(None, None, None, archive, None)  # type: ignore[arg-type]
    await export._files(digests)


async def brought(size: int) -> None:
    [route] = [
        each
        for each in mirror.handlers(None)  # type: ignore[arg-type]
        if "/witness/add-entries" in each.paths
    ]
    scope = {"headers": [], "route_handler": route}
    await body_of(Bodies(meet, bytes_max=2 * size), scope, Line([b"x" * (size - 1), b"x"]))


CASES = (
    Case(
        "node.api.camara._SURFACE_MAX",
        lambda n: msgspec.convert({"maxSurface": n}, camara.RetrieveLocationRequest),
    ),
    Case(
        "node.api.trade.window._CONTENT_MAX",
        lambda n: msgspec.convert(
            {"kind": "export_declaration", "content": "a" * n, "customs": "customs"},
            window.NewDeclaration,
        ),
    ),
    Case("node.api.trust.mirror.ADD_ENTRIES_BYTES_MAX", brought),
    Case("node.identity.party_statements.WAITING_MAX", stated, 6),
    Case("node.operations.backup._KEY_FILE_BYTES_MAX", fingerprint),
    Case("store.day_files._MANIFEST_BYTES_MAX", archived_day),
    Case("node.runtime.live.PAGES_MAX", lambda n: pages(n, of_one=1)),
    Case("node.runtime.live.PAGES_OF_PARTY_MAX", lambda n: pages(n, of_one=1_000)),
    Case("node.runtime.workers.EACH_MAX", lambda n: worked(n, of_one=1_000)),
    Case("node.runtime.workers.WAITING_MAX", lambda n: worked(n, of_one=1)),
    Case("node.security.password_hashing.WAITING_MAX", lambda n: hashed(n, of_one=1)),
    Case("node.security.password_hashing.WAITING_OF_ONE_MAX", lambda n: hashed(n, of_one=1_000)),
    Case("node.security.seen_requests.WAITING_MAX", seen, 6),
    Case("node.shipment_timeline.export.FILES_BYTES_MAX", exported, 60),
)
