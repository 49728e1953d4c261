"""What a figure of crossings is of, and the consignments that it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zhidao.insight.domain.opened import LeafRef

WHOLE: Final = "whole"
ALL: Final = "all"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What a figure is of. part: a side's name, or `whole`. quarter: `2026-Q1`, in UTC.

    simulated: of what was played; never in one figure with what was not.
    """

    crossing: str
    part: str
    mode: str
    direction: str
    quarter: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One consignment in a cell: hours no less, no more, and in the middle."""

    consignment: str
    party: str
    hours: tuple[float, float, float]
    leaves: tuple[LeafRef, ...]


def in_order(found: Iterable[Case]) -> list[Case]:
    """The same cases in the same order, however they came."""
    return sorted(found, key=lambda case: (case.consignment, case.party, case.hours))
