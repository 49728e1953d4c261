"""The description of the API as a product: nothing in it goes without words, and generators read it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
from tests.docs.test_docs import from_code

from zhidao.node.http.examples import examples
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


def test_every_body_that_a_handler_reads_is_described(from_code: ModuleType) -> None:
    """Also one that is read as bytes: a generated client has no other way to send it."""
    paths = from_code.openapi()["paths"]
    reading = [
        (route.path_format, method.lower())
        for route in from_code._application().routes
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items()
        if handler.resolve_include_in_schema()
        and (
            "request.body()" in inspect.getsource(handler.fn)
            or {"data", "body"} & set(inspect.signature(handler.fn).parameters)
        )
    ]
    assert len(reading) > 90
    assert [each for each in reading if "requestBody" not in paths[each[0]][each[1]]] == []


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


def test_each_example_is_published_where_its_operation_is(document: dict[str, Any]) -> None:
    for operation, example in examples().items():
        method, path = operation.split()
        described = document["paths"][path][method.lower()]
        shown = {
            parameter["name"]: parameter["example"]
            for parameter in described.get("parameters", ())
            if "example" in parameter
        }
        assert shown == example.path, operation
        if "requestBody" in described:
            content = described["requestBody"]["content"]["application/json"]
            [published] = content["examples"].values()
            assert published["value"] == example.body
            whole = content["schema"] | {"components": document["components"]}
            jsonschema_rs.Draft202012Validator(whole).validate(published["value"])


def test_the_acts_of_a_road_have_examples() -> None:
    """What the demonstration's parties send on their way; files (orbits, an invoice) go as bytes."""
    road = (
        *("POST /v1/parties", "POST /v1/tokens", "POST /v1/tokens/{token_id}/agreement"),
        *("POST /v1/invitations", "POST /v1/invitations/join", "POST /v1/session"),
        *("POST /v1/finance/banks", "POST /v1/finance/accounts", "POST /v1/finance/credit-lines"),
        *("POST /v1/finance/deposits", "POST /v1/finance/deals"),
        "POST /v1/finance/deals/{deal}/title",
        *("POST /v1/industry/orders", "POST /v1/industry/orders/{order}/lots"),
        *("POST /v1/trade/consignments", "POST /v1/trade/consignments/{consignment}/documents"),
        "POST /v1/trade/consignments/{consignment}/check",
        "POST /v1/trade/consignments/{consignment}/customs-release",
        *("POST /v1/trust/titles", "POST /v1/trust/titles/{title}/acts"),
        *("POST /v1/devices/terminals", "POST /v1/devices/seals"),
        *("POST /v1/devices/seals/{seal}/checks", "POST /v1/positioning/arrivals"),
        *("POST /v1/connectivity/cards", "PUT /v1/connectivity/scenario/{phone}"),
        "PUT /v1/scenario-time",
    )
    assert [each for each in road if each not in examples()] == []
    assert len(examples()) >= 60
