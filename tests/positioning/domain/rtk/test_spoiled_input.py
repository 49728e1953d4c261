"""Whatever a receiver writes, every epoch has a place or a reason, and nothing raises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.positioning.domain.ppp.ppp_settings import PppSettings
from zhidao.positioning.domain.ppp.solving import PppReason, solve_precise
from zhidao.positioning.domain.rtk.baselines import RtkReason
from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
from zhidao.positioning.domain.rtk.rtk_settings import CONTINUOUS, HOLD, INSTANTANEOUS, RtkSettings
from zhidao.positioning.domain.satellites.precise import PreciseTable

_STRANGE = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-300, 1e6, 2.1e7, 4e7, 1e300)


def _spoiled(seen, seed, share):
    """Strange values, lost rows, strange digits and a repeated satellite."""
    chance = np.random.default_rng(seed)
    systems = {}
    for system, table in seen.systems.items():
        values = table.values.copy()
        hit = chance.random(values.shape) < share
        values[hit] = chance.choice(_STRANGE, int(hit.sum()))
        keep = chance.random(len(table.prn)) > share
        digits = np.where(hit, chance.integers(0, 8, values.shape), table.lost_lock)
        prn = np.where(chance.random(len(table.prn)) < share / 4, table.prn[0], table.prn)
        systems[system] = replace(
            table,
            epoch=table.epoch[keep],
            prn=prn[keep],
            values=values[keep],
            lost_lock=digits[keep].astype(np.uint8),
            strength=table.strength[keep],
        )
    return replace(seen, systems=systems)


@pytest.mark.parametrize("mode", [INSTANTANEOUS, CONTINUOUS, HOLD])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_baselines_say_why_instead_of_raising(nagoya, mode, seed, share):
    rover = _spoiled(nagoya.rover.part(0, 4), seed, share)
    base = _spoiled(nagoya.base.part(0, 4), seed + 1, share)
    chosen = RtkSettings(signals={"C": ("C2I", "C6I"), "R": ("C1C",)}, mode=mode)
    found = solve_baselines(rover, base, nagoya.navigation, nagoya.base_m, chosen)
    assert len(found.status) == 4
    assert ((found.reason == RtkReason.OK) == found.fixed).all()
    placed = np.isfinite(found.place_m).all(1)
    assert (placed == (found.status <= 1)).all()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_precise_points_say_why_instead_of_raising(nagoya, seed, share):
    seen = _spoiled(nagoya.rover.part(0, 4), seed, share)
    chance = np.random.default_rng(seed)
    times = seen.gpst_ns[0] + (np.arange(24) - 12) * 900 * 10**9
    satellites = 300 + np.arange(1, 61)
    place_m = chance.normal(0, 2e7, (24, 60, 3))
    place_m[chance.random((24, 60)) < 0.01] = np.nan
    table = PreciseTable(times, satellites, place_m, chance.normal(0, 1e-4, (24, 60)))

    class Products:
        code_bias_m: dict[tuple[int, str], float] = {}  # noqa: RUF012

        def states(self, satellite, gpst_ns, fraction_s):
            from zhidao.positioning.domain.satellites.precise import precise_states

            return precise_states(table, table, satellite, gpst_ns, fraction_s)

    chosen = PppSettings(pairs={"C": ("2I", "6I")})
    found = solve_precise(seen, Products(), chosen)
    assert (np.isfinite(found.ecef_m).all(1) == (found.reason == PppReason.OK)).all()
