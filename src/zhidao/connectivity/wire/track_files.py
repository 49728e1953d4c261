"""A way from a CSV file: when, where, and within how many metres surely."""

from __future__ import annotations

from typing import Final

from zhidao.connectivity.domain.track_mark import FIXES_MAX, Fix
from zhidao.connectivity.wire.csv_rows import Columns, number_in, rows
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Utc

TRACK_BYTES_MAX: Final = 4 * 1024 * 1024
TRACK_COLUMNS: Final = Columns("a way", ("at", "latitude_deg", "longitude_deg", "bound_m"))


def read_fixes(data: bytes) -> tuple[Fix, ...]:
    """The fixes of a file. Raises MalformedInput that names the line."""
    if len(data) > TRACK_BYTES_MAX:
        raise MalformedInput(f"{len(data)} bytes of a way; at most {TRACK_BYTES_MAX} are read")
    fixes: list[Fix] = []
    for where, row in rows(data, TRACK_COLUMNS):
        if len(fixes) == FIXES_MAX:
            raise MalformedInput(f"more than {FIXES_MAX} fixes", remedy="give a part of the way")
        try:
            TRACK_COLUMNS.check_whole(row)
            fixes.append(
                Fix(
                    Utc.parse(row["at"]),
                    Geodetic(number_in(row, "latitude_deg"), number_in(row, "longitude_deg")),
                    number_in(row, "bound_m"),
                )
            )
        except MalformedInput as error:
            error.where = where
            error.remedy = error.remedy or "mend the value, or take the row out"
            raise
    if not fixes:
        raise MalformedInput("no fix", remedy=f"give rows of {', '.join(TRACK_COLUMNS.required)}")
    return tuple(fixes)
