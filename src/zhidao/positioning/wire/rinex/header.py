"""The header of a RINEX file: labelled lines up to END OF HEADER."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import ObservationHeader
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.wire.fixed import Lines

# Early RINEX 2 wrote the version without a point.
_VERSION: Final = re.compile(r"2|[234]\.[0-9]{1,2}")
_NEWEST: Final = 4.02
_HEADER_LINES_MAX: Final = 10_000
_CODES_MAX: Final = 96
TIME_SYSTEMS: Final = frozenset("GPS GAL QZS BDT GLO UTC IRN".split())
_TIME_OF: Final = {"C": "BDT", "E": "GAL", "G": "GPS", "I": "IRN", "J": "QZS", "R": "GLO"}
_KNOWN: Final = ", ".join(sorted(TIME_SYSTEMS))


def header_lines(lines: Lines) -> Iterator[tuple[int, str, str]]:
    """Number (from 0), content (60 characters) and label of each header line, without the last.

    Raises MalformedInput if the header does not end.
    """
    for number in range(min(len(lines), _HEADER_LINES_MAX)):
        text = lines.text(number)
        label = text[60:80].strip()
        if label == "END OF HEADER":
            return
        yield number, text[:60].ljust(60), label
    if len(lines) > _HEADER_LINES_MAX:
        raise MalformedInput(f"the RINEX header has more than {_HEADER_LINES_MAX} lines")
    raise MalformedInput("the RINEX header does not end with END OF HEADER")


def version_and_type(lines: Lines) -> tuple[str, str]:
    """RINEX version text and the type letter of the first line (O, N, …)."""
    first = lines.text(0) if len(lines) else ""
    if first[60:80].strip() != "RINEX VERSION / TYPE":
        raise MalformedInput(
            "this is not a RINEX file: line 1 has no RINEX VERSION / TYPE",
            remedy="send RINEX 2, 3 or 4, plain, gzipped or Compact",
        )
    version = first[:9].strip()
    if not _VERSION.fullmatch(version) or float(version) > _NEWEST:
        raise MalformedInput(
            f"RINEX version {version!r} is not read; versions 2.00 to 4.02 are",
            code="unknown_version",
            where="line 1",
            remedy="convert the file to RINEX 4.02 or an earlier version",
        )
    return version, first[20:21]


class CodeTable:
    """Collects SYS / # / OBS TYPES lines, which continue over several lines."""

    def __init__(self) -> None:
        self.codes: dict[str, tuple[str, ...]] = {}
        self._system = ""
        self._due = 0

    def add(self, content: str, where: str) -> None:
        """Takes the 60 characters of one such line."""
        if content[0] != " ":
            self.close(where)
            self._system, count = content[0], content[3:6].strip()
            if self._system not in SYSTEMS or not count.isascii() or not count.isdigit():
                raise MalformedInput(f"bad SYS / # / OBS TYPES: {content[:20]!r}", where=where)
            self._due = int(count)
            if not 0 < self._due <= _CODES_MAX:
                raise MalformedInput(
                    f"{self._due} observation types; 1 to {_CODES_MAX} are read", where=where
                )
            self.codes[self._system] = ()
        if not self._system:
            raise MalformedInput("a continued SYS / # / OBS TYPES without its start", where=where)
        found = tuple(content[7:].split())
        known = self.codes[self._system] + found
        if len(known) > self._due or len(set(known)) != len(known):
            raise MalformedInput("more or repeated observation types than announced", where=where)
        self.codes[self._system] = known

    def close(self, where: str) -> None:
        """Raises MalformedInput if fewer types came than the last system announced."""
        if self._system and len(self.codes[self._system]) != self._due:
            raise MalformedInput(
                f"{self._system}: {self._due} observation types announced, "
                f"{len(self.codes[self._system])} given",
                where=where,
            )


