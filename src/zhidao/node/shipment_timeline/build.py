"""Folds the events of one consignment into its timeline. Pure: events in, structs out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zhidao.connectivity.events import NetworkChecked, ShortMessageReceived
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.devices.events import PositionsRecorded, Sealed, WindowReceived
from zhidao.finance.events import (
    DealOpened,
    Decided,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.industry.events import LotFinished
from zhidao.node.identity.parties import RegisteredParty
from zhidao.node.shipment_timeline import timeline_sections, view
from zhidao.node.shipment_timeline.containers import (
    ARRIVED,
    CHECKED,
    Reached,
    containers,
    reached,
    reported,
)
from zhidao.node.shipment_timeline.followed import Report
from zhidao.node.shipment_timeline.moves import STONES, Asked, asked_of, moves_of
from zhidao.node.shipment_timeline.place_positions import place
from zhidao.node.shipment_timeline.times import scale_of, scale_of_timeline
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import (
    ConsignmentEntered,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trust.events import CredentialIssued, TitleMoved
from zhidao.verification.simulated import trajectory_is_simulated

# The ten steps of the demonstration and the fact that completes each.
STEPS: Final[tuple[tuple[str, tuple[type[Fact], ...]], ...]] = (
    ("industry", (LotFinished,)),
    ("entry", (ConsignmentEntered, DocumentAdded, PapersChecked)),
    ("trust", (CredentialIssued, TitleMoved)),
    ("reserve", (MoneyReserved, TitleReserved)),
    # Windows stay at the node that took them; elsewhere the arrival names the one it rests on.
    ("devices", (Sealed, WindowReceived)),
    ("positioning", (ArrivalProven,)),
    ("network", (NetworkChecked,)),
    ("journey", (Delivered, CustomsReleased)),
    ("release", (Decided, Settled)),
    ("proof", ()),
)


# The milestones that the decision of a deal reaches.
_BY_DEAL = ("title", "payment")


def build_timeline(
    stored: Sequence[Stored],
    *,
    parties: Sequence[RegisteredParty],
    tracks: Mapping[str, Sequence[Report]],
    whole: Sequence[Stored] | None = None,
    viewer: PartyId | None = None,
    home: str = "",
) -> view.TimelineView:
    """The timeline of the one consignment that these events are about, as `viewer` may see it.

    `tracks`: where terminals said that they were while they rode, by container, `` of the only one;
    the road bears that of the one which reported last. `whole`: all that the node has of it, by
    which it knows whose move it is; None: the same.
    `home`: the node that goes on with its history, "" for the one that wrote the entry.
    Raises LookupError if the entry itself is not among the events.
    """
    facts = timeline_sections.Facts(stored)
    found = facts.last(ConsignmentEntered)
    if found is None:
        raise LookupError("no entry among the events")
    entered = found[0]
    state, reason, sentence = _state(facts)
    reports, track = _newest_track(tracks)
    every = facts if whole is None else timeline_sections.Facts(whole)
    moves = moves_of(every, entered, viewer=viewer, home=home) if state == "under_way" else []
    # What is paid under a deal of others is not told; nor is it said that nothing was.
    withheld = _BY_DEAL if every.last(DealOpened) and not facts.last(DealOpened) else ()
    milestones = _milestones(facts, entered, state, asked_of(every, entered), moves, withheld)
    refused = state == "refused"
    names = {party.party: party for party in parties}
    return view.TimelineView(
        consignment=entered.consignment,
        label=entered.goods,
        simulated=_simulated(facts, entered),
        time_scale=scale_of_timeline(played=facts.played),
        state=state,
        reason=reason,
        sentence=sentence,
        told=timeline_sections.decision(facts, reason, sentence) if refused else None,
        waits_for=moves[0] if moves else None,
        moves=moves,
        amount=view.Amount(
            minor=entered.amount_minor,
            currency=entered.currency,
            exponent=Currency(entered.currency).exponent,
        ),
        route=_route(entered, facts, track),
        position=reported(reports),
        track=track,
        site=timeline_sections.site(facts),
        parties=_parties(entered, names),
        milestones=milestones,
        steps=_steps(facts, state),
        documents=timeline_sections.documents(facts),
        papers=timeline_sections.papers(facts),
        title=timeline_sections.title(facts),
        money=timeline_sections.money(facts),
        arrival=timeline_sections.arrival(facts),
        network=timeline_sections.network(facts),
        containers=containers(facts, entered, tracks),
        conditions=timeline_sections.conditions(facts, state),
        crossings=timeline_sections.crossings(facts),
        said=[_said(each, names, played=facts.played) for each in facts.stored],
    )


def summary(timeline: view.TimelineView) -> view.TimelineSummary:
    """The timeline's line in the list."""
    return view.TimelineSummary(
        consignment=timeline.consignment,
        label=timeline.label,
        simulated=timeline.simulated,
        time_scale=timeline.time_scale,
        state=timeline.state,
        reason=timeline.reason,
        sentence=timeline.sentence,
        told=timeline.told,
        waits_for=timeline.waits_for,
        moves=timeline.moves,
        amount=timeline.amount,
        milestones=timeline.milestones,
        route=timeline.route,
        position=timeline.position,
        site=timeline.site,
        parties=timeline.parties,
        updated_at=timeline.said[-1].recorded_at if timeline.said else "",
    )


