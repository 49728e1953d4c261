"""The description of the API as a product: nothing in it goes without words, and generators read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from tests.docs.test_docs import from_code

from zhidao.node.http.explained import FILE, explanations, meaning, plain_tuples

__all__ = ["from_code"]


@pytest.fixture(scope="module")
def document(from_code: ModuleType) -> dict[str, Any]:
    told: dict[str, Any] = from_code.openapi()
    return told


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                yield f"{method.upper()} {path}", operation


def test_every_operation_has_a_summary_that_its_description_goes_on_with(
    document: dict[str, Any],
) -> None:
    known = dict(_operations(document))
    assert len(known) > 240
    assert [name for name, each in known.items() if not 8 <= len(each["summary"]) <= 160] == []
    assert [
        name for name, each in known.items() if not each["description"].startswith(each["summary"])
    ] == []
    # A name of a function, as the framework would put it, is no summary.
    assert [name for name, each in known.items() if " " not in each["summary"]] == []
    ids = [each["operationId"] for each in known.values()]
    assert len(set(ids)) == len(ids)


def test_every_property_and_parameter_is_explained(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    properties = {
        f"{name}.{field}": inner
        for name, schema in schemas.items()
        for field, inner in schema.get("properties", {}).items()
    }
    assert len(properties) > 1800
    assert [name for name, inner in properties.items() if not inner.get("description")] == []
    assert [
        f"{name} {each['name']}"
        for name, operation in _operations(document)
        for each in operation.get("parameters", ())
        if not each.get("description")
    ] == []


def test_each_explanation_is_of_something_that_there_is(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    fields = {field for each in schemas.values() for field in each.get("properties", {})}
    fields |= {
        each["name"]
        for _, operation in _operations(document)
        for each in operation.get("parameters", ())
    }
    told = explanations()
    assert sorted(set(told["names"]) - fields) == [], "nothing has this name any more"
    for name in told["own"]:
        schema, field = name.split(".")
        assert field in schemas[schema]["properties"], name
    assert sorted(told["tags"]) == [each["name"] for each in document["tags"]]
    assert all(each["description"] for each in document["tags"])


def test_explanations_stand_in_order_so_that_one_finds_them() -> None:
    for part in ("tags", "names", "own"):
        text = FILE.read_text(encoding="utf-8").partition(f"[{part}]\n")[2].partition("\n[")[0]
        keys = re.findall(r"^(\S+) =", text, re.MULTILINE)
        assert keys == sorted(keys)
        assert len(set(keys)) == len(keys)


def test_every_refusal_is_a_problem_with_a_code(document: dict[str, Any]) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for name, operation in _operations(document):
        refusals = {k: each for k, each in operation["responses"].items() if k >= "4"}
        assert {"400", "429", "503"} <= set(refusals), name
        for status, each in refusals.items():
            assert each["description"], (name, status)
            assert each["content"]["application/problem+json"]["schema"] == problem, (name, status)
    assert "code" in document["components"]["schemas"]["Problem"]["required"]


def test_every_operation_says_who_may_ask(document: dict[str, Any]) -> None:
    assert [name for name, each in _operations(document) if "x-zhidao-access" not in each] == []


def test_no_schema_is_a_word_that_generators_do_not_read(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert '"items": false' not in text
    assert '"prefixItems"' not in text
    years = document["components"]["schemas"]["CalendarView"]["properties"]["years"]["items"]
    assert (years["minItems"], years["maxItems"], years["items"]) == (2, 2, {"type": "integer"})


def test_a_tuple_keeps_its_length_and_its_kinds() -> None:
    whole, text = {"type": "integer"}, {"type": "string"}
    pair = {"type": "array", "prefixItems": [whole, whole], "items": False, "maxItems": 2}
    assert plain_tuples([pair]) == [{"type": "array", "items": whole, "maxItems": 2}]
    mixed = {"prefixItems": [whole, text], "items": False}
    assert plain_tuples({"a": mixed}) == {"a": {"items": {"anyOf": [whole, text]}}}
    open_ended = {"prefixItems": [whole], "items": text}
    assert plain_tuples(open_ended) == open_ended


def test_a_meaning_bears_the_unit_of_its_name_and_the_schemas_own_comes_first() -> None:
    assert meaning("Any", "amount_minor").endswith(", in the smallest unit of its currency")
    assert meaning("SignIn", "name") != meaning("Any", "name")
    assert meaning("Any", "nothing_of_that_name_mm") == ""
