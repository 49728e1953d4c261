"""The entry file of versions 2 to 5 as JSON Schema, made from the catalogue of fields itself.

What it refuses the reader refuses too. Check digits, sums and rules between fields are beyond it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from zhidao.core.limits import EMAIL, published
from zhidao.trade.domain.model import forms, identifiers
from zhidao.trade.domain.model.catalogue import EQUIPMENT, FIELDS, GROUP_MAX, ITEM
from zhidao.trade.domain.model.forms import Form
from zhidao.trade.domain.printing.labels import label_of
from zhidao.trade.wire import consignment_entry
from zhidao.trade.wire.canonical_entry import TYPES

_NUMBER: Final = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?\Z"
_PATTERNS: Final[dict[Form, str]] = {
    forms.reference: r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,34}\Z",
    forms.node_party: r"^[a-z0-9][a-z0-9.-]{0,63}\Z",
    forms.email: EMAIL,
    forms.number: _NUMBER,
    forms.positive: _NUMBER,
    forms.count: r"^[1-9][0-9]{0,6}\Z",
    forms.country: r"^[A-Z]{2}\Z",
    forms.currency: r"^[A-Z]{3}\Z",
    forms.unlocode: r"^[A-Z]{2}[A-Z2-9]{3}\Z",
    forms.station: r"^[0-9]{6,8}\Z",
    forms.hs_code: r"^[0-9]{6}\Z",
    forms.container: r"^[A-Z]{3}[UJZ][0-9]{7}\Z",
    forms.imo: r"^[0-9]{7}\Z",
    forms.scac: r"^[A-Z]{2,4}\Z",
    identifiers.lei: r"^[A-Z0-9]{20}\Z",
    identifiers.uscc: r"^[A-Z0-9]{18}\Z",
    identifiers.eori: r"^[A-Z]{2}[A-Z0-9]{1,15}\Z",
    identifiers.duns: r"^[0-9]{9}\Z",
    identifiers.air_waybill: r"^[0-9]{3}-[0-9]{8}\Z",
}
_STEP: Final = re.compile(r"\.|\[\]\.")
_SIZES: Final = {ITEM: GROUP_MAX, EQUIPMENT: GROUP_MAX}


def entry_schema(*, road: bool = True) -> dict[str, Any]:
    """The schema of a file that opens a road; JSON Schema 2020-12, without references.

    `road`: whether what a road asks must be there; what papers ask, the entry itself decides.
    """
    needed_there = consignment_entry.needed(items=1) if road else []
    asked = {re.sub(r"\[\d+\]", "[]", path) for path in needed_there}
    needed = {path for path in asked if not FIELDS[path].otherwise}
    root: dict[str, Any] = _object({"type": {"enum": list(TYPES)}})
    about = "An entry file of version 2, 3, 4 or 5."
    root |= {"title": "Entry", "description": about, "required": ["type"]}
    for path, field in FIELDS.items():
        *heads, name = _STEP.split(path)
        holder = root
        for head in heads:
            holder = _inside(holder, head, needed=path in needed)
        holder["properties"][name] = _value(path, field.form)
        if path in needed:
            holder["required"].append(name)
    return root


def _inside(holder: dict[str, Any], head: str, *, needed: bool) -> dict[str, Any]:
    """The object under a name, a list's member where members repeat."""
    if needed and head not in holder["required"]:
        holder["required"].append(head)
    child = holder["properties"].get(head)
    if child is None:
        child = _object({})
        if head in _SIZES:
            child = {"type": "array", "items": child, "minItems": 1, "maxItems": _SIZES[head]}
        holder["properties"][head] = child
    found: dict[str, Any] = child.get("items", child)
    return found


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [],
        "additionalProperties": False,
        # An empty object stands for nothing, and is refused as such.
        "minProperties": 1,
    }


def _value(path: str, form: Form) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "string", "description": label_of(path)[0]}
    choices = forms.choices_of(form)
    if choices:
        return told | {"enum": list(choices)}
    if form is forms.day:
        return told | {"format": "date"}
    if form in _PATTERNS:
        return told | {"pattern": published(_PATTERNS[form])}
    return told | {"minLength": 1, "maxLength": forms.length_of(form)}
