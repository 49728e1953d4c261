"""How much one walk through a genealogy may look at, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

# About what two seconds are enough for; a genealogy can be written that has cubes of looks in it.
LOOKS_MAX: Final = 2_000_000
WALK_NS: Final = 2 * 10**9
_LOOKS_BETWEEN: Final = 128


class Spent(Exception):
    """The walk has looked at as much as it may, or for as long."""


class Budget:
    """Counts what a walk looks at. now_ns: any clock of nanoseconds."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._end_ns = now_ns() + WALK_NS
        self._asked = 0
        self.looks = 0
        self.spent = False

    @property
    def left(self) -> int:
        """How many looks are left."""
        return LOOKS_MAX - self.looks

    def count(self, looks: int) -> None:
        """Counts so many looks at once, and `spent` if there were not as many, or no time."""
        self.looks += looks
        if self.looks > LOOKS_MAX:
            self.spent = True
        elif self.looks >= self._asked + _LOOKS_BETWEEN:
            self._asked = self.looks
            self.spent = self.spent or self._now_ns() > self._end_ns

    def spend(self, looks: int = 1) -> None:
        """Counts so many looks. Raises Spent if none are left, or no time."""
        self.count(looks)
        if self.spent:
            raise Spent
