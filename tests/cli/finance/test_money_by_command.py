"""Banks, accounts, deposits, a title and a deal by command, on a node that runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import zhidao

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.simulation import participants
from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import TOKENS, let_in
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scenario import simulated_scenario

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]
CONSIGNMENT = "zd-2026-0417"
KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32))).public.multikey


@dataclass
class Node:
    """A running node, its parties' tokens, and its commands as they type them."""

    process: NodeProcess
    folder: Path
    callers: dict[str, Caller]

    async def typed(self, who: str, *words: str) -> subprocess.CompletedProcess[str]:
        token = self.folder / f"{who}.token"
        if not token.exists():
            token.touch(mode=0o600)
            token.write_text(json.loads((self.process.data / TOKENS).read_bytes())[who])
        options = ("--url", self.process.url, "--token-file", str(token))
        return await asyncio.to_thread(zhidao, *words, *options)

    async def run(self, who: str, *words: str, status: int = 0) -> Any:
        done = await self.typed(who, *words, "--json")
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    process = NodeProcess(tmp_path / "n")
    await process.start()
    try:
        async with httpx.AsyncClient(base_url=process.url, timeout=30.0) as http:
            yield Node(process, tmp_path, await let_in(http, process, participants.ALL))
    finally:
        await process.stop()


async def entered(exporter: Caller) -> None:
    """The exporter's consignment, which has a page of its own."""
    voyage = simulated_scenario(CONSIGNMENT, fail="", seed=417).voyage
    body = participants.entry(CONSIGNMENT, voyage)
    del body["productionOrderDocument"]
    for item in body["includedConsignmentItem"]:
        item.pop("lotId", None)
    await exporter.post("/v1/trade/consignments", body)


async def test_the_money_side_of_a_road_is_walked_by_command(node: Node) -> None:
    admit = ("bank", "admit", "importer-bank", "Alatau Trade Bank JSC", "ALTBKZKA", "Almaty", "KZ")
    # A bank admits no bank, and what is no BIC is named as such.
    assert (await node.run("importer-bank", *admit, status=1))["error"] == "forbidden"
    wrong = [*admit]
    wrong[4] = "no bic"
    assert (await node.run("operator", *wrong, status=2))["error"]
    other = ("bank", "admit", "exporter-bank", "Weihe Commercial Bank", "WEIHCNB1", "Xi'an", "CN")
    for words in (admit, other, admit):
        await node.run("operator", *words)
    listed = await node.run("importer", "bank", "list")
    assert [bank["bank"] for bank in listed] == ["exporter-bank", "importer-bank"]

    account = ("account", "open", "importer", "CNY", "Alatau Water Supply LLP", "Almaty", "KZ")
    assert (await node.run("importer", *account, status=1))["error"] == "forbidden"
    assert await node.run("importer-bank", *account) == await node.run("importer-bank", *account)
    payee = ("account", "open", "exporter", "CNY", "Chang'an Pump Works", "Xi'an", "CN")
    await node.run("exporter-bank", *payee)
    deposit = ("deposit", "add", "funds", "importer", "CNY", "500000.00")
    said = [await node.run("importer-bank", *deposit) for _ in range(2)]
    befores = [each["balance_before_minor"] for each in said]
    assert (befores, said[1]["balance_minor"]) == ([0, 50_000_000], 50_000_000)
    again = await node.typed("importer-bank", *deposit)
    assert "nothing more was credited" in again.stdout
    clash = ("deposit", "add", "funds", "importer", "CNY", "500000.01")
    assert (await node.run("importer-bank", *clash, status=1))["error"].startswith("exists_with")
    came = await node.run("importer", "deposit", "list", "importer", "CNY")
    assert [each["amount_minor"] for each in came] == [50_000_000]
    nobody = ("deposit", "list", "carrier", "CNY")
    assert (await node.run("importer-bank", *nobody, status=1))["error"] == "not_found"

    await entered(node.callers["exporter"])
    await the_title(node)
    await the_deal(node)
    await the_papers(node)


async def the_terminal(run: Any, terminal: str, phone: str, *more: str) -> None:
    """Whoever runs the node registers the terminal that a deal waits for."""
    words = ("terminal", "add", terminal, "--phone", phone, "--owner", "carrier", *more)
    await run(participants.OPERATOR, *words)


