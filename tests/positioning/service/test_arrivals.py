from __future__ import annotations

import asyncio

import numpy as np
import pytest
from tests.positioning.conftest import START

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Gpst
from zhidao.devices.events import Ride
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, spoofed, synthesize
from zhidao.positioning.service.evidence_replay import replay
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

BANK = Actor(PartyId("importer-bank"), Role.PARTY)
EXPORTER = Actor(PartyId("exporter"), Role.PARTY)
STRANGER = Actor(PartyId("stranger"), Role.PARTY)
OPERATOR = Actor(PartyId("operator"), Role.OPERATOR)


@pytest.fixture
async def waiting(world, afternoon):
    """Navigation is known and the bank waits for C-1."""
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    await world.expect()
    return world


async def test_a_window_at_the_place_proves_the_arrival_with_all_marks(waiting, afternoon):
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    arrival = await waiting.arrivals.arrival(EXPORTER, "C-1")
    assert arrival.state == "proven"
    proven = arrival.proven
    assert proven is not None
    assert proven.simulated
    assert 5_000 < proven.protection_mm < 60_000
    assert proven.epochs >= 3
    assert proven.satellites >= 6
    marks = proven.marks
    assert (marks.signed_by_terminal, marks.bound_to_goods, marks.recomputed) == (True,) * 3
    assert marks.corroborated_by == ["operator-a"]
    assert marks.disagreed_by == []
    assert marks.inside_risk_ppb == 100_000


async def test_whose_terminal_it_is_sees_what_is_awaited_and_what_came_of_it(waiting, afternoon):
    carrier = Actor(PartyId("carrier"), Role.PARTY)
    assert (await waiting.arrivals.arrival(carrier, "C-1")).state == "expected"
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    assert (await waiting.arrivals.arrival(carrier, "C-1")).state == "proven"
    with pytest.raises(NotFound):
        await waiting.arrivals.arrival(STRANGER, "C-1")


async def test_a_terminal_of_another_node_is_awaited_without_its_owner(world):
    await world.expect(terminal="T-elsewhere")
    [entry] = await world.journal.load("arrival/C-1", viewer=None)
    assert set(entry.event.visible) == {"exporter"}


async def test_the_evidence_replays_and_only_its_readers_get_it(waiting, afternoon):
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    proven = (await waiting.arrivals.arrival(BANK, "C-1")).proven
    data = await waiting.arrivals.evidence(EXPORTER, proven.evidence)
    assert digest_of(data) == proven.evidence
    again = replay(data, afternoon.window, afternoon.navigation_file)
    assert (again.reproduced, again.inside, again.usual) == (True,) * 3
    with pytest.raises(NotFound):
        await waiting.arrivals.evidence(STRANGER, proven.evidence)
    with pytest.raises(NotFound):
        await waiting.arrivals.evidence(EXPORTER, proven.navigation)
    with pytest.raises(NotFound):
        await waiting.arrivals.arrival(STRANGER, "C-1")


async def test_the_track_shows_every_epoch_with_its_sky(waiting, afternoon):
    with pytest.raises(NotFound, match="evaluated"):
        await waiting.arrivals.track(EXPORTER, "C-1")
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    track = await waiting.arrivals.track(EXPORTER, "C-1")
    assert len(track.fixes) == 40
    assert {fix.reason for fix in track.fixes} == {"ok"}
    assert all(len(fix.sky) >= fix.satellites for fix in track.fixes)
    assert track.simulated
    with pytest.raises(NotFound):
        await waiting.arrivals.track(STRANGER, "C-1")


async def test_the_same_event_again_changes_nothing(waiting, afternoon):
    event = waiting.window(afternoon.window)
    await waiting.arrivals.on_window(event)
    written = len(waiting.journal.written)
    await waiting.arrivals.on_window(event)
    assert len(waiting.journal.written) == written
    assert waiting.network.asked == 1


async def test_the_networks_answer_is_for_readers_of_both_arrival_and_terminal(waiting, afternoon):
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    written = waiting.journal.written[-1]
    audience = {written.event.owner, *written.event.visible}
    assert waiting.network.readers == ("carrier", "importer-bank")
    assert audience > set(waiting.network.readers), "the arrival has other readers"


async def test_what_is_proven_stays_proven(waiting, afternoon):
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    await waiting.arrivals.on_window(waiting.window(b"rubbish"))
    arrival = await waiting.arrivals.arrival(BANK, "C-1")
    assert arrival.state == "proven"
    assert arrival.not_proven == []


