"""A consignment's states as a table: entered, under way with a bill of lading, delivered.

What is recorded between them (papers checked, customs released) moves nothing, but each has its
place and its guard here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zhidao.core.events import Fact, SignedEvent
from zhidao.core.transitions import Guard, Machine, Transition, rows_of
from zhidao.trade.events import (
    Consignment,
    ConsignmentEntered,
    ContainerArrived,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)

NEW: Final = "New"
ENTERED: Final = "Entered"
UNDER_WAY: Final = "UnderWay"
DELIVERED: Final = "Delivered"

BILL: Final = "bill_of_lading"
ENTER: Final = "enter"
ADD_PAPER: Final = "add a paper of the entry"
ADD_BILL: Final = "add the bill of lading"
CHECK: Final = "check the papers"
RELEASE: Final = "release by customs"
ARRIVE: Final = "note that one of several containers arrived"
DELIVER: Final = "deliver"

_STANDING: Final = (ENTERED, UNDER_WAY, DELIVERED)
_NO_BILL: Final = Guard[Consignment](
    "it has no bill of lading yet",
    lambda now: all(each.kind != BILL for each in now.documents),
    "",
    "the consignment has another bill of lading already",
)
_NOT_RELEASED: Final = Guard[Consignment](
    "customs did not release it yet",
    lambda now: now.customs is None,
    "",
    "customs released the goods under another declaration already",
)

CONSIGNMENT: Final = Machine[Consignment](
    "consignment",
    NEW,
    (
        Transition(NEW, ENTER, "exporter", ENTERED),
        Transition(ENTERED, ADD_PAPER, "exporter", ENTERED),
        *rows_of((ENTERED,), ADD_BILL, "carrier", UNDER_WAY, _NO_BILL),
        *rows_of((DELIVERED,), ADD_BILL, "carrier", "", _NO_BILL),
        *rows_of(_STANDING, CHECK, "a party of the consignment"),
        *rows_of(_STANDING, RELEASE, "customs", "", _NOT_RELEASED),
        *rows_of((ENTERED, UNDER_WAY), ARRIVE, "node, on a proven arrival"),
        *rows_of((ENTERED, UNDER_WAY), DELIVER, "node, on a proven arrival", DELIVERED),
    ),
    {(UNDER_WAY, ADD_BILL): (_NO_BILL,)},
)

_ACTS: Final = {
    name: act
    for fact, act in (
        (ConsignmentEntered, ENTER),
        (PapersChecked, CHECK),
        (CustomsReleased, RELEASE),
        (ContainerArrived, ARRIVE),
        (Delivered, DELIVER),
    )
    for name in fact.types()
}


def state_after(events: Sequence[SignedEvent]) -> str:
    """The state that a history leads to."""
    state = NEW
    for event in events:
        state = CONSIGNMENT.after(state, act_of(event.type, event.payload))
    return state


def refusal_of(standing: Consignment, fact: Fact) -> str:
    """Why a fact cannot be recorded of the consignment now, or ``."""
    act = act_of(fact.told_as, fact.payload())
    broken = CONSIGNMENT.why_not(standing.state, act, standing)
    return "" if broken is None else broken.refusal(standing)


def act_of(kind: str, told: Mapping[str, Any]) -> str:
    """The act that a fact tells of; `` for one that is none of the machine's."""
    if kind in DocumentAdded.types():
        return ADD_BILL if told["kind"] == BILL else ADD_PAPER
    return _ACTS.get(kind, "")
