"""Accounts, a line and a title for a deal cross from one node to another, by command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.finance.test_money_by_command import CONSIGNMENT, KEY, entered
from tests.node.live_node import answer_of, zhidao

from zhidao.simulation import participants
from zhidao.simulation.awaiting import decided_of
from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import TOKENS, admit_each_other, let_in
from zhidao.simulation.sides import Sides

Run = Callable[..., Awaitable[Any]]
pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]


async def test_account_line_and_title_cross_to_a_peer_by_command(tmp_path: Path) -> None:
    sides = Sides.in_folder(tmp_path)
    await sides.start()
    here = httpx.AsyncClient(base_url=sides.importer.url, timeout=30.0)
    there = httpx.AsyncClient(base_url=sides.exporter.url, timeout=30.0)
    try:
        async with here, there:
            home = [p for p in participants.ALL if p not in participants.ON_EXPORTER_SIDE]
            ledger = await let_in(here, sides.importer, home)
            asking = await let_in(there, sides.exporter, participants.ON_EXPORTER_SIDE)
            await admit_each_other(ledger[participants.OPERATOR], asking[participants.OPERATOR])
            run = await _ask(sides, tmp_path, asking["exporter-bank"])
            await entered(asking["exporter"])
            await _deal(run, sides, asking["exporter"], ledger["carrier"])
    finally:
        await sides.stop()


async def _ask(sides: Sides, folder: Path, bank: Caller) -> Run:
    async def run(side: str, who: str, *words: str, status: int = 0) -> Any:
        process = getattr(sides, side)
        token = folder / f"{who}.token"
        token.touch(mode=0o600)
        token.write_text(json.loads((process.data / TOKENS).read_bytes())[who])
        options = ("--url", process.url, "--token-file", str(token), "--json")
        return answer_of(await asyncio.to_thread(zhidao, *words, *options), status)

    node = sides.importer.name
    for party, name, bic, town, country in participants.BANKS:
        await run("importer", "operator", "bank", "admit", party, name, bic, town, country)
    account = ("account", "open", "exporter", "CNY", "Chang'an Pump Works", "Xi'an", "CN")
    asked = await run("exporter", "exporter-bank", *account, "--at", node)
    # Asked again: the same request, by the same document.
    again = await run("exporter", "exporter-bank", *account, "--at", node)
    assert asked["document"] == again["document"]
    decided = await decided_of(bank, "accounts", asked["document"])
    assert decided["outcome"] == "accepted", decided
    line = ("finance", "line", "set", "importer-bank", "CNY", "1000000.00", "--at", node)
    [set_there] = await run("exporter", "exporter-bank", *line)
    decided = await decided_of(bank, "accounts", set_there["document"])
    assert decided["outcome"] == "accepted", decided
    nobody = await run("exporter", "exporter-bank", *account, "--at", "nobody", status=1)
    assert nobody["error"]
    return run


async def _deal(run: Run, sides: Sides, exporter: Caller, carrier: Caller) -> None:
    """The exporter's title goes into a deal at the other node, signed where the exporter's key is."""
    over = ("consignment", "hand-over", CONSIGNMENT, sides.importer.name)
    assert (await run("exporter", "exporter", *over))["home"] == sides.importer.name
    # What the page goes by, too: who writes the history, and what this node is called.
    shared = await exporter.get(f"/v1/federation/consignments/{CONSIGNMENT}")
    own = await exporter.get("/exchange/card")
    assert (shared["home"], own["node"]) == (sides.importer.name, sides.exporter.name)
    assert shared["nodes"] == sorted([sides.importer.name, sides.exporter.name])
    await carrier.ask("GET", f"/v1/trade/consignments/{CONSIGNMENT}", until_there=True)
    bill = ("title", "bill", CONSIGNMENT, "--number", "HMTXA0417", "--code", "HMTX")
    await run("importer", "carrier", *bill)
    await run("importer", "carrier", "title", "mint", CONSIGNMENT)
    customer = ("account", "open", "importer", "CNY", "Alatau Water Supply", "Almaty", "KZ")
    await run("importer", "importer-bank", *customer)
    deposit = ("deposit", "add", "funds", "importer", "CNY", "500000.00")
    await run("importer", "importer-bank", *deposit)
    terminal = ("terminal", "add", participants.TERMINAL, "--phone", participants.PHONE)
    shown = ("--reader", "importer-bank")
    await run("importer", "operator", *terminal, "--owner", "carrier", "--key", KEY, *shown)
    opening = (
        *("deal", "open", CONSIGNMENT, "--terminal", participants.TERMINAL, "--name", "Yard"),
        *("--site", "43.2567,76.9286,500"),
        *("--from", "2026-09-01T00:00:00Z", "--until", "2030-09-01T00:00:00Z"),
    )
    opened = await run("importer", "importer-bank", *opening)
    deal = opened["deal"]
    # The request for the title is on its way to the exporter's node: asked again until it is there.
    path = f"/v1/federation/deals/{deal}/title"
    await exporter.ask("POST", path, until_there=True)
    sent = await run("exporter", "exporter", "deal", "give-title", deal, "--elsewhere")
    decided = await decided_of(exporter, CONSIGNMENT, sent["document"])
    assert decided["outcome"] == "accepted", decided
    stands = await run("importer", "importer-bank", "deal", "show", deal)
    assert stands["title_reserved"]
