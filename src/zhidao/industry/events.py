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
