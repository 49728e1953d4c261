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
    adding = ("consignment", "add", CONSIGNMENT)
    other = (*adding, "other", "N-1", str(paper))
    assert (await node.run("carrier", *other, status=2))["error"] == "invalid"
    bill = (*adding, "bill_of_lading", "N-1", str(paper))
    assert (await node.run("exporter", *bill, status=1))["error"] == "forbidden"
    assert (await node.run("carrier", *bill, status=2))["error"] == "wrong_field"
    after = await node.run("exporter", "consignment", "show", CONSIGNMENT)
    assert after["documents"] == papers["documents"], "nothing of that was added"
    paper.write_bytes(participants.bill_of_lading(voyage, gross_kg=1291.2))
    real = (*adding, "bill_of_lading", participants.BILL_NUMBER, str(paper))
    added = await node.run("carrier", *real)
    assert added == await node.run("carrier", *real), "the same again changes nothing"
    after = await node.run("exporter", "consignment", "show", CONSIGNMENT)
    assert [each["kind"] for each in after["documents"]][-1] == "bill_of_lading"
    entry.write_text("{")
    assert (await node.run("exporter", "consignment", "enter", str(entry), status=2))["error"]
