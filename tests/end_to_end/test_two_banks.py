"""Two nodes as programs: their banks exchange currencies, net, and pay under conditions; one dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from benchmarks.exchange_nodes import PASSWORD, RunningNode

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
LEDGER = {"west": "CNY", "east": "KZT"}
FUNDS = 50_000_000


class Bank:
    """A node with one bank, one customer, and the money of both."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        self.accounts: dict[str, str] = {}

    def post(self, path: str, body: Any = None, role: str = "party", status: int = 201) -> Any:
        """A call whose status is as expected."""
        answer = self.node.ask("POST", f"/v1/finance{path}", role, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """What the bank reads."""
        answer = self.node.ask("GET", f"/v1/finance{path}", "party")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fill(self) -> None:
        """Admits the bank and opens accounts in its node's currency."""
        bank, currency = self.node.party, LEDGER[self.node.name]
        place = {"town": "Town", "country": "CN"}
        self.post("/banks", {"bank": bank, "name": "B", "bic": "ALMAKZKA", **place}, "operator")
        for holder in ("house", "customer", "other"):
            name = self.holder(holder)
            party = {"party": name, "name": name, "trade_role": "importer", "country": "CN"}
            _as(self.node, "admin", "/v1/parties", party).raise_for_status()
            asked = {"holder": name, "currency": currency, "name": holder, **place}
            self.accounts[holder] = self.post("/accounts", asked)["account"]
        # Nearly as much as one caller may do in a day at the node with the limit: a few exchanges more.
        asked = {"deposit": "d1", "holder": self.holder("house"), "currency": currency}
        self.post("/deposits", {**asked, "amount_minor": FUNDS})

    def holder(self, name: str) -> str:
        """The party of that name here: nodes that know each other have no two of one id."""
        return f"{self.node.name}-{name}"

    def balance(self, holder: str) -> int:
        """What an account has and may spend: both, when nothing is held."""
        told = self.get(f"/accounts/{self.accounts[holder]}")
        return int(told["balance_minor"])

    def held(self) -> int:
        """What is reserved on the bank's accounts."""
        return sum(int(a["debits_pending_minor"]) for a in self.get("/accounts?limit=100"))


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bank]]:
    folder: Path = tmp_path_factory.mktemp("b")
    limit = {"ZHIDAO_FINANCE_TWO_PERSONS_ABOVE": "CNY 500100.00"}
    nodes = [RunningNode(folder, "west", limit), RunningNode(folder, "east")]
    try:
        for node in nodes:
            node.start()
        for one, other in (nodes, nodes[::-1]):
            one.admit(other)
        found = {node.name: Bank(node) for node in nodes}
        for bank in found.values():
            bank.fill()
        yield found
    finally:
        for node in nodes:
            node.stop()


def _until(holds: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.2)


def _quoted(banks: dict[str, Bank]) -> str:
    west, east = banks["west"], banks["east"]
    quote = f"Q-{uuid4().hex[:8]}"
    east.post(
        "/pvp/quotes",
        {
            "quote": quote,
            "client": west.node.party,
            "client_node": "west",
            "sold": "CNY",
            "bought": "KZT",
            "rate": {"numerator": 6_803, "denominator": 100},
            "sold_minor_max": 10_000_000,
            "valid_until": (datetime.now(UTC) + timedelta(minutes=10)).isoformat(),
            "pays_from": east.accounts["house"],
            "receives_at": west.accounts["other"],
        },
    )
    _until(lambda: any(q["quote"] == quote for q in west.get("/pvp/quotes")), "the quote comes")
    return quote


def _accept(banks: dict[str, Bank], reference: str, quote: str, sold: int) -> Any:
    body = {
        "reference": reference,
        "quote": quote,
        "sold_minor": sold,
        "pays_from": banks["west"].accounts["house"],
        "receives_at": banks["east"].accounts["customer"],
        "deadline_s": 300,
    }
    return banks["west"].post("/pvp/deals", body)


def _states(bank: Bank) -> list[str]:
    return [deal["state"] for deal in bank.get("/pvp/deals?limit=100")["deals"]]


