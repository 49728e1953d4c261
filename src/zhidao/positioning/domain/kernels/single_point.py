"""Weighted least squares of single point positions, epoch by epoch. Twin: `domain.spp`.

Formulas, constants and stopping rules are those of the twin and of `domain.atmosphere` and
`domain.geometry`, where their sources stand; a test holds both together to 1e-6 m.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints

_LIGHT_MPS: Final = 299_792_458.0
_SEMI_MAJOR_M: Final = 6_378_137.0
_FLATTENING: Final = 1 / 298.257223563
_E2: Final = _FLATTENING * (2 - _FLATTENING)
_DAY_S: Final = 86_400.0
_B1I_HZ: Final = 1561.098e6
_L1_HZ: Final = 1575.42e6
_SHELL_RATIO: Final = 6378.0 / (6378.0 + 375.0)
_ROUGH_ROUNDS: Final = 7
_FINE_ROUNDS: Final = 8
_STEP_M: Final = 1e-4
_ROUGH_STEP_M: Final = 1e-6
_LOG_DETERMINANT_MIN: Final = math.log(1e-13)
_HALF_PI: Final = math.pi / 2
_NOT_A_NUMBER: Final = np.nan


@kernel
def _geodetic(x: float, y: float, z: float) -> tuple[float, float, float]:
    across = math.hypot(x, y)
    minor = _SEMI_MAJOR_M * (1 - _FLATTENING)
    second = _E2 / (1 - _FLATTENING) ** 2
    reduced = math.atan2(z, across * (1 - _FLATTENING))
    latitude = reduced
    for _ in range(3):
        sine, cosine = math.sin(reduced), math.cos(reduced)
        latitude = math.atan2(
            z + second * minor * sine * sine * sine,
            across - _E2 * _SEMI_MAJOR_M * cosine * cosine * cosine,
        )
        reduced = math.atan2((1 - _FLATTENING) * math.sin(latitude), math.cos(latitude))
    sine = math.sin(latitude)
    height = across * math.cos(latitude) + z * sine
    height -= _SEMI_MAJOR_M * math.sqrt(1 - _E2 * sine * sine)
    return latitude, math.atan2(y, x), height


@kernel
def _zenith_air_m(latitude: float, height: float) -> float:
    held = min(max(height, -500.0), 20_000.0)
    pressure = 1013.25 * (1 - 2.2557e-5 * held) ** 5.2568
    kelvin = 288.16 - 6.5e-3 * min(held, 11_000.0)
    vapour = 6.108 * 0.7 * math.exp((17.15 * kelvin - 4684.0) / (kelvin - 38.45))
    gravity = 1 - 0.00266 * math.cos(2 * latitude) - 0.00028 * held / 1000
    wet: float = 0.002277 * (1255 / kelvin + 0.05) * vapour
    dry: float = 0.0022768 * pressure / gravity
    return dry + wet


@kernel
def _cubic(terms: Floats, first: int, x: float) -> float:
    value: float = terms[first] + x * (
        terms[first + 1] + x * (terms[first + 2] + x * terms[first + 3])
    )
    return value


@kernel
def _since_noon(local_s: float) -> float:
    since: float = (local_s - 50_400.0 + _DAY_S / 2) % _DAY_S - _DAY_S / 2
    return since


@kernel
def _bds_charge_m(
    terms: Floats, place: Floats, up: float, azimuth: float, second: float, hertz: float
) -> float:
    """terms: alpha, beta. place: latitude, longitude."""
    bent = _SHELL_RATIO * math.cos(up)
    angle = _HALF_PI - up - math.asin(bent)
    sine = math.sin(place[0]) * math.cos(angle)
    sine += math.cos(place[0]) * math.sin(angle) * math.cos(azimuth)
    pierced = math.asin(min(max(sine, -1.0), 1.0))
    east = math.sin(angle) * math.sin(azimuth) / max(math.cos(pierced), 1e-9)
    longitude = place[1] + math.asin(min(max(east, -1.0), 1.0))
    far = abs(pierced) / math.pi
    amplitude = max(_cubic(terms, 0, far), 0.0)
    period = min(max(_cubic(terms, 4, far), 72_000.0), 172_800.0)
    since = _since_noon(second + longitude * _DAY_S / (2 * math.pi))
    delay = 5e-9
    if abs(since) < period / 4:
        delay += amplitude * math.cos(2 * math.pi * since / period)
    return _LIGHT_MPS * delay / math.sqrt(1 - bent * bent) * (_B1I_HZ / hertz) ** 2


@kernel
def _gps_charge_m(
    terms: Floats, place: Floats, up: float, azimuth: float, second: float, hertz: float
) -> float:
    height = up / math.pi
    angle = 0.0137 / (height + 0.11) - 0.022
    pierced = place[0] / math.pi + angle * math.cos(azimuth)
    pierced = min(max(pierced, -0.416), 0.416)
    east = place[1] / math.pi + angle * math.sin(azimuth) / math.cos(pierced * math.pi)
    magnetic = pierced + 0.064 * math.cos((east - 1.617) * math.pi)
    amplitude = max(_cubic(terms, 0, magnetic), 0.0)
    period = max(_cubic(terms, 4, magnetic), 72_000.0)
    x = 2 * math.pi * _since_noon(second + east * _DAY_S / 2) / period
    delay = 5e-9
    if abs(x) < 1.57:
        delay += amplitude * (1 - x**2 / 2 + x**4 / 24)
    slant = 1 + 16 * (0.53 - height) ** 3
    return _LIGHT_MPS * slant * delay * (_L1_HZ / hertz) ** 2


@kernel
def _sight(satellite: Floats, state: Floats, turn: float, toward: Floats) -> float:
    """Range with the Earth's turn on the way; `toward` gets the unit vector."""
    for i in range(3):
        toward[i] = satellite[i] - state[i]
    straight = math.sqrt(toward[0] ** 2 + toward[1] ** 2 + toward[2] ** 2)
    for i in range(3):
        toward[i] /= max(straight, 1.0)
    cross: float = satellite[0] * state[1] - satellite[1] * state[0]
    return straight + turn / _LIGHT_MPS * cross


