"""What a recall takes: things followed through a million stored events, by the use case of the API.

The events lie in PostgreSQL: raw lots, blends, 800,000 serials, cases, pallets and containers;
3 % of the serials and 10 % of the cases are repacked, all pallets loaded again. `EpcisService` is
asked as `GET /v1/epcis/trace` asks it; lines with `told` hold the making of the route's answer too.
The rival is one recursive query over the same tables, with an index that the node itself lacks; its
time is by the clock, since it runs in the server.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.contracts.test_journal import make_scribe
from tests.industry.recursive_trace import INDEX, reached
from tests.node.leases.processes_bench import database_in

from benchmarks.measuring import claim
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.lot_journal import LotJournal
from zhidao.industry.adapters.postgres_events import PostgresEventStore
from zhidao.industry.domain.trace import Direction, Trace
from zhidao.industry.service.epcis import EpcisService
from zhidao.node.api.industry.epcis import view_of
from zhidao.store.database import Database
from zhidao.store.memory import MemoryArchive
from zhidao.store.migrate import migrate

MAKER: Final = Actor(PartyId("maker"), Role.PARTY)
BEGIN: Final = Utc.parse("2026-01-01T00:00:00Z")
SERIALS: Final = 800_000
EVENTS: Final = 1_000_000
ARTICLE: Final = "https://id.gs1.org/01/09506000134352"
SSCC: Final = "https://id.gs1.org/00/"
# A blend is of so many serials; most raw lots go into two blends, the first into seven.
BLEND: Final = 2_850
LARGE: Final = f"{ARTICLE}/10/RAW-LARGE"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """CPU of recalls, of a serial and of a container, the start, and bytes an edge."""
    with tempfile.TemporaryDirectory(prefix="zd-") as folder, database_in(Path(folder)) as url:
        runner = asyncio.Runner()
        with runner:
            measuring = _measure(url, 15 if long else 5)
            while True:
                try:
                    yield runner.run(anext(measuring))
                except StopAsyncIteration:
                    return


async def _measure(url: str, runs: int) -> AsyncIterator[dict[str, Any]]:
    database = await Database.open(url)
    try:
        await migrate(database)
        began_s = time.perf_counter()
        await _fill(database)
        print(f"tracing: filled in {time.perf_counter() - began_s:.0f} s", file=sys.stderr)
        store = PostgresEventStore(database, LotJournal(database, lambda: None))
        before = _resident()
        starts, services = [], []
        for _ in range(2):
            services.append(
                EpcisService(
                    store, make_scribe(), MemoryArchive(), HandClock(BEGIN.plus_ns(10**15))
                )
            )
            began_s = time.perf_counter()
            await services[-1].trace(MAKER, _serial(0), Direction.FORWARD)
            starts.append(time.perf_counter() - began_s)
            if len(services) == 1:
                gc.collect()
                grown = _resident() - before
        service = services[0]
        del services
        yield claim("tracing_start_1m_events_s", starts, "s", target=2, at_most=True)
        assert service._index is not None
        index = service._index._genealogy
        print(f"tracing: {len(index)} events, {index.edges} edges", file=sys.stderr)
        bytes_each = [index.nbytes / index.edges]
        yield claim("tracing_index_bytes_an_edge", bytes_each, "B", target=60, at_most=True)
        yield claim("tracing_process_grown_bytes_an_edge", [grown / index.edges], "B")
        async for line in _walks(database, service, runs):
            yield line
    finally:
        await database.close()


async def _walks(
    database: Database, service: EpcisService, runs: int
) -> AsyncIterator[dict[str, Any]]:
    dice = random.Random(1)
    cases: list[tuple[str, float, Direction, Utc | None, Callable[[], str]]] = [
        ("recall_6000", 15, Direction.FORWARD, None, lambda: _raw(dice.randrange(4, 130))),
        ("recall_20000", 50, Direction.FORWARD, None, lambda: LARGE),
        ("serial", 0.1, Direction.FORWARD, None, lambda: _serial(dice.randrange(SERIALS))),
        ("container_21000", 60, Direction.BACKWARD, _at(9_100_000), lambda: f"{SSCC}C{1020}"),
    ]
    async with database.session() as session:
        await session.execute(INDEX)
        await session.execute("analyze industry.epcis_event, industry.epcis_thing")
    for name, target, direction, at, thing in cases:
        taken, told, found = [], [], []
        for _ in range(runs * (20 if name == "serial" else 1)):
            asked = thing()
            began_s = time.process_time()
            answer = await service.trace(MAKER, asked, direction, at=at)
            taken.append((time.process_time() - began_s) * 1e3)
            view_of(answer)
            told.append((time.process_time() - began_s) * 1e3)
            found.append(answer.found)
        print(f"tracing: {name} finds {min(found)} to {max(found)}", file=sys.stderr)
        yield claim(f"tracing_{name}_cpu_ms", taken, "ms", target=target, at_most=True)
        yield claim(f"tracing_{name}_told_cpu_ms", told, "ms")
        if name.startswith("recall"):
            yield await _beside(database, service, name, [thing() for _ in range(3)])


async def _beside(
    database: Database, service: EpcisService, name: str, things: list[str]
) -> dict[str, Any]:
    """By the clock, beside the recursive query, whose answer has to be the same."""
    ours, theirs = [], []
    for thing in things:
        began_s = time.perf_counter()
        answer = await service.trace(MAKER, thing, Direction.FORWARD)
        ours.append((time.perf_counter() - began_s) * 1e3)
        began_s = time.perf_counter()
        states = await reached(database, thing, "forward", viewer=MAKER.party)
        theirs.append((time.perf_counter() - began_s) * 1e3)
        _same(answer, states)
    return claim(
        f"tracing_{name}_clock_ms",
        ours,
        "ms",
        target=15,
        at_most=True,
        rival="recursive query",
        rival_values=theirs,
    )


def _same(answer: Trace, states: list[tuple[str, int, int, bool]]) -> None:
    assert set(answer.windows) == {thing for thing, *_ in states}, "the answers differ"


def _at(after_ms: int) -> Utc:
    return BEGIN.plus_ns(after_ms * 10**6)


def _serial(number: int) -> str:
    return f"{ARTICLE}/21/{number:08d}"


def _raw(number: int) -> str:
    return f"{ARTICLE}/10/RAW-{number}"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def _fill(database: Database) -> None:
    """Writes the events, each as (tag, kind, action, step, ms) and what it names."""
    async with database.session() as session:
        await session.script(
            "create unlogged table public.told (tag text, kind text, action text, step text,"
            " ms bigint); create unlogged table public.named (tag text, role text, thing text);"
            "create function public.serial(n bigint) returns text immutable language sql as"
            f" $$select '{ARTICLE}/21/' || lpad(n::text, 8, '0')$$;" + ";".join(_WORLD)
        )
        await session.script(_WRITE)
        await session.script("drop table public.told, public.named")
    for table in ("epcis_event", "epcis_thing"):
        await database.alone(f"vacuum analyze industry.{table}")


def _said(tag: str, what: str, ms: str, source: str, *named: tuple[str, str, str]) -> Iterator[str]:
    """An event of each row of `source`, and for each role the thing, of rows of its own source."""
    kind, action, step = what.split(",")
    yield (
        f"insert into public.told select {tag}, '{kind}', '{action}', '{step}', {ms} from {source}"
    )
    for role, thing, of in named:
        yield (f"insert into public.named select {tag}, '{role}', {thing} from {of or source}")


_TURNS = "TransformationEvent,,commissioning"
_PACKS, _UNPACKS = "AggregationEvent,ADD,packing", "AggregationEvent,DELETE,unpacking"
_S = f"generate_series(0, {SERIALS - 1}) as s"
_CASES: Final = (SERIALS + 23) // 24
_C = f"generate_series(0, {_CASES - 1}) as c"
_PALLETS: Final = (_CASES + 39) // 40
_P = f"generate_series(0, {_PALLETS - 1}) as p"
_LAST: Final = (SERIALS - 1) // BLEND
_B = f"generate_series(0, {_LAST}) as b"
_BLEND_OF = f"'{ARTICLE}/10/BLEND-' || s / {BLEND}"
_WORLD: Final = [
    *_said(
        "'blend' || b",
        _TURNS,
        "b",
        _B,
        ("input", f"case when b < 7 then '{LARGE}' else '{ARTICLE}/10/RAW-' || b / 2 end", ""),
        ("output", f"'{ARTICLE}/10/BLEND-' || b", ""),
    ),
    *_said(
        "'serial' || s",
        _TURNS,
        "1000 + s",
        _S,
        ("input", _BLEND_OF, ""),
        ("output", "public.serial(s)", ""),
    ),
    *_said(
        "'case' || s / 24",
        _PACKS,
        "2000000 + s",
        f"generate_series(0, {SERIALS - 1}, 24) as s",
        ("parent", f"'{SSCC}K' || s / 24", ""),
        ("child", "public.serial(s)", _S),
    ),
    *_said(
        "'out' || s",
        _UNPACKS,
        "4000000 + s",
        f"generate_series(0, {SERIALS - 1}, 33) as s",
        ("parent", f"'{SSCC}K' || s / 24", ""),
        ("child", "public.serial(s)", ""),
    ),
    *_said(
        "'in' || s",
        _PACKS,
        "5000000 + s",
        f"generate_series(0, {SERIALS - 1}, 33) as s",
        ("parent", f"'{SSCC}K' || (s / 24 + 1)", ""),
        ("child", "public.serial(s)", ""),
    ),
    *_said(
        "'pallet' || c / 40",
        _PACKS,
        "6000000 + c",
        f"generate_series(0, {_CASES - 1}, 40) as c",
        ("parent", f"'{SSCC}P' || c / 40", ""),
        ("child", f"'{SSCC}K' || c", _C),
    ),
    *_said(
        "'off' || c",
        _UNPACKS,
        "7000000 + c",
        f"generate_series(0, {_CASES - 1}, 10) as c",
        ("parent", f"'{SSCC}P' || c / 40", ""),
        ("child", f"'{SSCC}K' || c", ""),
    ),
    *_said(
        "'on' || c",
        _PACKS,
        "7500000 + c",
        f"generate_series(0, {_CASES - 1}, 10) as c",
        ("parent", f"'{SSCC}P' || (c / 40 + 1)", ""),
        ("child", f"'{SSCC}K' || c", ""),
    ),
    *_said(
        "'load' || p / 21",
        _PACKS,
        "8000000 + p",
        f"generate_series(0, {_PALLETS - 1}, 21) as p",
        ("parent", f"'{SSCC}C' || p / 21", ""),
        ("child", f"'{SSCC}P' || p", _P),
    ),
    *_said(
        "'unload' || p / 21",
        _UNPACKS,
        "8500000 + p",
        f"generate_series(0, {_PALLETS - 1}, 21) as p",
        ("parent", f"'{SSCC}C' || p / 21", ""),
    ),
    *_said(
        "'reload' || p / 21",
        _PACKS,
        "9000000 + p",
        f"generate_series(0, {_PALLETS - 1}, 21) as p",
        ("parent", f"'{SSCC}C' || 1000 + p / 21", ""),
        ("child", f"'{SSCC}P' || p", _P),
    ),
]
# So many more that only see a serial make a million.
_WRITE: Final = f"""
insert into public.told select 'seen' || n, 'ObjectEvent', 'OBSERVE', 'shipping', 9500000 + n
    from generate_series(1, {EVENTS} - (select count(*) from public.told)) as n;
insert into public.named select tag, 'epc', public.serial(substr(tag, 5)::bigint * 7)
    from public.told where kind = 'ObjectEvent';
insert into industry.epcis_event (name, owner, visible, job, captured_ns, at_ns, kind, action,
    biz_step, disposition, read_point, biz_location, transformation, event_id, event)
select 'ni:///sha-256;' || encode(sha256(tag::bytea), 'hex') || '?ver=CBV2.0', 'maker',
    array['reader'], 'job',
    -- In documents of a hundred, as they happened.
    {BEGIN.tai_ns} + 10000000000000 + (row_number() over (order by ms)) / 100 * 1000000,
    {BEGIN.tai_ns} + ms * 1000000, kind,
    action, step, '', '', '', '', tag, convert_to(repeat('.', 400), 'UTF8') from public.told
    order by ms;
insert into industry.epcis_thing (thing, role, name, owner)
select thing, role, 'ni:///sha-256;' || encode(sha256(tag::bytea), 'hex') || '?ver=CBV2.0', 'maker'
    from public.named;
"""
