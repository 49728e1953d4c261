"""A client that a generator of others makes from the API's description walks a whole road."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.generated_client import GeneratedHttp, functions
from tests.docs.test_api_generators import generated_client
from tests.docs.test_docs import from_code
from tests.node.live_node import walked, zhidao

from zhidao.simulation import demonstration
from zhidao.simulation.sides import Sides
from zhidao.simulation.step_report import Outcome

__all__ = ["from_code"]
pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(900)]
PACKAGE = "zhidao_client"


@pytest.fixture(scope="module")
def client(from_code: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("client")
    description = folder / "openapi.json"
    description.write_text(json.dumps(from_code.openapi()))
    generated_client(description, folder / PACKAGE)
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(folder))


def test_a_generated_client_walks_the_road_of_two_nodes_to_paid_and_verified(
    client: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terminal and machine speak their own protocols; each request over HTTP is a generated one."""
    every = functions(client)
    made: list[GeneratedHttp] = []

    def opened(url: str, *, timeout_s: float) -> GeneratedHttp:
        del timeout_s
        made.append(GeneratedHttp(client, every, base_url=url))
        return made[-1]

    monkeypatch.setattr(demonstration, "client_of", opened)

    async def walk() -> Outcome:
        sides = Sides.in_folder(tmp_path / "nodes")
        await sides.start()
        try:
            return await walked(sides, tmp_path)
        finally:
            await sides.stop()

    outcome = asyncio.run(walk())
    assert outcome.paid
    assert sorted(outcome.steps) == list(range(1, 11))
    used = set().union(*(each.used for each in made))
    assert len(made) == 2
    assert len(used) > 30
    checked = zhidao("verify", outcome.proof, "--trust", outcome.trust)
    assert checked.returncode == 0, checked.stdout
