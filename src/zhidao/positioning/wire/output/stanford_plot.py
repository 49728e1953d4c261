"""The Stanford diagram: errors against protection levels, with regions where limits are told."""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.errors import Refused
from zhidao.positioning.domain.integrity.stanford import AlertLimits, Regions, regions
from zhidao.positioning.domain.observables.observations import Floats
from zhidao.positioning.domain.positions import Positions
from zhidao.positioning.wire.output.plots import legend, need_positions, offsets_of, title_of
from zhidao.positioning.wire.output.svg import COLOURS, INK, Axes, Sheet

_SIDE: Final = 620
_HEIGHT: Final = 640
# Good, not offered, and the shades of what must not happen.
_SHADES: Final = {
    "normal": "#e6f4ea",
    "unavailable": "#fff6d6",
    "misleading": "#fbe0c8",
    "unavailable_misleading": "#fbe9e0",
    "hazardous": "#f5bdb5",
}


def stanford(
    table: Positions, reference_m: Floats | None = None, limits: AlertLimits | None = None
) -> bytes:
    """Error against protection level, both directions; points under the diagonal break the bound.

    limits: with them one picture a direction, with the regions of the diagram and how many
    positions lie in each. Raises Refused without a reference: a median place would hide what the
    diagram shows.
    """
    pairs = _pairs(table, reference_m)
    sheet = Sheet(
        _SIDE if limits is None else 2 * _SIDE,
        _HEIGHT,
        title_of("Stanford diagram", simulated=table.simulated),
    )
    if limits is None:
        _combined(sheet, pairs)
    else:
        for index, limit_m in enumerate((limits.horizontal_m, limits.vertical_m)):
            _panel(sheet, index, pairs[index], limit_m)
    return sheet.encode()


def stanford_regions(
    table: Positions, reference_m: Floats | None, limits: AlertLimits
) -> dict[str, Regions]:
    """How many positions lie in each region, by direction."""
    (across, horizontal_m), (upward, vertical_m) = _pairs(table, reference_m)
    return {
        "horizontal": regions(across, horizontal_m, limits.horizontal_m),
        "vertical": regions(upward, vertical_m, limits.vertical_m),
    }


def _pairs(table: Positions, reference_m: Floats | None) -> list[tuple[Floats, Floats]]:
    """Errors and levels, horizontal and vertical."""
    need_positions(table)
    if reference_m is None:
        raise Refused(
            "a Stanford diagram needs the true place", code="no_reference", remedy="--reference"
        )
    offsets, _ = offsets_of(table, reference_m)
    across, upward = np.hypot(offsets[:, 0], offsets[:, 1]), np.abs(offsets[:, 2])
    return [(across, table.horizontal_m), (upward, table.vertical_m)]


def _top(pairs: list[tuple[Floats, Floats]], least: float = 0.0) -> float:
    both = np.concatenate([column for pair in pairs for column in pair])
    known = both[np.isfinite(both)]
    return max(float(known.max(initial=0.0)), least) * 1.05 or 1.0


def _combined(sheet: Sheet, pairs: list[tuple[Floats, Floats]]) -> None:
    top = _top(pairs)
    axes = Axes(sheet, 64, 66, sheet.width - 24, sheet.height - 46, (0.0, top), (0.0, top))
    _shade(sheet, axes, ((0, 0), (top, top), (top, 0)), _SHADES["unavailable_misleading"])
    axes.frame("error, metres", "protection level, metres")
    entries = []
    for name, (error_m, level_m), colour in zip(
        ("horizontal", "vertical"), pairs, COLOURS, strict=False
    ):
        axes.dots(error_m, level_m, colour)
        entries.append((f"{name}: {int((error_m > level_m).sum())} over the level", colour))
    legend(sheet, entries)


def _panel(sheet: Sheet, index: int, pair: tuple[Floats, Floats], limit_m: float) -> None:
    """One direction with the regions that its alert limit makes."""
    top = _top([pair], limit_m * 1.3)
    left = index * _SIDE
    axes = Axes(sheet, left + 64, 66, left + _SIDE - 24, sheet.height - 46, (0.0, top), (0.0, top))
    a = limit_m
    for name, corners in (
        ("normal", ((0, 0), (0, a), (a, a))),
        ("misleading", ((0, 0), (a, a), (a, 0))),
        ("hazardous", ((a, 0), (a, a), (top, a), (top, 0))),
        ("unavailable", ((0, a), (0, top), (top, top), (a, a))),
        ("unavailable_misleading", ((a, a), (top, top), (top, a))),
    ):
        _shade(sheet, axes, corners, _SHADES[name])
    direction = ("horizontal", "vertical")[index]
    axes.frame(f"{direction} error, metres", "protection level, metres")
    axes.line(np.array((0.0, top)), np.array((a, a)), INK)
    axes.line(np.array((a, a)), np.array((0.0, top)), INK)
    axes.dots(*pair, COLOURS[index])
    found = regions(*pair, limit_m)
    for text, x, y in (
        (f"normal {found.normal}", 0.30 * a, 0.85 * a),
        (f"misleading {found.misleading}", 0.68 * a, 0.15 * a),
        (f"hazardous {found.hazardous}", (a + top) / 2, 0.5 * a),
        (f"unavailable {found.unavailable}", 0.4 * a, (a + top) / 2),
        (f"both {found.unavailable_misleading}", a + 0.72 * (top - a), a + 0.2 * (top - a)),
    ):
        across, down = axes.at(np.array(x), np.array(y))
        sheet.words(float(across), float(down), text, size=12)
    share = f"{direction}: available {found.available_share:.1%} at {limit_m:g} m"
    if found.unbounded:
        share += f", {found.unbounded} without a level"
    sheet.words(left + 64, 38, share, anchor="start", size=12)


def _shade(sheet: Sheet, axes: Axes, corners: tuple[tuple[float, float], ...], colour: str) -> None:
    sheet.area(np.array([axes.at(np.array(x), np.array(y)) for x, y in corners]), colour)
