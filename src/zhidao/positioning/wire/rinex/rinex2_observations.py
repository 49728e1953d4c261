"""RINEX 2 observation files, given under the three-letter codes of RINEX 3.

RINEX 2 has one list of types for all systems and no tracking attributes, so codes are those that
RINEX 3 gives to the most usual tracking; see `_CODES`. Source: RINEX 2.11 (W. Gurtner, IGS, 2007),
tables A1 and A2 (not at hand; checked on files of several receivers' converters).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.wire.fixed import Lines, decimals
from zhidao.positioning.wire.rinex.header import header_lines, header_of
from zhidao.positioning.wire.rinex.times import gpst_ns_of, refuse

_NS: Final = 1_000_000_000
_A_LINE: Final = 5
_TYPES_MAX: Final = 96
_SATELLITES_A_LINE: Final = 12
_GPST_EPOCH_DAY: Final = np.datetime64("1980-01-06", "D")
_KINDS: Final = {"C": "C", "P": "C", "L": "L", "D": "D", "S": "S"}
# Attribute of a type by system and band: without P code, and with it.
_CODES: Final = {
    "G": {"1": ("C", "W"), "2": ("X", "W"), "5": ("X", "")},
    "R": {"1": ("C", "P"), "2": ("C", "P")},
    "E": {"1": ("X", ""), "5": ("X", ""), "6": ("X", ""), "7": ("X", ""), "8": ("X", "")},
    "J": {"1": ("C", ""), "2": ("X", ""), "5": ("X", ""), "6": ("X", "")},
    "S": {"1": ("C", ""), "5": ("X", "")},
    "C": {"1": ("", ""), "2": ("I", ""), "6": ("I", ""), "7": ("I", "")},
}


def read_version2(lines: Lines, *, systems: str = "") -> Observations:
    """The observations of a RINEX 2 file. systems: letters to keep, all if empty.

    Raises MalformedInput with the line for anything that is not such a file.
    """
    start = version2_header(lines)
    found = read_records2(lines, start, start.lines, systems=systems)
    if found.line < len(lines):
        raise MalformedInput(
            "the file ends inside a record",
            where=f"line {found.line + 1}",
            remedy="send the whole file",
        )
    return found.seen


class Version2(NamedTuple):
    """What a header says of the records after it; `lines` is its own length."""

    header: ObservationHeader
    types: tuple[str, ...]
    default: str
    lines: int


class Records2(NamedTuple):
    """Whole epochs, the types that hold after them, and the line of the first unfinished record."""

    seen: Observations
    types: tuple[str, ...]
    line: int


def read_records2(lines: Lines, start: Version2, at: int, *, systems: str) -> Records2:
    """The records from line `at` on, as far as they are whole."""
    records = _Records(lines, start.default, types=start.types)
    while at < len(lines):
        after = records.take(at)
        if after == at:
            break
        at = after
    gpst_ns = gpst_ns_of(np.array(records.times_ns, np.int64), start.header.time_system)
    back = np.append(False, np.diff(gpst_ns) <= 0) if len(gpst_ns) else np.zeros(0, bool)
    refuse(lines, np.array(records.epoch_lines, np.int64), back, "epoch, not after the one before")
    parts = records.tables(systems)
    seen = Observations(start.header, gpst_ns, np.array(records.power_failed, bool), parts)
    return Records2(seen, records.types, at)


def version2_header(lines: Lines) -> Version2:
    """The header. Raises MalformedInput for anything that is not one of RINEX 2."""
    fields: dict[str, str] = {}
    comments, types = [], _Types()
    count = 1
    for number, content, label in header_lines(lines):
        count = number + 2
        if label == "COMMENT":
            comments.append(content.rstrip())
        elif label == "# / TYPES OF OBSERV":
            types.add(content, number)
        else:
            fields.setdefault(label, content)
    first = lines.text(0)
    default = first[40:41].strip().upper() or "G"
    if default not in ("M", *SYSTEMS):
        raise MalformedInput(f"no satellite system {default!r}", where="line 1")
    told = fields.get("TIME OF FIRST OBS", "")[48:51].strip()
    # A file of GLONASS alone counts UTC where it does not say otherwise (RINEX 2.11 section 4).
    if not told and default == "R":
        fields["TIME OF FIRST OBS"] = f"{fields.get('TIME OF FIRST OBS', '')[:48]:48s}GLO"
    header = header_of(first[:9].strip(), fields, comments)
    return Version2(header, types.closed(count), default if default != "M" else "G", count)


@dataclass(slots=True)
class _Types:
    """Collects # / TYPES OF OBSERV lines, which continue over several lines."""

    due: int = 0
    found: list[str] = field(default_factory=list)

    def add(self, content: str, number: int) -> None:
        """Takes the 60 characters of one such line."""
        where = f"line {number + 1}"
        count = content[:6].strip()
        if count:
            if not (count.isascii() and count.isdigit() and 0 < int(count) <= _TYPES_MAX):
                raise MalformedInput(
                    f"{count[:6]!r} observation types; 1 to {_TYPES_MAX} are read", where=where
                )
            self.due, self.found = int(count), []
        names = content[6:].split()
        if any(len(name) != 2 or name[0] not in _KINDS for name in names):
            raise MalformedInput(f"unknown observation types: {content[6:30]!r}", where=where)
        self.found += names
        if len(self.found) > self.due or len(set(self.found)) != len(self.found):
            raise MalformedInput("more or repeated observation types than announced", where=where)

    def closed(self, number: int) -> tuple[str, ...]:
        """The types. Raises MalformedInput if fewer came than were announced, or none."""
        if not self.found or len(self.found) != self.due:
            raise MalformedInput(
                f"{self.due} observation types announced, {len(self.found)} given",
                where=f"line {number}",
            )
        return tuple(self.found)


