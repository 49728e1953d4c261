"""The index of names in this process, for tests and as the twin of the table."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.node.search.finding import Named
from zhidao.node.search.terms import normal


class MemorySearchIndex:
    """Implements `SearchIndex`."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str, str], Named] = {}
        self._is_filled = False

    async def add(self, rows: Sequence[Named]) -> None:
        """Writes rows; known ones change nothing."""
        for row in rows:
            self._rows.setdefault((row.viewer, row.term, row.kind, row.subject), row)

    async def beginning(self, viewer: str, term: str, *, limit: int) -> list[Named]:
        """The reader's rows whose term begins so, in order of term."""
        keys = sorted(key for key in self._rows if key[0] == viewer and key[1].startswith(term))
        return [self._rows[key] for key in keys[:limit]]

    async def visible(self, viewer: str, consignments: Sequence[str]) -> frozenset[str]:
        """Which of these consignments the reader finds by itself."""
        keys = ((viewer, normal(each), "consignment", each) for each in consignments)
        return frozenset(key[3] for key in keys if key in self._rows)

    async def is_filled(self) -> bool:
        """Whether all events of before were once gone through."""
        return self._is_filled

    async def filled(self) -> None:
        """Notes that they were."""
        self._is_filled = True
