"""Which scale an instant counts by, so that no two scales stand beside each other unnamed."""

from __future__ import annotations

from typing import Final

from zhidao.connectivity.events import NetworkChecked, ShortMessageReceived
from zhidao.core.events import SignedEvent
from zhidao.core.timescale import NS
from zhidao.node.shipment_timeline.view import Scale
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven

# A fact is signed at most this long after it happened where both are told by one clock.
_TOGETHER_NS: Final = 60 * NS
_OBSERVATIONS: Final = frozenset(
    (
        *(*ArrivalProven.types(), *ArrivalNotProven.types()),
        *(NetworkChecked.TYPE, ShortMessageReceived.TYPE),
    )
)


def scale_of_timeline(*, played: bool) -> Scale:
    """The scale of what terminals report and deadlines ask: a play has a time of its own."""
    return "scenario" if played else "satellite"


def scale_of(event: SignedEvent, *, played: bool) -> Scale:
    """The scale of an event's `occurred_at`.

    The node's own clock where it was recorded in the same minute; otherwise the time of the play,
    or of the satellites for an observation, or the word of who asserted it.
    """
    if abs(event.recorded_at.since_ns(event.occurred_at)) <= _TOGETHER_NS:
        return "clock"
    if played:
        return "scenario"
    return "satellite" if event.type in _OBSERVATIONS else "speaker"
