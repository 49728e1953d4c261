"""A consignment as the fold of its history."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId, party_id
from zhidao.trade.domain.tracking.consignment_states import state_after
from zhidao.trade.events import (
    Consignment,
    ConsignmentEntered,
    ContainerArrived,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)


def aggregate_of(consignment: str) -> str:
    """The name of a consignment's history."""
    return f"consignment/{consignment}"


def fold(events: tuple[SignedEvent, ...]) -> Consignment:
    """The consignment that a history tells of. Raises NotFound for an empty one."""
    entered = latest(events, ConsignmentEntered)
    if entered is None:
        raise NotFound("no consignment of that name")
    return Consignment(
        entered=entered,
        documents=every(events, DocumentAdded),
        papers=latest(events, PapersChecked),
        delivered=latest(events, Delivered),
        customs=latest(events, CustomsReleased),
        state=state_after(events),
        arrived=every(events, ContainerArrived),
    )


def parties_of(entered: ConsignmentEntered) -> list[PartyId]:
    """Everybody who may read the consignment."""
    names = (
        entered.exporter,
        entered.importer,
        entered.carrier,
        entered.importer_bank,
        entered.exporter_bank,
        entered.customs,
    )
    return [party_id(name) for name in names]


def document_of_kind(documents: Sequence[DocumentAdded], kind: str) -> DocumentAdded | None:
    """The document of a kind, or None: a consignment has at most one of each."""
    return next((document for document in documents if document.kind == kind), None)
