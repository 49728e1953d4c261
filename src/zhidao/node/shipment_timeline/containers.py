"""Several containers of one consignment: how each stands, and how many reached a milestone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import Fact, FactT, SignedEvent
from zhidao.devices.events import SealChecked, Sealed
from zhidao.finance.events import DealOpened
from zhidao.node.shipment_timeline import reason_codes, view
from zhidao.node.shipment_timeline.followed import Report
from zhidao.node.shipment_timeline.timeline_sections import Facts
from zhidao.node.shipment_timeline.times import scale_of_timeline
from zhidao.positioning.events import ArrivalExpected, ArrivalNotProven, ArrivalProven
from zhidao.trade.events import ConsignmentEntered

SEALED: Final = "sealed"
CHECKED: Final = "checked"
LOOKED: Final = "looked"
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
    """How many containers are sealed, with a seal found whole, were looked at, or arrived.

    Sealed, and found whole: a seal that was once found broken, or elsewhere, is none. Of a single
    container every such fact of the consignment is taken to be of it.
    """
    found = dict(_events(facts, entered, what))
    last = max(found.values(), key=lambda each: (each.recorded_at, each.id), default=None)
    return Reached(len(found), len(entered.every_container), last)


def containers(
    facts: Facts, entered: ConsignmentEntered, tracks: Mapping[str, Sequence[Report]]
) -> list[view.ContainerView]:
    """Each of several containers as it stands; nothing where there is one.

    `tracks`: where their terminals said that they were, oldest first, by container.
    """
    return [_container(facts, each, tracks.get(each, ())) for each in entered.containers]


def reported(reports: Sequence[Report]) -> view.ReportedPositionView | None:
    """The last of some reports."""
    if not reports:
        return None
    lon, lat, at = reports[-1]
    return view.ReportedPositionView(lon=lon, lat=lat, at=at)


@dataclass(frozen=True, slots=True)
class _Seal:
    """A seal as all looks at it tell: where it was closed, the newest look, whether one was bad."""

    fact: Sealed
    closed: SignedEvent
    looked: SignedEvent | None
    broken: bool


def _seals(facts: Facts) -> list[_Seal]:
    """Every seal, oldest first. As for its binding, one bad look is never healed by a later one."""
    looks = facts.every(SealChecked)
    found = []
    for fact, event in facts.every(Sealed):
        of = [(look, told) for look, told in looks if look.seal == fact.seal]
        found.append(
            _Seal(
                fact=fact,
                closed=event,
                looked=of[-1][1] if of else None,
                broken=any(
                    not look.intact
                    or (look.container, look.terminal) != (fact.container, fact.terminal)
                    for look, _ in of
                ),
            )
        )
    return found


def _events(facts: Facts, entered: ConsignmentEntered, what: str) -> list[tuple[str, SignedEvent]]:
    """Containers with the event that says so of each, the newest last."""
    if what == ARRIVED:
        told = [(fact.container, event) for fact, event in facts.every(ArrivalProven)]
    else:
        told = _seal_events(facts, what)
    if not entered.containers:
        return [(entered.container, event) for _, event in told]
    return [(container, event) for container, event in told if container in entered.containers]


def _seal_events(facts: Facts, what: str) -> list[tuple[str, SignedEvent]]:
    seals = [seal for seal in _seals(facts) if what == LOOKED or not seal.broken]
    if what == SEALED:
        return [(seal.fact.container, seal.closed) for seal in seals]
    return [(seal.fact.container, seal.looked) for seal in seals if seal.looked is not None]


def _container(facts: Facts, container: str, reports: Sequence[Report]) -> view.ContainerView:
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
        position=reported(reports),
        track=[[lon, lat] for lon, lat, _ in reports],
    )


_STATES: Final[tuple[tuple[str, type[Fact]], ...]] = (
    (ARRIVED, ArrivalProven),
    (NOT_PROVEN, ArrivalNotProven),
)


def _newest(facts: Facts, container: str) -> tuple[str, Fact | None, SignedEvent | None]:
    """How far a container came, with the fact that tells it."""
    for state, kind in _STATES:
        found = _of(facts, kind, container)
        if found:
            return state, *found[-1]
    stand = [s for s in _seals(facts) if s.fact.container == container and not s.broken]
    for seal in reversed(stand):
        if seal.looked is not None:
            return CHECKED, SealChecked.of(seal.looked), seal.looked
    if stand:
        return SEALED, stand[-1].fact, stand[-1].closed
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