@kernel
def _hold_idle(normal: Floats) -> int:
    """Holds clocks without a range by a weight of 1; how many there are."""
    idle = 0
    for i in range(3, len(normal)):
        if normal[i, i] == 0:
            normal[i, i] = 1.0
            idle += 1
    return idle


@kernel
def _root(normal: Floats, root: Floats) -> bool:
    """Lower root of a matrix of unit diagonal; False if it is (nearly) singular."""
    logarithm = 0.0
    for i in range(len(normal)):
        for j in range(i + 1):
            total = normal[i, j]
            for k in range(j):
                total -= root[i, k] * root[j, k]
            if i > j:
                root[i, j] = total / root[j, j]
            elif total > 0:
                root[i, i] = math.sqrt(total)
                logarithm += 2 * math.log(root[i, i])
            else:
                return False
    return logarithm > _LOG_DETERMINANT_MIN


@kernel
def _turn_over(root: Floats) -> None:
    """Replaces a lower triangle by its inverse."""
    for i in range(len(root)):
        root[i, i] = 1 / root[i, i]
        for j in range(i):
            total = 0.0
            for k in range(j, i):
                total -= root[i, k] * root[k, j]
            root[i, j] = total * root[i, i]


@kernel
def _invert(normal: Floats, used: int, inverse: Floats) -> bool:
    """Inverse of the normal matrix, of which the lower triangle is given; False if singular."""
    size = len(normal)
    if used + _hold_idle(normal) < size:
        return False
    scale = np.empty(size)
    for i in range(size):
        if normal[i, i] <= 0:
            return False
        scale[i] = math.sqrt(normal[i, i])
    for i in range(size):
        for j in range(i + 1):
            normal[i, j] /= scale[i] * scale[j]
    root = np.zeros((size, size))
    if not _root(normal, root):
        return False
    _turn_over(root)
    for i in range(size):
        for j in range(size):
            total = 0.0
            for k in range(max(i, j), size):
                total += root[k, i] * root[k, j]
            inverse[i, j] = total / (scale[i] * scale[j])
    return True


