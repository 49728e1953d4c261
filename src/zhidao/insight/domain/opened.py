"""A log as far as somebody may read it: heads, and the leaves whose events were opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.core.timescale import NS, Utc

# What is written down so long after it happened, or before, is told with both times.
APART_NS: Final = 15 * 60 * NS


@dataclass(frozen=True, slots=True)
class LogHead:
    """The head of a log that leaves were opened against.

    `root`: lower-case hex. `signed_by`: fingerprint of the key that signed it, or the name and id
    that it bears. `checked`: `own_key` (the node's own), `trust_list`, or `unchecked`. `others`:
    sizes of smaller heads of this log that some leaves were opened against.
    """

    origin: str
    size: int
    root: str
    signed_by: str
    checked: str
    others: tuple[int, ...] = ()


class Clock(StrEnum):
    """Which time of an event is gone by: of what happened, or of the writing down."""

    OCCURRED = "occurred"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True, order=True)
class LeafRef:
    """A leaf by its log (place in `OpenedLog.heads`) and its index there."""

    log: int
    index: int


@dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """An event that was shown to be what its leaf says."""

    at: LeafRef
    event: SignedEvent

    @property
    def is_apart(self) -> bool:
        """Whether it was written down more than 15 minutes after, or before, it happened."""
        return abs(self.event.recorded_at.since_ns(self.event.occurred_at)) > APART_NS

    def time(self, clock: Clock) -> Utc:
        """When it happened, or when it was written down."""
        return self.event.occurred_at if clock is Clock.OCCURRED else self.event.recorded_at


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """All that a report is made of. Leaves stand in the order of their logs."""

    heads: tuple[LogHead, ...]
    leaves: tuple[OpenedLeaf, ...]

    @property
    def total(self) -> int:
        """Leaves of all logs, opened or not."""
        return sum(head.size for head in self.heads)

    @property
    def newest(self) -> Utc | None:
        """When the newest opened leaf was recorded; the report's only notion of now."""
        return max((leaf.event.recorded_at for leaf in self.leaves), default=None)


def open_log(heads: Sequence[LogHead], leaves: Iterable[tuple[int, int, SignedEvent]]) -> OpenedLog:
    """From (log, index, event) triples, each leaf once.

    Raises Refused (`leaf_twice`) if two events claim one leaf, `leaf_beyond` if a head does not
    cover a leaf.
    """
    found: dict[LeafRef, SignedEvent] = {}
    for log, index, event in leaves:
        at = LeafRef(log, index)
        if not 0 <= index < heads[log].size:
            raise Refused(
                f"leaf {index} lies beyond the head of {heads[log].origin}", code="leaf_beyond"
            )
        if found.setdefault(at, event) != event:
            raise Refused(
                f"two events claim leaf {index} of {heads[log].origin}", code="leaf_twice"
            )
    return OpenedLog(tuple(heads), tuple(OpenedLeaf(at, found[at]) for at in sorted(found)))


def ranges(leaves: Iterable[LeafRef]) -> list[tuple[int, int, int]]:
    """Leaves as (log, first index, last index), in order; neighbours together.

    >>> ranges([LeafRef(0, 3), LeafRef(0, 1), LeafRef(0, 2), LeafRef(0, 7)])
    [(0, 1, 3), (0, 7, 7)]
    """
    joined: list[tuple[int, int, int]] = []
    for leaf in sorted(set(leaves)):
        if joined and joined[-1][0] == leaf.log and joined[-1][2] == leaf.index - 1:
            joined[-1] = (leaf.log, joined[-1][1], leaf.index)
        else:
            joined.append((leaf.log, leaf.index, leaf.index))
    return joined
