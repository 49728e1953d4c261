"""What the trade room tells the others. All in aggregate `consignment/<id>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from zhidao.core.events import Fact


class CrossCheckFinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule's answer about documents. `verdict`: conflict or undecided.

    `left` and `right` are `document:field = value` of the two places.
    """

    rule: str
    verdict: str
    sentence: str
    left: str
    right: str


class NamedLot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lot by the order that it was made for."""

    order: str
    lot: str


class NamedInvoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several invoices by its number, and the amount that it asks for."""

    number: str
    amount_minor: int


class ConsignmentEntered(Fact, frozen=True, kw_only=True):
    """One entry opened a consignment. `entry` is the digest of the entry file in the archive.

    `loading` and `discharge` are UN/LOCODEs. `promised`: what a proof of the consignment is to
    show in the end, of `domain/promise.py`; None where the entry is older than promises.
    Version 3 has what is several: `containers` and `lots` are all of them in the entry's order, of
    which `container`, `order` and `lot` are the first; they are empty where there is one or none.
    Version 4 has `invoices` where there are several, whose amounts add up to `amount_minor`.
    """

    TYPE: ClassVar[str] = "trade.ConsignmentEntered.v2"
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "trade.ConsignmentEntered.v1": {"promised": None}
    }
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "trade.ConsignmentEntered.v3": {"containers": [], "lots": []},
        "trade.ConsignmentEntered.v4": {"invoices": []},
    }
    consignment: str
    exporter: str
    importer: str
    carrier: str
    importer_bank: str
    exporter_bank: str
    customs: str
    goods: str
    container: str
    order: str
    lot: str
    amount_minor: int
    currency: str
    entry: str
    simulated: bool
    promised: list[str] | None
    loading: str = ""
    discharge: str = ""
    containers: list[str] = msgspec.field(default_factory=list)
    lots: list[NamedLot] = msgspec.field(default_factory=list)
    invoices: list[NamedInvoice] = msgspec.field(default_factory=list)

    @property
    def every_container(self) -> list[str]:
        """All containers, the only one among them."""
        return self.containers or [self.container]

    @property
    def every_lot(self) -> list[NamedLot]:
        """All lots; none where the goods come from no order."""
        one = [NamedLot(order=self.order, lot=self.lot)] if self.lot else []
        return self.lots or one


class DocumentAdded(Fact, frozen=True, kw_only=True):
    """A document joined the consignment.

    `kind`: invoice, origin_statement, bill_of_lading, packing_list, quality_record. `valid`:
    passed its schema and rules (`rules` names packs with digests). `credential` is the digest of
    the W3C credential over it, or ``.
    """

    TYPE: ClassVar[str] = "trade.DocumentAdded.v1"
    consignment: str
    kind: str
    number: str
    digest: str
    media_type: str
    valid: bool
    rules: list[str]
    credential: str


class PapersChecked(Fact, frozen=True, kw_only=True):
    """The documents were held against each other. `agree`: no conflict and nothing undecided."""

    TYPE: ClassVar[str] = "trade.PapersChecked.v1"
    consignment: str
    agree: bool
    checks: int
    documents: list[str]
    findings: list[CrossCheckFinding]


class ContainerArrived(Fact, frozen=True, kw_only=True):
    """One of several containers arrived, proven by `arrival`, that event's id."""

    TYPE: ClassVar[str] = "trade.ContainerArrived.v1"
    consignment: str
    container: str
    arrival: str
    observed_at: str
    place: str


class Delivered(Fact, frozen=True, kw_only=True):
    """The journey's state became Delivered by a proven arrival (`arrival`: that event's id).

    Of several containers it is that of the last one: each of the others arrived before.
    """

    TYPE: ClassVar[str] = "trade.Delivered.v1"
    consignment: str
    arrival: str
    observed_at: str
    place: str


class CustomsReleased(Fact, frozen=True, kw_only=True):
    """Customs let the goods go. Asserted by the customs party."""

    TYPE: ClassVar[str] = "trade.CustomsReleased.v1"
    consignment: str
    declaration: str
    decision: str


