from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.geo import Circle, Geodetic
from zhidao.positioning.domain.integrity.arrival import Decision, Outcome, doubted
from zhidao.positioning.domain.integrity.authenticity import Gain, findings
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.integrity.suspicion import Suspicion
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.solver_settings import Settings

HERE = Geodetic(44.2, 80.4)


def _with(afternoon, change):
    """The afternoon with a change made to a copy of its values (n, 4): C, L, D, S."""
    table = afternoon.seen.systems["C"]
    values = table.values.copy()
    change(values, table)
    made = type(table)(
        "C", table.codes, table.epoch, table.prn, values, table.lost_lock, table.strength
    )
    seen = afternoon.seen
    return Observations(seen.header, seen.gpst_ns, seen.power_failed, {"C": made})


def _found(afternoon, seen, **more):
    solved = solve(seen, afternoon.navigation)
    return findings(seen, afternoon.navigation, solved, Settings(), **more)


def test_an_ordinary_window_is_not_suspect(afternoon):
    assert _found(afternoon, afternoon.seen, circle=Circle(HERE, 2_000)) == []


def test_ranges_that_jump_against_their_doppler_name_their_satellite(afternoon):
    number = int(afternoon.seen.systems["C"].prn[0])

    def flip(values, table):
        values[(table.prn == number) & (table.epoch % 2 == 1), 0] += 1_873.7

    (found,) = _found(afternoon, _with(afternoon, flip))
    assert found.reason is Suspicion.RANGE_AGAINST_DOPPLER
    assert found.satellites == (f"C{number:02d}",)
    assert "1874 m" in found.sentence


@pytest.mark.parametrize(("metres", "suspect"), [(600.0, True), (299_792.458, False)])
def test_a_clock_may_jump_by_whole_milliseconds_only(afternoon, metres, suspect):
    def jump(values, table):
        values[table.epoch >= 20, 0] += metres

    reasons = [each.reason for each in _found(afternoon, _with(afternoon, jump))]
    assert (Suspicion.CLOCK_JUMP in reasons) is suspect


def test_satellites_of_one_antenna_are_equally_strong(afternoon):
    def level(values, _):
        values[:, 3] = 45.0

    reasons = [each.reason for each in _found(afternoon, _with(afternoon, level))]
    assert reasons == [Suspicion.STRENGTHS_ALIKE]


@pytest.mark.parametrize(
    ("step_db", "reason"), [(9.0, Suspicion.STRENGTHS_RISE), (-12.0, Suspicion.STRENGTHS_FALL)]
)
def test_all_satellites_do_not_change_at_once(afternoon, step_db, reason):
    def step(values, table):
        values[table.epoch >= 20, 3] += step_db

    (found,) = _found(afternoon, _with(afternoon, step))
    assert found.reason is reason
    assert found.epochs.tolist() == [20]


def test_a_network_that_places_the_receiver_elsewhere_contradicts(afternoon):
    for far in (Geodetic(44.25, 80.4), Geodetic(-44.0, -99.0)):
        (found,) = _found(afternoon, afternoon.seen, circle=Circle(far, 1_000))
        assert found.reason is Suspicion.OUTSIDE_NETWORK_CIRCLE
        assert len(found.epochs) == 40


def test_a_falling_gain_tells_of_a_strong_signal(afternoon):
    share = np.r_[np.full(30, 0.6), np.full(10, 0.2)]
    (found,) = _found(afternoon, afternoon.seen, gain=Gain(np.arange(40), share))
    assert found.reason is Suspicion.GAIN_FALLS


def test_only_an_inside_with_suspect_signals_in_its_stretch_is_doubted(afternoon):
    def jump(values, table):
        values[table.epoch >= 20, 0] += 600.0

    found = _found(afternoon, _with(afternoon, jump))
    early, late = (
        Outcome(Decision.INSIDE, last, (first, last), "inside")
        for first, last in ((2, 10), (18, 30))
    )
    assert doubted(early, found) is early
    assert doubted(late, found).decision is Decision.SIGNALS_SUSPECT
    outside = Outcome(Decision.OUTSIDE, 20, (-1, -1), "outside")
    assert doubted(outside, found) is outside


@pytest.mark.slow
def test_the_phones_beidou_ranges_are_what_is_wrong_with_it(shared):
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    folder = shared / "positioning" / "phone_2024092"
    seen = read_observations((folder / "GEOP092I.24o.gz").read_bytes())
    navigation = read_navigation((folder / "CORD00ARG_R_20240920000_01D_MN.rnx.gz").read_bytes())
    settings = Settings(signals={"C": "C2I", "G": "C1C", "E": "C1C"})
    solved = solve(seen, navigation, settings)
    found = findings(seen, navigation, solved, settings)
    ranges = next(each for each in found if each.reason is Suspicion.RANGE_AGAINST_DOPPLER)
    assert ranges.satellites == ("C19", "C22", "C30", "C36")
