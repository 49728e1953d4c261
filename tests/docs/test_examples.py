"""Each example of the API's description is sent to a running node and answered as it is described."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from tests.node.access_world import NODE, AccessWorld, world

from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.http.examples import Example, examples
from zhidao.simulation.machine import machine

__all__ = ["world"]
pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(600)]
# As the examples call what this world's node named by itself.
ACCOUNT = "2e7c91d0-5b38-8f46-a1c2-7d6e5f403b19"
TITLE = "8f8036409cb045d831dd5ee09e340ee73dbbf2114258a71e306b17d6f1b8423c"
MACHINE = "opc.tcp://192.168.10.5:4840"
# Roles of the node's own; whoever else asks is a party.
OF_NODE = ("admin", "operator")


@pytest.fixture(scope="module")
def endpoint(world: AccessWorld) -> Iterator[str]:
    running = machine(SystemRandomness())
    yield world.run(running.__aenter__())
    world.run(running.__aexit__(None, None, None))


def _with(names: dict[str, str], example: Example) -> tuple[dict[str, str], Any]:
    """Path and body with this node's own names in the place of the example's."""
    text = json.dumps([example.path, example.body or None])
    for shown, actual in names.items():
        text = text.replace(shown, actual)
    path, body = json.loads(text)
    return path, body


def _described(world: AccessWorld, operation: str) -> dict[str, Any]:
    method, path = operation.split()
    found: dict[str, Any] = world.document["paths"][path][method.lower()]
    return found


def _good(operation: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """The status of success, and the schema of its JSON if it has one."""
    [(status, told)] = [(s, r) for s, r in operation["responses"].items() if s < "3"]
    content = told.get("content", {})
    return int(status), content.get("application/json", {}).get("schema")


def _holds(world: AccessWorld, schema: dict[str, Any], value: Any) -> None:
    whole = schema | {"components": world.document["components"]}
    jsonschema_rs.Draft202012Validator(whole).validate(value)


def test_every_example_is_answered_as_its_operation_says(world: AccessWorld, endpoint: str) -> None:
    names = {ACCOUNT: world.names["account"], TITLE: world.names["title"], MACHINE: endpoint}
    for operation, example in examples().items():
        method, path = operation.split()
        status, schema = _good(_described(world, operation))
        own, body = _with(names, example)
        party, role = (NODE, example.by) if example.by in OF_NODE else (example.by, "party")
        sent = {} if body is None else {"json": body}
        answer = world.ask(method, path.format(**own), party, role, **sent)
        assert answer.status_code == status, (operation, answer.text)
        if schema is None:
            assert answer.content == b"", operation
        else:
            _holds(world, schema, answer.json())
        for shown, pattern in example.gives.items():
            found = re.search(pattern, answer.text)
            assert found, (operation, answer.text)
            names[shown] = found[1]
