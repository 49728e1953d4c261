"""Which facts nodes share about a consignment: what its parties there may see, room by room."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.devices.events import PositionsRecorded, WindowReceived
from zhidao.store.reading import Stored

# Histories that a peer may get, by room. Keys, chains and logs are public and have homes of their
# own; a bank's other accounts and a ledger are nobody's business.
SHAREABLE: Final = {
    "industry": ("order/",),
    "trust": ("credential/", "title/"),
    "devices": ("seal/", "terminal/"),
    "positioning": ("arrival/",),
    "trade": ("consignment/",),
    "finance": ("deal/",),
}
# A terminal's days reach beyond one consignment.
_NEVER: Final = frozenset((PositionsRecorded.TYPE, WindowReceived.TYPE))


def room_of(event: SignedEvent) -> str:
    """The room whose fact it is."""
    return event.type.partition(".")[0]


def is_shareable(event: SignedEvent) -> bool:
    """Whether facts of this kind cross to other nodes at all."""
    return event.type not in _NEVER and event.aggregate.startswith(
        SHAREABLE.get(room_of(event), ())
    )


def may_see(event: SignedEvent, audience: Collection[PartyId]) -> bool:
    """Whether one of the audience may see the event."""
    return event.owner in audience or any(party in audience for party in event.visible)


def beginnings(stored: Iterable[Stored], audience: Collection[PartyId]) -> list[Stored]:
    """Of each history its beginning that is in the log and that the audience may see, in order.

    A history is adopted from its first event on without a gap, so it ends before the first one
    that is not for them or not logged yet.
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
            found.append(each)
            wanted += 1
    return sorted(found, key=lambda s: s.leaf_index or 0)
