from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.rtk.baselines import RtkReason, RtkStatus
from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
from zhidao.positioning.domain.rtk.rtk_settings import (
    ALL_SIGNALS,
    BDS_SIGNALS,
    CONTINUOUS,
    FAILURE_RATE,
    HOLD,
    INSTANTANEOUS,
    RtkSettings,
)

_ONE = {"C": ("C2I",)}


def _solve(pair, epochs, **chosen):
    settings = RtkSettings(**{"signals": _ONE, "mode": HOLD} | chosen)
    return solve_baselines(
        pair.rover.part(0, epochs), pair.base, pair.navigation, pair.base_m, settings
    )


@pytest.mark.parametrize("mode", [CONTINUOUS, HOLD])
@pytest.mark.parametrize("signals", [_ONE, BDS_SIGNALS])
def test_the_filter_is_fixed_right_from_the_first_epoch_on(nagoya, mode, signals):
    found = _solve(nagoya, 60, mode=mode, signals=signals)
    off = nagoya.off_m(found.place_m)
    assert found.fixed.all()
    assert (found.reason == RtkReason.OK).all()
    assert np.linalg.norm(off, axis=1).max() < 0.1
    assert np.sqrt(np.mean(off[:, 0] ** 2 + off[:, 1] ** 2)) < 0.003


@pytest.mark.slow
@pytest.mark.parametrize("mode", [INSTANTANEOUS, CONTINUOUS, HOLD])
def test_all_five_systems_over_the_whole_file(nagoya, mode):
    found = _solve(nagoya, 301, mode=mode, signals=ALL_SIGNALS)
    off = nagoya.off_m(found.place_m)[found.fixed]
    assert found.fixed.mean() >= 0.99
    assert np.linalg.norm(off, axis=1).max() < 0.1
    assert np.sqrt(np.mean(off[:, 0] ** 2 + off[:, 1] ** 2)) < 0.003


def test_a_rover_at_rest_gains_from_its_past(nagoya):
    at_rest = _solve(nagoya, 60, moving=False)
    driving = _solve(nagoya, 60)
    assert np.ptp(at_rest.place_m[30:, 2]) < np.ptp(driving.place_m[30:, 2])
    assert np.linalg.norm(nagoya.off_m(at_rest.place_m), axis=1).max() < 0.02


def test_glonass_helps_the_float_place_and_is_never_called_fixed(nagoya):
    alone = _solve(nagoya, 40, signals={"R": ALL_SIGNALS["R"]})
    assert (alone.status == RtkStatus.FLOAT).all()
    assert (alone.reason == RtkReason.TOO_FEW_AMBIGUITIES).all()
    assert np.linalg.norm(nagoya.off_m(alone.place_m), axis=1).max() < 2
    both = _solve(nagoya, 40, signals={**_ONE, "R": ALL_SIGNALS["R"]})
    plain = _solve(nagoya, 40)
    assert both.satellites[0] > plain.satellites[0]
    assert both.ambiguities.tolist() == plain.ambiguities.tolist()
    assert both.fixed.all()


def _slipped(pair, cycles, *, flagged):
    """One satellite's phase jumps at epoch 20."""
    table = pair.rover.systems["C"]
    values, digits = table.values.copy(), table.lost_lock.copy()
    column = table.codes.index("L2I")
    prn = int(table.prn[table.epoch == 0][-1])
    rows = (table.prn == prn) & (table.epoch >= 20)
    values[rows, column] += cycles
    digits[np.flatnonzero(rows)[0], column] |= flagged
    changed = replace(table, values=values, lost_lock=digits)
    return replace(pair, rover=replace(pair.rover, systems={**pair.rover.systems, "C": changed}))


@pytest.mark.parametrize("cycles", [1, -3, 250])
@pytest.mark.parametrize("flagged", [False, True])
def test_a_slip_begins_one_ambiguity_anew_and_moves_nothing(nagoya, cycles, flagged):
    found = _solve(_slipped(nagoya, cycles, flagged=flagged), 30)
    assert found.fixed.all()
    assert np.linalg.norm(nagoya.off_m(found.place_m), axis=1).max() < 0.05


def test_half_a_cycle_that_stays_open_gives_no_wrong_fix(nagoya):
    found = _solve(_slipped(nagoya, 0.5, flagged=True), 40)
    off = np.linalg.norm(nagoya.off_m(found.place_m), axis=1)
    assert (off[found.fixed] < 0.1).all()