async def _reason(world, data: bytes, **changes) -> tuple[str, object]:
    await world.arrivals.on_window(world.window(data, **changes))
    arrival = await world.arrivals.arrival(BANK, "C-1")
    assert arrival.proven is None
    assert arrival.not_proven[-1].sentence
    return arrival.not_proven[-1].reason, arrival.not_proven[-1].marks


async def test_an_unsigned_window_proves_nothing(waiting, afternoon):
    reason, marks = await _reason(waiting, afternoon.window, signed=False)
    assert reason == "not_signed"
    assert not marks.signed_by_terminal


async def test_without_a_seal_the_terminal_is_not_bound(waiting, afternoon):
    waiting.custody.bound = False
    reason, marks = await _reason(waiting, afternoon.window)
    assert reason == "terminal_not_bound"
    assert not marks.bound_to_goods
    assert waiting.network.asked == 0


async def test_a_seal_with_another_terminal_key_does_not_bind(waiting, afternoon):
    assert (await _reason(waiting, afternoon.window, key="zOther"))[0] == "terminal_not_bound"


async def test_a_network_that_disagrees_blocks_and_one_that_is_silent_does_not(waiting, afternoon):
    waiting.network.verdict = "mismatch"
    reason, marks = await _reason(waiting, afternoon.window)
    assert reason == "network_disagrees"
    assert marks.disagreed_by == ["operator-a"]
    waiting.network.verdict = "unknown"
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    proven = (await waiting.arrivals.arrival(BANK, "C-1")).proven
    assert proven.marks.corroborated_by == []
    assert proven.marks.disagreed_by == []


async def test_a_spoofed_arrival_is_outside_or_left_to_the_network(waiting, afternoon):
    told = spoofed(afternoon.ecef_m, east_m=3000, north_m=0)
    seen = synthesize(Receiver(afternoon.gpst_ns, told), afternoon.navigation, seed=4)
    assert (await _reason(waiting, write_observations(seen)))[0] == "outside"


async def test_bytes_that_are_no_window_are_unreadable(waiting):
    for data in (b"rubbish", b"\x1f\x8b\x08", b""):
        reason, marks = await _reason(waiting, data)
        assert reason == "unreadable"
        assert not marks.recomputed


async def test_a_late_window_is_too_late(waiting, afternoon):
    early = afternoon.seen.utc(0).plus_ns(-7200 * 10**9)
    await waiting.expect("C-2", not_before=early, not_after=early.plus_ns(10**9))
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    arrival = await waiting.arrivals.arrival(BANK, "C-2")
    assert arrival.not_proven[0].reason == "too_late"
    assert (await waiting.arrivals.arrival(BANK, "C-1")).state == "proven"


async def test_without_navigation_the_reason_says_so(world, afternoon):
    await world.expect()
    assert (await _reason(world, afternoon.window))[0] == "no_navigation"


async def test_a_window_over_two_navigation_files_is_solved_by_both(world, afternoon):
    before, after = START.plus_ns(-3600 * 10**9), START.plus_ns(4 * 3600 * 10**9)
    whole = constellation(before, after, seed=5, systems="CEG")
    orbits = whole.ephemerides
    # One hour fewer than a window: neither file reaches over the whole of it.
    at = Gpst.from_utc(START.plus_ns(3600 * 10**9)).ns
    gpst_ns = at + np.arange(-10, 10) * 30 * 10**9
    window = write_observations(
        synthesize(Receiver(gpst_ns, afternoon.ecef_m[:20], systems="CEG"), whole, seed=11)
    )
    reach_ns = 7_200 * 10**9
    for chosen in (orbits.toe_ns <= at - reach_ns, orbits.toe_ns >= at - 4 * 10**9 + reach_ns):
        file = write_navigation(Navigation(orbits.take(chosen), whole.klobuchar, simulated=True))
        await world.navigation.add(OPERATOR, file)
    await world.expect(not_after=Gpst(int(gpst_ns[-1])).to_utc())
    await world.arrivals.on_window(world.window(window))
    arrival = await world.arrivals.arrival(BANK, "C-1")
    assert arrival.state == "proven", arrival.not_proven[-1].sentence
    navigation = await world.navigation.data(arrival.proven.navigation)
    data = await world.arrivals.evidence(BANK, arrival.proven.evidence)
    assert PositionEvidence.decode(data).result.fixes == 20
    assert replay(data, window, navigation).reproduced


