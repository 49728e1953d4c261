"""GLONASS satellites: broadcast place and velocity, carried on by numeric integration.

Source: GLONASS ICD 5.1 appendix A.3.1.2 (not at hand; checked against precise orbits).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides
from zhidao.positioning.domain.satellites.orbits import SatelliteStates

_MU_M3PS2: Final = 3.986004418e14  # PZ-90.11
_SEMI_MAJOR_M: Final = 6_378_136.0
_J2: Final = 1.0826257e-3
_ROTATION_RADPS: Final = 7.292115e-5
_STEP_S: Final = 60.0


def glonass_states(
    eph: GlonassEphemerides, sent_ns: Ints, sent_fraction_s: Floats
) -> SatelliteStates:
    """States at the instants of sending (GPST), one a row, by fourth-order Runge-Kutta steps."""
    t = (sent_ns - eph.toe_ns) * 1e-9 + sent_fraction_s
    # The message's clock terms contain relativity.
    return SatelliteStates(_carried(eph, t)[:, :3], eph.clock_s + eph.clock_rate * t)


def glonass_velocity_mps(eph: GlonassEphemerides, sent_ns: Ints, sent_fraction_s: Floats) -> Floats:
    """Velocities (n, 3) in the turning frame at the instants of sending, which the steps carry."""
    return _carried(eph, (sent_ns - eph.toe_ns) * 1e-9 + sent_fraction_s)[:, 3:]


def _carried(eph: GlonassEphemerides, t: Floats) -> Floats:
    """Places and velocities (n, 6) t seconds after the reference times."""
    state = np.concatenate((eph.place_m, eph.velocity_mps), 1)
    longest_s = float(np.abs(t).max(initial=0.0))
    count = max(1, int(np.ceil(longest_s / _STEP_S)))
    h = (t / count)[:, None]
    for _ in range(count):
        k1 = _change(state, eph.acceleration_mps2)
        k2 = _change(state + h / 2 * k1, eph.acceleration_mps2)
        k3 = _change(state + h / 2 * k2, eph.acceleration_mps2)
        k4 = _change(state + h * k3, eph.acceleration_mps2)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def _change(state: Floats, acceleration_mps2: Floats) -> Floats:
    """Rate of place and velocity in the turning frame, (n, 6)."""
    x, y, z, vx, vy, _ = state.T
    r2 = x * x + y * y + z * z
    # Products, since broken powers take ten times as long.
    r3 = r2 * np.sqrt(r2)
    pull = -_MU_M3PS2 / r3
    flat = 1.5 * _J2 * _MU_M3PS2 * _SEMI_MAJOR_M**2 / (r3 * r2)
    tilt = 5 * z * z / r2
    turn = _ROTATION_RADPS
    ax = (pull - flat * (1 - tilt) + turn**2) * x + 2 * turn * vy
    ay = (pull - flat * (1 - tilt) + turn**2) * y - 2 * turn * vx
    az = (pull - flat * (3 - tilt)) * z
    return np.concatenate((state[:, 3:], np.stack((ax, ay, az), 1) + acceleration_mps2), 1)
