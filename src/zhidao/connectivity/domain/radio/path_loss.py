"""Path loss of rural and urban cells, and the chance of a line of sight, within their ranges.

Source: 3GPP TR 38.901 clause 7.4, tables 7.4.1-1 and 7.4.2-1, as version 19.4.0 stands in the
package tr3gpp; the TR itself was not at hand. Breakpoints (notes 1 and 5 of the table) and limits
of frequency were checked against public implementations. Nothing is computed outside the ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from zhidao.core.errors import MalformedInput, Refused

Floats = npt.NDArray[np.float64]
# As notes 1 and 5 of table 7.4.1-1 round it.
LIGHT_MPS: Final = 3.0e8
# Note 1: the effective height of what surrounds a terminal; in UMa for terminals below 13 m.
_SURROUNDINGS_M: Final = 1.0


class Model(StrEnum):
    """Which surroundings a cell has."""

    RMA = "rma"
    UMA = "uma"
    UMI = "umi"


@dataclass(frozen=True, slots=True)
class Validity:
    """What a model was made for: distances on the ground, heights, frequencies; ends count."""

    nearest_m: float
    farthest_clear_m: float
    farthest_blocked_m: float
    base_m: tuple[float, float]
    terminal_m: tuple[float, float]
    frequency_ghz: tuple[float, float]


# Column "applicability range" of table 7.4.1-1. From 13 m on the breakpoint of UMa is drawn at
# random (note 1), so the terminals of UMa end below it here; the table goes on to 22.5 m.
VALIDITY: Final = {
    Model.RMA: Validity(10, 10_000, 5_000, (10, 150), (1, 10), (0.5, 30)),
    Model.UMA: Validity(10, 5_000, 5_000, (25, 25), (1.5, 12.99), (0.5, 100)),
    Model.UMI: Validity(10, 5_000, 5_000, (10, 10), (1.5, 22.5), (0.5, 100)),
}
# The table's ranges of h and W, which RMa alone asks for.
_RURAL_M: Final = (5.0, 50.0)
# Where the one height of UMa and UMi is set aside on request, a mast is still a mast.
_ANY_BASE_M: Final = (3.0, 150.0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Heights in metres: of the terminal, of buildings (h), and the width of streets (W).

    any_height: UMa and UMi are computed for antennas at other heights than 25 and 10 m, which the
    table does not give. Raises MalformedInput for what no model has.
    """

    terminal_height_m: float = 1.5
    building_height_m: float = 5.0
    street_width_m: float = 20.0
    any_height: bool = False

    def __post_init__(self) -> None:
        _check("buildings", self.building_height_m, _RURAL_M, "m high", "TR 38.901 table 7.4.1-1")
        _check("streets", self.street_width_m, _RURAL_M, "m wide", "TR 38.901 table 7.4.1-1")


@dataclass(frozen=True, slots=True)
class Links:
    """Links of one model: arrays of one shape. distance_m is that on the ground (d2D)."""

    distance_m: Floats
    base_height_m: Floats
    frequency_ghz: Floats
    around: Surroundings

    @property
    def slant_m(self) -> Floats:
        """The distance between the antennas (d3D)."""
        rise_m = self.base_height_m - self.around.terminal_height_m
        return np.hypot(self.distance_m, rise_m)


def check_ends(
    model: Model, *, base_height_m: float, frequency_ghz: float, around: Surroundings
) -> None:
    """Raises MalformedInput where a model says nothing of such antennas or such a frequency."""
    valid = VALIDITY[model]
    name = f"{_NAMES[model]} of TR 38.901 table 7.4.1-1"
    base_m = valid.base_m
    if around.any_height and base_m[0] == base_m[1]:
        base_m = _ANY_BASE_M
    _check("a frequency", frequency_ghz, valid.frequency_ghz, "GHz", name)
    _check("an antenna", base_height_m, base_m, "m above the ground", name)
    _check(
        "a terminal",
        around.terminal_height_m,
        valid.terminal_m,
        "m above the ground",
        name,
        remedy="give another --terminal-height or model",
    )


def clear_loss_db(
    model: Model, links: Links, *, extrapolate: bool = False
) -> tuple[Floats, Floats]:
    """Path loss with a line of sight, and the standard deviation of its shadow fading, in dB.

    extrapolate: farther than the table goes as well; who asks for it must say so. Else raises
    Refused for a distance outside the model's range. Source: table 7.4.1-1, rows LOS.
    """
    if not extrapolate:
        _refuse_outside(model, links.distance_m, VALIDITY[model].farthest_clear_m)
    return _CLEAR[model](links)


def blocked_loss_db(
    model: Model, links: Links, *, extrapolate: bool = False
) -> tuple[Floats, Floats]:
    """The same without a line of sight: never less than with one. Source: the rows NLOS."""
    if not extrapolate:
        _refuse_outside(model, links.distance_m, VALIDITY[model].farthest_blocked_m)
    clear_db, _ = _CLEAR[model](links)
    blocked_db, deviation_db = _BLOCKED[model](links)
    return np.maximum(clear_db, blocked_db), np.full_like(clear_db, deviation_db)


