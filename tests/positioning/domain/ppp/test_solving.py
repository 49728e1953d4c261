"""A real station-day against the coordinate that stands with the data; and what comes of trouble."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import ObservationHeader, Observations
from zhidao.positioning.domain.ppp.ppp_settings import LEGACY_PAIRS, PppSettings
from zhidao.positioning.domain.ppp.products import PreciseProducts
from zhidao.positioning.domain.ppp.rays import glonass_channels_of, rays
from zhidao.positioning.domain.ppp.solving import PppReason, PppSolution, solve_precise
from zhidao.positioning.domain.satellites.precise import PreciseTable
from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

REFERENCE = np.array([3582104.918, 532590.191, 5232755.315])  # SOURCE.md of the shared data


@pytest.fixture(scope="module")
def day(shared):
    """Observations, products and channels of the station-day."""
    folder = shared / "positioning" / "esbc_2020177"
    name = "GRG0MGXFIN_2020{}0000_01D_15M_ORB.SP3.gz"
    orbits = [read_sp3((folder / name.format(n)).read_bytes()) for n in ("176", "177")]
    clocks = read_clocks((folder / "GRG0MGXFIN_20201770000_01D_30S_CLK.CLK.gz").read_bytes())
    packed = (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    messages = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    glonass = read_navigation(messages, messages=WITH_GLONASS).glonass
    return (
        read_observations(packed, systems="GRE"),
        PreciseProducts(orbits[0].followed_by(orbits[1]), clocks),
        glonass_channels_of(glonass.satellite, glonass.channel),
    )


def _pairs(systems):
    return PppSettings(pairs={s: LEGACY_PAIRS[s] for s in systems})


@pytest.mark.slow
@pytest.mark.parametrize("systems", ["GRE", "G", "E", "R"])
def test_every_system_alone_and_all_together_come_within_a_decimetre(day, systems):
    seen, products, channels = day
    found = solve_precise(seen, products, _pairs(systems), glonass_channels=channels)
    assert np.linalg.norm(found.last_m - REFERENCE) < 0.1
    assert found.converged_s(REFERENCE) < 3600
    assert found.solved.mean() > 0.97


@pytest.mark.slow
def test_a_moving_receiver_stays_within_decimetres_at_every_epoch(day):
    seen, products, _ = day
    settings = replace(_pairs("GE"), moving=True)
    found = solve_precise(seen.part(0, 720), products, settings)
    off = np.linalg.norm(found.ecef_m[240:] - REFERENCE, axis=1)
    assert found.solved.all()
    assert np.nanmax(off) < 0.4
    assert np.sqrt(np.nanmean(off**2)) < 0.15


@pytest.mark.slow
def test_a_slip_of_one_cycle_is_seen_and_does_not_move_the_point(day):
    seen, products, _ = day
    seen = seen.part(0, 480)
    table = seen.systems["G"]
    values = table.values.copy()
    prn = int(np.bincount(table.prn).argmax())  # seen all the time
    late = (table.prn == prn) & (table.epoch > 200)
    values[late, table.codes.index("L1C")] += 1
    spoiled = replace(seen, systems={**seen.systems, "G": replace(table, values=values)})
    clean = solve_precise(seen, products, _pairs("GE"))
    found = solve_precise(spoiled, products, _pairs("GE"))
    assert found.slips.sum() > clean.slips.sum()
    assert np.linalg.norm(found.last_m - clean.last_m) < 0.05


@pytest.mark.slow
def test_too_few_satellites_are_said(day):
    seen, products, _ = day
    high = replace(PppSettings(), mask_rad=np.deg2rad(75.0))
    found = solve_precise(seen.part(0, 3), products, high)
    assert (found.reason == PppReason.TOO_FEW_SATELLITES).all()


_NONE = np.zeros(0, np.int64)
_NOTHING = PreciseTable(_NONE, _NONE, np.zeros((0, 0, 3)), np.zeros((0, 0)))


def test_what_is_missing_is_said_of_each_epoch(shared):
    packed = (shared / "positioning/rtk_static_pair/rover.obs.gz").read_bytes()
    seen = read_observations(packed, systems="GC").part(0, 3)
    products = PreciseProducts(_NOTHING, _NOTHING)
    unheard = solve_precise(seen, products, PppSettings(pairs={"E": ("1C", "5Q")}))
    assert (unheard.reason == PppReason.NO_OBSERVATIONS).all()
    unknown = solve_precise(seen, products, PppSettings(pairs={"C": ("2I", "6I")}))
    assert (unknown.reason == PppReason.NO_PRODUCTS).all()
    assert np.isnan(unknown.ecef_m).all()
    assert unknown.converged_s() == float("inf")


def test_a_loss_of_power_begins_every_phase_anew(shared):
    packed = (shared / "positioning/rtk_static_pair/rover.obs.gz").read_bytes()
    seen = read_observations(packed, systems="C").part(0, 6)
    power = seen.power_failed.copy()
    power[4] = True
    settings = PppSettings(pairs={"C": ("2I", "6I")})
    before = rays(seen, settings, glonass_channels={})
    after = rays(replace(seen, power_failed=power), settings, glonass_channels={})
    assert after.slipped[after.epoch == 4].all()
    assert after.slipped[after.epoch == 0].all()
    assert np.array_equal(after.slipped[after.epoch == 5], before.slipped[before.epoch == 5])
    assert not before.slipped[before.epoch == 4].all()


def test_no_epochs_give_no_points():
    nothing = Observations(ObservationHeader(), np.zeros(0, np.int64), np.zeros(0, bool))
    assert len(solve_precise(nothing, PreciseProducts(_NOTHING, _NOTHING)).gpst_ns) == 0


def test_convergence_counts_from_the_last_time_away():
    place = np.array([[5.0, 0, 0], [0.05, 0, 0], [0.2, 0, 0], [0.01, 0, 0], [0.0, 0, 0]])
    count = len(place)
    found = PppSolution(
        np.arange(count) * 30 * 10**9, np.zeros(count, np.uint8), place,
        np.zeros((count, 3, 3)), *(np.zeros(count) for _ in range(2)),
        *(np.zeros(count, np.int64) for _ in range(2)),
    )  # fmt: skip
    assert found.converged_s() == 90
    assert found.converged_s(np.array([9.0, 0, 0])) == float("inf")


@pytest.mark.parametrize(
    "changed",
    [
        {"mask_rad": 2.0},
        {"code_m": 0.0},
        {"phase_m": float("nan")},
        {"pairs": {}},
        {"pairs": {"X": ("1C", "2C")}},
        {"pairs": {"G": ("1C", "1W")}},
        {"satellites_min": 3},
    ],
)
def test_settings_that_mean_nothing_are_refused(changed):
    with pytest.raises(MalformedInput, match="PPP settings"):
        PppSettings(**changed)