@kernel
def _step(design: Floats, weight: Floats, residual: Floats, inverse: Floats, step: Floats) -> bool:
    """One least-squares step; zero, and False, where the system is singular."""
    size = design.shape[1]
    normal = np.zeros((size, size))
    right = np.zeros(size)
    used = 0
    for cell in range(len(weight)):
        if weight[cell] <= 0:
            continue
        used += 1
        for i in range(size):
            part = weight[cell] * design[cell, i]
            if part == 0:
                continue
            right[i] += part * residual[cell]
            for j in range(i + 1):
                normal[i, j] += part * design[cell, j]
    good = _invert(normal, used, inverse)
    for i in range(size):
        step[i] = 0.0
        if good:
            for j in range(size):
                step[i] += inverse[i, j] * right[j]
    return good


@kernel
def _near_earth(state: Floats) -> bool:
    length = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
    return abs(length - 6_367_000.0) < 100_000


@kernel
def _rough(
    allowed: Bools,
    system: Ints,
    ranges: Floats,
    place_m: Floats,
    state: Floats,
    residual: Floats,
    design: Floats,
) -> None:
    """Place and clocks without atmosphere, from the Earth's centre."""
    weight = allowed.astype(np.float64)
    toward = np.empty(3)
    step = np.empty(len(state))
    inverse = np.empty((len(state), len(state)))
    for _ in range(_ROUGH_ROUNDS):
        design[:, :] = 0.0
        for cell in range(len(allowed)):
            residual[cell] = 0.0
            if allowed[cell]:
                away = _sight(place_m[cell], state, ranges[cell, 1], toward)
                residual[cell] = ranges[cell, 0] - away - state[3 + system[cell]]
                for i in range(3):
                    design[cell, i] = -toward[i]
                design[cell, 3 + system[cell]] = 1.0
        _step(design, weight, residual, inverse, step)
        for i in range(len(state)):
            state[i] += min(max(step[i], -1e8), 1e8)
        if np.abs(step).max() < _ROUGH_STEP_M:
            # The rounds that the twin still makes would change nothing that counts.
            break


@kernel
def _axes(latitude: float, longitude: float, axes: Floats) -> None:
    """Rows east, north, up."""
    sin_p, cos_p = math.sin(latitude), math.cos(latitude)
    sin_l, cos_l = math.sin(longitude), math.cos(longitude)
    axes[0, 0], axes[0, 1], axes[0, 2] = -sin_l, cos_l, 0.0
    axes[1, 0], axes[1, 1], axes[1, 2] = -sin_p * cos_l, -sin_p * sin_l, cos_p
    axes[2, 0], axes[2, 1], axes[2, 2] = cos_p * cos_l, cos_p * sin_l, sin_p


@kernel
def _charge_m(
    form: int, terms: Floats, where: Floats, up: float, azimuth: float, second: float, hertz: float
) -> float:
    if form == 1:
        return _bds_charge_m(terms, where, up, azimuth, second, hertz)
    if form == 2:
        return _gps_charge_m(terms, where, up, azimuth, second, hertz)
    return 0.0


@kernel
def _local(axes: Floats, toward: Floats, design: Floats) -> tuple[float, float]:
    """Writes the row of a design in east, north, up; elevation and azimuth."""
    for i in range(3):
        design[i] = -(axes[i, 0] * toward[0] + axes[i, 1] * toward[1] + axes[i, 2] * toward[2])
    for i in range(3, len(design)):
        design[i] = 0.0
    up = math.asin(min(max(-design[2], -1.0), 1.0))
    return up, math.atan2(-design[0], -design[1])


