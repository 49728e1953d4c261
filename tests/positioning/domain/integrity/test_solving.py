from __future__ import annotations

import numpy as np
import pytest

from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.satellites.ephemeris import Navigation, no_ephemerides
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.solution import Reason
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, Settings
from zhidao.positioning.domain.synthesis.receiver import (
    ErrorModel,
    Receiver,
    SatelliteBias,
    spoofed,
    synthesize,
)
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

NO_ERRORS = ErrorModel(0, 1800, 0, 0, 0, 0, 120, 0)
REFERENCE = np.array([3582104.918, 532590.191, 5232755.315])  # SOURCE.md of the shared data


def _errors(solved, place_m):
    latitude, longitude, _ = geodetic(place_m)
    local = np.einsum("eij,ej->ei", enu_axes(latitude, longitude), solved.ecef_m - place_m)
    return np.hypot(local[:, 0], local[:, 1]), np.abs(local[:, 2])


def _rms(values):
    return float(np.sqrt(np.mean(values**2)))


def test_signals_without_errors_give_the_place_within_millimetres(afternoon):
    receiver = Receiver(afternoon.gpst_ns, afternoon.ecef_m, errors=NO_ERRORS)
    solved = solve(synthesize(receiver, afternoon.navigation, seed=1), afternoon.navigation)
    horizontal, vertical = _errors(solved, afternoon.ecef_m)
    # Ranges are written to 1 mm and the Sagnac term is of first order.
    assert horizontal.max() < 0.004
    assert vertical.max() < 0.006


def test_an_ordinary_window_is_solved_and_bounded(afternoon):
    solved = solve(afternoon.seen, afternoon.navigation)
    horizontal, vertical = _errors(solved, afternoon.ecef_m)
    assert solved.solved.all()
    assert (horizontal < solved.horizontal_m).all()
    assert (vertical < solved.vertical_m).all()
    assert 0.5 < solved.dilution[:, 2].min() < solved.dilution[:, 0].max() < 10
    assert not solved.excluded.any()


def test_a_moving_receiver_is_followed(afternoon):
    way = afternoon.ecef_m + np.arange(40)[:, None] * np.array([300.0, -200.0, 100.0])
    solved = solve(
        synthesize(Receiver(afternoon.gpst_ns, way), afternoon.navigation, seed=3),
        afternoon.navigation,
    )
    horizontal, _ = _errors(solved, way)
    assert horizontal.max() < 10


@pytest.mark.parametrize("bias_m", [60.0, -500.0, 3e5])
def test_a_faulty_satellite_is_found_left_out_and_named(afternoon, bias_m):
    number = int(afternoon.seen.systems["C"].prn[0])
    receiver = Receiver(
        afternoon.gpst_ns,
        afternoon.ecef_m,
        faults=[SatelliteBias(f"C{number:02d}", bias_m, 10, 19)],
    )
    solved = solve(synthesize(receiver, afternoon.navigation, seed=11), afternoon.navigation)
    named = [
        set(solved.measurements.satellite[epoch][solved.excluded[epoch]].tolist())
        for epoch in range(40)
    ]
    assert solved.solved.all()
    assert all(named[epoch] == {300 + number} for epoch in range(10, 20))
    assert not any(named[:10] + named[20:])
    horizontal, _ = _errors(solved, afternoon.ecef_m)
    assert (horizontal < solved.horizontal_m).all()


def test_many_faults_at_once_give_no_position(afternoon):
    numbers = sorted(set(afternoon.seen.systems["C"].prn.tolist()))[:5]
    faults = [
        SatelliteBias(f"C{number:02d}", bias_m)
        for number, bias_m in zip(numbers, (300.0, -500.0, 700.0, -900.0, 1100.0), strict=True)
    ]
    receiver = Receiver(afternoon.gpst_ns, afternoon.ecef_m, faults=faults)
    solved = solve(synthesize(receiver, afternoon.navigation, seed=11), afternoon.navigation)
    horizontal, _ = _errors(solved, afternoon.ecef_m)
    fine = ~solved.solved | (horizontal < solved.horizontal_m)
    assert fine.all()
    assert (solved.reason == Reason.FAULT_NOT_EXCLUDED).any()


def test_a_consistent_spoofer_moves_the_position_unseen(afternoon):
    told = spoofed(afternoon.ecef_m, east_m=2000, north_m=-500, from_epoch=20)
    solved = solve(
        synthesize(Receiver(afternoon.gpst_ns, told), afternoon.navigation, seed=2),
        afternoon.navigation,
    )
    horizontal, _ = _errors(solved, afternoon.ecef_m)
    assert solved.solved.all()
    assert horizontal[:20].max() < 10
    assert np.abs(horizontal[20:] - np.hypot(2000, 500)).max() < 10


