"""Rows of operators' code lists: UN/LOCODE in three layouts, rail stations, HS and correlations.

Layouts: UN/LOCODE as UNECE publishes it (change, country, location, name, ...), with or without the
header of datasets/un-locode; as locode-db writes it (code of five characters, name, ...); HS as
datasets/harmonized-system writes it (section, hscode, description, ...); stations as code, name,
country and, if known, unlocode; pairs of HS codes of 2017 and 2022. A header may name the columns
in any order.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from zhidao.core.errors import MalformedInput

ROWS_MAX: Final = 2_000_000
CELL_CHARACTERS_MAX: Final = 2_000
_TOLD_FIRST: Final = 10
# UN/LOCODE shuns 0 and 1, and yet has DEB90 and IT940.
_PLACE: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}", re.ASCII)
_DIGITS: Final = frozenset("0123456789")


class ListKind(StrEnum):
    """What a list is of."""

    PLACES = "places"
    STATIONS = "stations"
    HS = "hs"
    CORRELATION = "correlation"


class CodeRow(NamedTuple):
    """A code, what it is called, and what else the list says: a country and place, a newer code."""

    code: str
    name: str
    more: str = ""


def read_rows(lines: Iterable[str], *, kind: ListKind | None, where: str) -> Iterator[CodeRow]:
    """The rows of a list, one by one.

    Raises MalformedInput naming the bad lines (the first ten) once the list was read to its end, so
    that a person corrects them at once; for a list without a row; past the bound.
    """
    bad: list[str] = []
    stations: dict[str, str] = {}
    count = 0
    for number, cells, layout in _laid_out(lines, kind, where):
        count += 1
        if count > ROWS_MAX:
            told = f"more than {ROWS_MAX} rows"
            raise MalformedInput(
                told, code="file_too_large", where=f"{where} line {number}", remedy=_SMALLER
            )
        row = layout.row(cells)
        if layout.kind is ListKind.STATIONS:
            row = _once(row, stations)
        if isinstance(row, str):
            bad.append(f"line {number}: {row}")
        elif row is not None and not bad:
            yield row
    _refuse(bad, where)
    if not count:
        raise MalformedInput("a list without a row", where=where, remedy=_HEADED)


def _laid_out(
    lines: Iterable[str], kind: ListKind | None, where: str
) -> Iterator[tuple[int, list[str], _Layout]]:
    """The rows below a header, if there is one, with the layout that the first row has."""
    layout: _Layout | None = None
    try:
        for number, cells in _records(lines):
            if layout is None:
                layout = _layout(cells, kind, where)
                if layout.is_header:
                    continue
            yield number, cells, layout
    except csv.Error as error:
        raise MalformedInput(f"not a CSV: {error}", where=where, remedy=_HEADED) from error


def kind_of(lines: Iterable[str], where: str) -> ListKind:
    """The kind of a list by its first row. Raises MalformedInput where that does not say."""
    try:
        _, cells = next(_records(lines), (0, []))
    except csv.Error as error:
        raise MalformedInput(f"not a CSV: {error}", where=where, remedy=_HEADED) from error
    if not cells:
        raise MalformedInput("a list without a row", where=where, remedy=_HEADED)
    return _layout(cells, None, where).kind


def _records(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _refuse(bad: Sequence[str], where: str) -> None:
    if not bad:
        return
    more = f"; and {len(bad) - _TOLD_FIRST} more" if len(bad) > _TOLD_FIRST else ""
    raise MalformedInput(
        "; ".join(bad[:_TOLD_FIRST]) + more,
        code="bad_rows",
        where=where,
        remedy="correct the lines that are named; nothing of the list was taken",
    )


def _once(row: CodeRow | str | None, known: dict[str, str]) -> CodeRow | str | None:
    """The row of a station; a number that two of them bear would send goods to the other one."""
    if isinstance(row, CodeRow) and known.setdefault(row.code, row.name) != row.name:
        return f"the station {row.code} stands twice"
    return row


class _Layout:
    """Where a row has what."""

    def __init__(self, kind: ListKind, columns: Sequence[int], *, is_header: bool) -> None:
        self.kind = kind
        self.is_header = is_header
        self._columns = columns

    def row(self, cells: Sequence[str]) -> CodeRow | str | None:
        """The row, None for one of no code (a country's head, a chapter), or what is wrong."""
        if any(len(cell) > CELL_CHARACTERS_MAX for cell in cells):
            return f"a cell of more than {CELL_CHARACTERS_MAX} characters"
        picked = [cells[k] if 0 <= k < len(cells) else "" for k in self._columns]
        return _READERS[self.kind](picked)


def _layout(cells: Sequence[str], kind: ListKind | None, where: str) -> _Layout:
    named = _named_columns(cells, kind)
    if named is not None:
        return named
    for found, fits, columns in _BARE:
        if kind in (None, found) and fits(cells):
            return _Layout(found, columns, is_header=False)
    raise MalformedInput(
        f"the first row is that of no list that is known ({kind or ', '.join(ListKind)})",
        code="unknown_list",
        where=f"{where} line 1",
        remedy=_HEADED,
    )


def _named_columns(cells: Sequence[str], kind: ListKind | None) -> _Layout | None:
    """The layout that a header names, None where the row is no header."""
    names = [cell.casefold() for cell in cells]
    for found, wanted in _HEADERS:
        if kind in (None, found) and set(wanted[:2]) <= set(names):
            columns = [names.index(name) if name in names else -1 for name in wanted]
            return _Layout(found, columns, is_header=True)
    return None


_SMALLER: Final = "import the list in parts, each under a name of its own"
_HEADED: Final = (
    "give a CSV with a header: code,name (places); code,name,country (stations); "
    "hscode,description (HS); 2017,2022 (correlation)"
)
# Columns by name, the two leading ones needed. Of places: code, name, then UNECE's own.
_HEADERS: Final = (
    (ListKind.HS, ("hscode", "description")),
    (ListKind.PLACES, ("location", "country", "name", "change", "namewodiacritics")),
    (ListKind.STATIONS, ("code", "country", "name", "unlocode")),
    (ListKind.CORRELATION, ("2017", "2022")),
    (ListKind.PLACES, ("code", "name")),
)


def _is_digits(text: str, *sizes: int) -> bool:
    return len(text) in sizes and set(text) <= _DIGITS


_BARE: Final[tuple[tuple[ListKind, Callable[[Sequence[str]], bool], tuple[int, ...]], ...]] = (
    # UNECE's own file has no header, and begins with the head of a country.
    (
        ListKind.PLACES,
        lambda c: len(c) > 5 and len(c[1]) == 2 and c[1].isupper() and len(c[2]) in (0, 3),
        (2, 1, 3, 0, 4),
    ),
    (ListKind.PLACES, lambda c: len(c) > 1 and len(c[0]) == 5 and c[0][:2].isupper(), (0, 1)),
    (ListKind.STATIONS, lambda c: len(c) > 2 and _is_digits(c[0], 6, 7, 8), (0, 2, 1, 3)),
    (
        ListKind.CORRELATION,
        lambda c: len(c) > 1 and _is_digits(c[0], 6) and _is_digits(c[1], 6),
        (0, 1),
    ),
)


def _place(cells: Sequence[str]) -> CodeRow | str | None:
    if len(cells) == 2:
        code, name = cells
    else:
        location, country, name, change, plain = cells
        # A country's head, a place that is struck out, and one that only points to another.
        if not location or change in ("X", "="):
            return None
        code, name = country + location, plain or name
    if not _PLACE.fullmatch(code):
        return f"no UN/LOCODE: {code[:10]!r}"
    return CodeRow(code, name, code[:2]) if name else f"{code} without a name"


def _station(cells: Sequence[str]) -> CodeRow | str:
    code, country, name, place = cells
    if not _is_digits(code, 6, 7, 8):
        return f"no station number of 6 to 8 digits: {code[:10]!r}"
    if not name or len(country) != 2 or not country.isupper():
        return f"station {code} without a name or a country of two letters"
    if place and not (len(place) == 5 and place[:2].isupper()):
        return f"station {code}: no UN/LOCODE {place[:10]!r}"
    return CodeRow(code, name, f"{country}{place}")


def _commodity(cells: Sequence[str]) -> CodeRow | str | None:
    code, name = cells[0].replace(".", ""), cells[1]
    if code == "TOTAL" or _is_digits(code, 2, 4):
        return None
    if not _is_digits(code, 6):
        return f"no HS code of six digits: {code[:12]!r}"
    return CodeRow(code, name) if name else f"{code} without a description"


def _pair(cells: Sequence[str]) -> CodeRow | str:
    old, new = (cell.replace(".", "") for cell in cells[:2])
    if not (_is_digits(old, 6) and _is_digits(new, 6)):
        return f"not two codes of six digits: {old[:12]!r}, {new[:12]!r}"
    return CodeRow(old, "", new)


_READERS: Final = {
    ListKind.PLACES: _place,
    ListKind.STATIONS: _station,
    ListKind.HS: _commodity,
    ListKind.CORRELATION: _pair,
}
