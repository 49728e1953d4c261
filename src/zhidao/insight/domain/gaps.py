"""What the opened leaves do not show: a report says it beside what they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.insight.domain.journeys import Journey
from zhidao.insight.domain.opened import LeafRef, OpenedLeaf, OpenedLog

# Gaps of which there may be one for each consignment or each thing that events are about.
OF_EACH: Final = ("history", "milestones", "unsettled")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the opened leaves do not show. `key` and `args` name it in the catalogue."""

    key: str
    args: Mapping[str, str]
    leaves: tuple[LeafRef, ...]


def gaps(log: OpenedLog, leaves: Sequence[OpenedLeaf], found: Sequence[Journey]) -> Iterator[Gap]:
    """What is missing of a log, and of the leaves and journeys chosen out of it."""
    for number, head in enumerate(log.heads):
        mine = [leaf for leaf in log.leaves if leaf.at.log == number]
        if len(mine) < head.size:
            closed = str(head.size - len(mine))
            yield Gap("unopened", {"count": closed, "origin": head.origin}, ())
        if head.checked == "unchecked":
            yield Gap("unchecked_head", {"origin": head.origin, "key": head.signed_by}, ())
        if head.others:
            sizes = ", ".join(map(str, head.others))
            words = {"origin": head.origin, "size": str(head.size), "sizes": sizes}
            yield Gap("other_heads", words, ())
    yield Gap("no_witness", {}, ())
    if aside := len(log.leaves) - len(leaves):
        yield Gap("aside", {"count": str(aside)}, ())
    yield from _partly_opened(log, leaves)
    for journey in found:
        if journey.missing:
            yield Gap(
                "milestones",
                {"consignment": journey.consignment, "milestones": " ".join(journey.missing)},
                tuple(step.leaf.at for step in journey.reached),
            )
        if journey.outcome == "decided":
            yield Gap(
                "unsettled",
                {"consignment": journey.consignment},
                tuple(s.leaf.at for s in journey.reached if s.key == "decided"),
            )


def _partly_opened(log: OpenedLog, leaves: Sequence[OpenedLeaf]) -> Iterator[Gap]:
    """Histories with holes, of what the chosen leaves are about: of these every opened leaf."""
    about = {(leaf.at.log, leaf.event.aggregate) for leaf in leaves}
    seen: dict[tuple[int, str], list[OpenedLeaf]] = defaultdict(list)
    for leaf in log.leaves:
        if (named := (leaf.at.log, leaf.event.aggregate)) in about:
            seen[named].append(leaf)
    for (_, aggregate), opened in sorted(seen.items()):
        newest = max(leaf.event.version for leaf in opened)
        if newest != len(opened):
            yield Gap(
                "history",
                {"aggregate": aggregate, "opened": str(len(opened)), "newest": str(newest)},
                tuple(leaf.at for leaf in opened),
            )
