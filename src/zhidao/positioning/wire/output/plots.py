"""Plots of positions as SVG: sky, track, errors, protection levels, residuals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from zhidao.core.errors import Refused
from zhidao.positioning.domain.observables.observations import Floats
from zhidao.positioning.domain.observables.signals import SYSTEMS, satellite_name
from zhidao.positioning.domain.positions import Positions
from zhidao.positioning.domain.single_point.geometry import ecef, enu_axes, geodetic
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.wire.output.svg import COLOURS, FAINT, INK, Axes, Sheet

_NS: Final = 1_000_000_000
_NAMES: Final = {"G": "GPS", "R": "GLONASS", "E": "Galileo", "C": "BeiDou", "J": "QZSS"}
_WIDTH, _HEIGHT = 860, 460


def title_of(text: str, *, simulated: bool) -> str:
    """The title, which says so where no satellite was received."""
    return f"{text} (SIMULATED: no satellite was received)" if simulated else text


def _hours(table: Positions | Solution) -> Floats:
    hours: Floats = (table.gpst_ns - table.gpst_ns[0]) / (3600 * _NS)
    return hours


def _axes(sheet: Sheet, x_range: tuple[float, float], y_range: tuple[float, float]) -> Axes:
    return Axes(sheet, 64, 66, sheet.width - 24, sheet.height - 46, x_range, y_range)


def _span(values: Floats) -> tuple[float, float]:
    good = values[np.isfinite(values)]
    low, high = (float(good.min()), float(good.max())) if len(good) else (0.0, 1.0)
    spare = (high - low) * 0.05 or 0.5
    return low - spare, high + spare


def need_positions(table: Positions) -> None:
    """Raises Refused where there is nothing to plot."""
    if not len(table.solved):
        raise Refused("no epoch has a position to plot", code="no_positions")


def sky(solved: Solution, *, simulated: bool) -> bytes:
    """Azimuth and elevation of every satellite over time, north up; the newest place is named."""
    sheet = Sheet(560, 600, title_of("Sky", simulated=simulated))
    middle, radius = (280.0, 310.0), 240.0
    for elevation in (0, 30, 60):
        sheet.circle(*middle, radius * (90 - elevation) / 90, FAINT)
        sheet.words(middle[0] + 3, middle[1] - radius * (90 - elevation) / 90 - 3, f"{elevation}°")
    for name, angle in (("N", 0), ("E", 90), ("S", 180), ("W", 270)):
        turn = math.radians(angle)
        right, above = math.sin(turn) * (radius + 14), math.cos(turn) * (radius + 14)
        sheet.words(middle[0] + right, middle[1] - above + 4, name)
    data = solved.measurements
    seen = np.isfinite(solved.elevation)
    shown = set()
    for number in np.unique(data.satellite[seen]).tolist():
        epoch, cell = np.nonzero(seen & (data.satellite == number))
        away = radius * (1 - solved.elevation[epoch, cell] / (np.pi / 2))
        x = middle[0] + away * np.sin(solved.azimuth[epoch, cell])
        y = middle[1] - away * np.cos(solved.azimuth[epoch, cell])
        system = SYSTEMS[number // 100]
        shown.add(system)
        colour = COLOURS[SYSTEMS.index(system) % len(COLOURS)]
        # A long gap is two passes: no line between them.
        gap = np.flatnonzero(np.diff(epoch) > 20) + 1
        sheet.line(np.insert(x, gap, np.nan), np.insert(y, gap, np.nan), colour, width=1.0)
        sheet.dots(x[-1:], y[-1:], colour, radius=3)
        sheet.words(float(x[-1]), float(y[-1]) - 6, satellite_name(system, number % 100), size=9)
    legend(sheet, [(_NAMES.get(s, s), COLOURS[SYSTEMS.index(s)]) for s in sorted(shown)])
    return sheet.encode()


def legend(sheet: Sheet, entries: Sequence[tuple[str, str]]) -> None:
    """Names with their colours, in a row under the title."""
    x = 64.0
    for name, colour in entries:
        sheet.dots(np.array([x]), np.array([34.0]), colour, radius=4)
        sheet.words(x + 8, 38, name, anchor="start")
        x += 22 + 7.2 * len(name)


def offsets_of(table: Positions, reference_m: Floats | None) -> tuple[Floats, str]:
    """East, north and up (e, 3) from a reference, or from the median place where none is given."""
    middle_m = np.nanmedian(table.ecef_m, axis=0) if reference_m is None else reference_m
    latitude, longitude, _ = geodetic(middle_m)
    name = "the median place" if reference_m is None else "the reference"
    offsets: Floats = (table.ecef_m - middle_m) @ enu_axes(latitude, longitude).T
    return offsets, name


def track(table: Positions, reference_m: Floats | None = None) -> bytes:
    """The way over ground in metres east and north; both axes have one scale."""
    need_positions(table)
    east_north, name = offsets_of(table, reference_m)
    sheet = Sheet(620, 640, title_of("Track", simulated=table.simulated))
    (e0, e1), (n0, n1) = _span(east_north[:, 0]), _span(east_north[:, 1])
    half = max(e1 - e0, n1 - n0) / 2
    middle = ((e0 + e1) / 2, (n0 + n1) / 2)
    axes = _axes(sheet, (middle[0] - half, middle[0] + half), (middle[1] - half, middle[1] + half))
    axes.frame(f"metres east of {name}", "metres north")
    axes.line(east_north[:, 0], east_north[:, 1], FAINT)
    axes.dots(east_north[:, 0], east_north[:, 1], COLOURS[0])
    return sheet.encode()


def errors(table: Positions, reference_m: Floats | None = None) -> bytes:
    """East, north and up against time."""
    need_positions(table)
    offsets, name = offsets_of(table, reference_m)
    sheet = Sheet(_WIDTH, _HEIGHT, title_of(f"Offsets from {name}", simulated=table.simulated))
    axes = _axes(sheet, _span(_hours(table)), _span(offsets))
    axes.frame("hours since the first epoch", "metres")
    parts = []
    for index, label in enumerate(("east", "north", "up")):
        axes.dots(_hours(table), offsets[:, index], COLOURS[index], radius=1.1)
        root = math.sqrt(float(np.nanmean(offsets[:, index] ** 2)))
        parts.append((f"{label} {root:.3f} m RMS", COLOURS[index]))
    legend(sheet, parts)
    return sheet.encode()


def levels(table: Positions, reference_m: Floats | None = None) -> bytes:
    """Protection levels over time, and the errors under them where a reference is given."""
    need_positions(table)
    bounds = np.stack((table.horizontal_m, table.vertical_m), 1)
    if not np.isfinite(bounds).any():
        raise Refused("these positions have no protection levels", code="no_levels")
    top = float(np.nanpercentile(np.where(np.isfinite(bounds), bounds, np.nan), 99)) * 1.2
    sheet = Sheet(_WIDTH, _HEIGHT, title_of("Protection levels", simulated=table.simulated))
    axes = _axes(sheet, _span(_hours(table)), (0.0, top))
    axes.frame("hours since the first epoch", "metres")
    entries = [("horizontal level", COLOURS[0]), ("vertical level", COLOURS[1])]
    axes.dots(_hours(table), bounds[:, 0], COLOURS[0], radius=1.0)
    axes.dots(_hours(table), bounds[:, 1], COLOURS[1], radius=1.0)
    if reference_m is not None:
        offsets, _ = offsets_of(table, reference_m)
        axes.dots(_hours(table), np.hypot(offsets[:, 0], offsets[:, 1]), COLOURS[5], radius=0.8)
        axes.dots(_hours(table), np.abs(offsets[:, 2]), COLOURS[4], radius=0.8)
        entries += [("horizontal error", COLOURS[5]), ("vertical error", COLOURS[4])]
    legend(sheet, entries)
    return sheet.encode()


def residuals(solved: Solution, *, simulated: bool) -> bytes:
    """Residuals of the used ranges over time, by system; excluded ones are counted."""
    if not solved.used.any():
        raise Refused("no range was used", code="no_positions")
    values = np.where(solved.used, solved.residual_m, np.nan)
    title = f"Residuals ({int(solved.excluded.sum())} ranges excluded)"
    sheet = Sheet(_WIDTH, _HEIGHT, title_of(title, simulated=simulated))
    axes = _axes(sheet, _span(_hours(solved)), _span(values))
    axes.frame("hours since the first epoch", "metres")
    entries = []
    systems = solved.measurements.satellite // 100
    for index in np.unique(systems[solved.used]).tolist():
        here = np.where(systems == index, values, np.nan)
        hours = np.broadcast_to(_hours(solved)[:, None], here.shape)
        colour = COLOURS[index % len(COLOURS)]
        axes.dots(hours.reshape(-1), here.reshape(-1), colour, radius=0.8)
        root = math.sqrt(float(np.nanmean(here**2)))
        name = _NAMES.get(SYSTEMS[index], SYSTEMS[index])
        entries.append((f"{name} {root:.2f} m RMS", colour))
    axes.line(np.array(axes.x_range), np.zeros(2), INK)
    legend(sheet, entries)
    return sheet.encode()


def reference_of(numbers: Sequence[float]) -> Floats:
    """A place of latitude, longitude (degrees) and height, or of Earth-fixed metres; (3,)."""
    a, b, c = numbers
    if abs(a) <= 90 and abs(b) <= 360 and abs(c) < 1e5:
        return ecef(np.deg2rad(np.array(a)), np.deg2rad(np.array(b)), np.array(c))
    return np.array((a, b, c))
