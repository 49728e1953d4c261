"""Every comparison and sign of the arrival rule, by solutions made of plain numbers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.polygon import Polygon
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.integrity.area_risk import Inside
from zhidao.positioning.domain.integrity.arrival import (
    ArrivalCriteria,
    Decision,
    Outcome,
    decide,
    doubted,
    lacking,
    spare,
    suspect,
)
from zhidao.positioning.domain.integrity.suspicion import INFORMING, Finding, Suspicion
from zhidao.positioning.domain.integrity.window_checks import grid_count
from zhidao.positioning.domain.single_point.solution import Reason
from zhidao.positioning.domain.solver_settings import Settings

BEGIN = Utc.parse("2026-11-21T06:00:00Z")
HERE = Geodetic(44.0, 80.0, 0.0)
SITE = Circle(HERE, 100.0)


def _solved(seconds: list[float], east_m: list[float], bound_m: float = 10.0) -> Any:
    """A solution at distances east of the middle of the site."""
    places = [destination(HERE, azimuth_deg=90.0, distance_m=each) for each in east_m]
    count = len(seconds)
    return SimpleNamespace(
        gpst_ns=Gpst.from_utc(BEGIN).ns + np.array([round(s * 1e9) for s in seconds]),
        solved=np.ones(count, bool),
        reason=np.zeros(count, np.uint8),
        latitude=np.deg2rad([place.latitude_deg for place in places]),
        longitude=np.deg2rad([place.longitude_deg for place in places]),
        horizontal_m=np.full(count, bound_m),
    )


def _criteria(first_s: float = -1e4, last_s: float = 1e4) -> ArrivalCriteria:
    low, high = (BEGIN.plus_ns(round(s * 1e9)) for s in (first_s, last_s))
    return ArrivalCriteria(SITE, low, high)


SETTINGS = Settings.of_version_3(stretch_s_min=60, stretch_epochs_min=3, gap_s_max=60)


def _decided(seconds, east_m=None, criteria=None, found=None, settings=SETTINGS) -> Outcome:
    solved = _solved(seconds, east_m or [0.0] * len(seconds))
    return decide(solved, criteria or _criteria(), settings, found)


def test_a_stretch_lasts_just_as_long_as_asked_and_not_a_moment_less():
    assert _decided([1000, 1030, 1060]).stretch == (0, 2)
    assert _decided([1000, 1030, 1059.999]).stretch == (-1, -1)
    assert _decided([1000, 1030, 1059.999, 1060]).stretch == (0, 3)


def test_a_stretch_has_as_many_epochs_as_asked():
    assert _decided([0, 60]).stretch == (-1, -1)
    assert _decided([0, 60, 61]).stretch == (0, 2)


def test_a_gap_of_just_the_greatest_length_does_not_break_a_stretch():
    assert _decided([0, 60, 120]).stretch == (0, 2)
    assert _decided([0, 60.001, 90, 121]).stretch == (1, 3)


def test_an_epoch_that_is_not_inside_ends_a_stretch():
    outcome = _decided([0, 30, 60, 90, 120], [0, 95, 0, 0, 0])
    assert outcome.stretch == (2, 4)
    assert outcome.epoch == 4


def test_the_bound_may_reach_up_to_the_edge_less_the_boundary():
    edge = 100.0 - 10.0 - SETTINGS.boundary_mm / 1000
    assert _decided([0, 30, 60], [edge - 1e-6] * 3).decision is Decision.INSIDE
    assert _decided([0, 30, 60], [edge + 1e-6] * 3).decision is Decision.BOUND_TOO_WIDE


def test_times_count_to_both_ends_of_the_window():
    assert _decided([0, 30, 60], criteria=_criteria(0, 60)).decision is Decision.INSIDE
    assert _decided([0, 30, 60], criteria=_criteria(0, 59.999)).decision is Decision.TOO_LATE
    assert _decided([0, 30, 60], criteria=_criteria(0.001, 60)).decision is Decision.TOO_EARLY


def test_the_chance_told_is_the_greatest_of_the_whole_stretch_and_of_nothing_else():
    outside = np.array([1e-9, 5e-7, 2e-6, 1e-3])
    found = Inside(outside, np.array([True, True, True, False]))
    outcome = _decided([0, 30, 60, 90], found=found)
    assert outcome.stretch == (0, 2)
    assert "a chance of at most 2.0e-06 to be outside" in outcome.sentence


def test_the_metres_told_are_those_from_the_centre():
    outcome = _decided([0, 30, 60], [25.0, 25.0, 25.0])
    assert "the position is 25.0 m from the centre, its bound 10 m" in outcome.sentence
    assert "the radius 100.0 m" in outcome.sentence


INSIDE = Outcome(Decision.INSIDE, 5, (3, 5), "inside")


def _finding(reason: Suspicion, epoch: int = 0) -> Finding:
    return Finding(reason, np.array([epoch]), (), "what was seen")


@pytest.mark.parametrize("epoch", [0, 4, 900])
def test_a_finding_blocks_wherever_it_stands(epoch):
    outcome = suspect(INSIDE, [_finding(Suspicion.CLOCK_JUMP, epoch)])
    assert outcome.decision is Decision.SIGNALS_SUSPECT
    assert "(clock_jump): what was seen" in outcome.sentence


def test_a_finding_of_the_window_before_blocks_too():
    outcome = suspect(INSIDE, [], [_finding(Suspicion.TOO_FAST)])
    assert outcome.decision is Decision.SIGNALS_SUSPECT
    assert "in the window before, what was seen" in outcome.sentence


def test_what_only_informs_blocks_nothing_and_what_is_not_inside_stays_as_it_is():
    for reason in INFORMING:
        assert suspect(INSIDE, [_finding(reason)], [_finding(reason)]) is INSIDE
    outside = replace(INSIDE, decision=Decision.OUTSIDE)
    assert suspect(outside, [_finding(Suspicion.TOO_FAST)]) is outside
    assert lacking(outside, "phase") is outside
    assert lacking(INSIDE, "") is INSIDE


@pytest.mark.parametrize("what", ["code", "phase", "doppler", "strength"])
def test_what_is_missing_names_itself(what):
    assert lacking(INSIDE, what).decision == f"unchecked_{what}"


def test_every_stretch_holds_an_epoch_of_the_grid():
    second = 10**9
    assert grid_count(np.arange(3) * 30 * second, 60) == 2
    assert grid_count(np.arange(61) * second, 60) == 2
    assert grid_count(np.arange(60) * second, 60) == 1
    assert grid_count(np.array([0]), 60) == 1
    assert grid_count(np.arange(241) * second, 60) == 5


NO_FIX = float("nan")


def _partly(seconds, east_m, reasons, bound_m=10.0) -> Any:
    """As `_solved`, with epochs that have a reason to have no position, or a bound of their own."""
    solved = _solved(list(seconds), [0.0 if each is None else each for each in east_m])
    solved.reason = np.array(reasons, np.uint8)
    solved.solved = solved.reason == Reason.OK
    solved.horizontal_m = np.where(solved.solved, bound_m, NO_FIX)
    return solved


def _why(reasons, east_m=None, criteria=None, bound_m=10.0, settings=SETTINGS) -> Outcome:
    count = len(reasons)
    seconds = [30.0 * index for index in range(count)]
    solved = _partly(seconds, east_m or [0.0] * count, reasons, bound_m)
    return decide(solved, criteria or _criteria(), settings)


OK, FAULT, FEW = Reason.OK, Reason.FAULT_NOT_EXCLUDED, Reason.TOO_FEW_SATELLITES
FLOAT, BLIND = Reason.NOT_FIXED, Reason.NO_NAVIGATION


def test_decisions_are_told_in_the_words_of_the_events():
    assert [each.value for each in Decision] == [
        *("inside", "outside", "bound_too_wide", "too_few_satellites", "fault_not_excluded"),
        *("not_fixed", "no_navigation", "too_early", "too_late", "signals_suspect"),
        *("stretch_broken", "unchecked_code", "unchecked_phase", "unchecked_doppler"),
        "unchecked_strength",
    ]


@pytest.mark.parametrize(
    ("reasons", "decision", "said"),
    [
        ([FEW, FEW, FAULT], Decision.FAULT_NOT_EXCLUDED, "the ranges contradict each other"),
        ([FEW, FAULT, FLOAT], Decision.FAULT_NOT_EXCLUDED, "no exclusion settles it"),
        ([FEW, FEW, FLOAT], Decision.NOT_FIXED, "whole wavelengths"),
        ([BLIND, BLIND, FEW], Decision.NO_NAVIGATION, "no fresh broadcast ephemerides"),
        ([BLIND, FEW], Decision.TOO_FEW_SATELLITES, "too few satellites were received"),
        ([FEW, FEW, BLIND], Decision.TOO_FEW_SATELLITES, "too few satellites were received"),
        ([], Decision.TOO_FEW_SATELLITES, "too few satellites were received"),
    ],
)
def test_without_a_position_the_gravest_reason_is_told(reasons, decision, said):
    outcome = _why(reasons)
    assert (outcome.decision, outcome.epoch, outcome.stretch) == (decision, -1, (-1, -1))
    assert said in outcome.sentence
    assert "nearest" not in outcome.sentence


def test_only_what_was_seen_in_time_says_why_not():
    # Positions at 0 and 30 s come before the window, which sees only contradictions.
    outcome = _why([OK, OK, FAULT, FAULT], criteria=_criteria(60, 90))
    assert outcome.decision is Decision.FAULT_NOT_EXCLUDED
    assert outcome.epoch == 0
    outcome = _why([FAULT, FAULT, FEW, FEW], criteria=_criteria(60, 90))
    assert outcome.decision is Decision.TOO_FEW_SATELLITES
    outcome = _why([BLIND, BLIND, FEW, FEW], criteria=_criteria(60, 90))
    assert outcome.decision is Decision.TOO_FEW_SATELLITES


def test_a_position_near_enough_with_too_wide_a_bound_is_told_before_all_else():
    edge_m = 100.0 - SETTINGS.boundary_mm / 1000
    assert _why([OK, FAULT], [edge_m - 1e-6, 0]).decision is Decision.BOUND_TOO_WIDE
    assert _why([OK, FAULT], [edge_m + 1e-6, 0]).decision is Decision.OUTSIDE
    # Inside with its bound, but too short: the contradiction is what broke it.
    assert _why([OK, FAULT], [0, 0]).decision is Decision.FAULT_NOT_EXCLUDED
    assert _why([OK, FEW], [0, 0]).decision is Decision.OUTSIDE
    assert _why([OK, OK], [0, 500]).decision is Decision.OUTSIDE
    # A position without a bound is never inside.
    assert _why([OK, OK, OK], bound_m=NO_FIX).decision is Decision.BOUND_TOO_WIDE
    assert _why([OK, OK, OK], bound_m=np.inf).decision is Decision.BOUND_TOO_WIDE


def test_the_nearest_position_is_told_bounded_ones_first_and_in_time():
    outcome = _why([OK, OK, OK, OK], [400, 200, 300, 500])
    assert (outcome.decision, outcome.epoch) == (Decision.OUTSIDE, 1)
    assert outcome.sentence == (
        "no stretch of positions lies inside the site for long enough; the nearest position is "
        "200.0 m from the centre, its bound 10 m, the radius 100.0 m"
    )
    outcome = _why([OK, OK, OK], [400, 200, 300], bound_m=np.array([10.0, NO_FIX, 10.0]))
    assert outcome.epoch == 2
    outcome = _why([OK, OK, OK], [400, 200, 300], bound_m=NO_FIX)
    assert outcome.epoch == 1
    # The one at 30 s is nearer, and out of the window.
    outcome = _why([OK, OK, OK], [400, 200, 300], criteria=_criteria(45, 90))
    assert outcome.epoch == 2
    outcome = _why([FEW, OK, OK], [0, 200, 300])
    assert outcome.epoch == 1


def test_a_bound_too_wide_and_a_contradiction_tell_where_the_position_is():
    outcome = _why([OK, OK], bound_m=150.0)
    assert outcome.sentence == (
        "positions lie inside, but their bounds reach out of the site; the nearest position is "
        "0.0 m from the centre, its bound 150 m, the radius 100.0 m"
    )
    outcome = _why([OK, FAULT])
    assert outcome.sentence == (
        "the ranges contradict each other and no exclusion settles it; the nearest position is "
        "0.0 m from the centre, its bound 10 m, the radius 100.0 m"
    )


def test_the_right_place_at_the_wrong_time_says_which():
    # All before, all after: to the nanosecond.
    assert _decided([0, 30, 60], criteria=_criteria(60.001, 90)).decision is Decision.TOO_EARLY
    assert _decided([0, 30, 60], criteria=_criteria(-90, -0.001)).decision is Decision.TOO_LATE
    # One epoch in time, and the stretch out of it.
    assert _decided([0, 30, 60], criteria=_criteria(60, 90)).decision is Decision.TOO_EARLY
    assert _decided([0, 30, 60], criteria=_criteria(-90, 0)).decision is Decision.TOO_LATE
    # In the wrong place it is the place that is told, unless all of it came at the wrong time.
    far = [500.0] * 3
    assert _decided([0, 30, 60], far, _criteria(60, 90)).decision is Decision.OUTSIDE
    assert _decided([0, 30, 60], far, _criteria(-90, 0)).decision is Decision.OUTSIDE
    assert _decided([0, 30, 60], far, _criteria(61, 90)).decision is Decision.TOO_EARLY


def test_a_wrong_time_is_told_with_its_limit_and_the_nearest_position_of_all():
    criteria = _criteria(61, 90)
    outcome = _decided([0, 30, 60], [30.0, 20.0, 50.0], criteria)
    assert outcome.epoch == 1
    assert outcome.stretch == (-1, -1)
    assert outcome.sentence == (
        f"the window was observed before {criteria.not_before}; the nearest position is "
        "20.0 m from the centre, its bound 10 m, the radius 100.0 m"
    )
    late = _criteria(-90, -61)
    outcome = _decided([0, 30, 60], [30.0, 20.0, 50.0], late)
    assert outcome.sentence.startswith(f"the window was observed after {late.not_after}; the ")


NOW = Settings(stretch_s_min=60, stretch_epochs_min=3, gap_s_max=60)


def test_a_proven_arrival_tells_how_many_epochs_over_how_long_with_what():
    outcome = _decided([100, 130, 160, 190], [0.0, 3.0, 7.0, 9.0])
    assert outcome.sentence == (
        "3 epochs over 60 s lie inside with their bounds; the position is "
        "7.0 m from the centre, its bound 10 m, the radius 100.0 m"
    )
    found = Inside(np.zeros(3), np.ones(3, bool))
    sentence = _decided([0, 30, 60], found=found).sentence
    assert "lie inside with a chance of at most 1.0e-15 to be outside; " in sentence


def test_what_broke_the_stretches_is_counted_and_the_longest_told():
    seconds = [0, 30, 60, 90, 150, 180, 260, 280]
    reasons = [OK, OK, FAULT, OK, OK, FEW, OK, OK]
    solved = _partly(seconds, [0.0] * 7 + [95.0], reasons)
    outcome = decide(solved, _criteria(), NOW)
    assert (outcome.decision, outcome.stretch) == (Decision.STRETCH_BROKEN, (-1, -1))
    # Two epochs a minute apart last as long as asked, but are two.
    assert outcome.sentence == (
        "5 epochs lie inside, but no stretch of 60 s and 3 epochs without a gap of over 60 s is "
        "whole: the longest lasts 60 s; of the other epochs 1 reach out of the site with their "
        "bounds, 1 have ranges that contradict each other, 1 have too few satellites"
    )


def test_each_reason_is_counted_by_its_words():
    reasons = [OK, BLIND, BLIND, FLOAT, Reason.WEAK_GEOMETRY]
    solved = _partly([0, 30, 60, 90, 120], [0.0] * 5, reasons)
    sentence = decide(solved, _criteria(), NOW).sentence
    assert sentence.endswith(
        "the longest lasts 0 s; of the other epochs 2 have no fresh ephemerides, "
        "1 have no certain baseline, 1 have satellites in too small a part of the sky"
    )


def test_a_gap_alone_breaks_a_stretch_and_only_epochs_in_time_are_counted():
    solved = _partly([0, 30, 90.001, 120], [0.0] * 4, [OK] * 4)
    outcome = decide(solved, _criteria(), NOW)
    assert outcome.decision is Decision.STRETCH_BROKEN
    assert "the longest lasts 30 s; of the other epochs there are none" in outcome.sentence
    solved = _partly([0, 30, 60, 90], [0.0] * 4, [OK, OK, FEW, FAULT])
    outcome = decide(solved, _criteria(0, 60), NOW)
    assert outcome.sentence.endswith("of the other epochs 1 have too few satellites")


def test_before_version_4_a_broken_stretch_had_no_name_of_its_own():
    solved = _partly([0, 30], [0.0] * 2, [OK] * 2)
    assert decide(solved, _criteria(), SETTINGS).decision is Decision.OUTSIDE
    assert decide(solved, _criteria(), NOW).decision is Decision.STRETCH_BROKEN
    nowhere = _partly([0, 30], [500.0] * 2, [OK] * 2)
    assert decide(nowhere, _criteria(), NOW).decision is Decision.OUTSIDE
    # What lies inside out of time breaks nothing.
    early = _partly([0, 30, 60], [0.0, 500.0, 500.0], [OK] * 3)
    assert decide(early, _criteria(30, 90), NOW).decision is Decision.OUTSIDE


def _at(latitude_deg: float, longitude_deg: float) -> Any:
    solved = _solved([0.0], [0.0])
    solved.latitude = np.deg2rad([latitude_deg])
    solved.longitude = np.deg2rad([longitude_deg])
    return solved


def test_a_place_on_the_other_side_of_the_earth_is_outside_without_a_distance():
    def of(latitude_deg: float, longitude_deg: float, centre: Geodetic = HERE) -> float:
        return float(spare(_at(latitude_deg, longitude_deg), Circle(centre, 100.0))[0])

    assert of(44.0, 80.0) == pytest.approx(100.0)
    for north in (-9.999, 9.999):
        assert -1.2e6 < of(44 + north, 80.0) < -1.1e6
    for north in (-10.001, 10.001, 10.9):
        assert of(44 + north, 80.0) == -np.inf
    for east in (-89.999, 89.999):
        assert -8e6 < of(44.0, 80 + east) < -6e6
    for east in (-90.001, 90.001, 90.9):
        assert of(44.0, 80 + east) == -np.inf
    # Over the line where the day changes.
    assert -20e3 < of(44.0, -179.9, Geodetic(44.0, 179.9)) < -15e3
    assert -20e3 < of(44.0, 179.9, Geodetic(44.0, -179.9)) < -15e3


def test_without_a_position_there_is_nothing_to_spare():
    solved = _partly([0, 30], [0.0, 0.0], [OK, FEW])
    assert spare(solved, SITE).tolist() == [pytest.approx(100.0), -np.inf]


def test_in_a_polygon_metres_are_told_from_the_nearest_edge():
    square = Polygon(
        tuple(
            destination(HERE, azimuth_deg=azimuth, distance_m=100 * 2**0.5)
            for azimuth in (45, 135, 225, 315)
        )
    )
    criteria = replace(_criteria(), site=square)
    inner = decide(_solved([0, 30, 60], [20.0] * 3), criteria, SETTINGS)
    assert inner.sentence.endswith("80.0 m inside the nearest edge, its bound 10 m")
    outer = decide(_solved([0, 30, 60], [130.0] * 3), criteria, SETTINGS)
    assert outer.sentence.endswith("30.0 m outside the nearest edge, its bound 10 m")
    far = decide(_at(-44.0, -100.0), criteria, SETTINGS)
    assert far.sentence.endswith("far outside of the site, its bound 10 m")


@pytest.mark.parametrize("reason", list(Suspicion))
def test_up_to_version_3_only_what_no_honest_receiver_shows_blocks(reason):
    outcome = doubted(INSIDE, [_finding(reason, 4)])
    if reason in {
        *(Suspicion.RANGE_AGAINST_DOPPLER, Suspicion.CLOCK_JUMP),
        *(Suspicion.STRENGTHS_ALIKE, Suspicion.OUTSIDE_NETWORK_CIRCLE),
    }:
        assert outcome == Outcome(
            Decision.SIGNALS_SUSPECT,
            5,
            (-1, -1),
            f"the signals do not behave as those of satellites ({reason.value}): what was seen",
        )
    else:
        assert outcome is INSIDE


def test_up_to_version_3_a_finding_blocks_only_within_the_stretch():
    for epoch, blocks in ((2, False), (3, True), (5, True), (6, False)):
        outcome = doubted(INSIDE, [_finding(Suspicion.CLOCK_JUMP, epoch)])
        assert (outcome is not INSIDE) == blocks
    around = Finding(Suspicion.CLOCK_JUMP, np.array([0, 9]), (), "before and after")
    assert doubted(INSIDE, [around]) is INSIDE
    partly = Finding(Suspicion.CLOCK_JUMP, np.array([0, 4]), (), "before and within")
    assert doubted(INSIDE, [partly]).decision is Decision.SIGNALS_SUSPECT
    assert doubted(INSIDE, []) is INSIDE
    outside = replace(INSIDE, decision=Decision.OUTSIDE)
    assert doubted(outside, [partly]) is outside


def test_all_reasons_are_named_once_and_the_first_is_told():
    jump, alike = _finding(Suspicion.CLOCK_JUMP, 4), _finding(Suspicion.STRENGTHS_ALIKE, 4)
    told = doubted(INSIDE, [jump, replace(alike, sentence="another")])
    assert "(clock_jump, strengths_alike): what was seen" in told.sentence
    told = suspect(INSIDE, [jump, jump, alike], [jump])
    assert told.sentence == (
        "the signals do not behave as those of satellites "
        "(clock_jump, strengths_alike): what was seen"
    )
    assert (told.epoch, told.stretch) == (5, (-1, -1))


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("code", "code"),
        ("phase", "carrier phases that run on"),
        ("doppler", "doppler"),
        ("strength", "signal strengths"),
    ],
)
def test_what_a_window_lacks_is_told_in_words(what, word):
    outcome = lacking(INSIDE, what)
    assert (outcome.epoch, outcome.stretch) == (5, (-1, -1))
    assert f"the window holds no {word} of most satellites" in outcome.sentence


def test_a_bound_that_leaves_just_the_boundary_is_inside():
    settings = Settings.of_version_3(
        stretch_s_min=60, stretch_epochs_min=3, gap_s_max=60, boundary_mm=500
    )
    solved = _solved([0, 30, 60], [0.0] * 3)
    solved.horizontal_m = spare(solved, SITE) - 0.5
    assert decide(solved, _criteria(), settings).decision is Decision.INSIDE
    solved.horizontal_m = solved.horizontal_m + 2**-40
    assert decide(solved, _criteria(), settings).decision is Decision.BOUND_TOO_WIDE


def test_the_epochs_told_are_those_of_the_stretch():
    outcome = _decided([0, 30, 60, 90], [500.0, 0.0, 0.0, 0.0])
    assert outcome.stretch == (1, 3)
    assert outcome.sentence.startswith("3 epochs over 60 s lie inside")


def test_the_longest_run_is_told_from_its_first_epoch_to_its_last():
    solved = _partly([0, 30, 45, 60, 70], [0.0] * 5, [OK, OK, OK, FEW, OK])
    assert "the longest lasts 45 s;" in decide(solved, _criteria(), NOW).sentence


def test_the_chance_told_may_be_that_of_the_first_epoch():
    found = Inside(np.array([2e-6, 5e-7, 1e-9]), np.ones(3, bool))
    assert "at most 2.0e-06 to be outside" in _decided([0, 30, 60], found=found).sentence


def test_ten_degrees_north_are_far_and_ninety_east_are_not_yet():
    equator = Circle(Geodetic(0.0, 0.0), 100.0)
    assert spare(_at(10.0, 0.0), equator)[0] == -np.inf
    assert np.isfinite(spare(_at(0.0, 90.0), equator)[0])
    far_east = Circle(Geodetic(0.0, 179.9), 100.0)
    assert np.isfinite(spare(_at(0.0, -90.3), far_east)[0])
    assert spare(_at(0.0, -89.9), far_east)[0] == -np.inf


def test_the_edge_itself_is_inside():
    corner = Geodetic(0.0, 0.0)
    square = Polygon((corner, Geodetic(0.0, 0.01), Geodetic(0.01, 0.01), Geodetic(0.01, 0.0)))
    criteria = replace(_criteria(), site=square)
    assert spare(_at(0.0, 0.0), square)[0] == 0
    on_it = decide(_at(0.0, 0.0), criteria, SETTINGS)
    assert on_it.sentence.endswith("0.0 m inside the nearest edge, its bound 10 m")
    near = decide(_at(0.000005, 0.005), criteria, SETTINGS)
    assert near.sentence.endswith("0.6 m inside the nearest edge, its bound 10 m")


def test_a_position_as_near_as_the_boundary_is_near_enough_for_its_bound_to_be_told():
    settings = Settings.of_version_3(
        stretch_s_min=60, stretch_epochs_min=3, gap_s_max=60, boundary_mm=500
    )
    criteria = replace(_criteria(), site=Circle(Geodetic(0.0, 0.0), 0.5))
    assert decide(_at(0.0, 0.0), criteria, settings).decision is Decision.BOUND_TOO_WIDE
    smaller = replace(criteria, site=Circle(Geodetic(0.0, 0.0), 0.4999))
    assert decide(_at(0.0, 0.0), smaller, settings).decision is Decision.OUTSIDE


def test_where_there_is_no_position_none_is_told():
    criteria = _criteria(61, 90)
    assert _why([FEW, FEW, FEW], criteria=criteria).sentence == (
        f"the window was observed before {criteria.not_before}"
    )
    assert _why([FAULT]).sentence == (
        "the ranges contradict each other and no exclusion settles it"
    )
