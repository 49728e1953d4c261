"""The table of sites of the fleet's own cells: CSV, one row for a cell and a stretch of time.

`plmn,area,cell,latitude_deg,longitude_deg,range_m`, then a sector as of a core's table, and `since`
and `until` for a cell that stood elsewhere at another time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from zhidao.connectivity.domain.network_area import Sector
from zhidao.connectivity.domain.reported_cell import CellName, SiteRow, Sites
from zhidao.connectivity.domain.served_cell import CellId, ServedCell, check_plmn
from zhidao.connectivity.wire.csv_rows import Columns, number_in, rows
from zhidao.connectivity.wire.network_tables import (
    SERVED_CELLS_MAX,
    TABLE_BYTES_MAX,
)
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Utc

FLEET_COLUMNS: Final = Columns(
    "cells",
    ("area", "cell", "latitude_deg", "longitude_deg", "range_m"),
    ("plmn", "name", "azimuth_deg", "beamwidth_deg", "behind_m", "since", "until"),
)
_WHOLE: Final = re.compile(r"[0-9]{1,11}\Z|0x[0-9a-fA-F]{1,9}\Z", re.ASCII)


def read_fleet_sites(data: bytes, plmn: str) -> Sites:
    """The cells of a table; `plmn`: of rows that name none.

    Raises MalformedInput that names the line.
    """
    if len(data) > TABLE_BYTES_MAX:
        raise MalformedInput(f"{len(data)} bytes of a table; at most {TABLE_BYTES_MAX} are read")
    sites = Sites()
    count = 0
    for where, row in rows(data, FLEET_COLUMNS):
        if count == SERVED_CELLS_MAX:
            raise MalformedInput(
                f"more than {SERVED_CELLS_MAX} cells", remedy="give those of the corridor only"
            )
        try:
            sites.add(_row(row, plmn))
        except MalformedInput as error:
            error.where = where
            error.remedy = error.remedy or "mend the value, or take the row out"
            raise
        count += 1
    if not count:
        raise MalformedInput("no cell", remedy=f"give rows of {', '.join(FLEET_COLUMNS.required)}")
    return sites


def _row(row: Mapping[str, str], plmn: str) -> SiteRow:
    FLEET_COLUMNS.check_whole(row)
    network = check_plmn(row.get("plmn", plmn))
    name = CellName(
        *(int(network[:3]), int(network[3:])), *(_whole(row, each) for each in ("area", "cell"))
    )
    # Its geometry is a core's cell's; that has the circle.
    served = ServedCell(
        CellId(network, 0),
        Geodetic(number_in(row, "latitude_deg"), number_in(row, "longitude_deg")),
        number_in(row, "range_m"),
        number_in(row, "azimuth_deg"),
        number_in(row, "beamwidth_deg"),
        number_in(row, "behind_m"),
    )
    beam: tuple[Sector, ...] = ()
    if not math.isnan(served.azimuth_deg):
        beam = (
            Sector(
                *(served.site, served.range_m, served.azimuth_deg),
                *(served.beam_deg, served.behind_m),
            ),
        )
    return SiteRow(name, served.circle, _time(row, "since"), _time(row, "until"), beam)


def _whole(row: Mapping[str, str], name: str) -> int:
    text = row[name]
    if not _WHOLE.match(text):
        raise MalformedInput(
            f"{name} is no number: {text[:24]!r}", remedy="write 4098, or 0x1002 in hexadecimal"
        )
    return int(text, 16 if text.startswith("0x") else 10)


def _time(row: Mapping[str, str], name: str) -> tuple[Utc, ...]:
    return (Utc.parse(row[name]),) if name in row else ()
