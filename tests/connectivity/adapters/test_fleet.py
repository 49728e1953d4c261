"""A SIM is where its own terminal's cell serves; what that is not told by is unknown with a reason."""

from __future__ import annotations

import pytest
from tests.connectivity.bench import Bench

from zhidao.connectivity.adapters import fleet
from zhidao.connectivity.adapters.fleet import LATELY_S, TOLD_S, FleetNetwork
from zhidao.connectivity.adapters.memory import MemoryReportedCells
from zhidao.connectivity.domain.reported_cell import CellName, CellReport, SiteRow, Sites
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.service.network import NetworkChecks
from zhidao.connectivity.service.networks import Networks, NoNetwork
from zhidao.connectivity.wire.network_files import FleetPlan
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unavailable
from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.ids import party_id
from zhidao.core.timescale import NS, Utc

NOW = Utc.parse("2026-11-30T20:00:00Z")
PHONE, TERMINAL = "+77010000003", "LORRY-7"
SIM = Sim(PHONE, "lorries", (party_id("carrier"),), terminal=TERMINAL)
PASS, VALLEY = CellName(401, 1, 4098, 77), CellName(401, 1, 4098, 78)
NOWHERE, ABROAD = CellName(401, 1, 4098, 99), CellName(437, 1, 5, 6)
HERE, THERE = Geodetic(43.35, 77.04), Geodetic(43.35, 77.5)
MOVED = Utc.parse("2026-11-30T19:00:00Z")
SITES = Sites(
    (
        SiteRow(PASS, Circle(HERE, 5_000.0), since=(MOVED,)),
        SiteRow(VALLEY, Circle(THERE, 3_000.0)),
    )
)


def told(after_s: float, cell: CellName, terminal: str = TERMINAL) -> CellReport:
    return CellReport(terminal, NOW.plus_ns(round(after_s * NS)), cell)


async def network(*reports: CellReport, clock: HandClock | None = None) -> FleetNetwork:
    kept = MemoryReportedCells()
    await kept.note(reports)
    plan = FleetPlan("lorries", "40101", "fleet.csv")
    return FleetNetwork(plan, SITES, (SIM,), kept, clock or HandClock(NOW))


async def test_it_is_where_the_cell_serves_at_the_time_of_the_report():
    answer = await (await network(told(-60, VALLEY), told(-30, PASS))).answer(SIM)
    valley, last = answer.locations
    assert (last.centre, last.radius_m, last.network) == (HERE, 5_000.0, "lorries")
    assert (last.at, last.simulated, last.own_word) == (NOW.plus_ns(-30 * NS), False, True)
    assert valley.centre == THERE
    assert (answer.why, answer.unplaced) == ("", ())


@pytest.mark.parametrize(
    ("reports", "why"),
    [
        ((), "its terminal told no cell within a day"),
        ((told(-TOLD_S - 1, PASS),), "its terminal told no cell within a day"),
        ((told(-5, PASS, "LORRY-8"),), "its terminal told no cell within a day"),
        ((told(-5, NOWHERE),), "its terminal is in a cell whose place this node does not know"),
        ((told(-5, ABROAD),), "its terminal is in a network of others"),
        (
            (told(-3_601, PASS),),
            "its terminal is in a cell that served elsewhere, or not at all, at that time",
        ),
        # A known cell before is no answer for the time after it.
        (
            (told(-9, PASS), told(-5, NOWHERE)),
            "its terminal is in a cell whose place this node does not know",
        ),
    ],
)
async def test_what_is_not_told_is_unknown_with_its_reason(reports, why):
    lorries = await network(*reports)
    room = Networks({PHONE: SIM}, {"lorries": lorries}, NoNetwork())
    found = await room.subscriber(PHONE)
    assert (found.newest, found.why) == ((), why)


def checked(room: Bench, lorries: FleetNetwork) -> NetworkChecks:
    return NetworkChecks(
        Networks({PHONE: SIM}, {"lorries": lorries}, NoNetwork()),
        room.checks._records,
        room.questions,
    )