def _newest_track(
    tracks: Mapping[str, Sequence[Report]],
) -> tuple[Sequence[Report], list[list[float]]]:
    """The reports of the terminal that reported last, and their places."""
    told = [each for each in tracks.values() if each]
    reports = max(told, key=lambda each: Utc.parse(each[-1][2]), default=())
    return reports, [[lon, lat] for lon, lat, _ in reports]


def _route(
    entered: ConsignmentEntered, facts: timeline_sections.Facts, track: list[list[float]]
) -> list[list[float]]:
    """From the place of loading by where the terminal was to the site."""
    site = timeline_sections.site(facts)
    end = [[site.lon, site.lat]] if site else place(entered.discharge)
    return [*place(entered.loading), *track, *end]


def _state(facts: timeline_sections.Facts) -> tuple[str, str, str]:
    decided = facts.last(Decided)
    settled = facts.last(Settled)
    if decided is None or settled is None:
        return "under_way", "", ""
    if settled[0].paid:
        return "paid", "", decided[0].sentence
    return "refused", decided[0].reason, decided[0].sentence


def _reached(
    facts: timeline_sections.Facts, counts: Mapping[str, Reached]
) -> list[tuple[str, SignedEvent | None]]:
    """Each milestone with the event that reached it, in the order in which they are shown.

    Gate and arrival are reached when all containers did; `counts` says how many.
    """
    papers = facts.last(PapersChecked)
    settled = facts.last(Settled)
    # One decision moves the title and pays, so one event reaches both.
    title_moved = settled[1] if settled and settled[0].paid else None
    return [
        ("factory", _event(facts.last(LotFinished))),
        ("papers", papers[1] if papers and papers[0].agree else None),
        *((key, count.event if count.all else None) for key, count in counts.items()),
        ("border", _event(facts.last(CustomsReleased))),
        ("title", title_moved),
        ("payment", title_moved),
    ]


def _milestones(
    facts: timeline_sections.Facts,
    entered: ConsignmentEntered,
    state: str,
    asked: Asked,
    moves: Sequence[view.WaitsFor],
    withheld: Sequence[str],
) -> list[view.Milestone]:
    counts = {
        "gate": reached(facts, entered, CHECKED),
        "arrival": reached(facts, entered, ARRIVED),
    }
    stones = []
    waited_for = {STONES[move.key] for move in moves}
    refused_given = False
    for key, event in _reached(facts, counts):
        if not asked.has(key):
            continue
        if event is not None:
            stone_state = "done"
        elif state == "refused" and not refused_given:
            stone_state, refused_given = "refused", True
        elif key in withheld:
            stone_state = "withheld"
        else:
            stone_state = "next" if key in waited_for else "later"
        stones.append(
            view.Milestone(
                key=key,
                state=stone_state,
                at=str(event.occurred_at) if event else "",
                scale=scale_of(event, played=facts.played) if event else "clock",
                recorded_at=str(event.recorded_at) if event else "",
                event=str(event.id) if event else "",
                sentence_key=f"milestone.{key}.{stone_state}",
                sentence_args={},
                there=counts[key].there if key in counts and entered.containers else 0,
                of=counts[key].of if key in counts and entered.containers else 0,
            )
        )
    return _in_order(stones)


def _in_order(stones: list[view.Milestone]) -> list[view.Milestone]:
    """What is done by when the node wrote it down, so that a road shows one scale, forward only."""
    done = [stone for stone in stones if stone.state == "done"]
    done.sort(key=lambda stone: Utc.parse(stone.recorded_at))
    return [*done, *(stone for stone in stones if stone.state != "done")]


