"""The serving cell in what terminals send beside their positions.

JT/T 808 itself names no cell: vendors put it into additional items of their own. The forms here
are those in frames of real devices and in Traccar's reading of them (`Jt808ProtocolDecoder`,
0333aea1): item 0xE1, 0xEB in two forms, 0xF0. Of Teltonika: elements 205, 206, 241 and 636
(`TeltonikaProtocolDecoder`). An item of another form under the same number names no cell; of
several cells the first is the serving one, since others follow it as neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from zhidao.connectivity.domain.reported_cell import CellName
from zhidao.core.errors import MalformedInput

# Additional items of a position report that may name cells.
ITEMS: Final = frozenset((0xE1, 0xEB, 0xF0))
_EXTENDED_CELL: Final = 0x00D8
# Traccar tells the two forms of 0xEB apart by this: no country's code is lower, no length higher.
_COUNTRY: Final = 200
# Elements of Teltonika: cell of 2G, area, operator as MCC and MNC, cell of later generations.
_CELL_2G, _AREA, _OPERATOR, _CELL_4G = 205, 206, 241, 636
ELEMENTS: Final = frozenset((_CELL_2G, _AREA, _OPERATOR, _CELL_4G))
_LEAST_OPERATOR: Final = 1000
# An operator of up to five digits has a network's code of two.
_TWO_DIGITS: Final = 100_000


def cell_of_items(items: Iterable[tuple[int, bytes]]) -> tuple[CellName, ...]:
    """The serving cell that items of a position report name, by number and value; or nothing."""
    for number, value in items:
        found = _first(_named(number, value))
        if found:
            return found
    return ()


def cell_of_elements(elements: Iterable[tuple[int, bytes]]) -> tuple[CellName, ...]:
    """The serving cell that elements of a Teltonika record name, or nothing."""
    told = {
        number: int.from_bytes(value, "big") for number, value in elements if number in ELEMENTS
    }
    operator = told.get(_OPERATOR, 0)
    if operator < _LEAST_OPERATOR or _AREA not in told:
        return ()
    mcc, mnc = divmod(operator, 100 if operator < _TWO_DIGITS else 1000)
    identity = told.get(_CELL_2G, 0) or told.get(_CELL_4G, 0)
    return _first(iter([(mcc, mnc, told[_AREA], identity)]))


def _named(number: int, value: bytes) -> Iterator[tuple[int, int, int, int]]:
    if number == 0xE1:
        yield from _of_e1(value)
    elif number == 0xEB:
        yield from _of_eb(value)
    elif number == 0xF0:
        yield from _of_f0(value)


def _of_e1(value: bytes) -> Iterator[tuple[int, int, int, int]]:
    """MCC(2) MNC(2), then area(3) cell(4) signal(1) for each."""
    if len(value) < 12 or (len(value) - 4) % 8:
        return
    for at in range(4, len(value), 8):
        yield (
            *(_number(value[:2]), _number(value[2:4])),
            *(_number(value[at : at + 3]), _number(value[at + 3 : at + 7])),
        )


def _of_eb(value: bytes) -> Iterator[tuple[int, int, int, int]]:
    """MCC(2) MNC(1), then area(2) cell(2) signal(1) for each; or length(2) type(2) values."""
    if len(value) >= 8 and _number(value[:2]) > _COUNTRY:
        if (len(value) - 3) % 5 == 0:
            for at in range(3, len(value), 5):
                yield (
                    *(_number(value[:2]), value[2]),
                    *(_number(value[at : at + 2]), _number(value[at + 2 : at + 4])),
                )
        return
    at = 0
    while at + 4 <= len(value):
        size, kind = _number(value[at : at + 2]), _number(value[at + 2 : at + 4])
        inside = value[at + 4 : at + 2 + size]
        if kind == _EXTENDED_CELL and len(inside) == size - 2 == 9:
            yield _number(inside[:2]), inside[2], _number(inside[3:5]), _number(inside[5:9])
        at += 2 + size


def _of_f0(value: bytes) -> Iterator[tuple[int, int, int, int]]:
    """For each: MCC(2) MNC(2) cell(4) area(4) signal(1)."""
    if len(value) % 13:
        return
    for at in range(0, len(value), 13):
        one = value[at : at + 13]
        yield _number(one[:2]), _number(one[2:4]), _number(one[8:12]), _number(one[4:8])


def _first(found: Iterator[tuple[int, int, int, int]]) -> tuple[CellName, ...]:
    """The first; none where that is no cell, since a neighbour does not stand for it."""
    for mcc, mnc, area, identity in found:
        try:
            return (CellName(mcc, mnc, area, identity),)
        except MalformedInput:
            return ()
    return ()


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
