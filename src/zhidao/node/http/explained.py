"""What a reader, and a generator of programs, is told of the API beside its types.

Summaries and descriptions are the docstrings of handlers. What a property means stands once by its
name in `explanations.toml`, because a name means one thing in the whole house; where it does not,
the schema's own line (`Schema.property`) comes first.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from zhidao.node.http.examples import show_commands, show_examples

FILE: Final = Path(__file__).with_name("explanations.toml")
# How the names of properties end that count something, and in what.
_UNITS: Final = (
    ("_minor", "in the smallest unit of its currency"),
    ("_ndeg", "in billionths of a degree (WGS 84)"),
    ("_udeg", "in millionths of a degree (WGS 84)"),
    ("_mdeg", "in thousandths of a degree"),
    ("_mm", "in millimetres"),
    ("_ppb", "in parts per billion"),
    ("_permille", "in parts per thousand"),
    ("_milli", "in thousandths"),
    ("_mdbhz", "in thousandths of dB-Hz"),
    ("_kmh", "in kilometres per hour"),
    ("_deg", "in degrees"),
    ("_m", "in metres"),
    ("_g", "in grams"),
    ("_s", "in seconds"),
    ("_days", "in days"),
)
_INFO: Final = {
    "description": "The API of a Zhidao node: consignments, the devices on them, papers, titles,"
    " money on conditions, and the proof of each. Reading and writing routes are guarded alike:"
    " `x-zhidao-access` of an operation names the roles that may ask and the relation to the object"
    " that they need. A refusal is always a Problem (RFC 9457) with a stable `code`. Amounts are"
    " whole numbers of the smallest unit, times are RFC 3339 in UTC.",
    "contact": {"name": "The operator of this node"},
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


@cache
def explanations() -> dict[str, dict[str, str]]:
    """The tables: `tags`, `names` of properties, and `own` of a schema's property."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {part: dict(told[part]) for part in ("tags", "names", "own")}


def explain(
    document: dict[str, Any], handlers: Mapping[tuple[str, str], Callable[..., Any]]
) -> None:
    """Adds summaries, descriptions and tags to a complete description of the API.

    handlers: the function of each path and lower-case method.
    """
    document["info"] |= _INFO
    tags: set[str] = set()
    for (path, method), handler in handlers.items():
        operation = document["paths"][path][method]
        _explain_operation(operation, inspect.getdoc(handler) or "")
        tags.update(operation.get("tags", ()))
        for parameter in operation.get("parameters", ()):
            _explain_as(parameter, "", parameter["name"])
    told = explanations()["tags"]
    document["tags"] = [{"name": tag, "description": told.get(tag, "")} for tag in sorted(tags)]
    for name, schema in document["components"]["schemas"].items():
        for field, inner in schema.get("properties", {}).items():
            _explain_as(inner, name, field)
    show_examples(document)
    show_commands(document)


def meaning(schema: str, field: str) -> str:
    """What a property of a schema means, with its unit where its name tells one; or ``."""
    told = explanations()
    text = told["own"].get(f"{schema}.{field}") or told["names"].get(field, "")
    unit = next((unit for ending, unit in _UNITS if field.endswith(ending)), "")
    return f"{text}, {unit}" if text and unit else text


def _explain_as(part: dict[str, Any], schema: str, field: str) -> None:
    text = meaning(schema, field)
    if text and not part.get("description"):
        part["description"] = text


def _explain_operation(operation: dict[str, Any], docstring: str) -> None:
    first, _, rest = docstring.partition("\n\n")
    summary = " ".join(first.split())
    operation["summary"] = summary.rstrip(".")
    operation["description"] = "\n\n".join(
        " ".join(part.split()) for part in (summary, *rest.split("\n\n")) if part.strip()
    )


def plain_tuples(part: Any) -> Any:
    """The same schemas, with arrays of one kind and a fixed length said without `prefixItems`.

    JSON Schema's `items: false` after them means "and no more", which generators do not read;
    the length says it as well. Tuples of several kinds become arrays of any of these.
    """
    if isinstance(part, list):
        return [plain_tuples(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {name: plain_tuples(inner) for name, inner in part.items()}
    if made.get("items") is False and "prefixItems" in made:
        kinds = made.pop("prefixItems")
        alike = all(kind == kinds[0] for kind in kinds)
        made["items"] = kinds[0] if alike else {"anyOf": kinds}
    return made
