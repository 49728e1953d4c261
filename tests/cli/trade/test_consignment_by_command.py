"""A consignment and its papers come to a node by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.finance.test_money_by_command import CONSIGNMENT, Node, node

from zhidao.simulation import participants
from zhidao.simulation.scenario import simulated_scenario

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
__all__ = ["node"]


async def test_an_entry_and_its_paper_are_brought_by_their_party(
    node: Node, tmp_path: Path
) -> None:
    voyage = simulated_scenario(CONSIGNMENT, fail="", seed=417).voyage
    body = participants.entry(CONSIGNMENT, voyage)
    del body["productionOrderDocument"]
    for item in body["includedConsignmentItem"]:
        item.pop("lotId", None)
    entry = tmp_path / "entry.json"
    entry.write_text(json.dumps(body))
    assert (await node.run("carrier", "consignment", "enter", str(entry), status=1))["error"]
    await node.run("exporter", "consignment", "enter", str(entry))
    listed = await node.run("exporter", "consignment", "list")
    assert [each["entered"]["consignment"] for each in listed] == [CONSIGNMENT]
    papers = await node.run("exporter", "consignment", "show", CONSIGNMENT)
    paper = tmp_path / "note.json"
    paper.write_text('{"note": "as agreed"}')
    adding = ("consignment", "add", CONSIGNMENT, "other", "N-1", str(paper))
    added = await node.typed("exporter", *adding, "--json")
    if added.returncode:
        # What is no kind of paper is told as such, and nothing was added.
        assert json.loads(added.stdout)["error"]
        after = await node.run("exporter", "consignment", "show", CONSIGNMENT)
        assert after["documents"] == papers["documents"]
    entry.write_text("{")
    assert (await node.run("exporter", "consignment", "enter", str(entry), status=2))["error"]