def test_every_epoch_without_a_position_has_its_reason(afternoon):
    seen = afternoon.seen
    nothing = solve(seen, Navigation(no_ephemerides()))
    assert (nothing.reason == Reason.NO_NAVIGATION).all()
    assert np.isnan(nothing.ecef_m).all()
    stale = solve(
        type(seen)(seen.header, seen.gpst_ns + 10**9 * 86_400, seen.power_failed, seen.systems),
        afternoon.navigation,
    )
    assert (stale.reason == Reason.NO_NAVIGATION).all()
    blind = solve(
        type(seen)(seen.header, seen.gpst_ns, seen.power_failed, {}), afternoon.navigation
    )
    assert (blind.reason == Reason.TOO_FEW_SATELLITES).all()
    high = Settings(mask_mdeg=70_000)
    assert (solve(seen, afternoon.navigation, high).reason != Reason.OK).any()


def test_without_redundancy_there_is_a_position_but_no_bound(afternoon):
    table = afternoon.seen.systems["C"]
    keep = np.zeros(len(table.prn), bool)
    for epoch in range(40):
        rows = np.flatnonzero(table.epoch == epoch)
        # The four that stand highest are the strongest ones here.
        keep[rows[np.argsort(-table.values[rows, 3])[[0, 2, 4, 6]]]] = True
    few = type(table)(
        "C",
        table.codes,
        table.epoch[keep],
        table.prn[keep],
        table.values[keep],
        table.lost_lock[keep],
        table.strength[keep],
    )
    seen = type(afternoon.seen)(
        afternoon.seen.header, afternoon.gpst_ns, afternoon.seen.power_failed, {"C": few}
    )
    solved = solve(seen, afternoon.navigation, Settings(gdop_max_milli=90_000_000))
    assert np.isinf(solved.horizontal_m[solved.solved]).all()


def test_a_smaller_risk_asks_for_a_wider_bound(afternoon):
    levels = [
        float(np.median(solve(afternoon.seen, afternoon.navigation, risk=risk).horizontal_m))
        for risk in (1e-3, 1e-4, 1e-6, 1e-8)
    ]
    assert levels == sorted(levels)
    first = Settings.of_version_1()
    assert np.isinf(
        solve(afternoon.seen, afternoon.navigation, first, risk=1e-9).horizontal_m
    ).all()
    # Two faults at once are tested for by now; three at once are as likely as this.
    assert np.isinf(solve(afternoon.seen, afternoon.navigation, risk=1e-12).horizontal_m).all()


def test_the_error_exceeds_the_bound_less_often_than_claimed_even_with_heavy_tails(afternoon):
    """20 days of 40 epochs, errors larger than the model's and with outliers, at a risk of 1e-2."""
    wild = ErrorModel(orbit_m=1.5, ionosphere=0.4, multipath_m=0.8, noise_m=0.6, outlier=0.02)
    beyond = epochs = 0
    for seed in range(20):
        receiver = Receiver(afternoon.gpst_ns, afternoon.ecef_m, errors=wild)
        solved = solve(
            synthesize(receiver, afternoon.navigation, seed=seed), afternoon.navigation, risk=1e-2
        )
        horizontal, _ = _errors(solved, afternoon.ecef_m)
        beyond += int((horizontal > solved.horizontal_m).sum())
        epochs += int(solved.solved.sum())
    assert epochs > 700
    assert beyond <= 0.01 * epochs


@pytest.fixture(scope="module")
def esbc(shared):
    folder = shared / "positioning" / "esbc_2020177"
    data = (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    navigation = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    return read_observations(data, systems="CEG"), read_navigation(navigation)


@pytest.mark.parametrize(
    ("settings", "horizontal_m", "vertical_m"),
    [(Settings(), 0.83, 1.28), (Settings(signals=B1I_L1_E1), 0.64, 0.74)],
    ids=["B1I", "B1I+L1+E1"],
)
def test_a_real_station_day_is_solved_whole_as_well_as_the_best_known(
    esbc, settings, horizontal_m, vertical_m
):
    solved = solve(*esbc, settings)
    horizontal, vertical = _errors(solved, np.tile(REFERENCE, (2880, 1)))
    assert solved.solved.all()
    assert _rms(horizontal) <= horizontal_m
    assert _rms(vertical) <= vertical_m
    assert (horizontal <= solved.horizontal_m).all()
    assert (vertical <= solved.vertical_m).all()


def test_a_bad_phone_log_gets_no_bound_that_does_not_hold(shared):
    folder = shared / "positioning" / "phone_2024092"
    seen = read_observations((folder / "GEOP092I.24o.gz").read_bytes())
    navigation = read_navigation((folder / "CORD00ARG_R_20240920000_01D_MN.rnx.gz").read_bytes())
    solved = solve(seen, navigation)
    place = np.tile(seen.header.approximate_ecef_m, (len(seen.gpst_ns), 1))
    horizontal, _ = _errors(solved, place)
    bounded = solved.solved & np.isfinite(solved.horizontal_m)
    # The header's own place is good to some 20 m only.
    assert (horizontal[bounded] <= solved.horizontal_m[bounded] + 20).all()