@pytest.mark.parametrize("whose", ["rover", "base"])
def test_power_that_failed_forgets_everything(nagoya, whose):
    receiver = getattr(nagoya, whose)
    power = receiver.power_failed.copy()
    power[20] = True
    table = receiver.systems["C"]
    values = table.values.copy()
    column = table.codes.index("L2I")
    values[table.epoch >= 20, column] += 1000 + 7.0 * table.prn[table.epoch >= 20]
    jumped = {**receiver.systems, "C": replace(table, values=values)}
    failed = replace(nagoya, **{whose: replace(receiver, power_failed=power, systems=jumped)})
    found = _solve(failed, 30)
    assert (found.status != RtkStatus.NOT_CONSISTENT).all()
    assert np.linalg.norm(nagoya.off_m(found.place_m)[found.fixed], axis=1).max() < 0.1
    assert found.fixed[20]


@pytest.mark.parametrize(("mode", "least"), [(INSTANTANEOUS, 0.2), (HOLD, 0.95)])
def test_a_driving_rover_is_fixed_with_a_base_some_seconds_old(drive, mode, least):
    """Ten satellites on one frequency: what one epoch cannot promise the filter gathers."""
    found = _solve(drive, 60, mode=mode, code_m=0.1, phase_m=0.002, success_min=0.99)
    off = np.linalg.norm(drive.off_m(found.place_m), axis=1)
    assert found.base_age_s.tolist() == [epoch % 5 for epoch in range(60)]
    assert found.fixed.mean() > least
    assert (off[found.fixed] < 0.1).all()


def test_a_base_that_is_too_old_is_not_used(drive):
    found = _solve(drive, 10, base_age_s_max=2.0)
    late = np.arange(10) % 5 > 2
    assert (found.reason[late] == RtkReason.NO_BASE_EPOCH).all()
    assert np.isnan(found.place_m[late]).all()
    assert np.isnan(found.base_age_s[late]).all()
    assert np.isfinite(found.place_m[~late]).all()


def test_the_test_of_a_failure_rate_asks_more_of_a_weak_sky(nagoya):
    weak = {"mode": INSTANTANEOUS, "success_min": 0.0, "signals": {"G": ("C1C",)}}
    strict = _solve(nagoya, 20, test=FAILURE_RATE, failure_rate=0.01, **weak)
    off = np.linalg.norm(nagoya.off_m(strict.place_m), axis=1)
    assert (off[strict.fixed] < 0.1).all()
    strong = _solve(nagoya, 20, test=FAILURE_RATE, mode=INSTANTANEOUS)
    assert strong.fixed.all()


def test_too_few_satellites_and_reasons_for_no_fix(nagoya):
    few = _solve(nagoya, 3, mask_rad=np.deg2rad(75.0))
    assert (few.reason == RtkReason.TOO_FEW_SATELLITES).all()
    doubt = _solve(nagoya, 3, ratio_min=1e6)
    assert (doubt.reason == RtkReason.RATIO_TOO_LOW).all()
    assert (doubt.status == RtkStatus.FLOAT).all()
    assert np.isfinite(doubt.place_m).all()


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": "best"},
        {"test": "luck"},
        {"signals": {}},
        {"signals": {"XX": ("C1C",)}},
        {"mask_rad": -1.0},
        {"phase_m": 0.0},
        {"success_min": 1.0},
        {"partial_min": 2},
        {"base_age_s_max": -1.0},
    ],
)
def test_settings_that_mean_nothing_are_refused(changed):
    with pytest.raises(MalformedInput, match="RTK settings"):
        RtkSettings(**changed)


def _noisier(seen, cycles):
    """The same receiver with noise on all of its phases, as of another maker's."""
    rng = np.random.default_rng(2)
    systems = {}
    for system, table in seen.systems.items():
        values = table.values.copy()
        for column, code in enumerate(table.codes):
            if code[0] == "L":
                values[:, column] += rng.normal(0, cycles, len(values))
        systems[system] = replace(table, values=values)
    return replace(seen, systems=systems)


@pytest.mark.parametrize("mode", [CONTINUOUS, HOLD])
def test_a_filter_fixes_every_epoch_that_is_fixed_by_itself(nagoya, mode):
    signals = {"C": ("C2I", "C6I"), "G": ("C1C", "C5Q")}
    rough = replace(nagoya, rover=_noisier(nagoya.rover.part(0, 40), 0.06))
    alone = _solve(rough, 40, mode=INSTANTANEOUS, signals=signals)
    found = _solve(rough, 40, mode=mode, signals=signals)
    assert 0 < alone.fixed.sum() < 40
    assert not (alone.fixed & ~found.fixed).any()
    assert found.fixed.sum() > alone.fixed.sum()
    assert np.linalg.norm(nagoya.off_m(found.place_m)[found.fixed], axis=1).max() < 0.2
