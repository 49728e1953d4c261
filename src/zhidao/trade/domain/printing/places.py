"""What a person calls the place of a statement: the document, the part of it, and the line."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.documents.mapping import Row
from zhidao.trade.domain.model.catalogue import EQUIPMENT, FIELDS, ITEM
from zhidao.trade.domain.printing.labels import OF_FIELD, ROLES, Label, label_of

_INDEX: Final = re.compile(r"\[(\d*)\]")
_DAYS: Final = re.compile(r" and (\d+) days$")
# Places that are no single field: what the table of cross-checks computes, by its own words.
_COMPUTED: Final[dict[str, Label]] = {
    "delivery terms": ("delivery terms", "贸易条件"),
    "means and voyage": ("means and voyage", "运输工具与航次"),
    "second vessel": ("second vessel", "二程船"),
    "amount due": ("amount due", "应付金额"),
    "descriptions": ("descriptions of goods", "货物描述"),
    "110 per cent of the amount": ("110 per cent of the amount", "金额的百分之一百一十"),
    "goods with the declared charges and rate": (
        "goods with the declared charges and rate",
        "货值加申报费用并按汇率折算",
    ),
    "customsValue": ("customs value", "完税价格"),
    "carrierClauses": ("the carrier's clauses", "承运人批注"),
}
# What is held against documents and is none.
_SOURCES: Final[dict[str, Label]] = {
    "events": ("Tracking events", "跟踪事件"),
    "title registry": ("Title registry", "物权登记"),
    "bill of materials": ("Bill of materials", "物料清单"),
    "verified track": ("Verified track", "已验证轨迹"),
    "UCP 600 article 27": ("UCP 600 article 27", "UCP 600第27条"),
}
_OF_SOURCES: Final[dict[str, Label]] = {
    "equipment": ("containers", "集装箱"),
    "means and voyage": _COMPUTED["means and voyage"],
    "control": ("control of the bill", "提单控制权"),
    "countries": ("countries passed", "途经国家"),
    "asked": ("asked", "要求"),
}
_LINE: Final = re.compile(r"line (\S{1,40})")
_FREIGHT: Final = re.compile(r"freight under ([A-Z]{3})")
_SUM: Final = "sum of "


def place_label(statement: str) -> Label | None:
    """What both languages call the place of `document:place = value`; None where it is unknown."""
    kind, _, place = statement.partition(" = ")[0].partition(":")
    if kind in _SOURCES:
        told = _OF_SOURCES.get(place) or _numbered(place)
        (english, chinese), title = told or (place, place), _SOURCES[kind]
        return f"{title[0]}: {english}", f"{title[1]}：{chinese}"
    form = FORMS.get(kind)
    if form is None:
        return None
    days = _DAYS.search(place)
    bare = place[: days.start()] if days else place
    found = _of_place(kind, bare)
    if found is None:
        return None
    path, (english, chinese) = found
    line = _line(bare, path)
    if line:
        english, chinese = f"item {line}, {english}", f"第{line}项{chinese}"
    if days:
        english, chinese = f"{english} and {days[1]} days", f"{chinese}加{days[1]}天"
    return f"{form.titles[0]}: {english}", f"{form.titles[1]}：{chinese}"


def _of_place(kind: str, place: str) -> tuple[str, Label] | None:
    """The field at a place and what it is called; no field for what is computed."""
    computed = _COMPUTED.get(place) or _numbered(place)
    if computed:
        return "", computed
    if place.startswith(_SUM):
        summed = OF_FIELD.get(f"{ITEM}[].{place.removeprefix(_SUM)}")
        return ("", (f"sum of {summed[0].lower()}", f"{summed[1]}合计")) if summed else None
    rows = _rows(kind)
    path = _INDEX.sub("[]", place)
    if path not in FIELDS:
        # A form's own index, as of the first of two properties, counts; a member's does not.
        path = rows.get(_INDEX.sub("[]", place, count=1)) or rows.get(path, "")
    if not path:
        return None
    role = ROLES.get(path.partition(".")[0])
    english, chinese = label_of(path)
    if role:
        return path, (f"{role[0]}, {english.lower()}", f"{role[1]}{chinese}")
    return path, (english.lower() if english[1:2].islower() else english, chinese)


def _numbered(place: str) -> Label | None:
    """What is said of a line by its number, or of the freight by the delivery term."""
    if line := _LINE.fullmatch(place):
        return f"item {line[1]}", f"第{line[1]}项"
    if freight := _FREIGHT.fullmatch(place):
        return f"freight under {freight[1]}", f"{freight[1]}术语下的运费"
    return None


def _line(place: str, path: str) -> str:
    """The number of the item that a place is of, `` if it is of none or of all."""
    if not path.startswith((f"{ITEM}[]", f"{EQUIPMENT}[]")):
        return ""
    index = _INDEX.search(place)
    return str(int(index[1]) + 1) if index and index[1] else ""


@cache
def _rows(kind: str) -> dict[str, str]:
    """Fields by the places where a document says them, with and without the form's own indices."""
    rows = [(part.at, part.of) for part in FORMS[kind].parts if isinstance(part, Row)]
    exact = dict(rows)
    loose: dict[str, str] = {}
    for at, path in rows:
        loose.setdefault(_INDEX.sub("[]", at), path)
    return loose | exact
