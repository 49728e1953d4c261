"""JSON Schemas of files that people write, made from the types that read them."""

from __future__ import annotations

from typing import Any

import msgspec

from zhidao.core.limits import published


def schema_of(kind: type, title: str) -> dict[str, Any]:
    """The schema of a file, JSON Schema 2020-12; sums and rules between fields are beyond it."""
    made: dict[str, Any] = _published(msgspec.json.schema(kind))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return head | made


def _published(value: Any) -> Any:
    """The same with each pattern as JSON Schema takes it."""
    if isinstance(value, list):
        return [_published(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: published(each) if name == "pattern" and isinstance(each, str) else _published(each)
        for name, each in value.items()
    }