class CrossingObserved(Fact, frozen=True, kw_only=True):
    """When the goods were at one side of a border crossing, in aggregate `crossing/<…>/<…>/<…>`.

    `side`: the country whose side it is (ISO 3166-1). Each instant is an interval in which it lies:
    `entered_from` to `entered_to`, and `left_…`, both `` while the goods are there. `mark`:
    claimed, on the speaker's word, or proven by `positions`, roots of batches of positions.
    Asserted by the carrier or the customs party; `simulated` as its consignment is.
    """

    TYPE: ClassVar[str] = "trade.CrossingObserved.v1"
    consignment: str
    crossing: str
    side: str
    entered_from: str
    entered_to: str
    left_from: str
    left_to: str
    mark: str
    positions: list[str]
    simulated: bool


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """A consignment as it stands, for other rooms."""

    entered: ConsignmentEntered
    documents: list[DocumentAdded]
    papers: PapersChecked | None
    delivered: Delivered | None
    customs: CustomsReleased | None
    state: str
    arrived: list[ContainerArrived] = msgspec.field(default_factory=list)


class DeclarationSubmitted(Fact, frozen=True, kw_only=True):
    """A declaration was lodged, or amended by a higher version, in aggregate `declaration/<id>`.

    `kind`: export_declaration or import_declaration. `document` is its digest in the archive,
    `agencies` those whose permit it needs beside customs. `reason` is `` for the first version.
    """

    TYPE: ClassVar[str] = "trade.DeclarationSubmitted.v1"
    declaration: str
    version: int
    kind: str
    document: str
    declarant: str
    customs: str
    agencies: list[str]
    reason: str = ""


class RiskMatched(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A risk rule that matched: the fact it saw and the weight it added."""

    rule: str
    fact: str
    value: str
    weight: int


class RiskDecided(Fact, frozen=True, kw_only=True):
    """Risk rules chose a channel (green, yellow, red).

    `rules` and `facts` are digests in the archive of what the decision is made from again.
    """

    TYPE: ClassVar[str] = "trade.RiskDecided.v1"
    declaration: str
    version: int
    rules: str
    facts: str
    score: int
    channel: str
    matches: list[RiskMatched]
    at_random: bool


class AgencyAnswered(Fact, frozen=True, kw_only=True):
    """An agency permits or denies. Asserted by the agency's party."""

    TYPE: ClassVar[str] = "trade.AgencyAnswered.v1"
    declaration: str
    version: int
    agency: str
    answer: str
    reason: str


class DeclarationDecided(Fact, frozen=True, kw_only=True):
    """Customs decided: held, released or refused. Asserted by the customs party."""

    TYPE: ClassVar[str] = "trade.DeclarationDecided.v1"
    declaration: str
    version: int
    decision: str
    reason: str


class DeclarationCancelled(Fact, frozen=True, kw_only=True):
    """The declarant took the declaration back before it was decided."""

    TYPE: ClassVar[str] = "trade.DeclarationCancelled.v1"
    declaration: str
    version: int
    reason: str


class PresentedDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document of a presentation: its kind, its number and its bytes by SHA-256 (hex).

    `printed` is the SHA-256 of its PDF/A, or ``.
    """

    kind: str
    number: str
    media_type: str
    digest: str
    printed: str = ""


class PresentationManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is presented to a bank, under which credit, and what the presenter's own checks said.

    `made_at` is UTC, `drawn` a decimal in `currency`. `findings`: conflicts and undecided rows of
    the cross-checks in the bank's view; a set with a conflict is only made on purpose.
    """

    presentation: str
    consignment: str
    credit: str
    presenter: str
    bank: str
    made_at: str
    drawn: str
    currency: str
    documents: list[PresentedDocument]
    checks: int
    findings: list[CrossCheckFinding]

    @property
    def digests(self) -> set[str]:
        """Every content that belongs to the presentation."""
        named = {document.digest for document in self.documents}
        return named | {document.printed for document in self.documents if document.printed}


class PresentationMade(Fact, frozen=True, kw_only=True):
    """A party made a presentation, in aggregate `presentation/<id>`; asserted by the presenter.

    `file` is the digest of the signed file in the archive.
    """

    TYPE: ClassVar[str] = "trade.PresentationMade.v1"
    manifest: PresentationManifest
    file: str


class PresentedPaper(msgspec.Struct, frozen=True, kw_only=True):
    """What one document of a presentation says: its fields by path, read out of its bytes."""

    kind: str
    number: str
    digest: str
    fields: dict[str, str]


class PresentedSet(msgspec.Struct, frozen=True, kw_only=True):
    """A presentation as the examining bank reads it, nothing of it on the presenter's word.

    `findings` are the cross-checks made again from the documents; `key` is the Multikey that
    signed. `missing`: kinds that the letter names and the set lacks.
    """

    manifest: PresentationManifest
    key: str
    papers: list[PresentedPaper]
    checks: int
    findings: list[CrossCheckFinding]
    missing: list[str]
