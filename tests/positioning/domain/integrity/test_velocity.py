from __future__ import annotations

import numpy as np
import pytest

from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.integrity.velocity import velocities
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize


def test_a_receiver_at_rest_has_no_velocity_and_the_drift_of_its_clock(afternoon):
    solved = solve(afternoon.seen, afternoon.navigation)
    found = velocities(afternoon.seen, afternoon.navigation, solved, Settings())
    assert np.abs(found.enu_mps).max() < 0.05
    # The simulated clock drifts by half a metre a second, give or take.
    assert 0.3 < found.drift_mps.mean() < 0.7
    deviation = np.sqrt(np.einsum("eii->ei", found.covariance_m2ps2))
    assert (np.abs(found.enu_mps) < 4 * deviation[:, :3]).all()


def test_a_moving_receiver_has_the_velocity_of_its_way(afternoon):
    step_m = np.array([300.0, -200.0, 100.0])
    way = afternoon.ecef_m + np.arange(40)[:, None] * step_m
    seen = synthesize(Receiver(afternoon.gpst_ns, way), afternoon.navigation, seed=3)
    solved = solve(seen, afternoon.navigation)
    found = velocities(seen, afternoon.navigation, solved, Settings())
    latitude, longitude, _ = geodetic(way)
    told = np.einsum("eij,j->ei", enu_axes(latitude, longitude), step_m / 30)
    assert np.abs(found.enu_mps - told).max() < 0.06


def test_one_wrong_doppler_is_left_out(afternoon):
    table = afternoon.seen.systems["C"]
    values = table.values.copy()
    column = table.codes.index("D2I")
    mine = table.prn == table.prn[0]
    values[mine, column] += 40
    spoiled = type(table)(
        "C", table.codes, table.epoch, table.prn, values, table.lost_lock, table.strength
    )
    seen = Observations(
        afternoon.seen.header, afternoon.gpst_ns, afternoon.seen.power_failed, {"C": spoiled}
    )
    solved = solve(seen, afternoon.navigation)
    found = velocities(seen, afternoon.navigation, solved, Settings())
    assert np.abs(found.enu_mps).max() < 0.06
    assert not found.used[solved.measurements.satellite == 300 + table.prn[0]].any()


def test_without_doppler_there_is_no_velocity(afternoon):
    table = afternoon.seen.systems["C"]
    values = table.values.copy()
    values[:, table.codes.index("D2I")] = np.nan
    none = type(table)(
        "C", table.codes, table.epoch, table.prn, values, table.lost_lock, table.strength
    )
    seen = Observations(
        afternoon.seen.header, afternoon.gpst_ns, afternoon.seen.power_failed, {"C": none}
    )
    found = velocities(seen, afternoon.navigation, solve(seen, afternoon.navigation), Settings())
    assert np.isnan(found.enu_mps).all()


@pytest.mark.slow
def test_four_real_systems_stand_still_to_centimetres_a_second(shared):
    from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    folder = shared / "positioning" / "rtk_static_pair"
    seen = read_observations((folder / "base.obs.gz").read_bytes())
    navigation = read_navigation((folder / "base.nav.gz").read_bytes(), messages=WITH_GLONASS)
    settings = Settings(signals={"C": "C2I", "G": "C1C", "E": "C1C", "R": "C1C"})
    solved = solve(seen, navigation, settings)
    found = velocities(seen, navigation, solved, settings)
    assert np.sqrt(np.mean(found.enu_mps**2, axis=0)).max() < 0.03
