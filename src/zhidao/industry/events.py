"""What the industry room tells the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from zhidao.core.events import Fact


class EventsCaptured(Fact, frozen=True, kw_only=True):
    """A party says that EPCIS events happened. Aggregate `epcis/<job>`.

    `events` are their CBV hashes in hexadecimal, in the order of the document, whose digest in the
    archive is `document`; `refused`: how many of it were left out.
    """

    TYPE: ClassVar[str] = "industry.EventsCaptured.v1"
    job: str
    document: str
    events: list[str]
    refused: int


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value asked of a machine: decimals as text, `unit` a UN/ECE Rec. 20 code."""

    name: str
    low: str
    high: str
    unit: str


class OrderOpened(Fact, frozen=True, kw_only=True):
    """A production order with the limits that its values must keep. Aggregate `order/<number>`.

    Its lots hold together at most `quantity` pieces. Version 2 allows `excess` pieces beyond.
    """

    TYPE: ClassVar[str] = "industry.OrderOpened.v1"
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {"industry.OrderOpened.v2": {"excess": 0}}
    order: str
    gtin: str
    quantity: int
    limits: list[Limit]
    excess: int = 0


class LotFinished(Fact, frozen=True, kw_only=True):
    """A lot left the machine, or was typed. Aggregate `order/<number>`.

    `quality` is the digest of the quality record (all samples with their judgement);
    `epcis_hashes` are CBV 2.0 event hash ids (`ni:///sha-256;…?ver=CBV2.0`). Of a typed lot nothing
    was measured and its pieces are its owner's word: `samples` is 0, `quality` is ``, and
    `within_limits` is false, for nothing shows that it kept them. Version 2 names in `not_shown`
    limits of which the machine's values do not show that they were kept: it said none, or said
    them with another status than Good. It is then neither within nor outside.
    """

    TYPE: ClassVar[str] = "industry.LotFinished.v1"
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "industry.LotFinished.v2": {"not_shown": []}
    }
    order: str
    lot: str
    gtin: str
    serials: list[str]
    within_limits: bool
    samples: int
    quality: str
    epcis: str
    epcis_hashes: list[str]
    simulated: bool
    not_shown: list[str] = msgspec.field(default_factory=list)

    @property
    def is_typed(self) -> bool:
        """Whether nothing was asked of a machine."""
        return self.samples == 0 and not self.not_shown

    @property
    def verdict(self) -> str:
        """`typed`, `within`, `outside` or `not_shown`."""
        if self.is_typed:
            return "typed"
        if self.not_shown:
            return "not_shown"
        return "within" if self.within_limits else "outside"


class RecallOpened(Fact, frozen=True, kw_only=True):
    """A lot is called back by its maker, or by an authority (`speaks_as`). Aggregate `recall/<id>`.

    `level`: 1 (a danger to life) to 3. `things` is the digest of the frozen list in the archive:
    what was made of the lot and what carried it when this was said; `made` and `carried` count
    them, `not_told` the branches of which nobody says where they end. `cut_short`: there is more.
    """

    TYPE: ClassVar[str] = "industry.RecallOpened.v1"
    recall: str
    lot: str
    level: int
    reason: str
    speaks_as: str
    things: str
    made: int
    carried: int
    not_told: int
    cut_short: bool


class RecallLiftAsked(Fact, frozen=True, kw_only=True):
    """One person asks to end a recall. Aggregate `recall/<id>`."""

    TYPE: ClassVar[str] = "industry.RecallLiftAsked.v1"
    recall: str
    person: str
    reason: str


class RecallLifted(Fact, frozen=True, kw_only=True):
    """Another person of the party agreed: the recall is over. Aggregate `recall/<id>`."""

    TYPE: ClassVar[str] = "industry.RecallLifted.v1"
    recall: str
    person: str
    asked_by: str


class ConsignmentFlagged(Fact, frozen=True, kw_only=True):
    """Goods of a recall are in a consignment. Aggregate `recalled/<recall>/<consignment>`.

    `lots`: those of the consignment's entry that are called back, or of which pieces are.
    """

    TYPE: ClassVar[str] = "industry.ConsignmentFlagged.v1"
    recall: str
    consignment: str
    lot: str
    level: int
    lots: list[str]


class ConsignmentCleared(Fact, frozen=True, kw_only=True):
    """The recall is lifted, and with it this flag. Aggregate `recalled/<recall>/<consignment>`."""

    TYPE: ClassVar[str] = "industry.ConsignmentCleared.v1"
    recall: str
    consignment: str


class RecallDrilled(Fact, frozen=True, kw_only=True):
    """A recall was tried and changed nothing. Aggregate `recall-drill/<id>`; took_ms: how long."""

    TYPE: ClassVar[str] = "industry.RecallDrilled.v1"
    lot: str
    level: int
    speaks_as: str
    made: int
    carried: int
    not_told: int
    cut_short: bool
    consignments: int
    took_ms: int


class RecallRefused(Fact, frozen=True, kw_only=True):
    """A party that may not call a lot back tried to. Aggregate `recall-refused/<id>`, once each."""

    TYPE: ClassVar[str] = "industry.RecallRefused.v1"
    lot: str
    party: str
    level: int
