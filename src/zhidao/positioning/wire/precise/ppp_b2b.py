"""PPP-B2b messages 1 to 4, 6 and 7: masks, orbits, code biases and clocks from BDS GEO satellites.

Source: BDS-SIS-ICD-PPP-B2b 1.0 section 6 (not at hand; checked against an independent decoder on an
hour of real frames).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.wire.bits import Field, Layout

# 462 bits of message: type, content; the receiver's CRC and filling follow.
_MESSAGE_BITS: Final = 462
_HEAD: Final = Layout.of("kind:6 second:17 reserved:4 iod_ssr:2")
_SHORT_HEAD: Final = Layout.of("second:17 reserved:4 iod_ssr:2")
_MASK: Final = Layout.of("iodp:4 C:63 G:37 E:37 R:37")
_ORBIT: Final = Layout.of(
    "slot:9 iodn:10 iod_corr:3 radial:i15 along:i13 cross:i13 class:3 value:3"
)
_CLOCK: Final = Layout.of("iod_corr:3 clock:i15")
RADIAL_STEP_M, ACROSS_STEP_M, CLOCK_STEP_M, _BIAS_STEP_M = 0.0016, 0.0064, 0.0016, 0.017
ORBITS_A_MESSAGE: Final = 6
CLOCKS_A_MESSAGE: Final = 23
# Slots of the mask: first and last of each system.
SLOTS: Final = (("C", 1, 63), ("G", 64, 100), ("E", 101, 137), ("R", 138, 174))
# RINEX band and attribute by system and signal number of message 3.
BIAS_SIGNALS: Final = {
    "C": {0: "2I", 1: "1D", 2: "1P", 4: "5D", 5: "5P", 7: "7D", 8: "7P", 12: "6I"},
    "G": {0: "1C", 1: "1P", 4: "1L", 5: "1X", 7: "2L", 8: "2X", 11: "5I", 12: "5Q", 13: "5X"},
    "E": {1: "1B", 2: "1C", 4: "5Q", 5: "5I", 7: "7I", 8: "7Q", 11: "6C"},
    "R": {0: "1C", 1: "1P", 2: "2C"},
}


@dataclass(frozen=True, slots=True)
class B2bOrbit:
    """Correction of one satellite's broadcast place in metres: radial, along and across the track.

    NaN where the message says that there is none. iodn: issue of the ephemeris it belongs to.
    accuracy_m: the message's user range accuracy, infinite where unknown.
    """

    satellite: int
    iodn: int
    iod_corr: int
    radial_m: float
    along_m: float
    cross_m: float
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class B2bClock:
    """Correction of a clock in metres. Known by place in the mask, or, message 7, by satellite."""

    place: int
    satellite: int
    iod_corr: int
    clock_m: float


@dataclass(frozen=True, slots=True)
class B2bMessage:
    """One message. second: BDT second of day. satellites: those of the mask in its order (1)."""

    kind: int
    second: int
    iod_ssr: int
    iodp: int | None = None
    satellites: tuple[int, ...] = ()
    orbits: tuple[B2bOrbit, ...] = ()
    clocks: tuple[B2bClock, ...] = ()
    biases_m: tuple[tuple[int, str, float], ...] = ()


def satellite_of_slot(slot: int) -> int:
    """Number of the satellite of a slot, 0 for slots that are not given."""
    for system, first, last in SLOTS:
        if first <= slot <= last:
            return 100 * SYSTEMS.index(system) + slot - first + 1
    return 0


def decode_b2b(data: bytes) -> B2bMessage | None:
    """One message; None for types that carry no corrections (0, 5 and 8 to 63).

    data: at least the 462 bits that follow the frame's preamble and satellite number.
    Raises MalformedInput for fewer, or for counts that the message cannot hold.
    """
    if 8 * len(data) < _MESSAGE_BITS:
        raise MalformedInput(f"PPP-B2b: {len(data)} bytes; a message has {_MESSAGE_BITS} bits")
    kind = data[0] >> 2
    if kind in (6, 7):
        return _combined(data, kind)
    if kind not in (1, 2, 3, 4):
        return None
    head = _HEAD.read(data)
    start = _HEAD.width
    bare = B2bMessage(kind, head["second"], head["iod_ssr"])
    if kind == 1:
        mask = _MASK.read(data, start=start)
        return replace(bare, iodp=mask["iodp"], satellites=_masked(mask))
    if kind == 2:
        return replace(bare, orbits=_orbits(data, start, ORBITS_A_MESSAGE))
    if kind == 3:
        return replace(bare, biases_m=_biases(data, start))
    part = Layout.of("iodp:4 part:5").read(data, start=start)
    first = part["part"] * CLOCKS_A_MESSAGE
    clocks = _clocks(data, start + 9, CLOCKS_A_MESSAGE, first)
    return replace(bare, iodp=part["iodp"], clocks=clocks)


def _masked(mask: dict[str, int]) -> tuple[int, ...]:
    out = []
    for system, first, last in SLOTS:
        width = last - first + 1
        lead = 100 * SYSTEMS.index(system) + 1
        out += [lead + n for n in range(width) if mask[system] >> (width - 1 - n) & 1]
    return tuple(out)


def _metres(value: int, field: str, step_m: float, layout: Layout) -> float:
    """A value in metres; the lowest two numbers of a field mean that there is none."""
    width = next(f.width for f in layout.fields if f.name == field)
    return math.nan if value <= 1 - (1 << (width - 1)) else value * step_m


def _orbits(data: bytes, start: int, count: int) -> tuple[B2bOrbit, ...]:
    _refuse_beyond(start + count * _ORBIT.width)
    out = []
    for index in range(count):
        v = _ORBIT.read(data, start=start + index * _ORBIT.width)
        satellite = satellite_of_slot(v["slot"])
        if satellite:
            out.append(
                B2bOrbit(
                    satellite,
                    v["iodn"],
                    v["iod_corr"],
                    _metres(v["radial"], "radial", RADIAL_STEP_M, _ORBIT),
                    _metres(v["along"], "along", ACROSS_STEP_M, _ORBIT),
                    _metres(v["cross"], "cross", ACROSS_STEP_M, _ORBIT),
                    _accuracy_m(v["class"], v["value"]),
                )
            )
    return tuple(out)


def _accuracy_m(scale: int, value: int) -> float:
    """URA in metres: (3^class (1 + value / 4) - 1) mm; infinite where unknown or unusable."""
    if (scale, value) in ((0, 0), (7, 7)):
        return math.inf
    return (math.pow(3, scale) * (1 + value / 4) - 1) / 1000


def _clocks(data: bytes, start: int, count: int, first: int) -> tuple[B2bClock, ...]:
    _refuse_beyond(start + count * _CLOCK.width)
    out = []
    for index in range(count):
        v = _CLOCK.read(data, start=start + index * _CLOCK.width)
        clock_m = _metres(v["clock"], "clock", CLOCK_STEP_M, _CLOCK)
        out.append(B2bClock(first + index, 0, v["iod_corr"], clock_m))
    return tuple(out)


def _biases(data: bytes, start: int) -> tuple[tuple[int, str, float], ...]:
    count = Layout.of("count:5").read(data, start=start)["count"]
    at = start + 5
    out = []
    bias = Field("bias", 12, "i")
    pair = Layout((Field("signal", 4), bias))
    for _ in range(count):
        _refuse_beyond(at + 13)
        head = Layout.of("slot:9 signals:4").read(data, start=at)
        at += 13
        satellite = satellite_of_slot(head["slot"])
        _refuse_beyond(at + head["signals"] * pair.width)
        for _ in range(head["signals"]):
            v = pair.read(data, start=at)
            at += pair.width
            name = BIAS_SIGNALS[SYSTEMS[satellite // 100]].get(v["signal"]) if satellite else None
            if name:
                out.append((satellite, name, _metres(v["bias"], "bias", _BIAS_STEP_M, pair)))
    return tuple(out)


def _combined(data: bytes, kind: int) -> B2bMessage:
    """Messages 6 and 7: some clocks, then some orbits, each part with a head of its own."""
    counts = Layout.of("kind:6 clocks:5 orbits:3").read(data)
    at = 14
    clocks: tuple[B2bClock, ...] = ()
    orbits: tuple[B2bOrbit, ...] = ()
    head = {"second": 0, "iod_ssr": 0}
    iodp = None
    if counts["clocks"]:
        head = _SHORT_HEAD.read(data, start=at)
        at += _SHORT_HEAD.width
        if kind == 6:
            place = Layout.of("iodp:4 first:9").read(data, start=at)
            iodp = place["iodp"]
            clocks = _clocks(data, at + 13, counts["clocks"], place["first"])
            at += 13 + counts["clocks"] * _CLOCK.width
        else:
            clocks = _slot_clocks(data, at, counts["clocks"])
            at += counts["clocks"] * (9 + _CLOCK.width)
    if counts["orbits"]:
        head = _SHORT_HEAD.read(data, start=at)
        orbits = _orbits(data, at + _SHORT_HEAD.width, counts["orbits"])
    return B2bMessage(
        kind, head["second"], head["iod_ssr"], iodp=iodp, orbits=orbits, clocks=clocks
    )


def _slot_clocks(data: bytes, start: int, count: int) -> tuple[B2bClock, ...]:
    form = Layout((Field("slot", 9), *_CLOCK.fields))
    _refuse_beyond(start + count * form.width)
    out = []
    for index in range(count):
        v = form.read(data, start=start + index * form.width)
        clock_m = _metres(v["clock"], "clock", CLOCK_STEP_M, _CLOCK)
        out.append(B2bClock(-1, satellite_of_slot(v["slot"]), v["iod_corr"], clock_m))
    return tuple(out)


def _refuse_beyond(stop: int) -> None:
    if stop > _MESSAGE_BITS:
        raise MalformedInput(f"PPP-B2b: content of {stop} bits in a message of {_MESSAGE_BITS}")
