"""Corrections of PPP-B2b on the ephemerides that they name, from the sky and of our own making."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.positioning.ppp_b2b_messages import clock_message, mask_message, orbit_message

from zhidao.positioning.domain.ppp.corrected import (
    CorrectedProducts,
    broadcast_motion,
    choose_issue,
)
from zhidao.positioning.domain.ppp.ppp_settings import LEGACY_PAIRS, PppSettings
from zhidao.positioning.domain.ppp.products import PreciseProducts
from zhidao.positioning.domain.ppp.solving import solve_precise
from zhidao.positioning.domain.satellites.corrections import orbit_axes, without
from zhidao.positioning.domain.satellites.ephemeris import UNKNOWN, choose
from zhidao.positioning.wire.precise.b2b_log import B2bFrame, corrections_at, read_b2b_log
from zhidao.positioning.wire.precise.ppp_b2b import B2bOrbit, decode_b2b
from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

REFERENCE = np.array([3582104.918, 532590.191, 5232755.315])  # SOURCE.md of the shared data
LIGHT_MPS = 299_792_458
CIVIL = {"G": ("LNAV",), "C": ("CNV1",)}


@pytest.fixture(scope="module")
def hour(shared):
    """Broadcast ephemerides and the first minutes of one satellite's frames, from the sky."""
    folder = shared / "positioning" / "ppp_b2b"
    frames = [
        frame
        for frame in read_b2b_log((folder / "233h_bdsb2b.txt.gz").read_bytes())
        if frame.prn == 60
    ]
    navigation = read_navigation((folder / "233h_rnx.nav.gz").read_bytes(), messages=CIVIL)
    at = frames[0].gpst_ns + np.arange(0, 240, 2) * 10**9
    return navigation.ephemerides, corrections_at(frames, at)


def test_where_ephemerides_change_the_corrected_satellite_stays_where_it_was(hour):
    """Two ephemerides that are decimetres apart become one within their corrections.

    Nothing else in an hour of frames can tell whether sign, axes and issues are right.
    """
    store, series = hour
    broadcast, corrected = [], []
    for column, satellite in enumerate(series.satellite.tolist()):
        old = np.flatnonzero(series.iodn[:, column] == 18)[-1:]
        new = np.flatnonzero(series.iodn[:, column] == 19)[:1]
        rows = np.concatenate((old, new))
        if len(rows) < 2:
            continue
        pair = np.array([satellite, satellite])
        named = choose_issue(store, pair, series.gpst_ns[rows], series.iodn[rows, column])
        if (named == UNKNOWN).any():
            continue
        when = np.repeat(series.gpst_ns[new], 2)
        states, velocity = broadcast_motion(store.take(named), when, np.zeros(2))
        found = without(
            states,
            velocity,
            orbit_m=series.orbit_m[rows, column],
            clock_m=series.clock_m[rows, column],
        )
        axes = orbit_axes(states.ecef_m, velocity)[0]
        for told, out in ((states, broadcast), (found, corrected)):
            out.append([*(axes @ np.diff(told.ecef_m, axis=0)[0]), np.diff(told.clock_s)[0]])
    before, after = (np.sqrt(np.mean(np.square(x), 0)) for x in (broadcast, corrected))
    assert len(broadcast) == 7
    assert before[3] * LIGHT_MPS > 0.2
    assert after[3] * LIGHT_MPS < 0.01
    assert before[0] > 0.02
    assert after[0] < 0.005
    assert (after[1:3] < 0.05).all()


