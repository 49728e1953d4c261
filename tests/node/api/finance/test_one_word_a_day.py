"""On a running node one caller's word goes as far as the limit, whatever it asks for.

The node is a program of its own over a data folder in which a consignment was carried before there
was a limit; every request goes over its socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.access_world import AccessWorld

from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.simulation import participants as p
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
MINOR = 6_000
PARTIES = ("importer-bank", "importer", "exporter")
Ask = Callable[..., Any]


def deal(number: int, terminal: str) -> dict[str, Any]:
    return {
        "deal": f"word-{number}",
        "consignment": f"W-{number}",
        "payer": "importer",
        "payee": "exporter",
        "payer_bank": "importer-bank",
        "payee_bank": "exporter-bank",
        "amount_minor": MINOR,
        "currency": "CNY",
        "terminal": terminal,
        "title": "",
        "conditions": {
            "marks": ["signed_by_terminal", "recomputed"],
            "site": {
                "name": "Almaty dry port",
                "latitude_ndeg": 43_250_000_000,
                "longitude_ndeg": 76_950_000_000,
                "radius_mm": 400_000,
            },
            "not_before": "2026-02-01T00:00:00Z",
            "not_after": "2031-02-01T00:00:00Z",
            "risk_ppb": 10_000,
            "needs": ["papers_agree"],
        },
    }


def escrow(number: int) -> dict[str, Any]:
    return {
        "escrow": f"W-{number}",
        "payer": "importer",
        "payee": "exporter",
        "payee_bank": "exporter-bank",
        "amount_minor": MINOR,
        "currency": "CNY",
        "condition": {"kind": "word", "by": "carrier", "word": "goods_ok"},
        "refund_after": "2030-06-01T00:00:00Z",
    }


class Limited:
    """The node with a limit of 100.00, and callers by token."""

    def __init__(self, folder: Path) -> None:
        self.world = AccessWorld(folder)
        self._folder = folder

    def fill(self) -> None:
        """What is there before there is a limit."""
        self.world.start()
        try:
            world = self.world
            for number in range(3):
                body = p.entry(f"W-{number}", replace(p.TO_ALMATY, means=f"Lorry {number}"))
                del body["productionOrderDocument"]
                del body["includedConsignmentItem"][0]["lotId"]
                body["invoiceDocument"]["id"] = f"INV-W-{number}"
                world.run(world.made("/v1/trade/consignments", "exporter", body))
            self.tokens = {party: world.run(world._token(party, "party")) for party in PARTIES}
            self.terminal = world.names["terminal"]
        finally:
            self.world.stop()

    async def start(self) -> None:
        limit = {"ZHIDAO_FINANCE_TWO_PERSONS_ABOVE": "CNY 100.00, EUR 50000.00"}
        more = {"ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0", "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0"}
        self.node = NodeProcess(self._folder, settings=limit | more)
        await self.node.start()
        self._http = httpx.AsyncClient(base_url=self.node.url, timeout=60)

    async def stop(self) -> None:
        await self._http.aclose()
        await self.node.stop()

    async def ask(self, path: str, party: str = "importer-bank", **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[party]}", **sent.pop("headers", {})}
        return await self._http.post(f"/v1/finance{path}", headers=headers, **sent)

    def acts(self, number: int) -> dict[str, tuple[str, dict[str, Any]]]:
        """What the importer's bank can ask for that moves or binds money in yuan."""
        account = self.world.names["account"]
        transfer = {
            "transfer": f"018f0000-0000-7000-8000-00000000000{number}",
            "debit": account,
            "credit": account,
            "amount_minor": MINOR,
        }
        line = {"peer": "exporter-bank", "currency": "CNY", "limit_minor": MINOR + number}
        added = {"deposit": f"w-{number}", "holder": "importer", "currency": "CNY"}
        return {
            "escrow": ("/escrows", escrow(number)),
            "deal": ("/deals", deal(number, self.terminal)),
            "deposit": ("/deposits", added | {"amount_minor": MINOR}),
            "transfer": ("/transfers", {"currency": "CNY", "transfers": [transfer]}),
            "line": ("/credit-lines", line),
        }

    def pain(self, number: int) -> bytes:
        text = self.world.payment().decode()
        for old, new in (
            ("M-1", f"M-W-{number}"),
            (
                "8a562c67-ca16-48ba-b074-65581be6f011",
                f"8a562c67-ca16-48ba-b074-65581be6f02{number}",
            ),
            (">0.10<", ">60.00<"),
            (">2026-12-01<", f">{datetime.now(UTC).date()}<"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        return text.encode()

    async def pay(self, number: int) -> str:
        """How the importer's instruction to pay 60.00 stands."""
        sent = await self.ask(
            "/banks/importer-bank/messages", "importer", content=self.pain(number)
        )
        assert sent.status_code == 201, sent.text
        report = decode(read_envelope(sent.json()[0]["xml"].encode()))
        return str(report.statuses[0].status)


def code(answer: httpx.Response) -> str:
    return "" if answer.is_success else str(answer.json()["code"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Limited:
    made = Limited(tmp_path_factory.mktemp("w"))
    made.fill()
    return made


@pytest.fixture
async def limited(folder: Limited) -> AsyncIterator[Limited]:
    await folder.start()
    try:
        yield folder
    finally:
        await folder.stop()


async def test_of_all_that_one_word_can_ask_for_only_the_limit_is_done(limited: Limited) -> None:
    # Ten at once, of one bank and one token: one passes.
    many = [limited.ask("/escrows", json=escrow(number)) for number in range(10)]
    codes = [code(one) for one in await asyncio.gather(*many)]
    assert sorted(codes) == ["", *["needs_two_persons"] * 9]
    passed = codes.index("")
    for _ in range(2):  # The same again is not another one, whatever key it bears.
        key = {"Idempotency-Key": "w-1"}
        assert code(await limited.ask("/escrows", json=escrow(passed), headers=key)) == ""
    # Whatever else the bank asks for in yuan counts with it.
    waits = {}
    for name, (path, body) in limited.acts((passed + 1) % 3).items():
        waits[name] = code(await limited.ask(path, json=body))
    assert waits == dict.fromkeys(waits, "needs_two_persons")

    # A customer is another caller. Its payment and what it owes in a cycle are one sum too.
    # (On a closed day it waits for the next.)
    told = [await limited.pay(number) for number in (1, 1, 2)]
    assert set(told[:2]) <= {"ACSP", "ACCP", "ACWC"}
    assert told[2] == "PDNG"
    owed = {"creditor": "carrier", "amount_minor": MINOR, "reference": "r"}
    batch = {"batch": "w", "obligations": [owed]}
    asked = await limited.ask("/netting/C-1/obligations", "importer", json=batch)
    assert code(asked) == "needs_two_persons"

    # Credits, in euros: 44,400.00 each.
    for number, expected in ((3, ""), (3, ""), (4, "needs_two_persons")):
        credit = limited.world.another_credit()
        credit["terms"]["number"] = f"LC-2026-006{number}"
        assert code(await limited.ask("/credits", json=credit)) == expected

    # What was refunded is free again; the next start counts the same.
    refund = {"to_payee_minor": 0, "reason": "not made"}
    back = await limited.ask(f"/escrows/W-{passed}/resolutions", "exporter", json=refund)
    assert back.json()["state"] == "refunded", back.text
    await limited.stop()
    await limited.start()
    assert code(await limited.ask("/deals", json=deal(2, limited.terminal))) == ""
    assert code(await limited.ask("/deals", json=deal(1, limited.terminal))) == "needs_two_persons"