async def the_title(node: Node) -> None:
    bill = ("title", "bill", CONSIGNMENT, "--number", "HMTXA0417", "--code", "HMTX")
    # Out of order: no bill yet, no title yet; and the bill is the carrier's.
    assert (await node.run("carrier", "title", "mint", CONSIGNMENT, status=2))["remedy"]
    assert (await node.run("exporter", "title", "show", CONSIGNMENT, status=1))["error"]
    assert (await node.run("exporter", *bill, status=1))["error"] == "forbidden"
    one, two = [await node.run("carrier", *bill, "--on-board", "2026-09-18") for _ in range(2)]
    assert one == two
    minted = await node.run("carrier", "title", "mint", CONSIGNMENT)
    assert await node.run("carrier", "title", "mint", CONSIGNMENT) == minted
    own = await node.run("exporter", "title", "show", CONSIGNMENT)
    assert (own["state"], own["movers"]) == ("held", ["exporter"])
    assert "transfer" in own["acts"]
    told = await node.typed("importer", "title", "show", CONSIGNMENT)
    assert "it is the move of exporter" in told.stdout
    refused = await node.run("importer", "title", "transfer", CONSIGNMENT, "carrier", status=1)
    assert refused["error"] in ("not_holder", "not_beneficiary")
    moved = await node.run("exporter", "title", "transfer", CONSIGNMENT, "importer")
    assert moved["holder_party"] == "importer"
    back = await node.run("importer", "title", "reject", CONSIGNMENT)
    assert back["holder_party"] == "exporter"
    for who, act, said in (
        ("exporter", ("nominate", "importer"), "importer is nominated; exporter holds the title"),
        ("exporter", ("endorse", "importer"), "importer is the beneficiary now; exporter holds"),
        ("importer", ("reject",), "exporter is the beneficiary again; exporter holds the title"),
        ("exporter", ("hand-over", "importer"), "importer holds the title now; exporter stays"),
        ("importer", ("reject",), "exporter holds the title now"),
        ("exporter", ("surrender",), "the title is given up; whoever issued it accepts"),
        ("carrier", ("return",), "exporter holds the title now"),
    ):
        word, *to = act
        done = await node.typed(who, "title", word, CONSIGNMENT, *to)
        assert done.stdout.startswith(said), done.stdout + done.stderr


async def the_deal(node: Node) -> None:
    opening = (
        *("deal", "open", CONSIGNMENT, "--terminal", participants.TERMINAL, "--name", "Yard"),
        *("--site", "43.2567,76.9286,500"),
        *("--from", "2026-09-01T00:00:00Z", "--until", "2030-09-01T00:00:00Z"),
    )
    # Nobody waits for a terminal that could prove nothing.
    assert (await node.run("importer-bank", *opening, status=1))["error"] == "terminal_unknown"
    claimed = [word.replace(participants.TERMINAL, "VAN-3") for word in opening]
    # Of somebody's vehicle that is not shown to the bank no more is said than of one that is none.
    await the_terminal(node.run, "VAN-2", "+8613800000419")
    others = [word.replace(participants.TERMINAL, "VAN-2") for word in opening]
    assert (await node.run("importer-bank", *others, status=1))["error"] == "terminal_unknown"
    shown = ("--reader", "importer-bank")
    await the_terminal(node.run, "VAN-3", "+8613800000418", *shown)
    refused = await node.run("importer-bank", *claimed, status=1)
    assert refused["error"] == "terminal_without_key"
    await the_terminal(node.run, participants.TERMINAL, participants.PHONE, "--key", KEY, *shown)
    # Without a line the payer's bank may owe nothing: the deal is refused in words.
    assert (await node.run("importer-bank", *opening, status=1))["error"] == "credit_line"
    line = ("finance", "line", "set", "importer-bank", "CNY", "1000000.00")
    await node.run("exporter-bank", *line)
    assert (await node.run("importer", *opening, status=1))["error"] == "forbidden"
    bad = [*opening]
    bad[bad.index("43.2567,76.9286,500")] = "here,there,500"
    assert (await node.run("importer-bank", *bad, status=2))["error"]
    opened = [await node.run("importer-bank", *opening) for _ in range(2)]
    assert opened[0]["deal"] == opened[1]["deal"] == f"deal-{CONSIGNMENT}"
    assert opened[1]["state"] == "reserved"
    assert opened[1]["terms"]["needs"] == ["papers_agree", "title_in_custody", "customs_released"]
    deal = opened[0]["deal"]
    assert (await node.run("importer", "deal", "give-title", deal, status=1))["error"]
    given = await node.run("exporter", "deal", "give-title", deal)
    assert given["title_reserved"]
    shown = await node.typed("exporter", "deal", "show", deal)
    assert "customs_released: waits for customs" in shown.stdout
    assert [each["deal"] for each in await node.run("exporter", "deal", "list")] == [deal]
    custody = await node.run("exporter", "title", "show", CONSIGNMENT)
    assert (custody["state"], custody["acts"]) == ("in_custody", [])


async def the_papers(node: Node) -> None:
    checked = await node.run("importer-bank", "consignment", "check", CONSIGNMENT)
    assert checked["agree"]
    shown = await node.typed("customs", "consignment", "show", CONSIGNMENT)
    assert f"the papers agree in {checked['checks']} checks" in shown.stdout
    listed = await node.run("customs", "consignment", "list")
    assert [each["entered"]["consignment"] for each in listed] == [CONSIGNMENT]
    over = ("consignment", "hand-over", CONSIGNMENT, "almaty")
    assert (await node.run("exporter", *over, status=1))["error"] == "unknown_peer"
