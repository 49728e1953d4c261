"""Files of settings as the programs of others read them: YAML of plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def yaml_text(document: Mapping[str, Any], head: str) -> bytes:
    """YAML 1.2 of nested mappings, lists and scalars; every text is quoted as JSON quotes it.

    head: a comment of one line at the top.

    >>> print(yaml_text({"a": {"b": ["c"], "d": True}}, "An example.").decode(), end="")
    # An example.
    a:
      b:
        - "c"
      d: true
    """
    return "\n".join([f"# {head}", *_lines(document, ""), ""]).encode()


def _lines(value: Mapping[str, Any] | Sequence[Any], indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if isinstance(entry, Mapping | list):
                yield f"{indent}{key}:"
                yield from _lines(entry, indent + "  ")
            else:
                yield f"{indent}{key}: {json.dumps(entry)}"
        return
    for entry in value:
        yield f"{indent}- {json.dumps(entry)}"
