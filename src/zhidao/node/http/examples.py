"""Examples of requests, and by which command the same is done, beside the operations.

`examples.json` stands in the order of a story, from a new party to a paid escrow, because a later
request needs what an earlier one made. `tests/docs/test_examples.py` sends them in that order.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from zhidao.core.canonical import decode_json

FILE: Final = Path(__file__).with_name("examples.json")
# Every writing operation: its command, or why there is none.
ACTS: Final = Path(__file__).with_name("acts.toml")
_COMMAND: Final = "x-zhidao-command"
_JSON: Final = "application/json"


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request.

    `by`: the party that asks, or `admin`, `operator` of the node, or `` for a stranger. `path`:
    the names in the path. `gives`: fields of the answer that the node itself names, each with the
    value that later examples call it by.
    """

    by: str
    path: dict[str, str] = {}
    body: Any = msgspec.UNSET
    gives: dict[str, str] = {}


@cache
def examples() -> dict[str, Example]:
    """Every example by its operation (`POST /v1/parties`), in the order of the story."""
    return decode_json(FILE.read_bytes(), dict[str, Example])


def show_commands(document: dict[str, Any]) -> None:
    """Says of each operation that a command of `zhidao` does which one it is."""
    commands = tomllib.loads(ACTS.read_text(encoding="utf-8"))["commands"]
    for item in document["paths"].values():
        for operation in item.values():
            command = commands.get(operation.get("operationId", ""))
            if command:
                operation[_COMMAND] = command


def show_examples(document: dict[str, Any]) -> None:
    """Puts each example into the description of its operation: the body, and the path's names."""
    for operation, example in examples().items():
        method, path = operation.split()
        found = document["paths"].get(path, {}).get(method.lower())
        if found is None:
            # A node without a part (the demonstration's, for one) does not have its routes.
            continue
        for parameter in found.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] in example.path:
                parameter["example"] = example.path[parameter["name"]]
        if example.body is not msgspec.UNSET:
            shown = {"summary": f"Asked by {example.by or 'a stranger'}", "value": example.body}
            found["requestBody"]["content"][_JSON]["examples"] = {"sent": shown}
