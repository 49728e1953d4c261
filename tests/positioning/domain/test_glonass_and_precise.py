"""GLONASS orbits and precise products, held against each other on a real day."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.satellites.glonass import choose_glonass
from zhidao.positioning.domain.satellites.glonass_orbits import (
    glonass_states,
    glonass_velocity_mps,
)
from zhidao.positioning.domain.satellites.precise import (
    PreciseTable,
    precise_clocks_s,
    precise_places_m,
)
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.solution import Reason
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

REFERENCE = np.array([3582104.918, 532590.191, 5232755.315])  # SOURCE.md of the shared data


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "positioning" / "esbc_2020177"


@pytest.fixture(scope="module")
def orbits(folder):
    name = "GRG0MGXFIN_2020{}0000_01D_15M_ORB.SP3.gz"
    days = [read_sp3((folder / name.format(day)).read_bytes()) for day in ("176", "177")]
    return days[0].followed_by(days[1])


@pytest.fixture(scope="module")
def navigation(folder):
    data = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    return read_navigation(data, messages=WITH_GLONASS)


def test_integrated_glonass_orbits_lie_within_metres_of_precise_ones(orbits, navigation):
    at = orbits.gpst_ns[100:180:3] + 333 * 10**9
    sats = orbits.satellite[orbits.satellite // 100 == 1]
    satellite, when = np.tile(sats, len(at)), np.repeat(at, len(sats))
    row = choose_glonass(navigation.glonass, satellite, when)
    use = row >= 0
    none = np.zeros(int(use.sum()))
    ours = glonass_states(navigation.glonass.take(row[use]), when[use], none)
    precise = precise_places_m(orbits, satellite[use], when[use], none)
    off = np.linalg.norm(ours.ecef_m - precise, axis=1)
    assert np.isfinite(off).sum() > 150
    assert np.nanmedian(off) < 4
    assert np.nanmax(off) < 12


def test_velocities_are_the_rate_of_the_places(navigation):
    table = navigation.glonass
    at, none = table.toe_ns + 400 * 10**9, np.zeros(len(table))
    early, late = (glonass_states(table, at, none + half).ecef_m for half in (-0.5, 0.5))
    assert np.abs(glonass_velocity_mps(table, at, none) - (late - early)).max() < 1e-4


def test_interpolation_meets_the_places_that_it_did_not_see(orbits):
    even = PreciseTable(
        orbits.gpst_ns[::2], orbits.satellite, orbits.place_m[::2], orbits.clock_s[::2]
    )
    at = orbits.gpst_ns[61:131:2]
    satellite, when = np.tile(orbits.satellite, len(at)), np.repeat(at, len(orbits.satellite))
    found = precise_places_m(even, satellite, when, np.zeros(len(when)))
    off = np.linalg.norm(found - orbits.place_m[61:131:2].reshape(-1, 3), axis=1)
    # At twice the spacing of the file; at its own spacing the error is smaller by far.
    assert np.nanmedian(off) < 0.01
    outside = precise_places_m(orbits, satellite[:1], orbits.gpst_ns[-1:] + 10**12, np.zeros(1))
    assert np.isnan(outside).all()


def test_clocks_run_straight_between_their_times():
    table = PreciseTable(
        np.array([0, 10**9]), np.array([7]), np.zeros((2, 1, 3)), np.array([[1.0], [3.0]])
    )
    found = precise_clocks_s(
        table, np.array([7, 7, 9]), np.zeros(3, np.int64), np.array([0.25] * 3)
    )
    assert found[:2] == pytest.approx(1.5)
    assert np.isnan(found[2])


def test_four_systems_together_solve_every_epoch_and_an_unknown_delay_is_no_delay(
    folder, navigation
):
    seen = read_observations(
        (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes(), systems="GREC"
    )
    signals = {"C": "C2I", "E": "C1C", "G": "C1C", "R": "C1C"}
    solved = solve(seen, navigation, Settings(signals=signals))
    latitude, longitude, _ = geodetic(REFERENCE)
    off = (solved.ecef_m - REFERENCE) @ enu_axes(latitude, longitude).T
    assert solved.solved.all()
    assert np.sqrt(np.mean(off[:, 0] ** 2 + off[:, 1] ** 2)) < 0.8
    assert np.sqrt(np.mean(off[:, 2] ** 2)) < 1.0
    # This file writes .999E+09 for every delay of L2: no position may stand on it.
    pair = solve(seen, navigation, Settings(signals={"R": "C1P+C2P"}))
    assert (pair.reason == Reason.NO_NAVIGATION).all()


SP3 = """#cP2020  6 25  0  0  0.00000000       1 TRACK IGb14 FIT GRGS
*  2020  6 25  0  0  0.00000000
PE01 -11562.163582  14053.114306  23345.128269   -884.707516
EOF
"""
CLOCK = (
    f"{'     3.00           CLOCK':60}RINEX VERSION / TYPE\n"
    "AS E01  2020  6 25  0  0  0.000000  2   -0.884707516318E-03  0.337986288247E-10\n"
)


def test_a_small_product_reads_as_written():
    table = read_sp3(SP3.encode())
    assert table.satellite.tolist() == [201]
    assert table.place_m[0, 0, 0] == pytest.approx(-11562163.582, abs=1e-6)
    assert table.clock_s[0, 0] == pytest.approx(-884.707516e-6)
    assert read_clocks(CLOCK.encode()).clock_s[0, 0] == -0.884707516318e-3


def test_clocks_of_a_day_read_all_at_once_are_those_read_word_by_word():
    names = ("E01", "G32", "R07", "C05")
    values = ("-0.884707516318E-03", " 0.142763415563D-03", "-0.5E-3", " 0.337986288247E-10")
    lines = [
        f"AS {name}  2020 12 {day:2} 23 59 30.000000  2   {value} 0.1E-11\n"
        for day in (28, 29, 30, 31)
        for name, value in zip(names, values, strict=True)
    ]
    longer = "AS G01       2020 12 31 23 59 30.000000  1   0.25E-03\n"
    table = read_clocks((CLOCK.splitlines(keepends=True)[0] + "".join(lines) + longer).encode())
    assert table.satellite.tolist() == [1, 32, 107, 201, 305]
    assert len(table.gpst_ns) == 4
    assert np.diff(table.gpst_ns).tolist() == [86_400 * 10**9] * 3
    wanted = [float(value.replace("D", "E")) for value in values]
    assert table.clock_s[0, 1:].tolist() == [wanted[1], wanted[2], wanted[0], wanted[3]]
    assert table.clock_s[-1, 0] == 0.25e-3
    assert np.isnan(table.clock_s[0, 0])


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("6 25  0", "2 30  0", "time"),
        ("E01", "X01", "satellite"),
        ("E-03  0", "F-03  0", "number"),
        ("  2   -0.884707516318E-03  0.337986288247E-10", "", "cut"),
    ],
)
def test_a_clock_line_that_is_wrong_is_named(before, after, word):
    with pytest.raises(MalformedInput, match=word) as caught:
        read_clocks(CLOCK.replace(before, after).encode())
    assert caught.value.where == "line 2"


def test_compiled_and_plain_orbits_agree(orbits):
    pytest.importorskip("numba")
    from zhidao.positioning.domain.satellites.precise import _plain_motion, precise_motion

    chance = np.random.default_rng(3)
    satellite = np.append(chance.choice(orbits.satellite, 300), 399)
    at = orbits.gpst_ns[0] + chance.integers(-900, 87_300, 301) * 10**9
    early = chance.uniform(-0.1, 0, 301)
    place, velocity = precise_motion(orbits, satellite, at, early)
    plain, slope = _plain_motion(orbits, satellite, at, early)
    assert np.isfinite(place).any()
    assert np.array_equal(np.isnan(place), np.isnan(plain))
    assert np.nanmax(np.abs(place - plain)) < 1e-6
    # The twin's velocity is a difference over a second.
    assert np.nanmax(np.abs(velocity - slope)) < 1e-5


@given(st.data())
@settings(max_examples=100)
def test_damaged_products_are_read_or_refused(data):
    for text, read in ((SP3, read_sp3), (CLOCK, read_clocks)):
        changed = bytearray(text.encode())
        for _ in range(data.draw(st.integers(1, 4))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(MalformedInput):
            read(bytes(changed))
