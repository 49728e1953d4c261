from __future__ import annotations

import numpy as np
import pytest

from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.single_point.smoothing import (
    Restart,
    SmoothingSettings,
    compiled_rows,
    plain_rows,
    smoothed,
)

LIMITS = np.array((65.0, 0.5, 0.15, 0.05, 0.002, 2.5, 15.0))


def _rows(seed=1, satellites=6, length=50):
    """Codes, phases and rates of some satellites, with a slip, a gap and missing phases in some."""
    chance = np.random.default_rng(seed)
    satellite = np.repeat(np.arange(satellites), length)
    second = np.tile(np.arange(length) * 30.0, satellites)
    way = 2e7 + 500 * second + 0.01 * second**2
    rate = 500 + 0.02 * second
    code = way + chance.normal(size=len(way))
    phase = way + 1e5 * satellite
    phase[(satellite == 1) & (second >= 600)] += 3.8
    phase[(satellite == 2) & (second == 300)] = np.nan
    second = second + np.where((satellite == 3) & (second >= 900), 100.0, 0)
    phase[satellite == 3] = (2e7 + 500 * second + 0.01 * second**2)[satellite == 3]
    free = np.where(satellite == 4, 0.3 + (second >= 450) * 0.4, 0.0)
    wide = np.where(satellite == 5, (second >= 750) * 4.0, np.nan)
    lost = (satellite == 0) & (second == 1200)
    return (
        satellite,
        second,
        np.stack((code, phase, rate, free, wide, np.full(len(way), 600.0)), 1),
        lost,
        way,
    )


def test_the_compiled_twin_agrees():
    pytest.importorskip("numba")
    *rows, _ = _rows()
    one, other = plain_rows(*rows, LIMITS), compiled_rows(*rows, LIMITS)
    assert np.allclose(one[0], other[0], atol=1e-6, rtol=0)
    assert np.array_equal(one[1], other[1])


def test_every_kind_of_slip_starts_anew():
    satellite, second, columns, lost, _ = _rows()
    _, reason = plain_rows(satellite, second, columns, lost, LIMITS)

    def why(number, at_s):
        return Restart(int(reason[(satellite == number) & (second == at_s)][0]))

    assert why(0, 0) is Restart.FIRST_OR_GAP
    assert why(0, 1200) is Restart.LOST_LOCK
    assert why(1, 600) is Restart.DOPPLER or why(1, 600) is Restart.NONE
    assert why(2, 300) is Restart.NO_PHASE
    assert why(2, 330) is Restart.FIRST_OR_GAP
    assert why(3, 1000) is Restart.FIRST_OR_GAP
    assert why(4, 450) is Restart.GEOMETRY_FREE
    assert why(5, 750) is Restart.MELBOURNE_WUEBBENA


def test_a_slip_in_seconds_is_seen_by_doppler_and_a_wild_code_by_its_size():
    satellite = np.zeros(20, np.int64)
    second = np.arange(20.0)
    way = 2e7 + 500 * second
    nothing = np.full(20, np.nan)
    columns = np.stack((way, way, np.full(20, 500.0), nothing, nothing, np.full(20, 600.0)), 1)
    columns[10:, 1] += 0.95
    columns[15, 0] += 40
    _, reason = plain_rows(satellite, second, columns, np.zeros(20, bool), LIMITS)
    assert reason[10] == Restart.DOPPLER
    assert reason[15] == reason[16] == Restart.CODE
    assert (reason[1:10] == 0).all()


def test_smoothing_lessens_noise_as_its_window_says():
    satellite, second, columns, lost, way = _rows(satellites=1, length=400)
    smooth, _ = plain_rows(satellite, second, columns, np.zeros_like(lost), LIMITS)
    # Twenty codes stand in the window of 600 s; an exponential window of n lessens by sqrt(2n - 1).
    left = (smooth - way)[100:].std()
    assert 0.08 < left < 0.3


def test_smoothed_observations_give_quieter_positions(afternoon):
    settings = SmoothingSettings(single_s=600)
    found = smoothed(afternoon.seen, {"C": ("C2I", "")}, settings)
    assert isinstance(found.seen, Observations)
    plain = solve(afternoon.seen, afternoon.navigation)
    quiet = solve(found.seen, afternoon.navigation)

    def roughness(solved):
        return float(np.linalg.norm(np.diff(solved.ecef_m[10:], axis=0), axis=1).mean())

    assert roughness(quiet) < 0.5 * roughness(plain)
    assert (found.restarts["C"] == Restart.NONE).mean() > 0.8


def test_a_system_without_phases_is_left_as_it_is(shared):
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    seen = read_observations(
        (shared / "positioning" / "phone_2024092" / "GEOP092I.24o.gz").read_bytes(), systems="C"
    )
    found = smoothed(seen, {"C": ("C2I", "C6I"), "G": ("C1C", "")})
    assert (found.restarts["C"] == Restart.NO_PHASE).mean() > 0.9
    assert np.array_equal(found.seen.systems["C"].values, seen.systems["C"].values, equal_nan=True)
