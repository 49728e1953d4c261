from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.atmosphere.bdgim import _harmonic, bdgim_m, vertical_tecu
from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import ionosphere_m
from zhidao.positioning.domain.satellites.ephemeris import Bdgim, choose
from zhidao.positioning.domain.satellites.orbits import satellite_states
from zhidao.positioning.wire.rinex.navigation import read_navigation

MODEL = Bdgim((30.9, 0.25, 11.6, 10.4, -12.5, 0.75, 0.0, 3.1, 1.9))
BRD4 = "positioning/rinex4/BRD400DLR_S_20260680000_01D_MN.rnx.gz"


def _at(text):
    return np.int64(Gpst.from_utc(Utc.parse(text)).ns)


def test_harmonics_are_orthonormal_over_the_sphere():
    sine = (np.arange(400) + 0.5) / 200 - 1
    along = (np.arange(64) + 0.5) * 2 * np.pi / 64
    up, east = np.meshgrid(sine, along, indexing="ij")
    kinds = [(0, 0), (1, 0), (2, 1), (3, -2), (5, 2), (5, -2), (3, 3)]
    parts = np.array([_harmonic(*kind, up, east).ravel() for kind in kinds])
    assert parts @ parts.T / up.size == pytest.approx(np.eye(len(kinds)), abs=1e-3)


def test_content_moves_with_the_sun_and_never_falls_below_its_floor():
    hours = _at("2026-03-09T00:00:00Z") + np.arange(12) * np.int64(7_200 * 10**9)
    content = np.array(
        [
            vertical_tecu(MODEL, latitude=np.deg2rad(30.0), longitude=np.deg2rad(110.0), gpst_ns=t)
            for t in hours
        ]
    )
    assert content.argmax() * 2 in (4, 6, 8)  # early afternoon at 110 degrees east
    assert content.min() >= 30.9 / 8


def test_the_delay_goes_with_the_square_of_the_carrier_and_grows_towards_the_horizon():
    def delay(elevation, hertz):
        return bdgim_m(
            MODEL,
            latitude=np.deg2rad(30.0),
            longitude=np.deg2rad(110.0),
            elevation=np.float64(elevation),
            azimuth=np.float64(1.0),
            gpst_ns=_at("2026-03-09T06:00:00Z"),
            carrier_hz=hertz,
        )

    assert delay(1.0, 1e9) / delay(1.0, 2e9) == pytest.approx(4)
    assert 1.8 < delay(0.2, 1e9) / delay(np.pi / 2, 1e9) < 3.5


def test_the_broadcast_model_of_a_day_agrees_with_klobuchar_at_noon(shared):
    navigation = read_navigation((shared / BRD4).read_bytes())
    assert navigation.bdgim is not None
    where = {"latitude": np.deg2rad(30.0), "longitude": np.deg2rad(110.0)}
    look = {"elevation": np.float64(1.2), "azimuth": np.float64(1.0), "carrier_hz": 1561.098e6}
    ours = bdgim_m(navigation.bdgim, **where, **look, gpst_ns=_at("2026-03-09T08:00:00Z"))
    other = ionosphere_m(
        navigation.klobuchar, **where, **look, second_of_day=np.float64(8 * 3600.0)
    )
    assert ours == pytest.approx(other, rel=0.3)


@pytest.mark.parametrize("message", ["CNV1", "CNV2", "CNV3"])
def test_modern_messages_describe_the_same_orbits_as_the_old_ones(shared, message):
    data = (shared / BRD4).read_bytes()
    old = read_navigation(data).ephemerides
    new = read_navigation(data, messages={"C": (message,)}).ephemerides
    at_ns = new.toe_ns + np.int64(1_800 * 10**9)
    row = choose(old, new.satellite, at_ns)
    both = (row >= 0) & new.healthy
    none = np.zeros(int(both.sum()))
    one = satellite_states(new.take(both), at_ns[both], none)
    other = satellite_states(old.take(row[both]), at_ns[both], none)
    assert both.sum() > 500
    assert np.linalg.norm(one.ecef_m - other.ecef_m, axis=1).max() < 0.2
    # Clocks are in the hundredths of a metre of each other for most, the messages being renewed
    # at different times.
    assert np.median(np.abs(one.clock_s - other.clock_s)) * 3e8 < 0.05