async def test_a_small_site_is_not_reached_by_the_bound(waiting, afternoon):
    import msgspec

    await waiting.expect("C-3", site=msgspec.structs.replace(waiting.site, radius_mm=5_000))
    await waiting.arrivals.on_window(waiting.window(afternoon.window))
    arrival = await waiting.arrivals.arrival(BANK, "C-3")
    assert arrival.not_proven[0].reason == "bound_too_wide"


async def test_waiting_again_is_the_same_and_waiting_otherwise_a_conflict(waiting):
    written = len(waiting.journal.written)
    await waiting.expect()
    assert len(waiting.journal.written) == written
    with pytest.raises(Conflict):
        await waiting.expect(risk_ppb=1)


async def test_a_rehearsal_refuses_what_expecting_would_and_writes_nothing(waiting):
    wish = {
        "consignment": "C-1",
        "terminal": "T-1",
        "site": waiting.site,
        "not_before": waiting.first,
        "not_after": waiting.last,
        "risk_ppb": 100_000,
    }
    written = len(waiting.journal.written)
    await waiting.arrivals.rehearse(**wish)
    await waiting.arrivals.rehearse(**wish | {"consignment": "C-2"})
    with pytest.raises(Conflict, match="in another way: at"):
        await waiting.arrivals.rehearse(**wish | {"risk_ppb": 1})
    with pytest.raises(Refused, match="ends before"):
        await waiting.arrivals.rehearse(**wish | {"not_after": waiting.first})
    assert len(waiting.journal.written) == written


async def test_terminals_that_could_never_prove_it_are_refused(waiting, monkeypatch):
    async def check(*terminals: str, signed: bool = True, actor: Actor = BANK) -> str:
        try:
            await waiting.arrivals.check_terminals(
                actor, consignment="C-1", terminals=terminals, signed=signed
            )
        except Refused as refused:
            return refused.code
        return ""

    assert await check("T-1", "T-2") == ""
    assert await check("T-1", "T-claimed") == "terminal_without_key"
    assert await check("T-claimed", signed=False) == ""
    # Another node's, which a seal of these goods names, and one that is not shown to the actor.
    assert await check("T-elsewhere") == ""
    assert await check("T-1", actor=STRANGER) == ""
    assert await check("T-claimed", actor=STRANGER) == "terminal_without_key"

    rides: list[Ride] = []

    async def known(_terminal: str) -> list[Ride]:
        return rides

    monkeypatch.setattr(waiting.arrivals._custody, "rides", known)
    assert await check("T-1") == ""
    assert await check("T-elsewhere", signed=False) == "terminal_unknown"
    # It rode with these goods and does no more, or rides with others.
    rides += [
        Ride(consignment="C-1", container="C1", begin=START, end=START.plus_ns(1)),
        Ride(consignment="C-9", container="C1", begin=START.plus_ns(1), end=None),
    ]
    # Of a terminal that somebody else keeps to himself no more is told than of one that is none.
    for terminal in ("T-1", "T-claimed", "T-elsewhere"):
        assert await check(terminal, actor=STRANGER) == "terminal_unknown"


async def test_a_vehicle_that_one_may_not_see_is_not_awaited(waiting, monkeypatch):
    async def nothing(_terminal: str) -> list[Ride]:
        return []

    monkeypatch.setattr(waiting.arrivals._custody, "rides", nothing)
    written = len(waiting.journal.written)
    with pytest.raises(Refused) as refused:
        await waiting.expect(actor=STRANGER, consignment="C-2")
    assert refused.value.code == "terminal_unknown"
    assert len(waiting.journal.written) == written


async def test_a_crash_between_watch_and_wish_is_completed_by_the_repeated_call(world, afternoon):
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    await world.expect()
    # As if the node had died after the watch and before the wish.
    del world.journal._histories["arrival/C-1"]
    await world.arrivals.on_window(world.window(afternoon.window))
    await world.expect()
    await world.arrivals.on_window(world.window(afternoon.window))
    assert (await world.arrivals.arrival(BANK, "C-1")).state == "proven"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"consignment": "a/b"}, MalformedInput),
        ({"terminal": ""}, MalformedInput),
        ({"risk_ppb": 0}, Refused),
        ({"risk_ppb": 10**9}, Refused),
    ],
)
async def test_an_impossible_wish_is_refused(world, changes, kind):
    with pytest.raises(kind):
        await world.expect(**changes)
    assert world.journal.written == []


