"""Ranges smoothed by phases, satellite after satellite. Twin: `domain.smoothing`.

Formulas and their sources stand with the twin; a test holds both together to 1e-6 m.
"""

from __future__ import annotations

import math

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints


@kernel
def _why(now: Floats, before: Floats, step_s: float, lost: int, limits: Floats) -> int:
    """Why smoothing starts anew at a row, 0 if it goes on. Columns: code, phase, rate, GF, MW."""
    if not math.isfinite(now[1]):
        return 7
    if not math.isfinite(before[1]) or step_s > limits[0]:
        return 1
    if lost > 0:
        return 2
    moved = now[1] - before[1]
    told = (now[2] + before[2]) / 2 * step_s
    if math.isfinite(told) and abs(moved - told) > limits[1] + limits[2] * step_s:
        return 3
    if abs(now[3] - before[3]) > limits[3] + limits[4] * step_s:
        return 4
    if abs(now[4] - before[4]) > limits[5]:
        return 5
    return 0


@kernel
def smooth_rows(
    satellite: Ints,
    second: Floats,
    columns: Floats,
    lost: Bools,
    limits: Floats,
    smooth: Floats,
    reason: Bytes,
) -> None:
    """Rows sorted by satellite and time.

    columns (n, 6): code, phase, rate by Doppler, geometry-free phase, Melbourne-Wuebbena in metres,
    window in seconds. limits: gap in seconds, then Doppler (fixed, per second), geometry-free
    (fixed, per second), Melbourne-Wuebbena, code.
    Out: smooth (n,), reason (n,), 0 where smoothing went on.
    """
    count = 0.0
    for row in range(len(satellite)):
        why = 1
        predicted = columns[row, 0]
        step_s = 1.0
        if row > 0 and satellite[row] == satellite[row - 1]:
            step_s = second[row] - second[row - 1]
            why = _why(columns[row], columns[row - 1], step_s, int(lost[row]), limits)
            predicted = smooth[row - 1] + columns[row, 1] - columns[row - 1, 1]
            if why == 0 and not abs(columns[row, 0] - predicted) <= limits[6]:
                why = 6
        elif not math.isfinite(columns[row, 1]):
            why = 7
        reason[row] = why
        if why > 0:
            count = 1.0
            smooth[row] = columns[row, 0]
            continue
        count = min(count + 1, max(columns[row, 5] / step_s, 1.0))
        smooth[row] = columns[row, 0] / count + (count - 1) / count * predicted
