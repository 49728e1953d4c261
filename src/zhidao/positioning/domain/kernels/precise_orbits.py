"""Places and velocities between the times of precise orbits, compiled; twin: `precise`."""

from __future__ import annotations

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Floats, Ints


@kernel
def interpolate(
    times_ns: Ints,
    place_m: Floats,
    column: Ints,
    at_ns: Ints,
    fraction_s: Floats,
    points: int,
    rotation_radps: float,
    found: Floats,
) -> None:
    """Fills found (n, 6): place and inertial velocity in the axes of the instant asked for.

    A polynomial runs through `points` times about the instant, in the frame that stands still.
    column (n,): the satellite's in place_m (t, s, 3), or -1, which leaves the row as it is.
    """
    count = len(times_ns)
    t = np.empty(points)
    work = np.empty((points, 3))
    slope = np.empty((points, 3))
    for row in range(len(at_ns)):
        here = column[row]
        if here < 0 or at_ns[row] < times_ns[0] or at_ns[row] > times_ns[count - 1]:
            continue
        first = np.searchsorted(times_ns, at_ns[row]) - (points + 1) // 2
        first = min(max(first, 0), count - points)
        for k in range(points):
            t[k] = (times_ns[first + k] - at_ns[row]) * 1e-9 - fraction_s[row]
            sine, cosine = np.sin(rotation_radps * t[k]), np.cos(rotation_radps * t[k])
            x, y = place_m[first + k, here, 0], place_m[first + k, here, 1]
            work[k, 0] = cosine * x - sine * y
            work[k, 1] = sine * x + cosine * y
            work[k, 2] = place_m[first + k, here, 2]
            slope[k, :] = 0.0
        for step in range(1, points):
            for k in range(points - step):
                left, right = t[k], t[k + step]
                span = left - right
                for axis in range(3):
                    a, b = work[k, axis], work[k + 1, axis]
                    slope[k, axis] = (
                        left * slope[k + 1, axis] - right * slope[k, axis] + a - b
                    ) / span
                    work[k, axis] = (left * b - right * a) / span
        found[row, :3] = work[0]
        found[row, 3:] = slope[0]
