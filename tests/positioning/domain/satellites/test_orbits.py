from __future__ import annotations

import numpy as np

from zhidao.core.timescale import Utc
from zhidao.positioning.domain.satellites.orbits import is_geostationary, satellite_states
from zhidao.positioning.domain.single_point.geometry import geodetic
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.wire.rinex.navigation import read_navigation

WEEK_END = Utc.parse("2026-11-21T22:00:00Z")


def _halfway(store):
    """States from each message and from the next one at the instant between both."""
    pairs = np.flatnonzero(store.satellite[1:] == store.satellite[:-1])
    near = store.toe_ns[pairs + 1] - store.toe_ns[pairs] <= 3600 * 10**9
    pairs = pairs[near & store.healthy[pairs] & store.healthy[pairs + 1]]
    middle = (store.toe_ns[pairs] + store.toe_ns[pairs + 1]) // 2
    zero = np.zeros(len(pairs))
    before = satellite_states(store.take(pairs), middle, zero)
    after = satellite_states(store.take(pairs + 1), middle, zero)
    return store.satellite[pairs], np.linalg.norm(before.ecef_m - after.ecef_m, axis=1)


def test_messages_of_our_constellation_describe_one_orbit_also_over_the_week_end():
    store = constellation(WEEK_END, WEEK_END.plus_ns(5 * 3600 * 10**9)).ephemerides
    _, apart_m = _halfway(store)
    assert apart_m.max() < 0.01


def test_geostationary_satellites_stand_over_the_equator():
    store = constellation(WEEK_END, WEEK_END).ephemerides
    geo = store.take(is_geostationary(store.satellite))
    states = satellite_states(geo, geo.toe_ns + 1800 * 10**9, np.zeros(len(geo)))
    latitude, longitude, height_m = geodetic(states.ecef_m)
    assert np.abs(np.rad2deg(latitude)).max() < 0.1
    assert np.abs(height_m - 35_786_000).max() < 20_000
    assert set(np.rint(np.rad2deg(longitude)).astype(int).tolist()) <= {140, 80, 110, 111}


def test_real_messages_of_every_orbit_kind_meet_half_way(shared):
    folder = shared / "positioning" / "esbc_2020177"
    data = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    satellite, apart_m = _halfway(read_navigation(data).ephemerides)
    beidou = satellite // 100 == 3
    geo = is_geostationary(satellite)
    igso = beidou & np.isin(satellite % 100, (6, 7, 8, 9, 10, 13, 16, 38, 39, 40))
    assert geo.sum() > 10
    # A GEO branch without the tilt would be off by thousands of kilometres.
    assert np.median(apart_m[geo]) < 5
    assert np.median(apart_m[igso]) < 2
    assert np.median(apart_m[beidou & ~geo & ~igso]) < 1
    assert np.median(apart_m[satellite // 100 == 2]) < 0.5