async def test_only_the_operator_adds_navigation_and_the_same_file_once(world, afternoon):
    with pytest.raises(Forbidden):
        await world.navigation.add(BANK, afternoon.navigation_file)
    added = await world.navigation.add(OPERATOR, afternoon.navigation_file)
    assert added.systems == "CEG"
    assert await world.navigation.add(OPERATOR, afternoon.navigation_file) == added
    assert len(world.journal.written) == 1
    with pytest.raises(MalformedInput):
        await world.navigation.add(OPERATOR, b"no navigation")


async def test_real_signals_of_esbjerg_prove_an_arrival(world, shared):
    from zhidao.core.geo import Ecef
    from zhidao.core.timescale import Utc
    from zhidao.positioning.events import Site
    from zhidao.positioning.wire.rinex.window import cut_window

    folder = shared / "positioning" / "esbc_2020177"
    day = (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    navigation = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    first, last = Utc.parse("2020-06-25T12:00:12Z"), Utc.parse("2020-06-25T12:19:42Z")
    window = cut_window(day, first, last, systems="CEG")
    await world.navigation.add(OPERATOR, navigation)
    port = Ecef(3582104.918, 532590.191, 5232755.315).to_geodetic()
    site = Site(
        name="Esbjerg",
        latitude_ndeg=port.latitude_ndeg,
        longitude_ndeg=port.longitude_ndeg,
        radius_mm=30_000,
    )
    await world.expect(site=site, not_before=first, not_after=last)
    await world.arrivals.on_window(world.window(window))
    proven = (await world.arrivals.arrival(BANK, "C-1")).proven
    assert proven is not None
    assert not proven.simulated
    assert proven.protection_mm < 15_000
    data = await world.arrivals.evidence(BANK, proven.evidence)
    assert replay(data, window, navigation).reproduced


def test_evidence_with_any_changed_figure_is_not_reproduced(afternoon, world):
    from dataclasses import replace

    import msgspec

    from zhidao.positioning.domain.solver_settings import Settings
    from zhidao.positioning.service.evaluation import evaluate
    from zhidao.positioning.wire.position_evidence import Question

    question = Question(
        consignment="C-1",
        terminal="T-1",
        site=world.site,
        not_before=str(world.first),
        not_after=str(world.last),
        risk_ppb=100_000,
    )
    told = PositionEvidence.decode(
        evaluate(question, afternoon.window, afternoon.navigation_file, Settings.of_arrivals())
    )
    changes = {
        "latitude_ndeg": told.result.latitude_ndeg + 20,
        "protection_mm": told.result.protection_mm - 2,
        "decision": "outside",
        "satellites": told.result.satellites + 1,
        "simulated": False,
    }
    for name, value in changes.items():
        forged = msgspec.structs.replace(
            told, result=msgspec.structs.replace(told.result, **{name: value})
        )
        again = replay(forged.encode(), afternoon.window, afternoon.navigation_file)
        assert not again.reproduced, name
        assert again.sentence.startswith("not reproduced")
    assert not replay(told.encode(), afternoon.window + b"\n", afternoon.navigation_file).reproduced
    assert not replay(told.encode(), afternoon.window, b"").reproduced
    looser = replace(Settings.of_arrivals(), orbit_mm_min=2_500)
    other = evaluate(question, afternoon.window, afternoon.navigation_file, looser)
    assert not replay(other, afternoon.window, afternoon.navigation_file).usual
    for damaged in (
        told.encode() + b" ",
        told.encode().replace(b'"fault_ppb":10000', b'"fault_ppb":0'),
        told.encode().replace(b'"signals":{}', b'"signals":{"C":"C9Z"}'),
        told.encode().replace(b'"alarm_ppb":10000,', b""),
        told.encode().replace(b'"alarm_ppb":10000', b'"alarm_ppb":10000,"x":1'),
    ):
        with pytest.raises(MalformedInput):
            PositionEvidence.decode(damaged)


async def test_a_navigation_file_that_comes_twice_at_once_is_one(world, afternoon):
    both = await asyncio.gather(
        *(world.navigation.add(OPERATOR, afternoon.navigation_file) for _ in range(2))
    )
    assert both[0] == both[1]
