"""What the industry room tells the others."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zhidao.core.events import Fact


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value asked of a machine: decimals as text, `unit` a UN/ECE Rec. 20 code."""

    name: str
    low: str
    high: str
    unit: str


class OrderOpened(Fact, frozen=True, kw_only=True):
    """A production order with the limits that its values must keep. Aggregate `order/<number>`."""

    TYPE: ClassVar[str] = "industry.OrderOpened.v1"
    order: str
    gtin: str
    quantity: int
    limits: list[Limit]


class LotFinished(Fact, frozen=True, kw_only=True):
    """A lot left the machine, or was typed. Aggregate `order/<number>`.

    `quality` is the digest of the quality record (all samples with their judgement);
    `epcis_hashes` are CBV 2.0 event hash ids (`ni:///sha-256;…?ver=CBV2.0`). Of a typed lot nothing
    was measured and its pieces are its owner's word: `samples` is 0, `quality` is ``, and
    `within_limits` is false, for nothing shows that it kept them.
    """

    TYPE: ClassVar[str] = "industry.LotFinished.v1"
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

    @property
    def is_typed(self) -> bool:
        """Whether nothing was measured of it."""
        return self.samples == 0