def observation_header(lines: Lines) -> tuple[ObservationHeader, dict[str, tuple[str, ...]], int]:
    """The header, each system's observation codes, and how many lines the header takes."""
    version, kind = version_and_type(lines)
    if version.startswith("2"):
        raise MalformedInput(
            "RINEX 2 has no such lines",
            where="line 1",
            remedy="rewrite the file: zhidao positioning decode FILE --to rinex",
        )
    if kind != "O":
        raise MalformedInput(f"a RINEX file of type {kind!r}, not observations", where="line 1")
    fields: dict[str, str] = {}
    comments: list[str] = []
    table, scales = CodeTable(), _Scales()
    count = 1
    for number, content, label in header_lines(lines):
        count = number + 2
        if label == "COMMENT":
            comments.append(content.rstrip())
        elif label == "SYS / # / OBS TYPES":
            table.add(content, f"line {number + 1}")
        elif label == "SYS / SCALE FACTOR":
            scales.add(content, f"line {number + 1}")
        else:
            fields.setdefault(label, content)
    table.close(f"line {count}")
    if not table.codes:
        raise MalformedInput("the header names no observation types (SYS / # / OBS TYPES)")
    told = header_of(version, fields, comments, system=lines.text(0)[40:41])
    header = replace(told, scales=scales.found(table.codes))
    return header, newer_names(table.codes, version), count


class _Scales:
    """Collects SYS / SCALE FACTOR lines: by what a file's numbers are to be divided."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, int]] = []
        self._system, self._factor = "", 0

    def add(self, content: str, where: str) -> None:
        """Takes the 60 characters of one such line. Source: RINEX 3.05 table A2."""
        if content[0] != " ":
            self._system, factor = content[0], content[2:6].strip() or "1"
            if self._system not in SYSTEMS or factor not in ("1", "10", "100", "1000"):
                raise MalformedInput(f"bad SYS / SCALE FACTOR: {content[:20]!r}", where=where)
            self._factor = int(factor)
        if not self._system:
            raise MalformedInput("a continued SYS / SCALE FACTOR without its start", where=where)
        # No codes: all of the system.
        codes = content[10:].split() or ([""] if content[0] != " " else [])
        self._found += [(self._system, code, self._factor) for code in codes]

    def found(self, codes: dict[str, tuple[str, ...]]) -> tuple[tuple[str, str, int], ...]:
        """System, code and factor of all columns that have another one than 1."""
        out = []
        for system, code, factor in self._found:
            named = (code,) if code else codes.get(system, ())
            out += [(system, each, factor) for each in named if factor != 1]
        return tuple(out)


def newer_names(codes: dict[str, tuple[str, ...]], version: str) -> dict[str, tuple[str, ...]]:
    """BDS B1I under its name since RINEX 3.03: in 3.02 it stood under band 1, as C1I."""
    kept = codes.get("C", ())
    if not kept or version >= "3.03":
        return codes
    names = tuple(c[0] + "2" + c[2:] if c[1:] in ("1I", "1Q", "1X") else c for c in kept)
    return codes | {"C": names} if len(set(names)) == len(names) else codes


def header_of(
    version: str, fields: dict[str, str], comments: list[str], *, system: str = "M"
) -> ObservationHeader:
    """What later steps need of the labelled lines of an observation file, of any version.

    system: the letter of the first line. A file of one system that names no time system counts
    that system's time (RINEX 3.05 table A2; this rule of it was not checked).
    """
    usual = _TIME_OF.get(system, "GPS")
    time_system = fields.get("TIME OF FIRST OBS", "")[48:51].strip() or usual
    if time_system not in TIME_SYSTEMS:
        raise MalformedInput(f"the time system {time_system!r} is not read; {_KNOWN} are")
    marker = fields.get("MARKER NAME", "").strip()
    told = (marker, *comments)
    xyz = fields.get("APPROX POSITION XYZ", "")
    x, y, z = (_number(xyz[start : start + 14]) for start in (0, 14, 28))
    return ObservationHeader(
        version=version,
        marker=marker,
        receiver=fields.get("REC # / TYPE / VERS", "").rstrip(),
        antenna=fields.get("ANT # / TYPE", "").rstrip(),
        approximate_ecef_m=(x, y, z),
        interval_s=_number(fields.get("INTERVAL", "")[:10]),
        time_system=time_system,
        comments=tuple(comments),
        simulated=any("SIMULATED" in text.upper() for text in told),
    )


def _number(text: str) -> float:
    """A number that is only informative: 0.0 where it is missing or damaged."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if abs(value) < 1e9 else 0.0
