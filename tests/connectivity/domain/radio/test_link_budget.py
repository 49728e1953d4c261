"""A link carries what its weaker direction carries."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zhidao.connectivity.domain.radio.link_budget import (
    Cell,
    Inside,
    Terminal,
    aside_db,
    carried_db,
)
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic

_PLACE = Geodetic(43.35, 77.04)


def _cell(**changed) -> Cell:
    return Cell(
        **(
            {"name": "A", "place": _PLACE, "height_m": 35, "frequency_mhz": 800, "eirp_dbm": 60}
            | changed
        )
    )


def test_the_way_down_carries_the_power_over_the_noise() -> None:
    # -174 + 70 (10 MHz) + 9 = -95 dBm of noise under 60 dBm.
    assert carried_db(_cell(), Terminal()) == pytest.approx(155.0)
    assert carried_db(_cell(bandwidth_mhz=1.0), Terminal()) == pytest.approx(165.0)
    assert carried_db(_cell(), Terminal(snr_db=-3, loss_db=2, gain_dbi=1)) == pytest.approx(157.0)


def test_the_way_up_counts_where_the_gain_of_the_site_is_known() -> None:
    # 23 + 17 over -174 + 52.553 (180 kHz) + 5 = -116.447.
    assert carried_db(_cell(gain_dbi=17, eirp_dbm=70), Terminal()) == pytest.approx(
        156.447, abs=1e-3
    )
    assert carried_db(_cell(gain_dbi=17, eirp_dbm=60), Terminal()) == pytest.approx(155.0)
    assert carried_db(_cell(gain_dbi=0, eirp_dbm=60), Terminal(loss_db=1)) == pytest.approx(
        138.447, abs=1e-3
    )


@pytest.mark.parametrize(("inside", "less_db"), [("nothing", 0), ("car", 9), ("metallized", 20)])
def test_a_vehicle_takes_what_clause_7_4_3_2_says(inside: str, less_db: float) -> None:
    from tr3gpp import tr38901

    car = tr38901.section("7.4").o2i_penetration_loss.car_penetration_loss
    known = {"nothing": 0, "car": car.mu_db, "metallized": car.mu_metallized_windows_db}
    assert known[inside] == less_db
    terminal = Terminal(inside=Inside(inside))
    assert carried_db(_cell(), terminal) == pytest.approx(155 - less_db)
    assert terminal.inside.deviation_db == (car.sigma_p_db if less_db else 0)


def test_an_antenna_loses_three_decibels_at_half_its_beam_and_thirty_behind() -> None:
    azimuth, towards = np.full(5, 350.0), np.array([350.0, 22.5, 317.5, 170.0, 350.0 + 65])
    lost = aside_db(azimuth, np.full(5, 65.0), towards)
    assert lost == pytest.approx([0, 3, 3, 30, 12])
    assert aside_db(np.array([math.nan]), np.array([65.0]), np.array([123.0])) == pytest.approx([0])


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("eirp_dbm", -30, 100),
        ("bandwidth_mhz", 0.18, 400),
        ("gain_dbi", -20, 40),
        ("azimuth_deg", 0, 360),
        ("beam_deg", 1, 360),
    ],
)
def test_a_cell_with_impossible_values_is_refused(name: str, low: float, high: float) -> None:
    for fine in (low, high):
        _cell(**{name: fine})
    for wrong in (low - 0.01, high + 0.01):
        with pytest.raises(MalformedInput, match=name):
            _cell(**{name: wrong})


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("gain_dbi", -30, 30),
        ("power_dbm", -10, 40),
        ("noise_figure_db", 0, 30),
        ("snr_db", -30, 40),
        ("uplink_khz", 3.75, 100_000),
        ("site_noise_figure_db", 0, 30),
        ("loss_db", 0, 60),
    ],
)
def test_a_terminal_with_impossible_values_is_refused(name: str, low: float, high: float) -> None:
    for fine in (low, high):
        Terminal(**{name: fine})
    for wrong in (low - 0.01, high + 0.01, math.nan):
        with pytest.raises(MalformedInput):
            Terminal(**{name: wrong})