def test_half_of_the_sky_of_bds_and_gps_has_corrections_with_their_ephemerides(hour):
    store, series = hour
    late = np.repeat(series.gpst_ns[-1], len(series.satellite))
    found = CorrectedProducts(store, series).states(series.satellite, late, np.zeros(len(late)))
    known = np.isfinite(found.clock_s)
    assert (series.satellite[known] // 100 == 3).sum() >= 7
    assert (series.satellite[known] // 100 == 0).sum() >= 5
    assert ("1P" in {signal for _, signal in series.code_bias_m}) is True


def test_no_other_ephemeris_is_corrected_than_the_one_named(hour):
    store, series = hour
    satellite = np.array([321, 321, 321, 2])
    when = np.repeat(series.gpst_ns[-1:], 4)
    named = choose_issue(store, satellite, when, np.array([18, 19, 17, -1]))
    assert store.issue[named[:2]].tolist() == [18, 19]
    assert named[2:].tolist() == [UNKNOWN, UNKNOWN]
    assert choose_issue(store, satellite[:1], when[:1] + 86_400 * 10**9, np.array([18])) == UNKNOWN


def test_written_messages_read_as_they_were():
    satellites = (1, 32, 305, 361)
    mask = decode_b2b(mask_message(satellites, second=77, iod_ssr=2, iodp=9))
    assert sorted(mask.satellites) == sorted(satellites)
    assert (mask.second, mask.iod_ssr, mask.iodp) == (77, 2, 9)
    orbit = B2bOrbit(305, 33, 5, 0.16, -0.64, math.nan, math.inf)
    (found,) = decode_b2b(orbit_message([orbit], second=77, iod_ssr=2)).orbits
    assert (found.satellite, found.iodn, found.iod_corr) == (305, 33, 5)
    assert (found.radial_m, found.along_m) == pytest.approx((0.16, -0.64))
    assert math.isnan(found.cross_m)
    clocks = decode_b2b(
        clock_message([(5, -1.6), (5, 99.0)], second=77, iod_ssr=2, iodp=9, part=1)
    ).clocks
    assert [c.place for c in clocks[:2]] == [23, 24]
    assert clocks[0].clock_m == pytest.approx(-1.6)
    assert math.isnan(clocks[1].clock_m)


def _frames(products, store, gpst_ns):
    """Messages of our own that carry broadcast ephemerides to precise products, instant by instant."""
    names = np.unique(store.satellite)
    for number, instant in enumerate(gpst_ns.tolist()):
        when = np.repeat(instant, len(names))
        row = choose(store, names, when)
        precise = products.states(names, when, np.zeros(len(names)))
        good = np.flatnonzero((row != UNKNOWN) & np.isfinite(precise.clock_s))
        eph = store.take(row[good])
        states, velocity = broadcast_motion(eph, when[good], np.zeros(len(good)))
        axes = orbit_axes(states.ecef_m, velocity)
        orbit_m = np.einsum("nij,nj->ni", axes, states.ecef_m - precise.ecef_m[good])
        clock_m = (states.clock_s - precise.clock_s[good]) * LIGHT_MPS
        satellites = names[good].tolist()
        second, issue = (instant // 10**9 - 14) % 86_400, number % 8
        yield B2bFrame(instant, 60, mask_message(satellites, second=second, iod_ssr=0, iodp=1))
        orbits = [
            B2bOrbit(s, int(eph.issue[i]), issue, *map(float, orbit_m[i]), math.inf)
            for i, s in enumerate(satellites)
        ]
        for first in range(0, len(orbits), 6):
            part = orbits[first : first + 6]
            yield B2bFrame(instant, 60, orbit_message(part, second=second, iod_ssr=0))
        for first in range(0, len(orbits), 23):
            clocks = [(issue, float(c)) for c in clock_m[first : first + 23]]
            told = {"second": second, "iod_ssr": 0, "iodp": 1, "part": first // 23}
            yield B2bFrame(instant, 60, clock_message(clocks, **told))


@pytest.mark.slow
def test_corrections_of_our_own_on_real_gps_ranges_give_the_station_to_a_decimetre(shared):
    """The observations are real, the corrections are made here from precise products."""
    folder = shared / "positioning" / "esbc_2020177"
    name = "GRG0MGXFIN_2020{}0000_01D_15M_ORB.SP3.gz"
    orbits = [read_sp3((folder / name.format(n)).read_bytes()) for n in ("176", "177")]
    clocks = read_clocks((folder / "GRG0MGXFIN_20201770000_01D_30S_CLK.CLK.gz").read_bytes())
    packed = (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    seen = read_observations(packed, systems="G").part(240, 840)
    messages = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    store = read_navigation(messages, messages={"G": ("LNAV",)}).ephemerides
    precise = PreciseProducts(orbits[0].followed_by(orbits[1]), clocks)
    series = corrections_at(_frames(precise, store, seen.gpst_ns), seen.gpst_ns)
    settings = PppSettings(pairs={"G": LEGACY_PAIRS["G"]})
    found = solve_precise(seen, CorrectedProducts(store, series), settings)
    direct = solve_precise(seen, precise, settings)
    assert found.solved.mean() > 0.95
    assert np.linalg.norm(found.last_m - REFERENCE) < 0.1
    assert np.linalg.norm(found.last_m - direct.last_m) < 0.03
