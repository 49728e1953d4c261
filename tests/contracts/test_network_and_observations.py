"""Network backend and observations: memory and PostgreSQL keep the same promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.connectivity.adapters.memory import (
    MemoryNetwork,
    MemoryObservations,
    MemoryQuestions,
    MemoryReportedCells,
)
from zhidao.connectivity.adapters.postgres import (
    PostgresObservations,
    PostgresQuestions,
    ScenarioNetwork,
)
from zhidao.connectivity.adapters.reported_cells import KEPT_S, PostgresReportedCells
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.domain.reported_cell import CellName, CellReport
from zhidao.connectivity.domain.subscriber_location import Holding, Subscriber, SubscriberLocation
from zhidao.connectivity.events import ShortMessageReceived, SimAsked
from zhidao.connectivity.service.ports import NEWEST, Card
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.geo import Geodetic
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

NOW = Utc.parse("2026-11-24T08:00:00.25Z")
CARD = Card("4207733", "truck-7", party_id("carrier"), ())
POINTS = tuple(Point(1_795_000_000 + i, 5_546_000, -844_000) for i in range(3))
BOTH = ["memory", pytest.param("postgres", marks=pytest.mark.service)]


@pytest.fixture(params=BOTH)
def network(request: pytest.FixtureRequest):
    if request.param == "memory":
        return MemoryNetwork()
    return ScenarioNetwork(request.getfixturevalue("database"))


@pytest.fixture(params=BOTH)
def kept(request: pytest.FixtureRequest):
    if request.param == "memory":
        memory = MemoryJournal()
        return MemoryObservations(memory), memory
    database = request.getfixturevalue("database")
    journal = PostgresJournal(database, "connectivity", lambda: None)
    return PostgresObservations(database, journal), journal


@pytest.fixture(params=BOTH)
def book(request: pytest.FixtureRequest):
    if request.param == "memory":
        return MemoryQuestions(MemoryJournal())
    database = request.getfixturevalue("database")
    return PostgresQuestions(database, PostgresJournal(database, "connectivity", lambda: None))


@pytest.fixture(params=BOTH)
def cells(request: pytest.FixtureRequest):
    if request.param == "memory":
        return MemoryReportedCells()
    return PostgresReportedCells(request.getfixturevalue("database"))


def _scribe(version: int) -> Scribe:
    clock, randomness = HandClock(NOW), SeededRandomness(version)
    return Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )


def _entries(version: int, firsts):
    scribe = _scribe(version)
    return [
        scribe.write(
            ShortMessageReceived(
                sender="4207733",
                terminal="truck-7",
                observed_at=str(NOW),
                latitude_ndeg=0,
                longitude_ndeg=0,
                digest="",
                first=first,
            ),
            by=party_id("node"),
            aggregate="short-message/4207733",
            version=version + offset,
            owner=party_id("carrier"),
            visible=(),
            occurred_at=None,
        )
        for offset, first in enumerate(firsts)
    ]


async def test_a_network_tells_what_was_set_last(network):
    seen = SubscriberLocation(Geodetic(55.46, 8.44), 500.5, NOW, "test network", simulated=True)
    known = Subscriber("+8613800138000", True, (party_id("carrier"),), (seen,))
    with pytest.raises(NotFound):
        await network.subscriber(known.phone)
    await network.set(known)
    assert await network.subscriber(known.phone) == known
    later = replace(known, applicable=False, readers=(), locations=(), holder=party_id("maker"))
    await network.set(later)
    assert await network.subscriber(known.phone) == later
    assert await network.holding(known.phone) == Holding(party_id("maker"), ())
    with pytest.raises(NotFound):
        await network.holding("+8613800138001")


async def test_a_network_reaches_inhabited_land(network):
    assert network.covers("+8613800138000", Geodetic(55.46, 8.44), 500.0)
    assert not network.covers("+8613800138000", Geodetic(-80.0, 8.44), 500.0)


async def test_an_observation_is_new_once(kept):
    observations, _ = kept
    assert await observations.take("truck-7", POINTS[:2], "jt808") == (True, True)
    assert await observations.take("truck-7", POINTS, "jt808") == (False, False, True)
    assert await observations.take("truck-8", POINTS[:1], "jt808") == (True,)
    assert await observations.take("truck-9", (POINTS[0], POINTS[0]), "jt808") == (True, False)
    assert await observations.take("truck-7", (), "jt808") == ()
    assert await observations.bearers("truck-7", POINTS[0].digest("truck-7")) == ("jt808",)
    assert await observations.bearers("truck-7", "00") == ()


async def test_a_message_with_its_facts_is_written_once(kept):
    observations, journal = kept
    await observations.take("truck-7", POINTS[:1], "jt808")
    heard = []

    def entries(firsts):
        heard.append(tuple(firsts))
        return _entries(1, firsts)

    assert await observations.receive(CARD, b"d" * 32, POINTS, entries)
    assert heard == [(False, True, True)]
    assert not await observations.receive(CARD, b"d" * 32, POINTS, entries)
    assert len(await journal.load("short-message/4207733", viewer=None)) == 3
    bearers = await observations.bearers("truck-7", POINTS[0].digest("truck-7"))
    assert bearers == ("jt808", "short-message")


async def test_a_message_whose_facts_do_not_fit_is_not_noted(kept):
    observations, _ = kept
    with pytest.raises(Conflict):
        await observations.receive(CARD, b"d" * 32, POINTS, lambda firsts: _entries(5, firsts))
    assert await observations.bearers("truck-7", POINTS[0].digest("truck-7")) == ()
    assert await observations.receive(CARD, b"d" * 32, POINTS, lambda firsts: _entries(1, firsts))


async def test_questions_are_read_newest_first_by_whose_sim_it_is(book):
    ids = IdSource(HandClock(NOW), SeededRandomness(9))
    scribe = _scribe(9)
    names = []
    for owner, phone in (("carrier", "+861"), ("maker", "+862"), ("carrier", "+863")):
        name = ids.new()
        names.append(name)
        fact = SimAsked(
            question=str(name),
            phone=phone,
            asker="bank",
            role="party",
            api="locations",
            answer="located",
        )
        entry = scribe.write(
            fact,
            by=party_id("node"),
            aggregate=f"sim-question/{name}",
            version=1,
            owner=party_id(owner),
            visible=(),
            occurred_at=NOW,
        )
        await book.keep(name, owner=party_id(owner), phone=phone, entry=entry)

    async def read(viewer, phone="", before=NEWEST, limit=10):
        found = await book.newest(viewer=viewer, phone=phone, before=before, limit=limit)
        return [SimAsked.of(event).phone for event in found]

    assert await read(None) == ["+863", "+862", "+861"]
    assert await read(party_id("carrier")) == ["+863", "+861"]
    assert await read(party_id("bank")) == []
    assert await read(party_id("carrier"), phone="+862") == []
    assert await read(None, phone="+862") == ["+862"]
    assert await read(None, before=names[2], limit=1) == ["+862"]
    with pytest.raises(Conflict):
        await book.keep(names[0], owner=party_id("carrier"), phone="+861", entry=entry)
    assert len(await read(None)) == 3


async def test_cells_are_kept_by_terminal_and_second_for_a_month(cells):
    names = [CellName(401, 1, 4098, number) for number in (1, 2**36 - 1, 3)]
    start = Utc.parse("2026-11-01T08:00:00Z")

    def report(after_s: float, name: int, terminal: str = "LORRY-7") -> CellReport:
        return CellReport(terminal, start.plus_ns(round(after_s * NS)), names[name])

    await cells.note([])
    await cells.note([report(20, 1), report(0, 0), report(10, 0, "LORRY-8")])
    # The same second again, as a terminal sends what was not acknowledged: the first stays.
    await cells.note([report(0.5, 2), report(40, 2)])

    async def read(first_s: float, last_s: float, limit: int = 10) -> list[tuple[float, CellName]]:
        found = await cells.between(
            "LORRY-7", *(start.plus_ns(round(s * NS)) for s in (first_s, last_s)), limit
        )
        assert all(each.terminal == "LORRY-7" for each in found)
        return [(each.at.since_ns(start) / NS, each.cell) for each in found]

    assert await read(0, 40) == [(0, names[0]), (20, names[1]), (40, names[2])]
    assert await read(1, 39) == [(20, names[1])]
    assert await read(0, 40, limit=2) == [(20, names[1]), (40, names[2])]
    both = ("LORRY-7", "LORRY-8", "LORRY-9")
    assert await cells.heard_since(both, start.plus_ns(10 * NS)) == 2
    assert await cells.heard_since(both[:1], start.plus_ns(41 * NS)) == 0
    await cells.note([report(KEPT_S + 20, 0)])
    assert [at_s for at_s, _ in await read(0, 2 * KEPT_S)] == [20, 40, KEPT_S + 20]
    # Of another terminal nothing goes.
    assert len(await cells.between("LORRY-8", start, start.plus_ns(60 * NS), 9)) == 1
