"""NMEA 0183 sentences of every GNSS talker, BeiDou's two (GB, BD) among them.

Source: NMEA 0183 4.11 (not at hand); BD is the talker of Chinese terminals before GB was given.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput

TALKERS: Final = {
    "BD": "BeiDou", "GA": "Galileo", "GB": "BeiDou", "GI": "NavIC", "GL": "GLONASS",
    "GN": "several systems", "GP": "GPS", "GQ": "QZSS", "QZ": "QZSS",
}  # fmt: skip
_SENTENCE: Final = re.compile(
    rb"[$!]([A-Z]{2})([A-Z0-9]{3}),([\x20-\x7e]{0,120}?)\*([0-9A-Fa-f]{2})"
)
_ANGLE: Final = re.compile(r"(\d{2,3})(\d{2}(?:\.\d{1,10})?)\Z", re.ASCII)
_CLOCK: Final = re.compile(r"(\d\d)(\d\d)(\d\d(?:\.\d{1,9})?)\Z", re.ASCII)
_DATE: Final = re.compile(r"(\d\d)(\d\d)(\d\d)\Z", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,10})?\Z", re.ASCII)
_KNOT_MPS: Final = 1852 / 3600


@dataclass(frozen=True, slots=True)
class Sentence:
    """Talker, kind such as GGA, and the fields after it."""

    talker: str
    kind: str
    fields: tuple[str, ...]

    def encode(self) -> bytes:
        """The line with its checksum and line end. Raises MalformedInput for other characters."""
        body = ",".join((self.talker + self.kind, *self.fields))
        if re.search(r"[^\x20-\x7e]|[*$!]", body):
            raise MalformedInput(f"NMEA: characters that no sentence may hold: {body[:40]!r}")
        return f"${body}*{_checksum(body.encode()):02X}\r\n".encode()


def _checksum(body: bytes) -> int:
    total = 0
    for byte in body:
        total ^= byte
    return total


def sentences(data: bytes) -> list[Sentence]:
    """All sentences with a right checksum, in order; anything between them is passed over."""
    out = []
    for found in _SENTENCE.finditer(data):
        body = found.group()[1:-3]
        if _checksum(body) == int(found[4], 16):
            talker, kind, rest = (part.decode("ascii") for part in found.groups()[:3])
            out.append(Sentence(talker, kind, tuple(rest.split(","))))
    return out


@dataclass(frozen=True, slots=True)
class NmeaFix:
    """What GGA, GNS, RMC or GLL say of a place; NaN where they say nothing.

    second_of_day: UTC. quality: the GGA digit (0 none, 1 autonomous, 2 differential, 4 fixed,
    5 float), for the others 1 or 0. date: day, month and year of RMC, else None.
    """

    system: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    second_of_day: float
    quality: int
    satellites: int
    hdop: float
    speed_mps: float
    date: tuple[int, int, int] | None


def fix_of(sentence: Sentence) -> NmeaFix | None:
    """The place that a sentence tells, None for kinds that tell none.

    Raises MalformedInput where the fields are not what the kind asks.
    """
    f = sentence.fields
    due = {"GGA": 14, "GNS": 12, "RMC": 9, "GLL": 6}.get(sentence.kind)
    if due is None:
        return None
    if len(f) < due:
        raise MalformedInput(f"NMEA {sentence.kind} of {len(f)} fields; {due} are due")
    first = {"GGA": 1, "GNS": 1, "RMC": 2, "GLL": 0}[sentence.kind]
    latitude, longitude = (
        _angle(f[first], f[first + 1], "NS", 90),
        _angle(f[first + 2], f[first + 3], "EW", 180),
    )
    clock = f[4] if sentence.kind == "GLL" else f[0]
    height_m = hdop = speed_mps = math.nan
    satellites, date = 0, None
    if sentence.kind in ("GGA", "GNS"):
        quality = _whole(f[5]) if sentence.kind == "GGA" else int(bool(f[5].strip("N")))
        satellites, hdop = _whole(f[6]), _decimal(f[7])
        # Height of the geoid and the geoid above the ellipsoid make the ellipsoidal height.
        height_m = _decimal(f[8]) + _decimal(f[10] if sentence.kind == "GGA" else f[9])
    else:
        quality = int(f[1 if sentence.kind == "RMC" else 5] == "A")
        if sentence.kind == "RMC":
            speed_mps, date = _decimal(f[6]) * _KNOT_MPS, _date(f[8])
    return NmeaFix(
        TALKERS.get(sentence.talker, sentence.talker),
        latitude,
        longitude,
        height_m,
        _second_of_day(clock),
        quality,
        satellites,
        hdop,
        speed_mps,
        date,
    )


def _angle(text: str, side: str, sides: str, most: int) -> float:
    if not text and not side:
        return math.nan
    found = _ANGLE.match(text)
    if found is None or len(side) != 1 or side not in sides:
        raise MalformedInput(f"NMEA: no angle: {text[:16]!r} {side[:2]!r}")
    degrees = int(found[1]) + float(found[2]) / 60
    if degrees > most or float(found[2]) >= 60:
        raise MalformedInput(f"NMEA: no angle: {text[:16]!r} {side[:2]!r}")
    return -degrees if side == sides[1] else degrees


def _second_of_day(text: str) -> float:
    if not text:
        return math.nan
    found = _CLOCK.match(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or float(found[3]) >= 61:
        raise MalformedInput(f"NMEA: no time: {text[:16]!r}")
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


def _date(text: str) -> tuple[int, int, int] | None:
    if not text:
        return None
    found = _DATE.match(text)
    if found is None or not (1 <= int(found[1]) <= 31 and 1 <= int(found[2]) <= 12):
        raise MalformedInput(f"NMEA: no date: {text[:16]!r}")
    # Two digits of the year: GNSS began in 1980.
    year = int(found[3])
    return int(found[1]), int(found[2]), year + (1900 if year >= 80 else 2000)


def _decimal(text: str) -> float:
    if not text:
        return math.nan
    if not _NUMBER.match(text):
        raise MalformedInput(f"NMEA: no number: {text[:16]!r}")
    return float(text)


def _whole(text: str) -> int:
    value = _decimal(text)
    return 0 if math.isnan(value) else int(value)


def gga(
    talker: str,
    *,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float,
    second_of_day: float,
    quality: int,
    satellites: int,
    hdop: float,
) -> Sentence:
    """A GGA sentence; the ellipsoidal height is written with a geoid height of zero."""
    hundredths = round(second_of_day * 100) % 8_640_000
    clock = f"{hundredths // 360_000:02d}{hundredths // 6000 % 60:02d}"
    clock += f"{hundredths % 6000 // 100:02d}.{hundredths % 100:02d}"
    return Sentence(
        talker,
        "GGA",
        (
            clock,
            *_written_angle(latitude_deg, "NS", 2),
            *_written_angle(longitude_deg, "EW", 3),
            str(quality),
            f"{satellites:02d}",
            f"{hdop:.1f}",
            f"{height_m:.3f}",
            "M",
            "0.0",
            "M",
            "",
            "",
        ),
    )


def _written_angle(degrees: float, sides: str, width: int) -> tuple[str, str]:
    units = round(abs(degrees) * 60 * 10**7)
    whole, minutes = divmod(units, 60 * 10**7)
    text = f"{whole:0{width}d}{minutes // 10**7:02d}.{minutes % 10**7:07d}"
    return text, sides[1] if degrees < 0 else sides[0]
