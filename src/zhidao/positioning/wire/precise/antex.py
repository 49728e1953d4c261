"""Offsets of satellite antennas from ANTEX files such as igs14.atx; variations are passed over.

Source: ANTEX 1.4 of 2010 (not at hand).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines

BYTES_MAX: Final = 128 * 1024 * 1024
_NS: Final = 1_000_000_000
_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ns")
# Squares of the carriers that clocks of each system refer to, by ANTEX frequency.
_PAIRS: Final = {
    "G": (("G01", 1575.42), ("G02", 1227.60)),
    "R": (("R01", 9.0), ("R02", 7.0)),
    "E": (("E01", 1575.42), ("E05", 1176.45)),
    "C": (("C02", 1561.098), ("C06", 1268.52)),
    "J": (("J01", 1575.42), ("J02", 1227.60)),
}
_Offset = tuple[float, float, float]


def read_antennas(data: bytes, *, gpst_ns: int) -> dict[int, _Offset]:
    """Offsets in metres by satellite number at an instant, for the pair free of ionosphere.

    Satellite axes: z to the Earth, x towards the Sun. Raises MalformedInput with the line for
    anything that is no ANTEX file. Satellites without both frequencies are left out.
    """
    lines = Lines(plain_text(data, bytes_max=BYTES_MAX))
    if "ANTEX VERSION / SYST" not in (lines.text(0) if len(lines) else ""):
        raise MalformedInput("this is no ANTEX file")
    out: dict[int, _Offset] = {}
    antenna = _Antenna()
    for number in range(1, len(lines)):
        text = lines.text(number)
        label = text[60:80].strip()
        if label == "START OF ANTENNA":
            antenna = _Antenna()
        elif label == "TYPE / SERIAL NO":
            antenna.satellite = _satellite(text[20:23])
        elif label == "START OF FREQUENCY":
            antenna.frequency = text[3:6]
        elif antenna.satellite:
            antenna.read(label, text, number, gpst_ns)
            if label == "END OF ANTENNA" and antenna.valid:
                combined = _combined(antenna.satellite, antenna.offsets)
                out |= {antenna.satellite: combined} if combined else {}
    return out


@dataclass(slots=True)
class _Antenna:
    """What was read of one antenna so far. `satellite`: 0 for a receiver's."""

    satellite: int = 0
    frequency: str = ""
    valid: bool = True
    offsets: dict[str, _Offset] = field(default_factory=dict)

    def read(self, label: str, text: str, number: int, gpst_ns: int) -> None:
        """A line of a satellite's antenna; those with other labels say nothing that is used."""
        if label == "VALID FROM":
            self.valid = self.valid and gpst_ns >= _time_ns(text, number)
        elif label == "VALID UNTIL":
            self.valid = self.valid and gpst_ns <= _time_ns(text, number)
        elif label == "NORTH / EAST / UP":
            self.offsets[self.frequency] = _offset(text, number)


def _satellite(name: str) -> int:
    """Number of a satellite, 0 for an antenna on the ground."""
    known = len(name) == 3 and name[0] in _PAIRS and name[1:].isdecimal()
    return 100 * SYSTEMS.index(name[0]) + int(name[1:]) if known else 0


def _combined(satellite: int, offsets: dict[str, _Offset]) -> _Offset | None:
    (one, f1), (two, f2) = _PAIRS[SYSTEMS[satellite // 100]]
    if one not in offsets or two not in offsets:
        return None
    below = f1 * f1 - f2 * f2
    a, b = f1 * f1 / below, -f2 * f2 / below
    x, y, z = (a * p + b * q for p, q in zip(offsets[one], offsets[two], strict=True))
    return x, y, z


def _offset(text: str, number: int) -> _Offset:
    try:
        x, y, z = (float(text[start : start + 10]) / 1000 for start in (0, 10, 20))
    except ValueError:
        raise MalformedInput("no offset of an antenna", where=f"line {number + 1}") from None
    if not all(abs(value) < 100 for value in (x, y, z)):
        raise MalformedInput("no offset of an antenna", where=f"line {number + 1}")
    return x, y, z


def _time_ns(text: str, number: int) -> int:
    try:
        year, month, day, hour, minute = (int(word) for word in text[:30].split())
        second = float(text[30:43])
        date = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "ns")
    except ValueError:
        raise MalformedInput("no such time", where=f"line {number + 1}") from None
    good = 1957 <= year <= 2200 and 0 <= hour < 25 and 0 <= minute < 60 and 0 <= second < 61
    if not good:
        raise MalformedInput("no such time", where=f"line {number + 1}")
    whole_ns = int((date - _GPST_EPOCH).astype(np.int64)) + (hour * 60 + minute) * 60 * _NS
    return whole_ns + round(second * _NS)