@kernel
def _look(
    allowed: Bools,
    present: Bools,
    system: Ints,
    ranges: Floats,
    place_m: Floats,
    second: float,
    form: int,
    terms: Floats,
    numbers: Floats,
    here: Floats,
    where: Floats,
    axes: Floats,
    sky: Floats,
    design: Floats,
) -> None:
    """The sky as seen from a state. ranges (s, 5): range, turn, carrier, noise, extra variance."""
    where[0], where[1], where[2] = _geodetic(here[0], here[1], here[2])
    _axes(where[0], where[1], axes)
    air = _zenith_air_m(where[0], where[2])
    toward = np.empty(3)
    for cell in range(len(allowed)):
        away = _sight(place_m[cell], here, ranges[cell, 1], toward)
        up, azimuth = _local(axes, toward, design[cell])
        if present[cell]:
            design[cell, 3 + system[cell]] = 1.0
        held = max(up, numbers[0])
        charge = _charge_m(form, terms, where, held, azimuth, second, ranges[cell, 2])
        sky[cell, 0], sky[cell, 1], sky[cell, 2] = up, azimuth, charge
        sky[cell, 3], sky[cell, 4] = 0.0, 0.0
        if allowed[cell] and up >= numbers[0]:
            sine = math.sin(held)
            slant = air * (1.001 / math.sqrt(0.002001 + sine**2))
            clock = here[3 + system[cell]]
            sky[cell, 3] = ranges[cell, 0] - away - clock - slant - charge
            variance = numbers[1] ** 2 + (numbers[2] / sine) ** 2
            sky[cell, 4] = 1 / (variance * ranges[cell, 3] ** 2 + ranges[cell, 4])


@kernel
def _move(here: Floats, axes: Floats, step: Floats) -> float:
    """Takes a step, and stays near the Earth; its length."""
    for i in range(3):
        for j in range(3):
            here[i] += axes[j, i] * step[j]
    for i in range(3, len(here)):
        here[i] += step[i]
    if not _near_earth(here):
        here[0], here[1], here[2] = 6.4e6, 0.0, 0.0
    return math.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)


@kernel
def fit_epochs(
    allowed: Bools,
    present: Bools,
    system: Ints,
    ranges: Floats,
    place_m: Floats,
    second: Floats,
    form: int,
    terms: Floats,
    numbers: Floats,
    state: Floats,
    where: Floats,
    sky: Floats,
    design: Floats,
    inverse: Floats,
    good: Bools,
) -> None:
    """Fits all epochs.

    ranges (e, s, 5): range, the Earth's turn, carrier, noise, further variance. second (e,): of
    day. form: 0 no ionosphere, 1 BDS, 2 GPS. terms (8,): alpha, beta. numbers: mask in radians,
    zenith and slant deviation in metres.
    Out: state (e, p), where (e, 3) geodetic, sky (e, s, 6): elevation, azimuth, ionosphere,
    residual, weight, rough residual; design (e, s, p), inverse (e, p, p), good (e, 2): near Earth,
    converged.
    """
    step = np.empty(state.shape[1])
    axes = np.empty((3, 3))
    state[:, :] = 0.0
    for epoch in range(len(state)):
        here, cells = state[epoch], ranges[epoch]
        _rough(
            allowed[epoch], system[epoch], cells, place_m[epoch], here, sky[epoch, :, 5],
            design[epoch],
        )  # fmt: skip
        near = _near_earth(here)
        if not near:
            here[:] = 0.0
            here[0] = 6.4e6
        moved, solved = np.inf, False
        for at in range(_FINE_ROUNDS + 1):
            _look(
                allowed[epoch], present[epoch], system[epoch], cells, place_m[epoch],
                second[epoch], form, terms, numbers, here, where[epoch], axes, sky[epoch],
                design[epoch],
            )  # fmt: skip
            solved = _step(design[epoch], sky[epoch, :, 4], sky[epoch, :, 3], inverse[epoch], step)
            if at == _FINE_ROUNDS or moved <= _STEP_M:
                break
            moved = _move(here, axes, step)
        if not solved:
            inverse[epoch] = _NOT_A_NUMBER
        good[epoch, 0] = near
        good[epoch, 1] = near and solved and moved <= 10 * _STEP_M