def question(fix: Geodetic, after_s: float) -> dict[str, object]:
    return {
        "phone": PHONE,
        "latitude_ndeg": fix.latitude_ndeg,
        "longitude_ndeg": fix.longitude_ndeg,
        "bound_mm": 9_000,
        "at": NOW.plus_ns(round(after_s * NS)),
    }


async def test_its_word_contradicts_a_fix_and_corroborates_none(room: Bench, node):
    checks = checked(room, await network(told(-60, PASS)))
    spoofed = destination(HERE, azimuth_deg=30, distance_m=10_000)
    fact = await checks.check(node, **question(spoofed, -60))
    assert (fact.verdict, fact.network, fact.simulated) == ("mismatch", "lorries", False)
    fact = await checks.check(node, **question(HERE, -60))
    assert (fact.verdict, fact.network_radius_mm) == ("unknown", 0)
    assert "its own word corroborates nothing" in fact.reason
    edge = destination(HERE, azimuth_deg=30, distance_m=5_000)
    assert (await checks.check(node, **question(edge, -60))).verdict == "partial"


@pytest.mark.parametrize(
    ("after_s", "verdict", "words"),
    [
        (-320, "mismatch", "outside"),  # Of the valley, 37 km from the pass.
        (-280, "unknown", "does not know"),  # Between: the nearest cell told has no place.
        (-220, "unknown", "does not know"),
        (-190, "unknown", "its own word"),  # At the pass.
        (700, "unknown", "away from the fix in time"),
    ],
)
async def test_a_cell_counts_in_its_own_time_only(room: Bench, node, after_s, verdict, words):
    lorries = await network(told(-320, VALLEY), told(-250, NOWHERE), told(-180, PASS))
    fact = await checked(room, lorries).check(node, **question(HERE, after_s))
    assert fact.verdict == verdict
    assert words in fact.reason


async def test_no_report_and_no_reason_names_a_cell_or_a_terminal(room: Bench, node):
    for cell in (NOWHERE, ABROAD, PASS):
        fact = await checked(room, await network(told(-5, cell))).check(
            node, **question(HERE, -5 - cell.identity)
        )
        said = fact.reason + fact.network
        assert not any(each in said for each in ("4098", "LORRY", str(cell.identity)))


async def test_its_state_tells_how_many_terminals_were_heard_lately():
    silent = await (await network(told(-LATELY_S - 1, PASS))).state()
    assert (silent.answers, silent.devices, silent.cells) == (False, 0, 2)
    assert "within ten minutes" in silent.why
    state = await (await network(told(-LATELY_S, PASS), told(-1, PASS, "LORRY-8"))).state()
    assert (state.kind, state.answers, state.devices, state.sims) == ("fleet", True, 1, 1)

    class Away(MemoryReportedCells):
        async def heard_since(self, *_: object) -> int:
            raise Unavailable("the database does not answer")

    lorries = await network()
    lorries._reported = Away()
    state = await lorries.state()
    assert (state.answers, state.why) == (False, "the database does not answer")


async def test_it_covers_where_its_cells_serve_now():
    lorries = await network()
    near = destination(HERE, azimuth_deg=0, distance_m=6_900)
    assert lorries.covers(near, 2_000)
    assert not lorries.covers(near, 1_800)
    early = await network(clock=HandClock(MOVED.plus_ns(-NS)))
    assert not early.covers(HERE, 100)
    assert early.covers(THERE, 100)


@pytest.mark.bound("connectivity.adapters.fleet.REPORTS_MAX")
async def test_of_too_many_reports_the_newest_count(monkeypatch):
    monkeypatch.setattr(fleet, "REPORTS_MAX", 3)
    reports = [told(-each, PASS) for each in range(1, 6)]
    answer = await (await network(*reports)).answer(SIM)
    assert [each.at for each in answer.locations] == [told(-n, PASS).at for n in (3, 2, 1)]
    fewer = await (await network(*reports[:3])).answer(SIM)
    assert len(fewer.locations) == 3