@dataclass(slots=True)
class _Records:
    """Walks over epochs and events and keeps where the satellites' lines stand."""

    lines: Lines
    default: str
    types: tuple[str, ...]
    times_ns: list[int] = field(default_factory=list)
    epoch_lines: list[int] = field(default_factory=list)
    power_failed: list[bool] = field(default_factory=list)
    _rows: dict[tuple[str, ...], list[tuple[int, int, int]]] = field(default_factory=dict)

    def take(self, at: int) -> int:
        """Takes the record at a line and gives the line of the next; the same if it is cut."""
        text = self.lines.text(at)
        if not text.strip():
            return at + 1
        flag, count = text[28:29].strip() or "0", text[29:32].strip()
        if flag not in "0123456" or not (count.isascii() and count.isdigit()):
            raise self._bad("epoch line", at)
        if flag in "01":
            return self._epoch(at, text, int(count), failed=flag == "1")
        if flag == "6":
            # Slips that a program found afterwards: the form of an epoch, nothing to keep.
            names = -(-int(count) // _SATELLITES_A_LINE) or 1
            after = at + names + int(count) * self._lines_each
        else:
            after = at + 1 + int(count)
        if after > len(self.lines):
            return at
        if flag == "4":
            self._new_header(at + 1, int(count))
        return after

    @property
    def _lines_each(self) -> int:
        return -(-len(self.types) // _A_LINE)

    def _bad(self, what: str, at: int) -> MalformedInput:
        return MalformedInput(f"bad {what}: {self.lines.text(at)[:60]!r}", where=f"line {at + 1}")

    def _new_header(self, start: int, count: int) -> None:
        types = _Types()
        for number in range(start, start + count):
            text = self.lines.text(number)
            if text[60:80].strip() == "# / TYPES OF OBSERV":
                types.add(text[:60].ljust(60), number)
        if types.found:
            self.types = types.closed(start)

    def _epoch(self, at: int, text: str, count: int, *, failed: bool) -> int:
        at_ns = self._time_ns(text, at)
        more = max(-(-count // _SATELLITES_A_LINE), 1)
        first = at + more
        after = first + count * self._lines_each
        # Blank lines at the end may be missing: a satellite without any value is one.
        if first > len(self.lines) or after > len(self.lines):
            return at
        self.times_ns.append(at_ns)
        self.epoch_lines.append(at)
        self.power_failed.append(failed)
        names = "".join(self.lines.text(at + n)[32:68].ljust(36) for n in range(more))
        rows = self._rows.setdefault(self.types, [])
        epoch = len(self.times_ns) - 1
        seen = set()
        for index in range(count):
            name = names[3 * index : 3 * index + 3]
            system, digits = name[0].strip() or self.default, name[1:].strip()
            if system not in SYSTEMS or not (digits.isascii() and digits.isdigit()):
                raise self._bad("satellite", at)
            satellite = SYSTEMS.index(system) * 100 + int(digits)
            if not int(digits) or satellite in seen:
                raise self._bad("satellite, or one that stands twice", at)
            seen.add(satellite)
            rows.append((epoch, satellite, first + index * self._lines_each))
        return after

    def _time_ns(self, text: str, at: int) -> int:
        """Nanoseconds since 1980-01-06 of the file's own time scale."""
        try:
            year, month, day, hour, minute = (
                int(text[start : start + 2]) for start in (1, 4, 7, 10, 13)
            )
            second = round(float(text[15:26]) * 1e7)
            year += 1900 if year >= 80 else 2000
            date = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D")
        except (ValueError, OverflowError):
            raise self._bad("epoch line", at) from None
        days = int((date - _GPST_EPOCH_DAY).astype(np.int64))
        good = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 * 10**7 and days >= 0
        if not good:
            raise self._bad("epoch line", at)
        return ((days * 24 + hour) * 60 + minute) * 60 * _NS + second * 100

    def tables(self, systems: str) -> dict[str, SystemObservations]:
        """One table a system, over all types that the file ever announced."""
        parts: dict[str, list[_Part]] = {}
        for types, rows in self._rows.items():
            if not rows:
                continue
            epoch, satellite, line = np.array(rows, np.int64).T
            cells = _fields(self.lines, line, len(types))
            # A missing range or phase may be written as 0.0 (RINEX 2.11 table A2).
            ranges = np.array([name[0] in "CPL" for name in types])
            cells[0][(cells[0] == 0) & ranges] = np.nan
            for index in np.unique(satellite // 100).tolist():
                system = SYSTEMS[index]
                if systems and system not in systems:
                    continue
                here = satellite // 100 == index
                parts.setdefault(system, []).append(
                    _Part(types, epoch[here], satellite[here] % 100, *(c[here] for c in cells))
                )
        return {s: _table(s, found) for s, found in sorted(parts.items()) if s in _CODES}


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows under one list of types."""

    types: tuple[str, ...]
    epoch: Ints
    prn: Ints
    values: Floats
    lost_lock: Bytes
    strength: Bytes


def _fields(lines: Lines, line: Ints, count: int) -> tuple[Floats, Bytes, Bytes]:
    """Values (NaN where blank) and marks (n, count) of satellites whose first lines are given."""
    each = -(-count // _A_LINE)
    shape = (len(line), each * _A_LINE)
    values = np.empty(shape)
    lost_lock, strength = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    for offset in range(each):
        columns = slice(offset * _A_LINE, (offset + 1) * _A_LINE)
        cells = lines.block(line + offset, 16 * _A_LINE).reshape(-1, _A_LINE, 16)
        number, blank, bad = decimals(cells[:, :, :14], 3)
        blanks = cells[:, :, 14:] == ord(" ")
        marks = np.where(blanks, ord("0"), cells[:, :, 14:]) - np.uint8(48)
        bad |= (marks[:, :, 0] > 7) | (marks[:, :, 1] > 9)
        wrong: Bools = np.any(bad, axis=1)
        refuse(lines, line + offset, wrong, "observation")
        number[blank] = np.nan
        values[:, columns] = number
        lost_lock[:, columns], strength[:, columns] = marks[:, :, 0], marks[:, :, 1]
    return values[:, :count], lost_lock[:, :count], strength[:, :count]


def _table(system: str, parts: list[_Part]) -> SystemObservations:
    columns: dict[str, list[tuple[_Part, int]]] = {}
    for part in parts:
        for index, name in enumerate(part.types):
            code = _code(system, name, part)
            if code and np.isfinite(part.values[:, index]).any():
                columns.setdefault(code, []).append((part, index))
    starts = np.cumsum([0, *(len(part.prn) for part in parts)])
    start_of = {id(part): int(start) for part, start in zip(parts, starts, strict=False)}
    shape = (int(starts[-1]), len(columns))
    values = np.full(shape, np.nan)
    lost_lock, strength = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for column, found in enumerate(columns.values()):
        for part, index in found:
            begin = start_of[id(part)]
            rows = np.arange(begin, begin + len(part.prn))
            number = part.values[:, index]
            take = np.isfinite(number) & np.isnan(values[rows, column])
            values[rows[take], column] = number[take]
            lost_lock[rows[take], column] = part.lost_lock[take, index]
            strength[rows[take], column] = part.strength[take, index]
    epoch = np.concatenate([part.epoch for part in parts])
    prn = np.concatenate([part.prn for part in parts])
    return _in_order(
        SystemObservations(system, tuple(columns), epoch, prn, values, lost_lock, strength)
    )


def _in_order(table: SystemObservations) -> SystemObservations:
    """Rows by epoch: a list of types may come back after another one."""
    if (np.diff(table.epoch) >= 0).all():
        return table
    order = np.argsort(table.epoch, kind="stable")
    return SystemObservations(
        table.system,
        table.codes,
        table.epoch[order],
        table.prn[order],
        table.values[order],
        table.lost_lock[order],
        table.strength[order],
    )


def _code(system: str, name: str, part: _Part) -> str:
    """The RINEX 3 code of a type, empty where the system has no such signal.

    Phases, Dopplers and strengths of a band with P code are the P code's on band 2, where civil
    code is rare in such files, and the civil code's on band 1. BDS: B1I stands under band 2, and
    in files of before RINEX 3.02 under band 1.
    """
    kind, band = name[0], name[1]
    plain, precise = _CODES[system].get(band, ("", "")) if system in _CODES else ("", "")
    if system == "C" and band == "1":
        return "" if _any_value(part, "C2") else _KINDS[kind] + "2I"
    if kind == "P":
        return f"C{band}{precise}" if precise else ""
    if not plain:
        return ""
    with_p = band == "2" and precise and kind != "C" and _any_value(part, "P2")
    return _KINDS[kind] + band + (precise if with_p else plain)


def _any_value(part: _Part, name: str) -> bool:
    if name not in part.types:
        return False
    return bool(np.isfinite(part.values[:, part.types.index(name)]).any())
