"""What a report before this one told: no two of them subtracted may show a few consignments.

A cell of this report that was told before may differ by many consignments or by none. Where the
leaves of a log say which ones came in between, they are held to the same bounds as a cell; where
some went, or nobody can say which they were, the cell is withheld.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from zhidao.insight.domain.corridor.cells import Case, Cell
from zhidao.insight.domain.opened import LeafRef


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """What was told of a cell.

    figures: as they were rounded. stretches: its leaves as (log, first index, last index); None
    where it was of files, or of another log.
    """

    figures: tuple[float, ...]
    stretches: tuple[tuple[int, int, int], ...] | None

    def known(self, leaves: Iterable[LeafRef]) -> set[LeafRef]:
        """Those on which it rested."""
        stretches = sorted(self.stretches or ())
        found = set()
        for leaf in leaves:
            at = bisect_right(stretches, (leaf.log, leaf.index + 1)) - 1
            if at >= 0 and stretches[at][0] == leaf.log and leaf.index <= stretches[at][2]:
                found.add(leaf)
        return found

    @property
    def leaves(self) -> int:
        """On how many leaves it rested."""
        return sum(last - first + 1 for _, first, last in self.stretches or ())


Published = Mapping[Cell, PublishedCell]


def would_unmask(
    cell: Cell,
    found: Sequence[Case],
    figures: tuple[float, ...],
    reports: Sequence[Published],
    is_enough: Callable[[Sequence[Case]], bool],
) -> bool:
    """Whether telling the cell would show what a few consignments took, beside earlier reports."""
    return any(
        _differs_by_few(found, figures, report[cell], is_enough)
        for report in reports
        if cell in report
    )


def _differs_by_few(
    found: Sequence[Case],
    figures: tuple[float, ...],
    before: PublishedCell,
    is_enough: Callable[[Sequence[Case]], bool],
) -> bool:
    if before.stretches is None or not all(case.leaves for case in found):
        return figures != before.figures
    now = {leaf for case in found for leaf in case.leaves}
    known = before.known(now)
    if len(known) != before.leaves:
        return True
    came = [case for case in found if not known.issuperset(case.leaves)]
    # A leaf that came to a consignment already told changes its hours, and counts as one that came.
    return bool(came) and not is_enough(came)
