"""The evidence of a lot: everything that its machine answered, and how each name was judged.

Version 2 keeps each answer with status, type and both times, and the window of the run, so that a
reader sifts and judges again. Version 1 kept values and source times alone; it stays readable.
Canonical JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version_in
from zhidao.industry.domain.quality import (
    Judgement,
    Reading,
    Sample,
    Sifted,
    decimal_of,
    sift,
)


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """A record as read. `has_status`: whether the status of each value was recorded."""

    order: str
    lot: str
    sifted: Sifted
    has_status: bool


class _Sample(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    value: str
    observed_at: str


class _Record1(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    order: str
    lot: str
    samples: list[_Sample]
    judgements: list[dict[str, Any]]


class _Reading(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    value: str
    type: str
    status: str
    source_at: str
    server_at: str


class _Record2(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    order: str
    lot: str
    begun_at: str
    ended_at: str
    readings: list[_Reading]
    judgements: list[dict[str, Any]]


def encode_record(
    *,
    order: str,
    lot: str,
    begun_at: Utc,
    ended_at: Utc,
    readings: Sequence[Reading],
    judgements: Sequence[Judgement],
) -> bytes:
    """The record of a lot, version 2. What was not said stands as empty text."""
    return jcs(
        {
            "v": 2,
            "order": order,
            "lot": lot,
            "begun_at": str(begun_at),
            "ended_at": str(ended_at),
            "readings": [
                {
                    "name": each.name,
                    "value": "" if each.value is None else str(each.value),
                    "type": each.type,
                    "status": each.status,
                    "source_at": str(each.source_at or ""),
                    "server_at": str(each.server_at or ""),
                }
                for each in readings
            ],
            "judgements": [
                {
                    "name": each.bound.name,
                    "unit": each.bound.unit,
                    "low": str(each.bound.low),
                    "high": str(each.bound.high),
                    "count": each.count,
                    "lowest": str(each.lowest),
                    "highest": str(each.highest),
                    "mean": str(each.mean),
                    "outside": each.outside,
                }
                for each in judgements
            ],
        }
    )


def decode_record(data: bytes) -> QualityRecord:
    """Reads either version and sifts again. Raises MalformedInput."""
    plain = parse_strict(data)
    check_version_in(plain, form="a quality record", known=(1, 2))
    try:
        if isinstance(plain, dict) and plain.get("v") == 1:
            return _first(msgspec.convert(plain, _Record1, strict=True))
        return _second(msgspec.convert(plain, _Record2, strict=True))
    except msgspec.ValidationError as error:
        raise MalformedInput(f"quality record: {error}") from error


def _first(record: _Record1) -> QualityRecord:
    samples = tuple(
        Sample(each.name, decimal_of(each.value, what=each.name), Utc.parse(each.observed_at))
        for each in record.samples
    )
    return QualityRecord(record.order, record.lot, Sifted(samples, ()), has_status=False)


def _second(record: _Record2) -> QualityRecord:
    readings = [
        Reading(
            name=each.name,
            value=decimal_of(each.value, what=each.name) if each.value else None,
            type=each.type,
            status=each.status,
            source_at=Utc.parse(each.source_at) if each.source_at else None,
            server_at=Utc.parse(each.server_at) if each.server_at else None,
        )
        for each in record.readings
    ]
    begun_at, ended_at = Utc.parse(record.begun_at), Utc.parse(record.ended_at)
    sifted = sift(readings, begun_at=begun_at, ended_at=ended_at)
    return QualityRecord(record.order, record.lot, sifted, has_status=True)
