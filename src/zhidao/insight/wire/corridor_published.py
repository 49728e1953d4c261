"""Reports of a corridor that were published before, read again: what they told of each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_version_in
from zhidao.insight.domain.corridor.cells import Cell
from zhidao.insight.domain.corridor.published import Published, PublishedCell
from zhidao.insight.wire.corridor_document import FORMAT

KNOWN_VERSIONS: Final = (1,)
PUBLISHED_BYTES_MAX: Final = 16 * 1024 * 1024
# Five years of quarters.
PUBLISHED_FILES_MAX: Final = 20
_NAMES: Final = ("crossing", "part", "mode", "direction", "quarter")
_FIGURES: Final = ("consignments", "parties", "mean_h", "median_h", "p90_h")
_Stretch = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class PublishedReport:
    """origins: of the logs that its leaves count in; empty where it was of files."""

    origins: tuple[str, ...]
    cells: tuple[tuple[Cell, tuple[float, ...], tuple[_Stretch, ...]], ...]

    def beside(self, origins: Sequence[str]) -> Published:
        """With its leaves in the logs that another report is of, where it has all of them."""
        of_other = {name: number for number, name in enumerate(origins)}
        return {
            cell: PublishedCell(figures, self._moved(stretches, of_other))
            for cell, figures, stretches in self.cells
        }

    def _moved(
        self, stretches: tuple[_Stretch, ...], of_other: dict[str, int]
    ) -> tuple[_Stretch, ...] | None:
        numbers = {n: of_other.get(name, -1) for n, name in enumerate(self.origins)}
        if not stretches or any(numbers.get(log, -1) < 0 for log, _, _ in stretches):
            return None
        return tuple((numbers[log], first, last) for log, first, last in stretches)


def decode_published(data: bytes) -> PublishedReport:
    """What `zhidao insight corridor` wrote before. Raises MalformedInput that names the cell."""
    plain = parse_strict(data, bytes_max=PUBLISHED_BYTES_MAX)
    check_version_in(plain, form="a report of a corridor", known=KNOWN_VERSIONS)
    values = plain if isinstance(plain, dict) else {}
    parts: Any = (values.get("cells"), values.get("basis"))
    if (
        values.get("format") != FORMAT
        or values.get("v") != 1
        or not isinstance(parts[0], list)
        or not isinstance(parts[1], dict)
    ):
        raise MalformedInput("no report of a corridor")
    told = (_cell(each, f"cells[{number}]") for number, each in enumerate(parts[0]))
    return PublishedReport(_origins(parts[1]), tuple(filter(None, told)))


def _origins(basis: dict[str, Any]) -> tuple[str, ...]:
    logs = basis.get("logs", [])
    found = [each.get("origin") if isinstance(each, dict) else None for each in _listed(logs)]
    if not all(isinstance(each, str) for each in found) or len(set(found)) < len(found):
        raise MalformedInput("a report names the origin of each of its logs", where="basis")
    return tuple(str(each) for each in found)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _cell(plain: Any, where: str) -> tuple[Cell, tuple[float, ...], tuple[_Stretch, ...]] | None:
    """None for a cell that was withheld."""
    values: dict[str, Any] = plain if isinstance(plain, dict) else {}
    cell = _named(values, where)
    if not values["told"]:
        return None
    figures = [*(values.get(name) for name in _FIGURES), *_listed(values.get("bound_h"))]
    if len(figures) != len(_FIGURES) + 2 or not all(type(n) in (int, float) for n in figures):
        raise MalformedInput("a cell that is told has its figures", where=where)
    stretches = _listed(values.get("leaves"))
    if not all(_is_stretch(each) for each in stretches):
        raise MalformedInput("leaves are log, first and last index", where=where)
    return cell, tuple(map(float, figures)), tuple((a, b, c) for a, b, c in stretches)


def _named(values: dict[str, Any], where: str) -> Cell:
    names = [values.get(name) for name in _NAMES]
    flags = (values.get("simulated"), values.get("told"))
    if {type(each) for each in names} != {str} or {type(each) for each in flags} != {bool}:
        raise MalformedInput("a cell names its crossing, part, mode and time", where=where)
    crossing, part, mode, direction, quarter = map(str, names)
    return Cell(crossing, part, mode, direction, quarter, simulated=bool(flags[0]))


def _is_stretch(plain: Any) -> bool:
    return (
        isinstance(plain, list)
        and len(plain) == 3
        and all(type(number) is int for number in plain)
        and 0 <= plain[1] <= plain[2]
    )
