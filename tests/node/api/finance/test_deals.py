"""The routes of money over real HTTP semantics, with memory twins below."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Request
from litestar.di import Provide

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.payments.deposits import Deposits
from zhidao.node.api.finance.approvals import routes as approval_routes
from zhidao.node.api.finance.deals import routes
from zhidao.node.http.problems import HANDLERS

BANK = {
    "bank": "importer-bank",
    "name": "Bank",
    "bic": "ALMAKZKA",
    "town": "Almaty",
    "country": "KZ",
}
ACCOUNT = {
    "holder": "importer",
    "currency": "KZT",
    "name": "Importer",
    "town": "Almaty",
    "country": "KZ",
}


async def _business(party: str) -> str:
    """What the node knows of what parties do: of most nothing."""
    return {"exporter": "exporter", "carrier": "carrier", "lender": "банк"}.get(party, "")


class Caller:
    """Speaks HTTP for a party."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        party: str = "importer-bank",
        role: str = "party",
        person: str = "",
    ) -> httpx.Response:
        headers = {"x-party": party, "x-role": role, "x-person": person}
        return await self._client.request(method, f"/v1/finance{path}", json=body, headers=headers)


@pytest.fixture
async def call(world, request: pytest.FixtureRequest) -> AsyncIterator[Caller]:
    async def actor(request: Request[Any, Any, Any]) -> Actor:
        told = request.headers
        return Actor(PartyId(told["x-party"]), Role(told["x-role"]), told["x-person"])

    approvals = Approvals(
        records=world.records,
        clock=world.durable.clock,
        limits=Limits.parse(getattr(request, "param", "")),
    )
    deposits = Deposits(accounts=world.accounts, ledger=world.ledger, approvals=approvals)

    app = Litestar(
        [
            routes(world.accounts, deposits, world.deals, world.durable.archive, _business),
            approval_routes(approvals),
        ],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        yield Caller(client)


def body(facts: Any, **changes: Any) -> dict[str, Any]:
    return {**msgspec.to_builtins(facts.deal), **changes}


async def test_a_party_of_another_business_is_no_bank(call) -> None:
    by = {"party": "operator", "role": "operator"}
    for party, does in (("exporter", "exporter"), ("carrier", "carrier")):
        answer = await call("POST", "/banks", BANK | {"bank": party, "bic": "OTHRKZKA"}, **by)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_a_bank")
        assert does in answer.json()["detail"]
    for party, bic in (("lender", "LENDKZKA"), ("somebody", "SOMEKZKA")):
        answer = await call("POST", "/banks", BANK | {"bank": party, "bic": bic}, **by)
        assert answer.status_code == 201, answer.text


async def test_the_bic_of_one_bank_is_refused_to_another_by_name(call) -> None:
    by = {"party": "operator", "role": "operator"}
    answer = await call("POST", "/banks", BANK | {"bank": "lender"}, **by)
    assert (answer.status_code, answer.json()["code"]) == (409, "bic_taken")
    assert "importer-bank (The importer-bank)" in answer.json()["detail"]


async def test_the_whole_deal_over_http(world, facts, call) -> None:
    opened = await call("POST", "/deals", body(facts))
    assert opened.status_code == 201, opened.text
    assert opened.json()["state"] == "reserved"
    assert (await call("POST", "/deals/D-1/title", party="exporter")).status_code == 201
    await world.go_on()
    waiting = {
        c["name"]: c["waits_for"] for c in (await call("GET", "/deals/D-1")).json()["conditions"]
    }
    assert waiting == {
        "arrival": "terminal T-1",
        "title_in_custody": "",
        "papers_agree": "exporter",
        "customs_released": "customs",
    }
    await world.papers_agree()
    await world.customs_release()
    await world.tell(facts.proven())
    for party in ("importer", "exporter", "importer-bank", "exporter-bank"):
        deal = (await call("GET", "/deals/D-1", party=party)).json()
        assert (deal["state"], deal["paid"], deal["reason"]) == ("paid", True, "conditions_met")
        assert not [name for name in deal if "balance" in name]
    for name in ("pacs008", "camt054"):
        message = await call("GET", f"/deals/D-1/messages/{name}", party="exporter")
        assert message.headers["content-type"].startswith("application/xml")
        assert message.content.startswith(b"<?xml")
    assert (await call("GET", "/deals", party="exporter")).json() == [deal]


async def test_strangers_get_404_and_the_wrong_role_403(world, facts, call) -> None:
    await call("POST", "/deals", body(facts))
    account = (await call("GET", "/accounts")).json()[0]["account"]
    for path in ("/deals/D-1", "/deals/D-1/messages/pacs008", f"/accounts/{account}"):
        assert (await call("GET", path, party="carrier")).status_code == 404
        assert (await call("GET", path, party="carrier", role="operator")).status_code == 404
    assert (await call("POST", "/deals/D-1/title", party="carrier")).status_code == 404
    assert (await call("GET", "/deals", party="carrier")).json() == []
    assert (await call("GET", "/accounts", party="carrier")).json() == []
    for path, sent in (("/accounts", ACCOUNT), ("/deals", body(facts)), ("/banks", BANK)):
        assert (await call("POST", path, sent, party="importer")).status_code == 403


@pytest.mark.parametrize("call", ["KZT 7.00"], indirect=True)
async def test_a_deposit_above_the_limit_takes_two_persons_and_counts_once(world, call) -> None:
    await call("POST", "/banks", BANK, party="operator", role="operator")
    account = (await call("POST", "/accounts", ACCOUNT)).json()["account"]
    sent = {"deposit": "one", "holder": "importer", "amount_minor": 700, "currency": "KZT"}
    assert (await call("POST", "/deposits", sent)).status_code == 201
    more = {**sent, "deposit": "two", "amount_minor": 701}
    for person in ("", "aigerim", "aigerim"):
        alone = await call("POST", "/deposits", more, person=person)
        assert (alone.status_code, alone.json()["code"]) == (422, "needs_two_persons")
    held = await call("GET", f"/accounts/{account}")
    assert held.json()["balance_minor"] == 700
    (waiting,) = (await call("GET", "/approvals")).json()
    path = f"/approvals/{waiting['approval']}"
    for _ in range(2):
        done = await call("POST", path, {"verdict": "approve"}, person="daniyar")
        assert done.json()["state"] == "approved"
    # It stands now: asked for again by a token it is answered, and credits nothing.
    assert (await call("POST", "/deposits", more)).json()["balance_minor"] == 1_401
    other = await call("POST", "/deposits", {**more, "amount_minor": 702}, person="daniyar")
    assert other.status_code == 409


@pytest.mark.parametrize("call", ["KZT 7.00"], indirect=True)
async def test_a_sum_split_into_small_deposits_takes_two_persons_too(world, call) -> None:
    await call("POST", "/banks", BANK, party="operator", role="operator")
    for holder in ("importer", "exporter"):
        await call("POST", "/accounts", ACCOUNT | {"holder": holder})

    async def give(name: str, minor: int, person: str = "", holder: str = "importer") -> Any:
        sent = {"deposit": name, "holder": holder, "amount_minor": minor, "currency": "KZT"}
        return await call("POST", "/deposits", sent, person=person)

    for _ in range(2):  # the same deposit again is not another one
        assert (await give("a", 400, "aigerim")).status_code == 201
    # The same person, another account; a token, which may be that person's; the same account.
    for name, person, holder in (
        ("b", "aigerim", "exporter"),
        ("c", "", "exporter"),
        ("d", "daniyar", "importer"),
    ):
        split = await give(name, 301, person, holder)
        assert (split.status_code, split.json()["code"]) == (422, "needs_two_persons")
        assert "7.01 KZT" in split.json()["detail"]
    assert (await give("e", 300, "aigerim", "exporter")).status_code == 201
    assert (await give("f", 400, "daniyar", "exporter")).status_code == 201
    # Over midnight it counts still, the day after that no more.
    world.durable.clock.set(Utc.parse("2026-05-02T00:00:01Z"))
    assert (await give("g", 400, "aigerim")).status_code == 422
    world.durable.clock.set(Utc.parse("2026-05-03T00:00:01Z"))
    assert (await give("h", 700, "aigerim")).status_code == 201
    # Two persons are enough, and what they said counts for nobody.
    assert (await give("i", 500, "daniyar")).status_code == 422
    assert (await give("i", 500, "li")).status_code == 201
    assert (await give("j", 700, "daniyar", "exporter")).status_code == 201


@pytest.mark.parametrize("call", ["KZT 7.00"], indirect=True)
async def test_deposits_that_race_are_counted_one_after_another(world, call) -> None:
    await call("POST", "/banks", BANK, party="operator", role="operator")
    account = (await call("POST", "/accounts", ACCOUNT)).json()["account"]

    async def give(turn: int) -> int:
        sent = {"deposit": f"d{turn}", "holder": "importer", "amount_minor": 200, "currency": "KZT"}
        return int((await call("POST", "/deposits", sent)).status_code)

    answers = await asyncio.gather(*(give(turn) for turn in range(8)))
    assert sorted(answers) == [201] * 3 + [422] * 5
    assert (await call("GET", f"/accounts/{account}")).json()["balance_minor"] == 600


async def test_accounts_and_deposits(world, call) -> None:
    opened = await call("POST", "/accounts", ACCOUNT)
    assert opened.status_code == 201
    again = await call("POST", "/accounts", ACCOUNT)
    assert again.json() == opened.json()
    sent = {"deposit": "one", "holder": "importer", "amount_minor": 700, "currency": "KZT"}
    for _ in range(2):
        credited = await call("POST", "/deposits", sent)
        assert credited.json()["balance_minor"] == 700
    clash = await call("POST", "/deposits", {**sent, "amount_minor": 701})
    assert clash.status_code == 409
    assert clash.json()["code"] == "exists_with_different_amount"


async def test_a_bank_is_admitted_over_http(call) -> None:
    sent = {**BANK, "bank": "customs", "bic": "CUSTKZKAXXX"}
    admitted = await call("POST", "/banks", sent, party="operator", role="operator")
    assert (admitted.status_code, admitted.json()) == (201, sent)
    # Whom one may pay is told to every caller, page by page.
    everybody = (await call("GET", "/banks", party="stranger")).json()
    assert sent in everybody
    assert everybody == sorted(everybody, key=lambda bank: bank["bank"])
    last = everybody[-1]["bank"]
    assert (await call("GET", f"/banks?after={last}", party="stranger")).json() == []
    assert (await call("GET", "/banks?limit=1", party="stranger")).json() == everybody[:1]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 0},
        {"amount_minor": 2**53},
        {"amount_minor": 1.5},
        {"currency": "yuan"},
        {"currency": "XAU"},
        {"deal": "a/b"},
        {"unknown": 1},
        {"conditions": None},
        {"title": "x" * 81},
    ],
)
async def test_a_malformed_deal_is_refused_and_nothing_is_written(
    world, facts, call, changes
) -> None:
    written = len(world.durable.journal.written)
    answer = await call("POST", "/deals", body(facts, **changes))
    assert answer.status_code in (400, 422), answer.text
    assert len(world.durable.journal.written) == written


