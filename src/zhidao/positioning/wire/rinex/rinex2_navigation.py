"""RINEX 2 navigation files as lines of RINEX 3, line by line, so that numbers of lines stay.

Read are GPS (type N) and GLONASS (type G). Source: RINEX 2.11 tables A3, A4 and A10 (not at hand).
"""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.header import header_lines

_SYSTEM: Final = {"N": "G", "G": "R"}
_FOLLOW: Final = {"G": 7, "R": 3}
_IONOSPHERE: Final = {"ION ALPHA": "GPSA ", "ION BETA": "GPSB "}


def as_version3(lines: Lines, kind: str) -> Lines:
    """The same content in the columns of RINEX 3.

    Raises MalformedInput with the line for a record that is none, and for other systems.
    """
    system = _SYSTEM.get(kind)
    if system is None:
        raise MalformedInput(f"a RINEX 2 file of type {kind!r}, not N (GPS) or G (GLONASS)")
    out = []
    first = 1
    for number, content, label in header_lines(lines):
        first = number + 2
        lead = _IONOSPHERE.get(label)
        if lead:
            out.append(f"{lead + content[2:50]:60s}IONOSPHERIC CORR")
        else:
            out.append(f"{content:60s}{label}")
    out.append(f"{'':60s}END OF HEADER")
    number = first
    while number < len(lines):
        text = lines.text(number)
        if not text.strip():
            out.append("")
            number += 1
            continue
        out.append(_first_line(text, number, system))
        stop = min(number + 1 + _FOLLOW[system], len(lines))
        out += [" " + lines.text(each) for each in range(number + 1, stop)]
        number = stop
    return Lines("\n".join(out).encode("ascii", "replace"))


def _first_line(text: str, number: int, system: str) -> str:
    try:
        prn, year, month, day, hour, minute = (
            int(text[start : start + 2]) for start in (0, 3, 6, 9, 12, 15)
        )
        second = round(float(text[17:22]))
    except (ValueError, OverflowError):
        raise MalformedInput(
            f"no satellite and time: {text[:22]!r}", where=f"line {number + 1}"
        ) from None
    year += 1900 if year >= 80 else 2000
    if not 0 <= second <= 60:
        raise MalformedInput(f"no such time: {text[:22]!r}", where=f"line {number + 1}")
    return (
        f"{system}{prn:02d} {year:04d} {month:02d} {day:02d} {hour:02d} {minute:02d} {second:02d}"
        + text[22:79]
    )
