from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.positioning.domain.rtk.instantaneous import (
    ALL_SIGNALS,
    BDS_SIGNALS,
    RtkSettings,
    RtkStatus,
    solve_baselines,
)
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic


def _parts(pair):
    return pair.rover, pair.base, pair.navigation, pair.base_m, pair.rover_m[0]


@pytest.mark.parametrize("signals", [{"C": ("C2I",)}, BDS_SIGNALS, ALL_SIGNALS])
def test_every_epoch_alone_is_fixed_right_within_millimetres(nagoya, signals):
    rover, base, navigation, base_m, rover_m = _parts(nagoya)
    found = solve_baselines(
        rover.part(0, 60), base, navigation, base_m, RtkSettings(signals=signals)
    )
    latitude, longitude, _ = geodetic(rover_m)
    off = (found.place_m - rover_m) @ enu_axes(latitude, longitude).T
    assert found.fixed.all()
    assert np.linalg.norm(off, axis=1).max() < 0.1
    assert np.sqrt(np.mean(off[:, 0] ** 2 + off[:, 1] ** 2)) < 0.003
    assert (found.ratio >= 3).all()


def test_a_half_cycle_that_is_slipped_in_one_phase_never_gives_a_wrong_fix(nagoya):
    rover, base, navigation, base_m, rover_m = _parts(nagoya)
    part = rover.part(0, 10)
    table = part.systems["C"]
    values = table.values.copy()
    column = table.codes.index("L2I")
    values[table.prn == table.prn[8], column] += 0.5
    spoiled = replace(part, systems={**part.systems, "C": replace(table, values=values)})
    found = solve_baselines(spoiled, base, navigation, base_m)
    off = np.linalg.norm(found.place_m - rover_m, axis=1)
    assert (off[found.fixed] < 0.1).all()


def test_an_epoch_without_its_partner_says_so(nagoya):
    rover, base, navigation, base_m, _ = _parts(nagoya)
    late = replace(base, gpst_ns=base.gpst_ns + 10**12)
    found = solve_baselines(rover.part(0, 3), late, navigation, base_m)
    assert (found.status == RtkStatus.NO_BASE_EPOCH).all()
    assert np.isnan(found.place_m).all()


def test_too_few_satellites_give_a_reason_and_no_place(nagoya):
    rover, base, navigation, base_m, _ = _parts(nagoya)
    found = solve_baselines(
        rover.part(0, 3), base, navigation, base_m, RtkSettings(mask_rad=np.deg2rad(75.0))
    )
    assert (found.status == RtkStatus.TOO_FEW_SATELLITES).all()
