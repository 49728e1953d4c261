"""Values of a bill of materials as they are expected, or a refusal that names the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhidao.core.errors import MalformedInput


def text_of(values: Mapping[str, Any], key: str, where: str) -> str:
    """A text; empty where there is none. Raises MalformedInput for another kind of value."""
    value = values.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedInput(f"{key} is a text", where=where)
    return value


def listed(values: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """A list of objects; empty where there is none. Raises MalformedInput for another kind."""
    value = values.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise MalformedInput(f"{key} is a list of objects", where=where)
    return value
