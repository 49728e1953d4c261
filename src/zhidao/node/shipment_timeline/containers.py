"""Several containers of one consignment: how each stands, and how many reached a milestone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import Fact, FactT, SignedEvent
from zhidao.devices.events import SealChecked, Sealed
from zhidao.finance.events import DealOpened
from zhidao.node.shipment_timeline import reason_codes, view
from zhidao.node.shipment_timeline.timeline_sections import Facts
from zhidao.node.shipment_timeline.times import scale_of_timeline
from zhidao.positioning.events import ArrivalExpected, ArrivalNotProven, ArrivalProven
from zhidao.trade.events import ConsignmentEntered

SEALED: Final = "sealed"
CHECKED: Final = "checked"
ARRIVED: Final = "arrived"
NOT_PROVEN: Final = "not_proven"


@dataclass(frozen=True, slots=True)
class Reached:
    """How many of the containers reached a milestone, and the event of the last one."""

    there: int
    of: int
    event: SignedEvent | None

    @property
    def all(self) -> bool:
        """Whether each of them did."""
        return self.there == self.of


def reached(facts: Facts, entered: ConsignmentEntered, what: str) -> Reached:
    """How many containers are sealed, have a seal that was looked at, or arrived.

    Of a single container every such fact of the consignment is taken to be of it.
    """
    found = dict(_events(facts, entered, what))
    last = max(found.values(), key=lambda each: (each.recorded_at, each.id), default=None)
    return Reached(len(found), len(entered.every_container), last)


def containers(facts: Facts, entered: ConsignmentEntered) -> list[view.ContainerView]:
    """Each of several containers as it stands; nothing where there is one."""
    return [_container(facts, each) for each in entered.containers]


_TELLS: Final[dict[str, type[Sealed | SealChecked | ArrivalProven]]] = {
    SEALED: Sealed,
    CHECKED: SealChecked,
    ARRIVED: ArrivalProven,
}


def _events(facts: Facts, entered: ConsignmentEntered, what: str) -> list[tuple[str, SignedEvent]]:
    """Containers with the event that says so of each, the newest last."""
    told = facts.every(_TELLS[what])
    if not entered.containers:
        return [(entered.container, event) for _, event in told]
    return [(f.container, event) for f, event in told if f.container in entered.containers]


def _container(facts: Facts, container: str) -> view.ContainerView:
    sealed = _of(facts, Sealed, container)
    failed = [fact for fact, _ in _of(facts, ArrivalNotProven, container)]
    asked = [fact for fact, _ in _of(facts, ArrivalExpected, container)]
    terminals = [fact.terminal for fact, _ in sealed] + [fact.terminal for fact in asked]
    state, told, event = _newest(facts, container)
    return view.ContainerView(
        container=container,
        terminal=["", *terminals][-1],
        seal=["", *(fact.seal for fact, _ in sealed)][-1],
        state=state,
        observed_at=getattr(told, "observed_at", ""),
        event=str(event.id) if event else "",
        told=_why(facts, failed, asked) if state == NOT_PROVEN else None,
    )


_STATES: Final[tuple[tuple[str, type[Fact]], ...]] = (
    (ARRIVED, ArrivalProven),
    (NOT_PROVEN, ArrivalNotProven),
    (CHECKED, SealChecked),
    (SEALED, Sealed),
)


def _newest(facts: Facts, container: str) -> tuple[str, Fact | None, SignedEvent | None]:
    """How far a container came, with the fact that tells it."""
    for state, kind in _STATES:
        found = _of(facts, kind, container)
        if found:
            return state, *found[-1]
    return "open", None, None


def _of(facts: Facts, kind: type[FactT], container: str) -> list[tuple[FactT, SignedEvent]]:
    return [(f, e) for f, e in facts.every(kind) if getattr(f, "container", "") == container]


def _why(
    facts: Facts, failed: Sequence[ArrivalNotProven], asked: Sequence[ArrivalExpected]
) -> view.ReasonView:
    deal = facts.last(DealOpened)
    return reason_codes.of_no_arrival(
        failed[-1],
        asked[-1].site if asked else None,
        deal[0] if deal else None,
        scale_of_timeline(played=facts.played),
    )
