"""Figures that can be computed again: each bears its question and the leaves it was taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.timescale import NS
from zhidao.insight.domain.opened import Clock, LeafRef, OpenedLeaf

# Below this many events a share or a median says more about chance than about a corridor.
EVENTS_MIN: Final = 5
_NS_PER_MS: Final = NS // 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `query` names the question in the catalogue, `args` its words.

    `kind`: `count` (value), `share` (value of total) or `duration` (value in milliseconds over
    total cases). `enough` says whether a share or median may be named as such. `leaves` are all
    that were looked at for a share or duration, and those that were counted for a count;
    `counted` are those that a share counts.
    """

    key: str
    kind: str
    value: int
    total: int
    leaves: tuple[LeafRef, ...]
    query: str
    args: Mapping[str, str] = field(default_factory=dict)
    counted: tuple[LeafRef, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether there were enough cases for more than a count."""
        return self.kind == "count" or self.total >= EVENTS_MIN

    @property
    def percent_tenths(self) -> int:
        """A share in tenths of a percent, rounded half up."""
        return (2000 * self.value + self.total) // (2 * self.total) if self.total else 0


def count(key: str, leaves: Iterable[OpenedLeaf], **args: str) -> Figure:
    """How many leaves there are."""
    found = tuple(leaf.at for leaf in leaves)
    return Figure(key, "count", len(found), len(found), found, key, args)


def share(
    key: str, among: Sequence[OpenedLeaf], counted: Sequence[OpenedLeaf], **args: str
) -> Figure:
    """How many of the leaves looked at are counted."""
    return Figure(
        key,
        "share",
        len(counted),
        len(among),
        tuple(leaf.at for leaf in among),
        key,
        args,
        tuple(leaf.at for leaf in counted),
    )


def median_duration(
    key: str, cases: Sequence[tuple[OpenedLeaf, OpenedLeaf]], clock: Clock, **args: str
) -> Figure:
    """The middle of the times from the first to the second leaf of each case, by one clock."""
    took = sorted(milliseconds(first, second, clock) for first, second in cases)
    leaves = tuple(leaf.at for case in cases for leaf in case)
    return Figure(key, "duration", median(took), len(cases), leaves, key, args)


def milliseconds(first: OpenedLeaf, second: OpenedLeaf, clock: Clock) -> int:
    """Whole milliseconds from one leaf's time to the other's, both by the same clock."""
    return second.time(clock).since_ns(first.time(clock)) // _NS_PER_MS


def median(values: Sequence[int]) -> int:
    """The middle of sorted values, of two middles their mean rounded down; 0 of none.

    >>> median([1, 2, 4, 9])
    3
    """
    if not values:
        return 0
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) // 2
