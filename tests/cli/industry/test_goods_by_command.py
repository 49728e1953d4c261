"""An order, its lot, a terminal, a seal, a look at it and a release by command, on a running node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.cli.finance.test_money_by_command import CONSIGNMENT, Node, entered, node

from zhidao.core.ambient import SeededRandomness
from zhidao.simulation import participants
from zhidao.simulation.machine import machine
from zhidao.simulation.scenario import simulated_scenario

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]
__all__ = ["node"]


async def test_the_goods_side_of_a_road_is_walked_by_command(node: Node, tmp_path: Path) -> None:
    await orbits(node, tmp_path / "orbits.rnx.gz")
    await entered(node.callers["exporter"])
    await order_and_lot(node)
    await recall(node)
    await terminal_and_seal(node)
    waits = await node.run("customs", "waiting")
    assert ("border", CONSIGNMENT) in [(e["act"], e["subject"]) for e in waits["items"]]
    release = ("consignment", "release", CONSIGNMENT, "--declaration", "KZ-1")
    assert (await node.run("carrier", *release, status=1))["error"] == "forbidden"
    for _ in range(2):
        assert (await node.run("customs", *release))["declaration"] == "KZ-1"
    assert not [e for e in (await node.run("customs", "waiting"))["items"] if e["act"] == "border"]
    assert (await node.typed("customs", "waiting")).stdout.strip() == "nothing waits for you"


async def orbits(node: Node, file: Path) -> None:
    """Once however often they are brought, and by the operator alone."""
    file.write_bytes(simulated_scenario(CONSIGNMENT, fail="", seed=417).navigation)
    added = await node.run("operator", "terminal", "orbits", str(file))
    assert added == await node.run("operator", "terminal", "orbits", str(file))
    assert (added["systems"], added["ephemerides"] > 100) == ("CEG", True)
    refused = await node.run("carrier", "terminal", "orbits", str(file), status=1)
    assert refused["error"] == "forbidden"


async def order_and_lot(node: Node) -> None:
    limits = [
        word
        for each in participants.LIMITS
        for word in ("--limit", f"{each['name']}:{each['low']}:{each['high']}:{each['unit']}")
    ]
    opened = ("order", "open", "PO-1", "--gtin", participants.GTIN, "--quantity", "4", *limits)
    assert await node.run("exporter", *opened) == await node.run("exporter", *opened)
    bad = (
        "order",
        "open",
        "PO-2",
        "--gtin",
        participants.GTIN,
        "--quantity",
        "4",
        "--limit",
        "Flow",
    )
    assert (await node.run("exporter", *bad, status=2))["error"] == "malformed_input"
    async with machine(SeededRandomness(7)) as address:
        finish = ("order", "finish", "L-1", "PO-1", "--first", "SN-007", "--machine", address)
        lot = await node.run("exporter", *finish, "--pieces", "4")
        assert lot["serials"] == ["SN-007", "SN-008", "SN-009", "SN-010"]
        # A machine is asked once for a lot; other serials for the same lot are another lot.
        assert (await node.run("exporter", *finish, "--pieces", "3", status=1))["error"]
    listed = await node.typed("exporter", "order", "list")
    assert "4 of 4" in listed.stdout
    assert await node.run("carrier", "order", "list") == []


async def recall(node: Node) -> None:
    """A lot is weighed and called back; a drill changes nothing, a stranger hears nothing."""
    lot = f"https://id.gs1.org/01/{participants.GTIN}/10/L-1"
    voyage = simulated_scenario(CONSIGNMENT, fail="", seed=417).voyage
    body = participants.entry("UCR-RECALL-1", voyage)
    body["productionOrderDocument"] = {"id": "PO-1", "lotId": "L-1"}
    for name in ("invoiceDocument", "packingListDocument", "originStatementDocument"):
        body[name] |= {"id": f"{body[name]['id']}-R"}
    for item in body["includedConsignmentItem"]:
        item.pop("lotId", None)
    await node.callers["exporter"].post("/v1/trade/consignments", body)
    [balance] = await node.run("exporter", "industry", "balance", lot)
    assert (balance["put_in"], balance["unit"], balance["holds"]) == ("4", "", True)
    call = ("industry", "recall", "open", "--lot", lot)
    for caller in ("importer", "carrier"):
        assert (await node.run(caller, *call, status=1))["error"] == "not_found"
    for _ in range(30):
        drill = await node.run("exporter", *call, "--drill")
        if drill["consignments"]:
            break
        await asyncio.sleep(0.5)
    assert (drill["made"], drill["consignments"], drill["took_ms"] >= 0) == (4, 1, True)
    assert await node.run("exporter", "industry", "recall", "list") == []
    told = await node.run("exporter", *call, "--class", "1", "--reason", "leaks")
    assert (told["state"], told["flagged"], told["speaks_as"]) == ("open", 1, "maker")
    assert await node.run("exporter", *call) == told
    assert (await node.run("exporter", *call, "--class", "2", status=1))["error"] == "recall_stands"
    name = told["recall"]
    shown = await node.run("exporter", "industry", "recall", "show", name, "--things")
    assert [each["thing"][-6:] for each in shown["things"]] == [f"SN-{n:03d}" for n in range(7, 11)]
    # Whoever is a party to the consignment sees flag and recall, and not the list.
    [flag] = await node.run("importer", "industry", "recall", "flags", "UCR-RECALL-1")
    assert (flag["recall"], flag["lots"], flag["cleared"]) == (name, ["PO-1/L-1"], False)
    assert (await node.run("importer", "industry", "recall", "show", name)) == told
    listed = ("industry", "recall", "show", name, "--things")
    assert (await node.run("importer", *listed, status=1))["error"] == "forbidden"
    # The consignment's road is told, and its proof is written, all the same.
    exporter = node.callers["exporter"]
    assert await exporter.get("/v1/consignments/UCR-RECALL-1/road")
    assert (await exporter.ask("GET", "/v1/consignments/UCR-RECALL-1/proof")).status_code == 200
    # Two persons lift it; a token is nobody's word.
    lift = ("industry", "recall", "lift", name)
    assert (await node.run("exporter", *lift, status=1))["error"] == "no_person"
    said = await node.typed("exporter", *call)
    assert "consignments flagged: 1" in said.stdout


async def terminal_and_seal(node: Node) -> None:
    add = ("terminal", "add", "LORRY-7", "--phone", "+7 701 555 0123", "--owner", "carrier")
    assert (await node.run("carrier", *add, status=1))["error"] == "forbidden"
    await node.run("operator", *add)
    put = ("seal", "put", "HZ-1", "--container", "CSQU3054383", "--terminal", "LORRY-7")
    put = (*put, "--consignment", CONSIGNMENT)
    assert (await node.run("customs", *put, status=1))["error"]
    await node.run("carrier", *put)
    check = ("seal", "check", "HZ-1", "--place", "gate 4")
    seen = await node.run("customs", *check)
    # A terminal without a key is sealed and looked at, and binds nothing.
    assert seen["bound"] is False
    assert [each["seal"] for each in await node.run("customs", "seal", "list")] == ["HZ-1"]
