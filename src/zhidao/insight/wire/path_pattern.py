"""Paths as REUSE.toml writes them, matched in a time that grows with the path alone.

A repository may write any pattern: with an expression that goes back and forth, twenty stars on one
long name would take longer than anybody waits. Here every place of the pattern that may be reached
is followed at once, each a bit of one number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

_PARTS: Final = re.compile(r"\\.|\*\*/?|\*|[^*\\]|\\", re.DOTALL)
LETTERS: Final = 2000


class PathPattern:
    """`*` within a folder, `**` through folders, a backslash before a literal star."""

    def __init__(self, text: str) -> None:
        self._letters: dict[str, int] = defaultdict(int)
        self._within = self._through = 0
        self._size = 0
        first: list[str] = []
        for part in _PARTS.findall(text[:LETTERS]):
            if part[0] == "*":
                self._add_star(through=len(part) > 1)
                continue
            letter = part[-1]
            self._letters[letter] |= 1 << self._size
            if not self._within | self._through:
                first.append(letter)
            self._size += 1
        self._first = "".join(first)

    def _add_star(self, *, through: bool) -> None:
        """Two stars beside each other are one, the wider."""
        last = 1 << self._size >> 1
        if not (self._within | self._through) & last:
            last = 1 << self._size
            self._size += 1
        elif through:
            self._within &= ~last
        if not self._through & last:
            if through:
                self._through |= last
            else:
                self._within |= last

    def matches(self, path: str) -> bool:
        """Whether the whole path is meant."""
        if not path.startswith(self._first):
            return False
        stars = self._within | self._through
        reached = 1
        reached |= (reached & stars) << 1
        for letter in path:
            stay = self._through if letter == "/" else stars
            reached = (reached & self._letters.get(letter, 0)) << 1 | reached & stay
            if not reached:
                return False
            reached |= (reached & stars) << 1
        return bool(reached >> self._size & 1)
