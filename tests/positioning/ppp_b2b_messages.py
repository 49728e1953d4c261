"""PPP-B2b messages 1, 2 and 4 written, for corrections of one's own and for tests.

The twin of `ppp_b2b`, with the same source. CRC and the frame around a message are not written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.precise.ppp_b2b import (
    ACROSS_STEP_M,
    CLOCK_STEP_M,
    CLOCKS_A_MESSAGE,
    ORBITS_A_MESSAGE,
    RADIAL_STEP_M,
    SLOTS,
    B2bOrbit,
)

_BYTES: Final = 58  # 462 bits and two of filling
_HEAD: Final = "kind:6 second:17 reserved:4 iod_ssr:2 "


def slot_of(satellite: int) -> int:
    """Slot of a satellite in masks. Raises MalformedInput for one that has none."""
    for system, first, last in SLOTS:
        if satellite // 100 == SYSTEMS.index(system) and satellite % 100 <= last - first + 1:
            return first + satellite % 100 - 1
    raise MalformedInput(f"PPP-B2b has no slot for the satellite {satellite}")


def mask_message(satellites: Sequence[int], *, second: int, iod_ssr: int, iodp: int) -> bytes:
    """Message 1: which satellites the corrections are for."""
    slots = {slot_of(satellite) for satellite in satellites}
    layout = _HEAD + "iodp:4 C:63 G:37 E:37 R:37"
    values = {"kind": 1, "second": second, "iod_ssr": iod_ssr, "iodp": iodp}
    for system, first, last in SLOTS:
        values[system] = sum(1 << (last - slot) for slot in slots if first <= slot <= last)
    return Layout.of(layout).write(values).ljust(_BYTES, b"\0")


def orbit_message(orbits: Sequence[B2bOrbit], *, second: int, iod_ssr: int) -> bytes:
    """Message 2: up to six orbits; accuracy is written as unknown."""
    if len(orbits) > ORBITS_A_MESSAGE:
        raise MalformedInput(f"{len(orbits)} orbits in one PPP-B2b message")
    layout, values = _HEAD, {"kind": 2, "second": second, "iod_ssr": iod_ssr}
    for n in range(ORBITS_A_MESSAGE):
        layout += f"s{n}:9 n{n}:10 c{n}:3 r{n}:i15 a{n}:i13 x{n}:i13 k{n}:3 v{n}:3 "
    for n, orbit in enumerate(orbits):
        values |= {
            f"s{n}": slot_of(orbit.satellite),
            f"n{n}": orbit.iodn,
            f"c{n}": orbit.iod_corr,
            f"r{n}": _steps(orbit.radial_m, RADIAL_STEP_M, 15),
            f"a{n}": _steps(orbit.along_m, ACROSS_STEP_M, 13),
            f"x{n}": _steps(orbit.cross_m, ACROSS_STEP_M, 13),
        }
    return Layout.of(layout).write(values).ljust(_BYTES, b"\0")


def clock_message(
    clocks: Sequence[tuple[int, float]], *, second: int, iod_ssr: int, iodp: int, part: int
) -> bytes:
    """Message 4: (IOD Corr, metres) of the places 23 x part and on in the mask."""
    if len(clocks) > CLOCKS_A_MESSAGE:
        raise MalformedInput(f"{len(clocks)} clocks in one PPP-B2b message")
    layout = _HEAD + "iodp:4 part:5 "
    values = {"kind": 4, "second": second, "iod_ssr": iod_ssr, "iodp": iodp, "part": part}
    for n in range(CLOCKS_A_MESSAGE):
        layout += f"c{n}:3 v{n}:i15 "
        iod_corr, clock_m = clocks[n] if n < len(clocks) else (0, math.nan)
        values |= {f"c{n}": iod_corr, f"v{n}": _steps(clock_m, CLOCK_STEP_M, 15)}
    return Layout.of(layout).write(values).ljust(_BYTES, b"\0")


def _steps(value_m: float, step_m: float, width: int) -> int:
    """Whole steps; the least number stands for a value that is not known or does not fit."""
    least = -(1 << (width - 1))
    if not math.isfinite(value_m):
        return least
    steps = round(value_m / step_m)
    return steps if least + 1 < steps < -least else least
