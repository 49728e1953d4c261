"""The AsyncAPI document by the parser of the AsyncAPI project, and its streams beside OpenAPI's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.docs.outside_tools import npm_tools
from tests.docs.test_docs import from_code

from zhidao.node.api.asyncapi import STREAMS, asyncapi

__all__ = ["from_code"]
CHECK = Path(__file__).with_name("asyncapi_check.mjs")
# Version 3.1 added nothing that is used here, and more programs read 3.0.
KNOWN = {"asyncapi-latest-version"}


def _judged(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    file = folder / "asyncapi.json"
    file.write_text(json.dumps(document))
    done = subprocess.run(
        ["node", str(CHECK), str(file), str(npm_tools())],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_parser_of_the_asyncapi_project_finds_nothing(tmp_path: Path) -> None:
    told = _judged(asyncapi(), tmp_path)
    assert told["read"]
    assert [each for each in told["found"] if each["code"] not in KNOWN] == []
    assert told["operations"] == len(asyncapi()["channels"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_parser_would_find_something(tmp_path: Path) -> None:
    spoiled = json.loads(json.dumps(asyncapi()))
    spoiled["operations"]["tell_webhook"]["action"] = "shout"
    told = _judged(spoiled, tmp_path)
    assert [each for each in told["found"] if each["code"] == "asyncapi-document-resolved"]


def test_the_streams_are_the_routes_that_answer_without_an_end(from_code: ModuleType) -> None:
    routes = {
        path
        for path, item in from_code.openapi()["paths"].items()
        for operation in item.values()
        for answer in operation["responses"].values()
        if "text/event-stream" in answer.get("content", {})
    }
    assert routes == set(STREAMS)
