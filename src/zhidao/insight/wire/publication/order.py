"""What a report is to be made of, as TOML: title, who publishes and pays, goods and corridors."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final

import msgspec

from zhidao.core.canonical import Json
from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.publication import LAYERS, CorridorEntry, GoodEntry, Publication

ORDER_BYTES_MAX: Final = 256 * 1024
GOODS_MAX: Final = 200
CORRIDORS_MAX: Final = 50
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Title(msgspec.Struct, forbid_unknown_fields=True):
    en: _Text
    zh: _Text


class _Good(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    layer: _Text
    result: _Text


class _Corridor(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    result: _Text
    map: str = ""
    reports: str = ""


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    title: _Title
    publisher: _Text
    paid_by: _Text
    on: date
    good: list[_Good] = []
    corridor: list[_Corridor] = []


def decode_order(data: bytes) -> Publication:
    """What is ordered; results are names of files. Raises MalformedInput."""
    try:
        order = msgspec.convert(tomllib.loads(data.decode("utf-8")), _Order)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"no order of a report: {error}") from error
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"not TOML: {error}") from error
    return _publication(order)


def _check(order: _Order) -> None:
    if not order.good and not order.corridor:
        raise MalformedInput("a report has at least one [[good]] or [[corridor]]")
    if len(order.good) > GOODS_MAX:
        raise MalformedInput(f"a report has at most {GOODS_MAX} goods")
    if len(order.corridor) > CORRIDORS_MAX:
        raise MalformedInput(f"a report has at most {CORRIDORS_MAX} corridors")
    _check_names([each.name for each in order.good])
    _check_names([each.name for each in order.corridor])
    for good in order.good:
        _check_layer(good)
    for corridor in order.corridor:
        if bool(corridor.map) != bool(corridor.reports):
            raise MalformedInput("map and reports are enclosed together", where=corridor.name)


def _check_layer(good: _Good) -> None:
    if good.layer not in LAYERS:
        raise MalformedInput(
            f"no layer {good.layer}; take one of {', '.join(LAYERS)}", where=good.name
        )


def _check_names(names: list[str]) -> None:
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise MalformedInput(f"two entries are called {twice}")


def as_plain(order: Publication) -> dict[str, Json]:
    """The order as it stands in a report, and is read of it again."""
    goods: list[Json] = [
        {"name": e.name, "layer": e.layer, "result": e.result} for e in order.goods
    ]
    corridors: list[Json] = [
        {"name": e.name, "result": e.result, "map": e.area, "reports": e.reports}
        for e in order.corridors
    ]
    return {
        "title": {"en": order.title[0], "zh": order.title[1]},
        "publisher": order.publisher,
        "paid_by": order.paid_by,
        "on": order.day,
        "good": goods,
        "corridor": corridors,
    }


def read_plain(value: Mapping[str, object]) -> Publication:
    """The same again. Raises MalformedInput."""
    try:
        order = msgspec.convert(value, _Order)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"no order of a report: {error}", where="order") from error
    return _publication(order)


def _publication(order: _Order) -> Publication:
    _check(order)
    goods = tuple(GoodEntry(each.name, each.layer, each.result) for each in order.good)
    corridors = tuple(
        CorridorEntry(each.name, each.result, each.map, each.reports) for each in order.corridor
    )
    title = (order.title.en, order.title.zh)
    day = order.on.isoformat()
    return Publication(title, order.publisher, order.paid_by, day, goods, corridors)
