"""Rows of a CSV file with a header of known names, each with its line.

An unknown column is refused, so that a slip of the pen in a name does not change what a file says.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.errors import MalformedInput

# Finite and of a size that no column has.
_NUMBER_SIZE: Final = 1e9


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a table's columns; `what`: what its rows are, in words."""

    what: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All names."""
        return (*self.required, *self.optional)

    def check(self, names: Mapping[str, Any], where: str) -> None:
        """Raises MalformedInput for a name that is none of a column."""
        for name in names:
            if name in self.every:
                continue
            alike = difflib.get_close_matches(name[:40], self.every, n=1)
            hint = f"did you mean {alike[0]}? " if alike else ""
            if ";" in name or "\t" in name:
                hint = "put commas between fields; "
            raise MalformedInput(
                f"no such column of {self.what}: {name[:40]!r}",
                where=where,
                remedy=f"{hint}there are {', '.join(self.every)}",
            )

    def check_whole(self, row: Mapping[str, Any]) -> None:
        """Raises MalformedInput where a required field is missing."""
        if missing := [name for name in self.required if name not in row]:
            raise MalformedInput(f"no {', '.join(missing)}")


def rows(data: bytes, columns: Columns) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each row that is not empty with its place: its fields that are not empty, by name.

    Raises MalformedInput that names the line.
    """
    reader = csv.reader(io.StringIO(text(data), newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            where = f"line {reader.line_num}"
            if not any(field.strip() for field in row):
                continue
            if not header:
                header = [field.strip() for field in row]
                _check_header(header, columns, where)
            elif len(row) != len(header):
                raise MalformedInput(
                    f"{len(row)} fields under {len(header)} columns",
                    where=where,
                    remedy="write one field for each column, quoted where it holds a comma",
                )
            else:
                named = zip(header, row, strict=True)
                yield where, {name: field.strip() for name, field in named if field.strip()}
    except csv.Error as error:
        raise not_csv(error, reader.line_num) from error


def text(data: bytes) -> str:
    """The text of a CSV file, with or without a byte-order mark. Raises MalformedInput."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MalformedInput(
            "not UTF-8", where=f"line {line}", remedy="save it as CSV in UTF-8"
        ) from error


def not_csv(error: csv.Error, line: int) -> MalformedInput:
    """What is said of a line that no reader of CSV understands."""
    return MalformedInput(
        f"not CSV: {error}", where=f"line {line}", remedy="save it as CSV in UTF-8"
    )


def number_in(row: Mapping[str, Any], name: str, otherwise: float = math.nan) -> float:
    """A field as a number, or `otherwise` where there is none. Raises MalformedInput."""
    value = row.get(name)
    if value is None:
        return otherwise
    found = math.nan
    if isinstance(value, str) and value.isascii() and "_" not in value:
        try:
            found = float(value)
        except ValueError:
            found = math.nan
    elif type(value) in (int, float):
        found = float(value)
    if not abs(found) < _NUMBER_SIZE:
        raise MalformedInput(f"{name} is no number: {str(value)[:40]!r}")
    return found


def _check_header(header: list[str], columns: Columns, where: str) -> None:
    twice = next((name for name in header if header.count(name) > 1), "")
    if twice:
        raise MalformedInput(f"two columns {twice[:40]!r}", where=where, remedy="keep one")
    columns.check(dict.fromkeys(header), where)
    if missing := [name for name in columns.required if name not in header]:
        raise MalformedInput(
            f"no column {', '.join(missing)}",
            where=where,
            remedy=f"the first line names {', '.join(columns.required)}",
        )
