"""B1C and B2a with the delays of their own messages: made from real ephemerides, then solved."""

from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.geo import Geodetic
from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import troposphere_m
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.observables.observations import (
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.ephemeris import Navigation, choose
from zhidao.positioning.domain.satellites.orbits import rotation_radps, satellite_states
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.solver_settings import Settings

PLACES = [Geodetic(44.2, 80.4, 700.0), Geodetic(-33.9, 18.4, 50.0), Geodetic(1.3, 103.8, 20.0)]


@pytest.fixture(scope="module")
def civil(shared):
    from zhidao.positioning.wire.rinex.navigation import read_navigation

    file = shared / "positioning" / "rinex4" / "BRD400DLR_S_20260680000_01D_MN.rnx.gz"
    return read_navigation(file.read_bytes(), messages={"C": ("CNV1", "CNV2")})


def _seen(navigation: Navigation, place: Geodetic, epochs: int = 5) -> Observations:
    """Ranges without ionosphere and noise, delayed in the satellites as their messages say."""
    store = navigation.ephemerides
    ecef = place.to_ecef()
    place_m = np.array((ecef.x_m, ecef.y_m, ecef.z_m))
    numbers = np.unique(store.satellite[store.satellite // 100 == 3])
    middle = int(np.median(store.toe_ns)) // 10**9 * 10**9
    at = middle + np.arange(epochs) * 30 * 10**9
    rows = {"epoch": [], "prn": [], "values": []}
    up = enu_axes(*geodetic(place_m)[:2])[2]
    for index, gpst_ns in enumerate(at.tolist()):
        row = choose(store, numbers, np.full(len(numbers), gpst_ns))
        eph = store.take(row[row >= 0])
        travel = np.full(len(eph), 0.08)
        for _ in range(5):
            states = satellite_states(eph, np.full(len(eph), gpst_ns), -travel)
            angle = rotation_radps(eph.satellite) * travel
            x, y, z = states.ecef_m.T
            turned = np.stack(
                (x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle), z),
                1,
            )
            between = turned - place_m
            travel = np.linalg.norm(between, axis=1) / SPEED_OF_LIGHT_MPS
        high = between @ up / np.linalg.norm(between, axis=1) > np.sin(np.deg2rad(12))
        elevation = np.arcsin(between @ up / np.linalg.norm(between, axis=1))
        air_m = troposphere_m(
            latitude=np.deg2rad(place.latitude_deg),
            height_m=place.height_m,
            elevation=np.maximum(elevation, 0.1),
        )
        plain_m = SPEED_OF_LIGHT_MPS * (travel - states.clock_s) + air_m
        values = np.stack(
            (
                plain_m + SPEED_OF_LIGHT_MPS * eph.delay1_s,
                plain_m + SPEED_OF_LIGHT_MPS * eph.delay2_s,
            ),
            1,
        )
        good = high & np.isfinite(values).all(1)
        rows["epoch"].append(np.full(int(good.sum()), index))
        rows["prn"].append(eph.satellite[good] % 100)
        rows["values"].append(values[good])
    values = np.concatenate(rows["values"])
    digits = np.zeros(values.shape, np.uint8)
    table = SystemObservations(
        "C",
        ("C1P", "C5P"),
        np.concatenate(rows["epoch"]),
        np.concatenate(rows["prn"]),
        values,
        digits,
        digits,
    )
    return Observations(ObservationHeader(), at, np.zeros(epochs, bool), {"C": table})


@pytest.mark.parametrize("place", PLACES, ids=["north", "south", "equator"])
def test_civil_pairs_are_solved_with_their_own_group_delays(civil, place):
    seen = _seen(civil, place)
    ecef = place.to_ecef()
    solved = solve(seen, civil, Settings(signals={"C": "C1P+C5P"}))
    assert solved.solved.all()
    off = (solved.ecef_m - np.array((ecef.x_m, ecef.y_m, ecef.z_m))) @ enu_axes(
        np.deg2rad(place.latitude_deg), np.deg2rad(place.longitude_deg)
    ).T
    # The Sagnac term is of first order, and a pair enlarges millimetres.
    assert np.abs(off).max() < 0.02
    assert solved.satellites.min() >= 6
    wrong = solve(seen, civil, Settings(signals={"C": "C1P"}, ionosphere="none"))
    one = solve(seen, civil, Settings(signals={"C": "C5P"}, ionosphere="none"))
    assert np.abs(wrong.ecef_m - one.ecef_m).max() < 0.01


def test_the_pilot_without_its_own_message_is_not_solved(civil):
    seen = _seen(civil, PLACES[0])
    lost = solve(
        seen, Navigation(civil.ephemerides.take(slice(0, 0))), Settings(signals={"C": "C1P"})
    )
    assert not lost.solved.any()
