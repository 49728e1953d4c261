"""Which facts nodes share about a consignment: what its parties there may see, room by room."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.devices.events import (
    EnrolmentChanged,
    MessageIncomplete,
    PositionsRecorded,
    WindowReceived,
)
from zhidao.node.shipment_timeline.related import links_of
from zhidao.node.shipment_timeline.selection import is_asked_of
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import DocumentAdded
from zhidao.trust.service.credentials.credentials import aggregate_of_credential

# Histories that a peer may get, by room. Keys, chains and logs are public and have homes of their
# own; a bank's other accounts and a ledger are nobody's business.
SHAREABLE: Final = {
    "industry": ("order/",),
    "trust": ("credential/", "title/"),
    "devices": ("seal/", "terminal/"),
    "positioning": ("arrival/",),
    "connectivity": ("network-check/",),
    "trade": ("consignment/",),
    "finance": ("deal/",),
}
# Histories that do not name their consignment: a fact of it names them.
_HANGING: Final = ("order/", "terminal/", "credential/", "network-check/")
_ARRIVALS: Final = frozenset((*ArrivalProven.types(), *ArrivalNotProven.types()))
# A terminal's days reach beyond one consignment, and how it comes in is its own node's business.
_NEVER: Final = frozenset(
    (
        *(PositionsRecorded.TYPE, WindowReceived.TYPE),
        *(EnrolmentChanged.TYPE, MessageIncomplete.TYPE),
    )
)


def room_of(event: SignedEvent) -> str:
    """The room whose fact it is."""
    return event.type.partition(".")[0]


def is_shareable(event: SignedEvent) -> bool:
    """Whether facts of this kind cross to other nodes at all."""
    return event.type not in _NEVER and event.aggregate.startswith(
        SHAREABLE.get(room_of(event), ())
    )


def name_of(event: SignedEvent) -> str:
    """The history that a first fact begins, as its payload says, or ``."""
    kind = event.aggregate.partition("/")[0]
    payload = event.payload
    if kind == "credential":
        parts = [payload.get(name) for name in ("issuer", "kind", "document")]
        issuer, about, document = (p if isinstance(p, str) else "" for p in parts)
        try:
            return aggregate_of_credential(issuer=issuer, kind=about, document=document)
        except MalformedInput:
            return ""
    # An arrival is called after its consignment.
    said = payload.get({"arrival": "consignment", "network-check": "check"}.get(kind, kind))
    return f"{kind}/{said}" if isinstance(said, str) and said else ""


def may_see(event: SignedEvent, audience: Collection[PartyId]) -> bool:
    """Whether one of the audience may see the event."""
    return event.owner in audience or any(party in audience for party in event.visible)


def named_in(event: SignedEvent) -> frozenset[PartyId]:
    """Whoever may see the event, wherever it goes."""
    return frozenset((event.owner, *event.visible))


def beginnings(
    stored: Iterable[Stored], audience: Collection[PartyId], others: Collection[PartyId]
) -> list[Stored]:
    """Of each history its beginning that is in the log and that the audience may see, in order.

    A history is adopted from its first event on without a gap, so it ends before the first one
    that is not for them or not logged yet. `others`: ids that mean somebody else where it goes:
    what names one would be read there by whom it is not for.
    """
    histories: dict[tuple[str, str], list[Stored]] = {}
    for each in stored:
        histories.setdefault((room_of(each.event), each.event.aggregate), []).append(each)
    found: list[Stored] = []
    for events in histories.values():
        wanted = 1
        for each in sorted(events, key=lambda s: s.event.version):
            event = each.event
            fits = event.version == wanted and each.leaf_index is not None
            if not (fits and is_shareable(event) and may_see(event, audience)):
                break
            if named_in(event) & set(others):
                break
            found.append(each)
            wanted += 1
    return sorted(found, key=lambda s: s.leaf_index or 0)


def is_hanging(event: SignedEvent) -> bool:
    """Whether its history belongs to a consignment only by what another fact says."""
    return event.aggregate.startswith(_HANGING)


def named_by(events: Sequence[SignedEvent], consignment: str) -> set[str]:
    """Histories that these facts of a consignment name, not counting that each names its own."""
    own = f"consignment/{consignment}"
    papers = _papers(events, own)
    named = {
        name
        for event in events
        for subject, _, name in links_of(event)
        if (subject == own and name != event.aggregate) or subject in papers
    }
    return named | _checks_of_arrival(events, f"arrival/{consignment}")


def _papers(events: Sequence[SignedEvent], own: str) -> set[str]:
    return {
        f"document/{event.payload['digest']}"
        for event in events
        if event.aggregate == own and event.type == DocumentAdded.TYPE
    }


def _checks_of_arrival(events: Sequence[SignedEvent], arrival: str) -> set[str]:
    arrivals = [e for e in events if e.type in _ARRIVALS and e.aggregate == arrival]
    # A phone is asked about for many consignments: only what was asked of this one's arrival.
    return {
        event.aggregate
        for event in events
        if event.type == NetworkChecked.TYPE and any(is_asked_of(event, a) for a in arrivals)
    }


def hung(chosen: Sequence[Stored], consignment: str) -> list[Stored]:
    """Without histories that hang on nothing chosen: what names them is on its way to the log."""
    named = named_by([each.event for each in chosen], consignment)
    return [e for e in chosen if not is_hanging(e.event) or e.event.aggregate in named]
