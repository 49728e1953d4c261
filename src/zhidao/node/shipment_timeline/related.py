"""Which aggregates belong to which consignment: a projection of events, made anew at any time.

Most facts name their consignment. The rest hang on something that does: an order and lot on the
entry, a terminal on its seal, a phone on its terminal, a credential on its document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from zhidao.core.events import SignedEvent
from zhidao.trust.events import CredentialIssued


class RelatedBook(Protocol):
    """Where the projection is written down.

    A subject is `consignment/X`, `phone/P` or `document/D`.
    """

    async def relate(self, links: Sequence[tuple[str, str, str]]) -> None:
        """Notes (subject, room, aggregate) triples; known ones change nothing."""
        ...

    async def of(self, subject: str) -> list[tuple[str, str]]:
        """The (room, aggregate) pairs of a subject."""
        ...

    async def of_each(self, subjects: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """The same of several at once; one that has none may be left out."""
        ...

    async def subjects_of(self, room: str, aggregate: str) -> list[str]:
        """The consignments that an aggregate belongs to."""
        ...


def links_of(event: SignedEvent) -> Iterator[tuple[str, str, str]]:
    """What an event tells about who belongs to whom: (subject, room, aggregate)."""
    room = event.type.partition(".")[0]
    payload = event.payload
    consignment = _text(payload, "consignment")
    if consignment:
        subject = f"consignment/{consignment}"
        yield subject, room, event.aggregate
        for order in _all(payload, "order", within="lots"):
            yield subject, "industry", f"order/{order}"
        for terminal in _all(payload, "terminal", within="carried"):
            yield subject, "devices", f"terminal/{terminal}"
        if title := _text(payload, "title"):
            yield subject, "trust", f"title/{title}"
    if phone := _text(payload, "phone"):
        yield f"phone/{phone}", room, event.aggregate
    if event.type == CredentialIssued.TYPE:
        yield f"document/{_text(payload, 'document')}", room, event.aggregate


def _all(payload: Any, name: str, *, within: str) -> list[str]:
    """What a fact says under a name, and what it says of several in a list."""
    several = payload.get(within)
    rows = several if isinstance(several, list) else []
    found = [_text(payload, name), *(_text(row, name) for row in rows if isinstance(row, dict))]
    return [each for each in dict.fromkeys(found) if each]


def _text(payload: Any, name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""
