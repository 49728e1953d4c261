"""The journey as the set of its events tells it: the order in which they came changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import NS, Utc
from zhidao.trade.domain.codes import unlocode
from zhidao.trade.domain.tracking.movement import Classifier, Kind, Movement

_HOUR_NS: Final = 3600 * NS


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of the plan, between UN/LOCODEs."""

    origin: str
    destination: str
    departs_at: Utc
    arrives_at: Utc

    def __post_init__(self) -> None:
        unlocode(self.origin)
        unlocode(self.destination)
        if self.arrives_at <= self.departs_at:
            raise MalformedInput(f"a leg arrives before it departs: {self.origin}")


@dataclass(frozen=True, slots=True)
class Plan:
    """Legs in order, and what counts as an exception. Temperatures in degrees Celsius."""

    legs: tuple[Leg, ...]
    late_after_h: int = 12
    silent_after_h: int = 96
    coldest_c: Decimal | None = None
    warmest_c: Decimal | None = None

    def __post_init__(self) -> None:
        if not self.legs:
            raise MalformedInput("a plan has at least one leg")
        for one, two in pairwise(self.legs):
            if one.destination != two.origin or two.departs_at < one.arrives_at:
                raise MalformedInput(f"legs do not join at {one.destination}")

    @property
    def places(self) -> list[str]:
        """Every place of the plan, in order."""
        return [self.legs[0].origin, *(leg.destination for leg in self.legs)]


class Trouble(StrEnum):
    """Kinds of exceptions."""

    LATE = "late"
    OFF_ROUTE = "off route"
    TEMPERATURE = "temperature"
    IMPOSSIBLE = "impossible order"
    CONTRADICTION = "contradiction"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class JourneyException:
    """What went wrong, with the events that say so."""

    trouble: Trouble
    sentence: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JourneyState:
    """Where the consignment is. `status`: planned, at place, under way, arrived.

    `eta` is the arrival at the last place, actual once it is there; `eta_basis` says what it rests
    on: actual, estimate, plan and delay, plan.
    """

    status: str
    place: str
    since: Utc | None
    eta: Utc
    eta_basis: str
    exceptions: tuple[JourneyException, ...]
    replaced: tuple[str, ...]


def journey_state(events: Iterable[Movement], plan: Plan, *, now: Utc) -> JourneyState:
    """The state that a set of events makes; duplicates, order and late arrival change nothing."""
    known, contradictions = _by_id(events)
    replaced = {event.corrects for event in known.values() if event.corrects}
    standing = [event for event in known.values() if event.id not in replaced]
    actual = sorted(
        (event for event in standing if event.classifier is Classifier.ACTUAL), key=_order
    )
    moves = [event for event in actual if event.kind in (Kind.ARRIVED, Kind.DEPARTED)]
    last = moves[-1] if moves else None
    eta, basis = _eta(standing, moves, plan)
    status = _status(last, plan)
    exceptions = [
        *contradictions,
        *_impossible(moves, actual),
        *_off_route(actual, plan),
        *_temperatures(actual, plan),
        *_late(eta, basis, plan, moves),
        *_silent(actual, status, plan, now),
    ]
    return JourneyState(
        status=status,
        place=last.place if last else plan.legs[0].origin,
        since=last.occurred_at if last else None,
        eta=eta,
        eta_basis=basis,
        exceptions=tuple(exceptions),
        replaced=tuple(sorted(replaced & known.keys())),
    )


# At one instant a container is let go before the means departs, and the means arrives first.
_RANK: Final = {
    kind: rank
    for rank, kind in enumerate(
        (
            *(Kind.ARRIVED, Kind.DISCHARGED, Kind.GATE_OUT, Kind.STRIPPED, Kind.INSPECTED),
            *(Kind.STUFFED, Kind.GATE_IN, Kind.LOADED, Kind.DEPARTED),
        )
    )
}


def _order(event: Movement) -> tuple[int, int, str]:
    return event.occurred_at.tai_ns, _RANK[event.kind], event.id


def _by_id(events: Iterable[Movement]) -> tuple[dict[str, Movement], list[JourneyException]]:
    """Events by id; of two contents under one id neither counts, whichever came first."""
    contents: dict[str, set[Movement]] = {}
    for event in events:
        contents.setdefault(event.id, set()).add(event)
    known = {name: next(iter(found)) for name, found in contents.items() if len(found) == 1}
    return known, [
        JourneyException(Trouble.CONTRADICTION, "one event id stands for several contents", (name,))
        for name in sorted(contents.keys() - known.keys())
    ]


def _status(last: Movement | None, plan: Plan) -> str:
    if last is None:
        return "planned"
    if last.kind is Kind.DEPARTED:
        return "under way"
    return "arrived" if last.place == plan.places[-1] else "at place"


