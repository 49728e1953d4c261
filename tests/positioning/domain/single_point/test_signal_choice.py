from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.signal_choice import SignalChoice
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

REFERENCE = np.array([3582104.918, 532590.191, 5232755.315])  # SOURCE.md of the shared data
FNAV = {"C": ("D1", "D2"), "G": ("LNAV",), "E": ("FNAV",)}


def test_a_combination_of_two_has_no_ionosphere_and_keeps_the_range():
    choice = SignalChoice.of("C", "C2I+C6I")
    hertz = np.array([1561.098e6, 1268.52e6])
    assert sum(choice.factors) == pytest.approx(1)
    assert np.dot(choice.factors, hertz**-2.0) * hertz[0] ** 2 == pytest.approx(0, abs=1e-12)
    assert choice.noise == pytest.approx(3.53, abs=0.01)


@pytest.mark.parametrize("text", ["C2I+C2I", "C9X", "C2I+C6I+C7I", "", "C2I/"])
def test_impossible_choices_are_refused(text):
    with pytest.raises(MalformedInput):
        Settings(signals={"C": text})


@pytest.fixture(scope="module")
def day(shared):
    folder = shared / "positioning" / "esbc_2020177"
    return (
        read_observations((folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()),
        (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes(),
    )


@pytest.mark.parametrize(
    ("signals", "horizontal_m", "vertical_m"),
    [
        ({"E": "C1C+C5Q"}, 0.6, 0.95),
        ({"C": "C2I+C6I/C2I"}, 1.9, 3.5),
        ({"C": "C2I+C6I/C2I", "G": "C1C+C2W/C1C", "E": "C1C+C5Q/C1C"}, 0.7, 1.1),
    ],
)
def test_pairs_of_signals_chosen_for_each_satellite_solve_every_epoch(
    day, signals, horizontal_m, vertical_m
):
    seen, file = day
    solved = solve(seen, read_navigation(file, messages=FNAV), Settings(signals=signals))
    latitude, longitude, _ = geodetic(REFERENCE)
    off = (solved.ecef_m - REFERENCE) @ enu_axes(latitude, longitude).T
    assert solved.solved.all()
    assert np.sqrt(np.mean(off[:, 0] ** 2 + off[:, 1] ** 2)) < horizontal_m
    assert np.sqrt(np.mean(off[:, 2] ** 2)) < vertical_m
    assert (np.hypot(off[:, 0], off[:, 1]) < solved.horizontal_m).all()
