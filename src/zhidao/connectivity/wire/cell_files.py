"""Cells of mobile networks from a file: CSV with a header, or JSON, a list of objects.

Names of columns and of members are the same and carry their units. An unknown one is refused, so
that `azimut_deg` does not make an antenna that sends all around.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zhidao.connectivity.domain.radio.link_budget import BEAM_DEG, Cell
from zhidao.connectivity.domain.radio.path_loss import Model
from zhidao.connectivity.domain.radio.reception import CELLS_MAX
from zhidao.connectivity.wire.csv_rows import Columns, number_in, rows
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic

CELL_FILE_BYTES_MAX: Final = 8 * 1024 * 1024
NAME_CHARACTERS_MAX: Final = 120
REQUIRED: Final = ("latitude_deg", "longitude_deg", "frequency_mhz", "height_m", "eirp_dbm")
OPTIONAL: Final = (*("name", "model", "bandwidth_mhz", "gain_dbi", "azimuth_deg", "beamwidth_deg"),)
COLUMNS: Final = Columns("cells", REQUIRED, OPTIONAL)


def read_cells(
    data: bytes, *, model: Model, check: Callable[[Cell], None] = lambda _: None
) -> tuple[Cell, ...]:
    """The cells of a file. model: of those that name none. check: raises what else is wrong.

    Raises MalformedInput that names the line or the element.
    """
    if len(data) > CELL_FILE_BYTES_MAX:
        raise MalformedInput(f"{len(data)} bytes of cells; at most {CELL_FILE_BYTES_MAX} are read")
    is_json = data.lstrip()[:1] in (b"[", b"{")
    given = _of_json(data) if is_json else rows(data, COLUMNS)
    cells: list[Cell] = []
    for where, row in given:
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
        COLUMNS.check(row, where)
        yield where, {name: value for name, value in row.items() if value is not None}


def _cell(row: Mapping[str, Any], model: Model, number: int) -> Cell:
    COLUMNS.check_whole(row)
    if "beamwidth_deg" in row and "azimuth_deg" not in row:
        raise MalformedInput("beamwidth_deg without azimuth_deg")
    return Cell(
        name=_name(row.get("name"), f"cell {number}"),
        place=Geodetic(number_in(row, "latitude_deg"), number_in(row, "longitude_deg")),
        height_m=number_in(row, "height_m"),
        frequency_mhz=number_in(row, "frequency_mhz"),
        eirp_dbm=number_in(row, "eirp_dbm"),
        model=_model(row.get("model"), model),
        bandwidth_mhz=number_in(row, "bandwidth_mhz", 10.0),
        gain_dbi=number_in(row, "gain_dbi", math.nan),
        azimuth_deg=number_in(row, "azimuth_deg", math.nan),
        beam_deg=number_in(row, "beamwidth_deg", BEAM_DEG),
    )


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
