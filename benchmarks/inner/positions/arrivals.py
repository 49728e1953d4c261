"""Arrivals: how many honest windows the checks of signals block.

Real ones: all windows that do not overlap of the recordings with code, phase, Doppler and strength
(Esbjerg at 30 s, two receivers of Nagoya at 1 Hz). Simulated ones are called so: their noise is
fitted to those recordings. Each goes through `evaluate`, as in a node.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from benchmarks.inner.positions.positioning_runs import DATA
from benchmarks.measuring import claim
from zhidao.core.geo import Ecef, Geodetic
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, Settings
from zhidao.positioning.domain.synthesis.arrival_study import honest_window, sky
from zhidao.positioning.events import Site
from zhidao.positioning.service.evaluation import evaluate
from zhidao.positioning.wire.position_evidence import PositionEvidence, Question
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

_REAL: Final = (
    (
        "esbc_2020177/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz",
        "esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz",
        12,
    ),
    ("rtk_static_pair/base.obs.gz", "rtk_static_pair/base.nav.gz", 75),
    ("rtk_static_pair/rover.obs.gz", "rtk_static_pair/base.nav.gz", 75),
)
_RISK_PPB: Final = 10_000
_RADIUS_M: Final = 150.0
_SKIES: Final = 20
_SIMULATED: Final = (300, 10_000)


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims of this file: 300 simulated windows, 10,000 when long."""
    yield from _real()
    yield from _simulated(_SIMULATED[long])


def _real() -> Iterator[dict[str, Any]]:
    if not DATA.is_dir():
        yield claim("arrival_real_windows", [0], "")
        return
    said: Counter[str] = Counter()
    for observations, navigation, epochs in _REAL:
        data = (DATA / navigation).read_bytes()
        whole = read_observations((DATA / observations).read_bytes(), systems="CEG")
        solved = solve(whole, read_navigation(data), Settings(signals=dict(B1I_L1_E1)))
        place = Ecef(*np.median(solved.ecef_m, axis=0).tolist()).to_geodetic()
        for first in range(0, len(whole.gpst_ns) - epochs + 1, epochs):
            said[_decision(whole.part(first, first + epochs), data, place)] += 1
    count, blocked = said.total(), said.total() - said["inside"]
    yield claim("arrival_real_windows", [count], "")
    yield claim("arrival_real_windows_blocked", [blocked], "", target=0, at_most=True)
    # None of n: the chance is below 3 / n, surely to 95 % (the rule of three).
    yield claim("arrival_real_blocked_percent_95", [_bound_percent(blocked, count)], "%")


def _bound_percent(blocked: int, count: int) -> float:
    """Upper bound at 95 %, by the normal quantile above a few and the rule of three at none."""
    return 100 * (3 if not blocked else blocked + 1.96 * (blocked + 1) ** 0.5 + 1.92) / count


def _simulated(count: int) -> Iterator[dict[str, Any]]:
    said: Counter[str] = Counter()
    spent = []
    for each in range(_SKIES):
        navigation = sky(each)
        data = write_navigation(navigation)
        for number in range(count // _SKIES):
            window = honest_window(navigation, of_sky=each, number=number)
            began = time.process_time()
            said[_decision(window.seen, data, window.place)] += 1
            spent.append(time.process_time() - began)
    suspect = sum(n for what, n in said.items() if what.startswith(("signals", "unchecked")))
    yield claim("arrival_simulated_windows", [said.total()], "")
    yield claim(
        "arrival_simulated_windows_blocked_per_1000",
        [1_000 * suspect / said.total()],
        "",
        target=1,
        at_most=True,
    )
    yield claim("arrival_simulated_windows_proven", [100 * said["inside"] / said.total()], "%")
    yield claim("arrival_window_evaluated_s", [float(np.median(spent))], "s")


def _decision(seen: Observations, navigation: bytes, place: Geodetic) -> str:
    first, last = seen.utc(0), seen.utc(-1)
    question = Question(
        consignment="C-1",
        terminal="T-1",
        site=Site(
            name="Yard",
            latitude_ndeg=place.latitude_ndeg,
            longitude_ndeg=place.longitude_ndeg,
            radius_mm=round(_RADIUS_M * 1000),
        ),
        not_before=str(first.plus_ns(-3_600 * 10**9)),
        not_after=str(last.plus_ns(3_600 * 10**9)),
        risk_ppb=_RISK_PPB,
    )
    data = evaluate(question, write_observations(seen), navigation, Settings.of_arrivals())
    return PositionEvidence.decode(data).result.decision