def clear_chance(model: Model, distance_m: Floats, terminal_height_m: float) -> Floats:
    """The chance of a line of sight at a distance on the ground. Source: table 7.4.2-1.

    The table ends it nowhere. Terminals of UMa are below 13 m (C' is 0).
    """
    assert model is not Model.UMA or terminal_height_m < 13
    if model is Model.RMA:
        return np.minimum(1.0, np.exp(-(distance_m - 10) / 1000))
    near_m, scale_m = 18.0, 63.0 if model is Model.UMA else 36.0
    share = near_m / np.maximum(distance_m, near_m)
    return share + np.exp(-distance_m / scale_m) * (1 - share)


def _rural_clear(links: Links) -> tuple[Floats, Floats]:
    height_m, terminal_m = links.around.building_height_m, links.around.terminal_height_m
    # Note 5.
    turn_m = 2 * np.pi * links.base_height_m * terminal_m * links.frequency_ghz * 1e9 / LIGHT_MPS
    beyond = links.distance_m > turn_m
    at_m = np.where(beyond, turn_m, links.slant_m)
    loss_db = (
        20 * np.log10(40 * np.pi * at_m * links.frequency_ghz / 3)
        + min(0.03 * height_m**1.72, 10) * np.log10(at_m)
        - min(0.044 * height_m**1.72, 14.77)
        + 0.002 * np.log10(height_m) * at_m
    )
    loss_db += np.where(beyond, 40 * np.log10(links.slant_m / turn_m), 0.0)
    return loss_db, np.where(links.distance_m < turn_m, 4.0, 6.0)


def _rural_blocked(links: Links) -> tuple[Floats, float]:
    around, base_m = links.around, links.base_height_m
    height_m = around.building_height_m
    loss_db = (
        161.04
        - 7.1 * np.log10(around.street_width_m)
        + 7.5 * np.log10(height_m)
        - (24.37 - 3.7 * (height_m / base_m) ** 2) * np.log10(base_m)
        + (43.42 - 3.1 * np.log10(base_m)) * (np.log10(links.slant_m) - 3)
        + 20 * np.log10(links.frequency_ghz)
        - (3.2 * np.log10(11.75 * around.terminal_height_m) ** 2 - 4.97)
    )
    return loss_db, 8.0


def _urban_clear(
    links: Links, *, start_db: float, slope_db: float, turned_db: float
) -> tuple[Floats, Floats]:
    terminal_m = links.around.terminal_height_m
    rise_m = links.base_height_m - terminal_m
    # Note 1.
    turn_m = (
        4
        * (links.base_height_m - _SURROUNDINGS_M)
        * (terminal_m - _SURROUNDINGS_M)
        * (links.frequency_ghz * 1e9 / LIGHT_MPS)
    )
    carrier_db = start_db + 20 * np.log10(links.frequency_ghz)
    near_db = carrier_db + slope_db * np.log10(links.slant_m)
    far_db = carrier_db + 40 * np.log10(links.slant_m)
    far_db -= turned_db * np.log10(turn_m**2 + rise_m**2)
    loss_db = np.where(links.distance_m <= turn_m, near_db, far_db)
    return loss_db, np.full_like(loss_db, 4.0)


def _macro_clear(links: Links) -> tuple[Floats, Floats]:
    return _urban_clear(links, start_db=28.0, slope_db=22.0, turned_db=9.0)


def _macro_blocked(links: Links) -> tuple[Floats, float]:
    loss_db = 13.54 + 39.08 * np.log10(links.slant_m) + 20 * np.log10(links.frequency_ghz)
    return loss_db - 0.6 * (links.around.terminal_height_m - 1.5), 6.0


def _micro_clear(links: Links) -> tuple[Floats, Floats]:
    return _urban_clear(links, start_db=32.4, slope_db=21.0, turned_db=9.5)


def _micro_blocked(links: Links) -> tuple[Floats, float]:
    loss_db = 35.3 * np.log10(links.slant_m) + 22.4 + 21.3 * np.log10(links.frequency_ghz)
    return loss_db - 0.3 * (links.around.terminal_height_m - 1.5), 7.82


_NAMES: Final = {Model.RMA: "RMa", Model.UMA: "UMa", Model.UMI: "UMi"}
_CLEAR: Final = {Model.RMA: _rural_clear, Model.UMA: _macro_clear, Model.UMI: _micro_clear}
_BLOCKED: Final = {
    Model.RMA: _rural_blocked,
    Model.UMA: _macro_blocked,
    Model.UMI: _micro_blocked,
}


def _check(
    what: str,
    value: float,
    ends: tuple[float, float],
    unit: str,
    source: str,
    *,
    remedy: str = "",
) -> None:
    if not ends[0] <= value <= ends[1]:
        span = f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g} to {ends[1]:g}"
        raise MalformedInput(
            f"{what} {value:g} {unit}: {source} is for {span} {unit}",
            code="outside_model",
            remedy=remedy,
        )


def _refuse_outside(model: Model, distance_m: Floats, farthest_m: float) -> None:
    nearest_m = VALIDITY[model].nearest_m
    if np.any((distance_m < nearest_m) | (distance_m > farthest_m)):
        raise Refused(
            f"{_NAMES[model]} is for {nearest_m:g} to {farthest_m:g} m on the ground",
            code="outside_model",
        )
