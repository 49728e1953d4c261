"""Cells of the Earth's surface as one number each, for questions by place.

Rows of 0.02 degrees of latitude (2.2 km), each cut evenly into as many columns as make its cells
nearly square: about 4.9 square kilometres everywhere but at the poles, near an H3 cell of
resolution 7. Cells of one row that touch have numbers that follow each other, so a box is one range
of numbers for each of its rows.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

_ROW_UDEG: Final = 20_000
_HALF_UDEG: Final = 90_000_000
_ROUND_UDEG: Final = 360_000_000
_ROWS: Final = 2 * _HALF_UDEG // _ROW_UDEG
_ROW_BITS: Final = 32
# No cell: a report that is no place.
NOWHERE: Final = 0


def cell_of(latitude_udeg: int, longitude_udeg: int) -> int:
    """The cell of a place, 1 or more; `NOWHERE` for what is off the Earth.

    >>> cell_of(43_205_000, 76_905_000) == cell_of(43_219_000, 76_915_000)
    True
    >>> cell_of(43_200_000, -180_000_000) == cell_of(43_200_000, 180_000_000)
    True
    >>> cell_of(91_000_000, 0)
    0
    """
    if abs(latitude_udeg) > _HALF_UDEG or abs(longitude_udeg) > _ROUND_UDEG // 2:
        return NOWHERE
    row = min((latitude_udeg + _HALF_UDEG) // _ROW_UDEG, _ROWS - 1)
    turn = (longitude_udeg + _ROUND_UDEG // 2) % _ROUND_UDEG
    return (row + 1) << _ROW_BITS | turn * int(_COLUMNS[row]) // _ROUND_UDEG


def cells_of(
    latitude_udeg: npt.NDArray[np.int64], longitude_udeg: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The cells of many places, each as `cell_of` says. Shapes (n,)."""
    here = (np.abs(latitude_udeg) <= _HALF_UDEG) & (np.abs(longitude_udeg) <= _ROUND_UDEG // 2)
    row = np.clip((latitude_udeg + _HALF_UDEG) // _ROW_UDEG, 0, _ROWS - 1)
    turn = (longitude_udeg + _ROUND_UDEG // 2) % _ROUND_UDEG
    cells = (row + 1) << _ROW_BITS | turn * _COLUMNS[row] // _ROUND_UDEG
    return np.where(here, cells, NOWHERE)


def _columns_in(row: int) -> int:
    middle_deg = (row + 0.5) * _ROW_UDEG / 1e6 - 90
    return max(1, round(_ROUND_UDEG / _ROW_UDEG * math.cos(math.radians(middle_deg))))


# How many cells go round the Earth in each row.
_COLUMNS: Final = np.array([_columns_in(row) for row in range(_ROWS)], dtype=np.int64)
