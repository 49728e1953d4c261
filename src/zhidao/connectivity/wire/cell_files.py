"""Cells of mobile networks from a file: CSV with a header, or JSON, a list of objects.

Names of columns and of members are the same and carry their units. An unknown one is refused, so
that `azimut_deg` does not make an antenna that sends all around.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zhidao.connectivity.domain.radio.link_budget import BEAM_DEG, Cell
from zhidao.connectivity.domain.radio.path_loss import Model
from zhidao.connectivity.domain.radio.reception import CELLS_MAX
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic

CELL_FILE_BYTES_MAX: Final = 8 * 1024 * 1024
NAME_CHARACTERS_MAX: Final = 120
REQUIRED: Final = ("latitude_deg", "longitude_deg", "frequency_mhz", "height_m", "eirp_dbm")
OPTIONAL: Final = (*("name", "model", "bandwidth_mhz", "gain_dbi", "azimuth_deg", "beamwidth_deg"),)
_COLUMNS: Final = (*REQUIRED, *OPTIONAL)
# Finite and of a size that no column has.
_NUMBER_SIZE: Final = 1e9


def read_cells(
    data: bytes, *, model: Model, check: Callable[[Cell], None] = lambda _: None
) -> tuple[Cell, ...]:
    """The cells of a file. model: of those that name none. check: raises what else is wrong.

    Raises MalformedInput that names the line or the element.
    """
    if len(data) > CELL_FILE_BYTES_MAX:
        raise MalformedInput(f"{len(data)} bytes of cells; at most {CELL_FILE_BYTES_MAX} are read")
    rows = _of_json(data) if data.lstrip()[:1] in (b"[", b"{") else _of_csv(data)
    cells: list[Cell] = []
    for where, row in rows:
        if len(cells) == CELLS_MAX:
            raise MalformedInput(
                f"more than {CELLS_MAX} cells", remedy="give those near the route only"
            )
        try:
            cell = _cell(row, model, len(cells) + 1)
            check(cell)
        except MalformedInput as error:
            error.where = where
            error.remedy = error.remedy or "mend the value, or take the cell out"
            raise
        cells.append(cell)
    if not cells:
        raise MalformedInput("no cell", remedy=f"give rows of {', '.join(REQUIRED)}")
    return tuple(cells)


def _of_json(data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    document = parse_strict(data, bytes_max=CELL_FILE_BYTES_MAX)
    if isinstance(document, dict) and set(document) == {"cells"}:
        document = document["cells"]
    if not isinstance(document, list):
        raise MalformedInput(
            "no list of cells", remedy='write [{"latitude_deg": 43.1, …}, …] or {"cells": […]}'
        )
    for number, row in enumerate(document, 1):
        where = f"cell {number}"
        if not isinstance(row, dict):
            raise MalformedInput("a cell is an object", where=where, remedy="write {…}")
        _known(row, where)
        yield where, {name: value for name, value in row.items() if value is not None}


def _of_csv(data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            where = f"line {reader.line_num}"
            if not any(field.strip() for field in row):
                continue
            if not header:
                header = [field.strip() for field in row]
                _header(header, where)
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
        raise MalformedInput(
            f"not CSV: {error}", where=f"line {reader.line_num}", remedy="save it as CSV in UTF-8"
        ) from error


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MalformedInput(
            "not UTF-8", where=f"line {line}", remedy="save it as CSV in UTF-8"
        ) from error


def _header(header: list[str], where: str) -> None:
    twice = next((name for name in header if header.count(name) > 1), "")
    if twice:
        raise MalformedInput(f"two columns {twice[:40]!r}", where=where, remedy="keep one")
    _known(dict.fromkeys(header), where)
    if missing := [name for name in REQUIRED if name not in header]:
        raise MalformedInput(
            f"no column {', '.join(missing)}",
            where=where,
            remedy=f"the first line names {', '.join(REQUIRED)}",
        )


def _known(row: Mapping[str, Any], where: str) -> None:
    for name in row:
        if name not in _COLUMNS:
            alike = difflib.get_close_matches(name[:40], _COLUMNS, n=1)
            hint = f"did you mean {alike[0]}? " if alike else ""
            raise MalformedInput(
                f"no such column of cells: {name[:40]!r}",
                where=where,
                remedy=f"{hint}there are {', '.join(_COLUMNS)}",
            )


def _cell(row: Mapping[str, Any], model: Model, number: int) -> Cell:
    if missing := [name for name in REQUIRED if name not in row]:
        raise MalformedInput(f"no {', '.join(missing)}")
    if "beamwidth_deg" in row and "azimuth_deg" not in row:
        raise MalformedInput("beamwidth_deg without azimuth_deg")
    return Cell(
        name=_name(row.get("name"), f"cell {number}"),
        place=Geodetic(_number(row, "latitude_deg"), _number(row, "longitude_deg")),
        height_m=_number(row, "height_m"),
        frequency_mhz=_number(row, "frequency_mhz"),
        eirp_dbm=_number(row, "eirp_dbm"),
        model=_model(row.get("model"), model),
        bandwidth_mhz=_number(row, "bandwidth_mhz", 10.0),
        gain_dbi=_number(row, "gain_dbi", math.nan),
        azimuth_deg=_number(row, "azimuth_deg", math.nan),
        beam_deg=_number(row, "beamwidth_deg", BEAM_DEG),
    )


def _number(row: Mapping[str, Any], name: str, otherwise: float = math.nan) -> float:
    value = row.get(name)
    if value is None:
        return otherwise
    number = math.nan
    if isinstance(value, str) and value.isascii() and "_" not in value:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
    elif type(value) in (int, float):
        number = float(value)
    if not abs(number) < _NUMBER_SIZE:
        raise MalformedInput(f"{name} is no number: {str(value)[:40]!r}")
    return number


def _name(value: object, otherwise: str) -> str:
    if value is None:
        return otherwise
    if not isinstance(value, str) or not 0 < len(value) <= NAME_CHARACTERS_MAX:
        raise MalformedInput(f"a name has 1 to {NAME_CHARACTERS_MAX} characters")
    if not value.isprintable():
        raise MalformedInput("a name has characters to control")
    return value


def _model(value: object, otherwise: Model) -> Model:
    if value is None:
        return otherwise
    found = next((each for each in Model if each.value == str(value).lower()), None)
    if found is None:
        raise MalformedInput(
            f"no model {str(value)[:40]!r}", remedy=f"there are {', '.join(Model)}"
        )
    return found