def test_two_currencies_change_hands_and_a_killed_node_changes_nothing(
    banks: dict[str, Bank],
) -> None:
    west, east = banks["west"], banks["east"]
    quote = _quoted(banks)
    assert _accept(banks, "D-1", quote, 1_000)["state"] in ("waiting", "committed")
    _until(lambda: _states(west) == _states(east) == ["committed"], "both commit")
    assert west.balance("other") == 1_000
    assert east.balance("customer") == 68_030
    # The dealer's node dies while deals are on their way; the decider's dies after them.
    for number in range(2, 6):
        _accept(banks, f"D-{number}", quote, 1_000)
        if number == 3:
            east.node.kill()
        if number == 5:
            west.node.kill()
    east.node.start()
    west.node.start()
    _until(lambda: _states(west) == ["committed"] * 5, "the decider's side", 120)
    _until(lambda: _states(east) == ["committed"] * 5, "the dealer's side", 120)
    assert (west.held(), east.held()) == (0, 0)
    assert west.balance("other") == 5_000
    assert east.balance("customer") == 5 * 68_030
    assert west.balance("house") == FUNDS - 5_000


def test_netting_receivables_and_a_condition_hold_over_a_kill(banks: dict[str, Bank]) -> None:
    east = banks["east"]
    both = [east.holder("house"), east.holder("customer")]
    opened = {"cycle": "day-1", "currency": "KZT", "participants": both}
    east.post("/netting", opened)
    escrow = {
        "escrow": "E-1",
        "payer": east.holder("house"),
        "payee": east.holder("customer"),
        "payee_bank": east.node.party,
        "amount_minor": 7_000,
        "currency": "KZT",
        "condition": {"kind": "word", "by": east.node.party, "word": "goods_ok"},
        "refund_after": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    }
    assert east.post("/escrows", escrow)["state"] == "held"
    before = east.balance("customer")
    east.node.kill()
    east.node.start()
    assert east.get("/netting/day-1")["state"] == "open"
    assert east.post("/escrows", escrow)["state"] == "held"
    done = east.post("/escrows/E-1/words", {"word": "goods_ok"})
    assert done["state"] == "released"
    assert east.balance("customer") == before + 7_000
    assert east.post("/netting/day-1/settlement")["state"] == "settled"


def _as(node: RunningNode, name: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
    """What somebody who signed in sends, as their browser would."""
    with node._http() as http:
        answer = http.post("/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        http.headers["x-csrf-token"] = http.cookies["zhidao_csrf"]
        return http.post(path, json=body)


def test_above_the_limit_two_persons_and_never_two_tokens(banks: dict[str, Bank]) -> None:
    west = banks["west"]
    for name in ("aigerim", "daniyar"):
        who = {"name": name, "password": PASSWORD, "party": west.node.party, "role": "party"}
        made = _as(west.node, "admin", "/v1/people", who)
        assert made.status_code < 300, made.text
    # One admin alone makes no two persons of the bank: the first one is agreed to by the operator,
    # since the bank has nobody yet, and the second one by the first.
    agreed = "/v1/people/{}/agreement"
    assert west.node.ask("POST", agreed.format("aigerim"), "operator").status_code == 200
    assert west.node.ask("POST", agreed.format("daniyar"), "operator").status_code == 403
    assert _as(west.node, "admin", agreed.format("daniyar"), None).status_code == 403
    assert _as(west.node, "aigerim", agreed.format("daniyar"), None).status_code == 200
    # Not above the limit by itself, but with what came in before.
    more = {
        "deposit": "d2",
        "holder": west.holder("house"),
        "currency": "CNY",
        "amount_minor": FUNDS,
    }
    assert west.post("/deposits", more, status=422)["code"] == "needs_two_persons"
    before = west.balance("house")
    (waiting,) = west.get("/approvals")
    for name in ("aigerim", "daniyar"):
        path = f"/v1/finance/approvals/{waiting['approval']}"
        assert _as(west.node, name, path, {"verdict": "approve"}).status_code < 300
    assert west.balance("house") == before + FUNDS
    deal = {
        "escrow": "E-9",
        "payer": west.holder("house"),
        "payee": west.holder("customer"),
        "payee_bank": west.node.party,
        "amount_minor": 50_000_001,
        "currency": "CNY",
        "condition": {"kind": "word", "by": west.node.party, "word": "goods_ok"},
        "refund_after": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    }
    asked = west.post("/escrows", deal, status=422)
    assert asked["code"] == "needs_two_persons"
    (waiting,) = (each for each in west.get("/approvals") if each["state"] == "waits")
    path = f"/v1/finance/approvals/{waiting['approval']}"
    assert west.post(f"/approvals/{waiting['approval']}", {"verdict": "approve"}, status=403)
    one = _as(west.node, "aigerim", path, {"verdict": "approve"})
    assert one.json()["state"] == "waits", one.text
    assert west.held() == 0
    two = _as(west.node, "daniyar", path, {"verdict": "approve"})
    assert two.json()["state"] == "approved", two.text
    assert west.held() == 50_000_001