def _event(found: tuple[Any, SignedEvent] | None) -> SignedEvent | None:
    return found[1] if found else None


def _simulated(facts: timeline_sections.Facts, entered: ConsignmentEntered) -> list[str]:
    parts = set()
    if entered.simulated:
        parts.add("parties")
    flags: tuple[tuple[type[Fact], str], ...] = (
        (LotFinished, "machine"),
        (WindowReceived, "observations"),
        (ArrivalProven, "observations"),
        (ArrivalNotProven, "observations"),
        (NetworkChecked, "network"),
    )
    for kind, part in flags:
        if any(event.payload.get("simulated") for _, event in facts.every(kind)):
            parts.add(part)
    if trajectory_is_simulated(
        reported=bool(_implied(facts))
        or any(
            facts.last(kind) for kind in (PositionsRecorded, ShortMessageReceived, WindowReceived)
        ),
        played=entered.simulated,
        signals="observations" in parts,
    ):
        parts.add("trajectory")
    return sorted(parts)


def _parties(
    entered: ConsignmentEntered, names: dict[str, RegisteredParty]
) -> list[view.PartyView]:
    wanted = (
        *(entered.exporter, entered.carrier, entered.importer),
        *(entered.importer_bank, entered.exporter_bank, entered.customs),
    )
    return [
        view.PartyView(
            party=p, name=names[p].name, trade_role=names[p].trade_role, country=names[p].country
        )
        if p in names
        else view.PartyView(party=p, name=p, trade_role="", country="")
        for p in wanted
    ]


def _steps(facts: timeline_sections.Facts, state: str) -> list[view.Step]:
    steps = []
    open_given = False
    for number, (key, kinds) in enumerate(STEPS, start=1):
        events = [event for kind in kinds for _, event in facts.every(kind)]
        done = _is_done(facts, kinds, state) or (key == "release" and state == "refused")
        step_state = "done" if done else "later"
        # Of a paid consignment a reader may not see every step; none of them is still to come.
        if not done and not open_given and state != "paid":
            step_state = "refused" if state == "refused" else "next"
            open_given = True
        steps.append(
            view.Step(
                n=number,
                key=key,
                state=step_state,
                at=str(max(e.recorded_at for e in events)) if events else "",
                events=[str(e.id) for e in events],
            )
        )
    return steps


def _is_done(facts: timeline_sections.Facts, kinds: Sequence[type[Fact]], state: str) -> bool:
    """Whether each of the step's facts is here or rests under one; a step without facts is last."""
    if not kinds:
        return state != "under_way"
    implied = _implied(facts)
    return all(facts.every(kind) or kind.TYPE in implied for kind in kinds)


def _implied(facts: timeline_sections.Facts) -> set[str]:
    """Kinds of facts that are not here, but that a fact here rests on."""
    proven, refused = facts.every(ArrivalProven), facts.every(ArrivalNotProven)
    windows = [fact.window for fact, _ in proven] + [fact.window for fact, _ in refused]
    return {WindowReceived.TYPE} if any(windows) else set()


def _said(stored: Stored, names: dict[str, RegisteredParty], *, played: bool) -> view.Said:
    event = stored.event
    return view.Said(
        id=str(event.id),
        type=event.type,
        occurred_at=str(event.occurred_at),
        scale=scale_of(event, played=played),
        recorded_at=str(event.recorded_at),
        witnessed_at="",
        asserted_by=_signer(event.asserted_by.party, event.asserted_by.key.fingerprint, names),
        recorded_by=_signer(event.recorded_by.party, event.recorded_by.key.fingerprint, names),
        custodian=event.custodian,
        open=event.open,
        index=stored.leaf_index,
        summary_key=_summary_key(event),
        args={k: v for k, v in event.payload.items() if isinstance(v, str | int | bool)},
    )


def _summary_key(event: SignedEvent) -> str:
    """Which words a fact has: a lot that was typed is never told as one that was measured."""
    if LotFinished.is_told_by(event.type) and LotFinished.of(event).is_typed:
        return "industry.LotFinished.typed"
    return event.type


def _signer(party: str, fingerprint: str, names: dict[str, RegisteredParty]) -> view.SignerView:
    name = names[party].name if party in names else party
    return view.SignerView(party=party, name=name, fingerprint=fingerprint)
