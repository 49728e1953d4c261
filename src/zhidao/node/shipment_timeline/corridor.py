"""The corridor at a glance: where everything is, what waits, how long borders take, what is paid.

Made of the timelines that the asking caller sees, so what a role may not see is counted nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

from msgspec.structs import replace

from zhidao.core.timescale import NS, Utc
from zhidao.node.shipment_timeline import view

# What an overview names of the parties: who sends, and to whom.
_NAMED: Final = 3
# Below so many a middle says nothing of a border.
_ENOUGH: Final = 5


class CorridorConsignment(view.View):
    """A consignment in the overview. `stones`: each milestone with its state, in order.

    `at`: the border crossing where the goods are now, or empty; `money`: reserved, paid,
    released_back or none, empty where the caller sees nothing of it.
    """

    consignment: str
    label: str
    simulated: list[str]
    time_scale: view.Scale
    state: str
    reason: str
    moves: list[view.WaitsFor]
    amount: view.Amount
    stones: list[tuple[str, str]]
    ends: list[list[float]]
    position: view.ReportedPositionView | None
    is_proven: bool
    site: view.SiteView | None
    parties: list[str]
    at: str
    money: str


class CrossingTime(view.View):
    """How long goods were at one side of a crossing. `here`: how many are there now.

    `middle_s`, `slow_s`: median and nine of ten, in seconds; null below five observations.
    `within_s`: the widest interval that one of the observed times lies in.
    """

    crossing: str
    side: str
    seen: int
    here: int
    middle_s: int | None
    slow_s: int | None
    within_s: int
    simulated: int


class Held(view.View):
    """Money of one currency: how much, in how many consignments, how many of them simulated."""

    minor: int
    currency: str
    exponent: int
    consignments: int
    simulated: int


class CorridorView(view.View):
    """The corridor as the caller may see it. `more`: there are older consignments than these."""

    roads: list[CorridorConsignment]
    parties: list[view.PartyView]
    crossings: list[CrossingTime]
    held: list[Held]
    paid: list[Held]
    more: bool


def corridor(
    timelines: Sequence[view.TimelineView], *, since: Utc | None, more: bool
) -> CorridorView:
    """The overview of these timelines. `since`: payments before it are not of today."""
    return CorridorView(
        roads=[_road(each) for each in timelines],
        # Each once: what crosses a slow line is told by every consignment, and the same.
        parties=list({p.party: p for each in timelines for p in _named(each)}.values()),
        crossings=_crossings(timelines),
        held=_sums(each for each in timelines if each.money and each.money.state == "reserved"),
        paid=_sums(each for each in timelines if _is_paid(each, since)),
        more=more,
    )


def _road(timeline: view.TimelineView) -> CorridorConsignment:
    here = [each.crossing for each in timeline.crossings if not each.left_to]
    return CorridorConsignment(
        consignment=timeline.consignment,
        label=timeline.label,
        simulated=timeline.simulated,
        time_scale=timeline.time_scale,
        state=timeline.state,
        reason=timeline.reason,
        moves=timeline.moves,
        amount=timeline.amount,
        stones=[(each.key, each.state) for each in timeline.milestones],
        ends=[*timeline.route[:1], *timeline.route[1:][-1:]],
        position=timeline.position,
        is_proven=timeline.arrival is not None and timeline.arrival.state == "proven",
        # Its outline is drawn on the consignment's own page.
        site=replace(timeline.site, outline=[]) if timeline.site else None,
        parties=[each.party for each in _named(timeline)],
        at=here[-1] if here and timeline.state == "under_way" else "",
        money=timeline.money.state if timeline.money else "",
    )


def _named(timeline: view.TimelineView) -> list[view.PartyView]:
    """Between whom the goods go, who carries them, and whose move it is."""
    movers = {move.party for move in timeline.moves}
    return [
        each
        for place, each in enumerate(timeline.parties)
        if place < _NAMED or each.party in movers
    ]


def _is_paid(timeline: view.TimelineView, since: Utc | None) -> bool:
    if timeline.money is None or timeline.money.state != "paid":
        return False
    # When it was written down, by the node's clock: a play has days of its own.
    paid = next(each.recorded_at for each in timeline.milestones if each.key == "payment")
    return since is None or (bool(paid) and Utc.parse(paid) >= since)


def _sums(timelines: Iterable[view.TimelineView]) -> list[Held]:
    by_currency: dict[tuple[str, int], list[view.TimelineView]] = defaultdict(list)
    for each in timelines:
        if each.money is not None:
            by_currency[each.money.currency, each.money.exponent].append(each)
    return [
        Held(
            minor=sum(each.money.amount_minor for each in found if each.money),
            currency=currency,
            exponent=exponent,
            consignments=len(found),
            simulated=sum(1 for each in found if each.simulated),
        )
        for (currency, exponent), found in sorted(by_currency.items())
    ]


def _crossings(timelines: Sequence[view.TimelineView]) -> list[CrossingTime]:
    sides: dict[tuple[str, str], list[view.CrossingView]] = defaultdict(list)
    for timeline in timelines:
        for seen in timeline.crossings:
            sides[seen.crossing, seen.side].append(seen)
    return [_side(*key, seen) for key, seen in sorted(sides.items())]


def _side(crossing: str, side: str, seen: Sequence[view.CrossingView]) -> CrossingTime:
    left = [each for each in seen if each.left_to]
    # From the middle of one interval to the middle of the other.
    times_s = sorted(
        (
            Utc.parse(each.left_from).since_ns(Utc.parse(each.entered_from))
            + Utc.parse(each.left_to).since_ns(Utc.parse(each.entered_to))
        )
        // (2 * NS)
        for each in left
    )
    within_s = max((_width_s(each) for each in left), default=0)
    enough = len(times_s) >= _ENOUGH
    return CrossingTime(
        crossing=crossing,
        side=side,
        seen=len(times_s),
        here=len(seen) - len(left),
        middle_s=times_s[(len(times_s) - 1) // 2] if enough else None,
        slow_s=times_s[ceil(0.9 * len(times_s)) - 1] if enough else None,
        within_s=within_s,
        simulated=sum(1 for each in seen if each.simulated),
    )


def _width_s(seen: view.CrossingView) -> int:
    came = Utc.parse(seen.entered_to).since_ns(Utc.parse(seen.entered_from))
    left = Utc.parse(seen.left_to).since_ns(Utc.parse(seen.left_from))
    return max(came, left) // NS