@pytest.mark.parametrize(
    "changes",
    [
        {"marks": ["unknown"]},
        {"needs": ["papers_agree", "papers_agree"]},
        {"not_before": "2026-05-01T12:00:00Z"},
        {"not_after": "yesterday-or-another-day"},
        {"risk_ppb": 0},
    ],
)
async def test_conditions_that_mean_nothing_are_refused(world, facts, call, changes) -> None:
    conditions = {**msgspec.to_builtins(facts.conditions), **changes}
    written = len(world.durable.journal.written)
    answer = await call("POST", "/deals", body(facts, conditions=conditions))
    assert answer.status_code in (400, 422), answer.text
    assert len(world.durable.journal.written) == written


def polygon(*corners):
    named = [{"latitude_ndeg": lat, "longitude_ndeg": lon} for lat, lon in corners]
    middle = {"latitude_ndeg": 44_201_000_000, "longitude_ndeg": 80_401_000_000}
    return {"name": "yard", "radius_mm": 0, "corners": named} | middle


async def test_a_deal_may_wait_at_a_polygon(facts, call) -> None:
    low, east, north = 44_200_000_000, 80_404_000_000, 44_203_000_000
    site = polygon((low, 80_400_000_000), (low, east), (north, 80_400_000_000))
    conditions = {**msgspec.to_builtins(facts.conditions), "site": site}
    opened = await call("POST", "/deals", body(facts, conditions=conditions))
    assert opened.status_code == 201, opened.text
    # The same shape folded into an eight is no place, and neither is a polygon with a radius.
    for wrong in (
        polygon((low, 80_400_000_000), (north, east), (low, east), (north, 80_400_000_000)),
        {**site, "radius_mm": 5},
        {**site, "latitude_ndeg": 44_210_000_000},
        {**site, "corners": site["corners"][:2]},
    ):
        conditions["site"] = wrong
        answer = await call("POST", "/deals", body(facts, conditions=conditions, deal="D-2"))
        assert answer.status_code == 400, answer.text


async def test_an_unknown_message_is_not_found(world, facts, call) -> None:
    await call("POST", "/deals", body(facts))
    assert (await call("GET", "/deals/D-1/messages/pacs008")).status_code == 404
    assert (await call("GET", "/deals/D-1/messages/other")).status_code in (400, 404)
    assert (await call("GET", "/accounts/not-an-id")).status_code in (400, 404)
