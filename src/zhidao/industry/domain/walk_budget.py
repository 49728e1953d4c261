"""How much one walk through a genealogy may look at, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zhidao.industry.domain.genealogy import Sees

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
        self._looks = 0
        self._asked = 0

    def spend(self, looks: int = 1) -> None:
        """Counts so many looks. Raises Spent if none are left, or no time."""
        self._looks += looks
        if self._looks > LOOKS_MAX:
            raise Spent
        if self._looks >= self._asked + _LOOKS_BETWEEN:
            self._asked = self._looks
            if self._now_ns() > self._end_ns:
                raise Spent

    def counting(self, sees: Sees) -> Sees:
        """The same question, each time it is asked a look."""

        def counted(key: str) -> bool:
            self.spend()
            return sees(key)

        return counted
