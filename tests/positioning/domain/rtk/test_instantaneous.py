from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.positioning.domain.geometry import ecef, enu_axes, geodetic
from zhidao.positioning.domain.rtk.instantaneous import (
    ALL_SIGNALS,
    BDS_SIGNALS,
    RtkSettings,
    RtkStatus,
    solve_baselines,
)
from zhidao.positioning.wire.rinex_nav import read_navigation
from zhidao.positioning.wire.rinex_obs import read_observations


@pytest.fixture(scope="module")
def nagoya(shared):
    """Two receivers a metre apart, their places and the broadcast orbits."""
    folder = shared / "positioning" / "rtk_static_pair"

    def place(name):
        latitude, longitude, height_m = map(float, (folder / name).read_text().split())
        return ecef(np.deg2rad(latitude), np.deg2rad(longitude), np.float64(height_m))

    return (
        read_observations((folder / "rover.obs.gz").read_bytes()),
        read_observations((folder / "base.obs.gz").read_bytes()),
        read_navigation((folder / "base.nav.gz").read_bytes()),
        place("base_position.txt"),
        place("rover_position.txt"),
    )


def _first(seen, epochs):
    systems = {}
    for system, table in seen.systems.items():
        rows = table.epoch < epochs
        systems[system] = replace(
            table,
            **{
                name: getattr(table, name)[rows]
                for name in ("epoch", "prn", "values", "lost_lock", "strength")
            },
        )
    return replace(
        seen,
        gpst_ns=seen.gpst_ns[:epochs],
        power_failed=seen.power_failed[:epochs],
        systems=systems,
    )


@pytest.mark.parametrize("signals", [{"C": ("C2I",)}, BDS_SIGNALS, ALL_SIGNALS])
def test_every_epoch_alone_is_fixed_right_within_millimetres(nagoya, signals):
    rover, base, navigation, base_m, rover_m = nagoya
    found = solve_baselines(
        _first(rover, 60), base, navigation, base_m, RtkSettings(signals=signals)
    )
    latitude, longitude, _ = geodetic(rover_m)
    off = (found.place_m - rover_m) @ enu_axes(latitude, longitude).T
    assert found.fixed.all()
    assert np.linalg.norm(off, axis=1).max() < 0.1
    assert np.sqrt(np.mean(off[:, 0] ** 2 + off[:, 1] ** 2)) < 0.003
    assert (found.ratio >= 3).all()


def test_a_half_cycle_that_is_slipped_in_one_phase_never_gives_a_wrong_fix(nagoya):
    rover, base, navigation, base_m, rover_m = nagoya
    part = _first(rover, 10)
    table = part.systems["C"]
    values = table.values.copy()
    column = table.codes.index("L2I")
    values[table.prn == table.prn[8], column] += 0.5
    spoiled = replace(part, systems={**part.systems, "C": replace(table, values=values)})
    found = solve_baselines(spoiled, base, navigation, base_m)
    off = np.linalg.norm(found.place_m - rover_m, axis=1)
    assert (off[found.fixed] < 0.1).all()


def test_an_epoch_without_its_partner_says_so(nagoya):
    rover, base, navigation, base_m, _ = nagoya
    late = replace(base, gpst_ns=base.gpst_ns + 10**12)
    found = solve_baselines(_first(rover, 3), late, navigation, base_m)
    assert (found.status == RtkStatus.NO_BASE_EPOCH).all()
    assert np.isnan(found.place_m).all()


def test_too_few_satellites_give_a_reason_and_no_place(nagoya):
    rover, base, navigation, base_m, _ = nagoya
    found = solve_baselines(
        _first(rover, 3), base, navigation, base_m, RtkSettings(mask_rad=np.deg2rad(75.0))
    )
    assert (found.status == RtkStatus.TOO_FEW_SATELLITES).all()
