"""The plan of a journey as a JSON file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from zhidao.core.timescale import Utc
from zhidao.trade.domain.tracking.journey import Leg, Plan
from zhidao.trade.wire.fields import PlaceCode, Short, number, read_struct
from zhidao.trade.wire.file_schema import schema_of

_Hours = Annotated[int, msgspec.Meta(ge=1, le=8760)]
_Celsius = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,3})?\Z", max_length=8)]


class _Leg(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    origin: PlaceCode
    destination: PlaceCode
    departs_at: Short
    arrives_at: Short


class _Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Literal["zhidao.JourneyPlan.v1"]
    legs: Annotated[list[_Leg], msgspec.Meta(min_length=1, max_length=50)]
    late_after_h: _Hours = 12
    silent_after_h: _Hours = 96
    coldest_c: _Celsius | None = None
    warmest_c: _Celsius | None = None


def schema() -> dict[str, Any]:
    """The JSON Schema of a journey's plan."""
    return schema_of(_Plan, "Journey plan")


def read(data: bytes) -> Plan:
    """The plan of a file. Raises MalformedInput naming the field."""
    document = read_struct(data, _Plan, what="journey plan")
    return Plan(
        legs=tuple(
            Leg(
                origin=leg.origin,
                destination=leg.destination,
                departs_at=Utc.parse(leg.departs_at),
                arrives_at=Utc.parse(leg.arrives_at),
            )
            for leg in document.legs
        ),
        late_after_h=document.late_after_h,
        silent_after_h=document.silent_after_h,
        coldest_c=None if document.coldest_c is None else number(document.coldest_c),
        warmest_c=None if document.warmest_c is None else number(document.warmest_c),
    )
