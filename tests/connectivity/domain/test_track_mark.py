"""A way's mark is the share of its time that networks confirm, each word in its own window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.connectivity.domain import track_mark
from zhidao.connectivity.domain.crosscheck import Agreement
from zhidao.connectivity.domain.network_area import Disc, Outline, Ring, Sector
from zhidao.connectivity.domain.subscriber_location import (
    DRIFT_MPS,
    Presence,
    Subscriber,
    SubscriberLocation,
    Unplaced,
)
from zhidao.connectivity.domain.track_mark import (
    STRETCH_FIXES,
    Binding,
    Fix,
    Seen,
    judged,
    mark_of,
    seen_of,
    windowed,
)
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.timescale import NS, Utc

START = Utc.parse("2026-11-30T20:00:00Z")
HERE = Geodetic(43.35, 77.04)
CELL = Disc(Circle(HERE, 5_000.0))


def at(second: float) -> Utc:
    return START.plus_ns(round(second * NS))


def fix(second: float, away_m: float = 0.1, azimuth_deg: float = 90) -> Fix:
    return Fix(at(second), destination(HERE, azimuth_deg=azimuth_deg, distance_m=away_m), 20.0)


def said(second: float, *areas: object, network: str = "corridor", **more: object) -> Seen:
    window = {"since": at(second - 600), "until": at(second + 600)}
    return Seen(network, at(second), areas=areas, **(window | more))


@pytest.mark.parametrize(
    ("area", "away_m", "agreement", "gap_m"),
    [
        (CELL, 4_900, Agreement.MATCH, 0),
        (CELL, 4_990, Agreement.PARTIAL, 0),
        (CELL, 5_010, Agreement.PARTIAL, 0),
        (CELL, 5_030, Agreement.MISMATCH, 10),
        (Ring(HERE, 2_000, 3_000), 2_500, Agreement.MATCH, 0),
        (Ring(HERE, 2_000, 3_000), 1_000, Agreement.MISMATCH, 980),
        (Sector(HERE, 5_000, 90, 120, 100), 3_000, Agreement.MATCH, 0),
        (Sector(HERE, 5_000, 270, 120, 100), 3_000, Agreement.MISMATCH, 2_880),
        (
            Outline("KZ", tuple(Geodetic(*c) for c in ((42, 70), (42, 80), (50, 75))), 30_000),
            *(100, Agreement.MATCH, 0),
        ),
    ],
)
def test_each_kind_of_area_holds_a_fix_or_contradicts_it(area, away_m, agreement, gap_m):
    found = judged(fix(0, away_m), [said(0, area)])
    assert found.agreement is agreement
    assert found.gap_m == pytest.approx(gap_m, abs=2)
    assert "corridor" in found.reason
    if agreement is Agreement.MISMATCH:
        assert area.kind in found.reason


def test_a_fix_must_lie_in_all_areas_and_the_worst_is_named():
    both = said(0, CELL, Ring(HERE, 0.0, 1_000.0))
    found = judged(fix(0, 3_000), [both])
    assert (found.agreement, round(found.gap_m)) == (Agreement.MISMATCH, 1_980)
    assert "ring of the timing advance" in found.reason
    assert judged(fix(0, 900), [both]).agreement is Agreement.MATCH


def test_an_area_is_wider_by_what_a_vehicle_drives_in_the_time_between():
    for second, away_m, agreement in (
        (60, 5_000 + 60 * DRIFT_MPS - 30, Agreement.MATCH),
        (-60, 5_000 + 60 * DRIFT_MPS + 30, Agreement.MISMATCH),
    ):
        assert judged(fix(second, away_m), [said(0, CELL)]).agreement is agreement


def test_a_word_counts_in_its_own_window_only():
    there = Disc(Circle(destination(HERE, azimuth_deg=0, distance_m=60_000), 1_000.0))
    first, second = windowed([said(300, there), said(0, CELL, until=at(200))])
    assert (first.since, first.until) == (at(-600), at(200))
    assert (second.since, second.until) == (at(0), at(900))
    for when, expected in (
        (-601, Agreement.UNKNOWN),
        (-600, Agreement.MATCH),
        (901, Agreement.UNKNOWN),
        (900, Agreement.MISMATCH),
    ):
        assert judged(fix(when), [first, second]).agreement is expected, when
    # Between both, each says where it could have been: the later one contradicts.
    assert judged(fix(150), [first, second]).agreement is Agreement.MISMATCH


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"binding": Binding.OTHER}, "in another device"),
        ({"presence": Presence.UNREACHABLE}, "did not reach"),
    ],
)
def test_a_sim_of_another_device_or_out_of_reach_says_nothing(more, words):
    """Neither confirms a fix nor contradicts it: whatever is seen is not this terminal now."""
    for away_m in (100, 50_000):
        found = judged(fix(0, away_m), [said(0, CELL, **more)])
        assert found.agreement is Agreement.UNKNOWN
        assert words in found.reason
    same = said(0, CELL, binding=Binding.SAME, presence=Presence.IDLE)
    assert judged(fix(0), [same]).agreement is Agreement.MATCH


def test_an_own_word_contradicts_and_confirms_nothing():
    assert judged(fix(0), [said(0, CELL, own_word=True)]).agreement is Agreement.UNKNOWN
    assert judged(fix(0, 9_000), [said(0, CELL, own_word=True)]).agreement is Agreement.MISMATCH


def test_of_two_networks_one_contradiction_decides():
    there = Disc(Circle(destination(HERE, azimuth_deg=0, distance_m=60_000), 1_000.0))
    both = [said(0, CELL), said(1, there, network="operator")]
    mark = mark_of([fix(0)], both)
    assert (mark.verdict, mark.networks) == (Agreement.MISMATCH, ("corridor", "operator"))
    assert mark.reasons == ("operator says elsewhere: outside its circle",)


def test_the_mark_is_the_share_of_the_time_that_is_confirmed():
    fixes = [fix(second) for second in range(0, 1_000, 100)]
    told = [said(second, CELL) for second in range(0, 500, 100)]
    last = windowed(told)[-1]
    mark = mark_of(fixes, [*told[:-1], replace(last, until=at(400))])
    # Half of the way between a fix that is confirmed and one that is not belongs to each.
    assert (mark.whole_s, mark.corroborated_s, mark.contradicted_s) == (900, 450, 0)
    assert (mark.corroborated_share, mark.verdict) == (0.5, Agreement.MATCH)
    assert [(each.agreement.value, each.since, each.until) for each in mark.spans] == [
        ("match", at(0), at(400)),
        ("unknown", at(500), at(900)),
    ]
    assert mark.reasons[0] in ("corridor saw it there", "no network said anything of that time")


def test_a_terminal_that_was_silent_is_not_followed_in_between():
    told = [said(second, CELL) for second in (0, 4_000)]
    mark = mark_of([fix(0), fix(4_000)], told)
    # Ten minutes at most are said of a fix, five on each side; the way took longer.
    assert (mark.whole_s, mark.corroborated_s) == (4_000, 600)
    assert mark.verdict is Agreement.PARTIAL


def test_a_moment_beyond_a_cell_is_no_lie_and_a_stretch_is():
    told = [said(second, CELL) for second in range(0, 3_000, 30)]

    def verdict(bad: range) -> Agreement:
        fixes = [fix(number * 30, 30_000 if number in bad else 100) for number in range(100)]
        return mark_of(fixes, told).verdict

    needed = round(0.9 * STRETCH_FIXES)
    assert verdict(range(0)) is Agreement.MATCH
    assert verdict(range(40, 40 + needed - 1)) is Agreement.MATCH
    assert verdict(range(40, 40 + needed)) is Agreement.MISMATCH
    assert verdict(range(100 - needed, 100)) is Agreement.MISMATCH
    assert verdict(range(40)) is Agreement.MISMATCH


def test_of_an_own_word_too_a_moment_is_no_lie():
    """That it agrees elsewhere confirms nothing, and still shows that the moment was one."""
    told = [said(second, CELL, own_word=True) for second in range(0, 3_000, 30)]

    def verdict(bad: range) -> Agreement:
        fixes = [fix(n * 30, 30_000 if n in bad else 100) for n in range(100)]
        return mark_of(fixes, told).verdict

    assert verdict(range(0)) is Agreement.UNKNOWN
    assert verdict(range(40, 42)) is Agreement.PARTIAL
    assert verdict(range(40, 60)) is Agreement.MISMATCH


def test_a_way_of_one_fix_is_judged_as_a_fix():
    assert mark_of([fix(0)], [said(0, CELL)]).corroborated_share == 1.0
    mark = mark_of([fix(0, 9_000)], [said(0, CELL)])
    assert (mark.verdict, mark.contradicted_s, mark.whole_s) == (Agreement.MISMATCH, 1, 1)
    nothing = mark_of([fix(0)], [])
    assert (nothing.verdict, nothing.networks) == (Agreement.UNKNOWN, ())


def test_what_a_subscriber_s_network_told_is_read_with_its_gaps():
    sector = Sector(HERE, 5_000.0, 90.0, 120.0, 100.0)
    first = SubscriberLocation(HERE, 5_000.0, at(0), "lorries", False, True, (sector,))
    last = SubscriberLocation(HERE, 900.0, at(400), "lorries", True)
    told = Subscriber(
        *("+77010000001", True, (), (first, last)),
        unplaced=(Unplaced(at(200), "a cell of no table"),),
    )
    one, lost, other = seen_of(told)
    assert (one.areas, one.own_word, one.until) == ((CELL, sector), True, at(200))
    assert (lost.areas, lost.why, lost.network) == ((), "a cell of no table", "lorries")
    assert (lost.since, lost.until) == (at(0), at(400))
    assert (other.since, other.simulated) == (at(200), True)
    mark = mark_of([fix(200)], seen_of(told))
    assert mark.simulated
    assert mark.networks == ("lorries",)


@pytest.mark.bound("connectivity.domain.track_mark.FIXES_MAX")
def test_a_way_has_an_end_and_one_fix_at_a_time(monkeypatch):
    monkeypatch.setattr(track_mark, "FIXES_MAX", 3)
    mark_of([fix(n) for n in range(3)], [])
    for wrong in ([], [fix(n) for n in range(4)], [fix(0), fix(1), fix(0)]):
        with pytest.raises(MalformedInput) as caught:
            mark_of(wrong, [])
        assert caught.value.remedy
    for bound_m in (-1.0, float("nan"), 1e7):
        with pytest.raises(MalformedInput):
            Fix(at(0), HERE, bound_m)
