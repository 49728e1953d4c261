"""A small writer of SVG: a sheet with axes, lines, dots and words, readable without any script.

Source: SVG 1.1 (W3C, 2011). Dots are placed to half a pixel, the rest to a tenth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.positioning.domain.observables.observations import Floats

INK: Final = "#1b2733"
FAINT: Final = "#d5dde5"
# Told apart by people who do not see red and green alike (Okabe and Ito, 2008).
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")


@dataclass(slots=True)
class Sheet:
    """A page of `width` x `height` pixels that things are drawn on, first things lowest."""

    width: int
    height: int
    title: str
    _parts: list[str] = field(default_factory=list)

    def line(self, x: Floats, y: Floats, colour: str, *, width: float = 1.2) -> None:
        """A line through points; where a coordinate is NaN it is interrupted."""
        for start, stop in _stretches(np.isfinite(x) & np.isfinite(y)):
            kept = _moving(x[start:stop], y[start:stop]) + start
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[kept], y[kept], strict=True))
            if stop - start > 1:
                self._parts.append(
                    f'<polyline points="{points}" fill="none" stroke="{colour}" '
                    f'stroke-width="{width}"/>'
                )

    def dots(self, x: Floats, y: Floats, colour: str, *, radius: float = 1.6) -> None:
        """A dot at each finite point, as one path."""
        good = np.isfinite(x) & np.isfinite(y)
        # Equal places on the sheet are drawn once.
        places = np.unique(np.round(np.stack((x[good], y[good]), 1) * 2) / 2, axis=0)
        path = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in places.tolist())
        if path:
            self._parts.append(
                f'<path d="{path}" stroke="{colour}" stroke-width="{2 * radius}" '
                'stroke-linecap="round"/>'
            )

    def circle(self, x: float, y: float, radius: float, colour: str) -> None:
        """The outline of a circle."""
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="none" stroke="{colour}"/>'
        )

    def area(self, corners: Floats, colour: str) -> None:
        """A filled polygon of corners (n, 2)."""
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        self._parts.append(f'<polygon points="{points}" fill="{colour}"/>')

    def words(
        self, x: float, y: float, text: str, *, anchor: str = "middle", size: int = 11
    ) -> None:
        """A line of text."""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{INK}">{escape(text)}</text>'
        )

    def encode(self) -> bytes:
        """The whole document."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif" role="img">\n'
            f"<title>{escape(self.title)}</title>\n"
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>\n'
        )
        self.words(self.width / 2, 18, self.title, size=13)
        return (head + "\n".join(self._parts) + "\n</svg>\n").encode()


def _stretches(good: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _moving(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Indexes of points that lie a pixel or more from the last kept one, and of both ends."""
    kept = [0]
    for index in range(1, len(x)):
        if abs(x[index] - x[kept[-1]]) + abs(y[index] - y[kept[-1]]) >= 1:
            kept.append(index)
    if kept[-1] != len(x) - 1:
        kept.append(len(x) - 1)
    return np.array(kept, np.int64)


def round_steps(low: float, high: float, *, about: int = 6) -> list[float]:
    """Round numbers within a range, some `about` of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Axes:
    """A rectangle of a sheet with a scale on both sides; y grows upward."""

    sheet: Sheet
    left: float
    top: float
    right: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places on the sheet of points on the scales."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        across = (np.asarray(x, float) - x0) / ((x1 - x0) or 1.0)
        upward = (np.asarray(y, float) - y0) / ((y1 - y0) or 1.0)
        return (
            self.left + across * (self.right - self.left),
            self.bottom - upward * (self.bottom - self.top),
        )

    def frame(self, x_label: str, y_label: str) -> None:
        """Grid, numbers and labels."""
        for value in round_steps(*self.x_range):
            x, _ = self.at(np.array([value]), np.array([self.y_range[0]]))
            ends = np.array([self.top, self.bottom])
            self.sheet.line(np.repeat(x, 2), ends, FAINT, width=0.8)
            self.sheet.words(float(x[0]), self.bottom + 14, f"{value:g}", size=10)
        for value in round_steps(*self.y_range):
            _, y = self.at(np.array([self.x_range[0]]), np.array([value]))
            ends = np.array([self.left, self.right])
            self.sheet.line(ends, np.repeat(y, 2), FAINT, width=0.8)
            self.sheet.words(self.left - 5, float(y[0]) + 4, f"{value:g}", anchor="end", size=10)
        self.sheet.words((self.left + self.right) / 2, self.bottom + 30, x_label)
        self.sheet.words(self.left, self.top - 6, y_label, anchor="start")

    def line(self, x: Floats, y: Floats, colour: str) -> None:
        """A line, cut where it would leave the rectangle."""
        self.sheet.line(*self.at(x, self._within(y)), colour)

    def dots(self, x: Floats, y: Floats, colour: str, *, radius: float = 1.6) -> None:
        """Dots, without those outside of the rectangle."""
        self.sheet.dots(*self.at(x, self._within(y)), colour, radius=radius)

    def _within(self, y: Floats) -> Floats:
        low, high = self.y_range
        return np.where((y >= low) & (y <= high), y, np.nan)