def _eta(standing: list[Movement], moves: list[Movement], plan: Plan) -> tuple[Utc, str]:
    target = plan.places[-1]
    there = [e for e in moves if e.kind is Kind.ARRIVED and e.place == target]
    if there:
        return there[0].occurred_at, "actual"
    newest = _newest_estimate(standing, target)
    planned = plan.legs[-1].arrives_at
    delays = list(_delays(moves, plan))
    moved_at = moves[-1].recorded_at if moves else None
    # An estimate made before the newest movement does not know of that movement's delay.
    if newest and (moved_at is None or newest.recorded_at >= moved_at):
        return newest.occurred_at, "estimate"
    if delays:
        return planned.plus_ns(max(0, delays[-1])), "plan and delay"
    return (newest.occurred_at, "estimate") if newest else (planned, "plan")


def _newest_estimate(standing: list[Movement], target: str) -> Movement | None:
    estimates = [
        event
        for event in standing
        if event.classifier is Classifier.ESTIMATED
        and event.kind is Kind.ARRIVED
        and event.place == target
    ]
    return max(estimates, key=lambda e: (e.recorded_at.tai_ns, e.id), default=None)


def _delays(moves: list[Movement], plan: Plan) -> Iterator[int]:
    """Nanoseconds by which each movement of the plan was late; early ones are below zero."""
    for move in moves:
        for leg in plan.legs:
            if move.kind is Kind.DEPARTED and move.place == leg.origin:
                yield move.occurred_at.since_ns(leg.departs_at)
            elif move.kind is Kind.ARRIVED and move.place == leg.destination:
                yield move.occurred_at.since_ns(leg.arrives_at)


def _late(eta: Utc, basis: str, plan: Plan, moves: list[Movement]) -> Iterator[JourneyException]:
    over = eta.since_ns(plan.legs[-1].arrives_at)
    if over > plan.late_after_h * _HOUR_NS:
        hours = over // _HOUR_NS
        proof = tuple(event.id for event in moves[-1:])
        sentence = f"{plan.places[-1]} {hours} h after the plan, by {basis}"
        yield JourneyException(Trouble.LATE, sentence, proof)


def _off_route(actual: list[Movement], plan: Plan) -> Iterator[JourneyException]:
    known = set(plan.places)
    for event in actual:
        if event.place not in known:
            sentence = f"{event.kind.name} at {event.place}, which the plan does not have"
            yield JourneyException(Trouble.OFF_ROUTE, sentence, (event.id,))


def _temperatures(actual: list[Movement], plan: Plan) -> Iterator[JourneyException]:
    for event in actual:
        seen = event.temperature_c
        if seen is None:
            continue
        cold = plan.coldest_c is not None and seen < plan.coldest_c
        warm = plan.warmest_c is not None and seen > plan.warmest_c
        if cold or warm:
            limit = plan.coldest_c if cold else plan.warmest_c
            sentence = f"{seen} degrees Celsius at {event.place}, the limit is {limit}"
            yield JourneyException(Trouble.TEMPERATURE, sentence, (event.id,))


def _impossible(moves: list[Movement], actual: list[Movement]) -> Iterator[JourneyException]:
    for one, two in pairwise(moves):
        if one.kind is Kind.DEPARTED and two.kind is Kind.DEPARTED and one.place == two.place:
            sentence = f"departed twice from {one.place} without a return"
            yield JourneyException(Trouble.IMPOSSIBLE, sentence, (one.id, two.id))
        elif one.kind is Kind.ARRIVED and two.kind is Kind.ARRIVED and one.place != two.place:
            sentence = f"arrived at {two.place} without leaving {one.place}"
            yield JourneyException(Trouble.IMPOSSIBLE, sentence, (one.id, two.id))
    aboard: dict[str, Movement] = {}
    for event in actual:
        if event.kind is Kind.LOADED:
            aboard[event.equipment] = event
        elif event.kind is Kind.DISCHARGED and event.equipment not in aboard:
            sentence = f"{event.equipment} discharged at {event.place}, but never loaded"
            yield JourneyException(Trouble.IMPOSSIBLE, sentence, (event.id,))
        elif event.kind is Kind.DISCHARGED:
            del aboard[event.equipment]


def _silent(
    actual: list[Movement], status: str, plan: Plan, now: Utc
) -> Iterator[JourneyException]:
    if status == "arrived":
        return
    begun = plan.legs[0].departs_at
    last = actual[-1].occurred_at if actual else begun
    quiet = now.since_ns(max(last, begun))
    if quiet > plan.silent_after_h * _HOUR_NS:
        proof = tuple(event.id for event in actual[-1:])
        sentence = f"no event for {quiet // _HOUR_NS} h"
        yield JourneyException(Trouble.SILENT, sentence, proof)
