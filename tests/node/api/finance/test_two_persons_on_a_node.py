"""What two persons must say cannot be had by one, however the requests of a running node are cut.

The node is a program of its own over PostgreSQL; every request goes over its socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.node.live_node import admin_of, operator_of
from tests.node.test_administration import PASSWORD, signed_in

from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.wire.iso20022.messages.credit_transfers import INITIATION
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
MINOR, LIMIT = 6_000, "CNY 100.00"
_FREE = {"ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0", "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0"}
_BANKS = {"bank": "ALTBKZKA", "bank2": "ALTCCNKA"}
_HOLDERS = ("importer", "exporter", "carrier")


@dataclass
class House:
    """Two banks, three customers of the first one, and a limit of 100.00.

    `callers`: each party's program, `operator`'s, and the persons aida, bolat and chen of the bank.
    """

    node: NodeProcess
    http: httpx.AsyncClient
    callers: dict[str, Caller]
    accounts: dict[str, str]

    async def post(self, who: str, path: str, body: Any) -> Any:
        return await self.callers[who].post(path, body)

    async def transfer(
        self, who: str, minor: int, *, name: str = "", payer: str = "importer"
    ) -> str:
        """What became of a transfer to the carrier: the ledger's word, or the refusal's code."""
        one = {
            "transfer": name or str(uuid4()),
            "debit": self.accounts[payer],
            "credit": self.accounts["carrier"],
            "amount_minor": minor,
        }
        try:
            told = await self.post(
                who, "/v1/finance/transfers", {"currency": "CNY", "transfers": [one]}
            )
        except NodeRefused as error:
            return error.code
        return str(told[0])

    async def held(self, who: str, minor: int) -> str:
        """A transfer that waits for two persons; the name of its approval."""
        before = {one["approval"] for one in await self.waiting()}
        assert await self.transfer(who, minor) == "needs_two_persons"
        [one] = [one for one in await self.waiting() if one["approval"] not in before]
        return str(one["approval"])

    async def waiting(self) -> list[dict[str, Any]]:
        listed = await self.callers["bank"].get("/v1/finance/approvals?limit=100")
        return [one for one in listed if one["state"] == "waits"]

    async def says(self, who: str, approval: str, verdict: str = "approve") -> dict[str, Any]:
        said: dict[str, Any] = await self.post(
            who, f"/v1/finance/approvals/{approval}", {"verdict": verdict}
        )
        return said

    async def balance(self, holder: str) -> int:
        got = await self.callers["bank"].get(f"/v1/finance/accounts/{self.accounts[holder]}")
        return int(got["balance_minor"])

    async def person(self, name: str, role: str, *, party: str = "bank", by: str = "aida") -> None:
        """Somebody new of a party, whom a person of it agreed to, signed in."""
        who = {"name": name, "password": PASSWORD, "party": party, "role": role}
        await self.post("admin", "/v1/people", who)
        await self.post(by, f"/v1/people/{name}/agreement", {})
        self.callers[name] = await signed_in(self.http, name)

    async def pays(self, data: bytes, at: str) -> str:
        """How a message of the exporter stands at a bank."""
        sent = await self.callers["exporter"].ask(
            "POST", f"/v1/finance/banks/{at}/messages", content=data
        )
        report = decode(read_envelope(sent.json()[0]["xml"].encode()))
        return str(report.statuses[0].status if report.statuses else report.status)

    def pain(self, minor: int) -> bytes:
        name, day = uuid4().hex, str(datetime.now(UTC).date())
        one = CreditTransfer(
            group="G-1",
            instruction="I-1",
            end_to_end="E-1",
            uetr=str(uuid4()),
            amount_minor=minor,
            currency="CNY",
            day=day,
            charges="SHAR",
            payer=person("exporter", "Almaty", "KZ"),
            payer_account=account(UUID(self.accounts["exporter"]).hex),
            payer_bank=bank(_BANKS["bank"]),
            payee=person("carrier", "Almaty", "KZ"),
            payee_account=account(UUID(self.accounts["carrier"]).hex),
            payee_bank=bank(_BANKS["bank"]),
            remittance=lines("invoice 7"),
        )
        made = f"{day}T08:00:00+00:00"
        return encode(Transfers(INITIATION, name[:30], made, "", "", (one,)))


async def _fill(house: House) -> None:
    """What is there before there is a limit."""
    house.callers["admin"] = admin = await admin_of(house.node, house.http)
    operator = house.callers["operator"] = await operator_of(house.node, admin, house.http)
    for party in (*_BANKS, *_HOLDERS):
        role = "bank" if party in _BANKS else "carrier"
        named = {"party": party, "name": party, "trade_role": role, "country": "KZ"}
        await admin.post("/v1/parties", named)
        token = (await admin.post("/v1/tokens", {"party": party, "role": "party"}))["token"]
        await operator.post(f"/v1/tokens/{token.split('_')[1]}/agreement", None)
        house.callers[party] = Caller(house.http, token)
    place = {"town": "Almaty", "country": "KZ"}
    for name, bic in _BANKS.items():
        told = {"bank": name, "name": name, "bic": bic, **place}
        await operator.post("/v1/finance/banks", told)
    for holder in _HOLDERS:
        opened = await house.post(
            "bank",
            "/v1/finance/accounts",
            {"holder": holder, "currency": "CNY", "name": holder, **place},
        )
        house.accounts[holder] = opened["account"]
        money = {"deposit": holder, "holder": holder, "currency": "CNY", "amount_minor": 10**9}
        await house.post("bank", "/v1/finance/deposits", money)
    await house.person("aida", "party", by="operator")
    await house.person("bolat", "party")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    node = NodeProcess(tmp_path / "n", settings=_FREE)
    await node.start()
    async with httpx.AsyncClient(base_url=node.url, timeout=60) as http:
        made = House(node, http, {}, {})
        try:
            await _fill(made)
        finally:
            await node.stop()
        limit = {"ZHIDAO_FINANCE_TWO_PERSONS_ABOVE": LIMIT}
        made.node = NodeProcess(
            tmp_path / "n", port=httpx.URL(node.url).port, settings=_FREE | limit
        )
        await made.node.start()
        try:
            yield made
        finally:
            await made.node.stop()


async def test_what_one_word_moves_counts_whatever_is_asked_beside_it(house: House) -> None:
    # The same bytes at another bank, which refuses them, free nothing of what they moved.
    first, second, third = (house.pain(4_500) for _ in range(3))
    done = ("ACSC", "ACSP", "ACCP", "ACWC")  # On a closed day it waits for the next.
    for _ in range(2):
        assert await house.pays(first, "bank") in done
        assert await house.pays(first, "bank2") == "RJCT"
    assert await house.pays(second, "bank") in done
    assert await house.pays(third, "bank") == "PDNG"

    # Of two transfers under one name, sent at once, the one that was not done takes no count away.
    before = await house.balance("carrier")
    for _ in range(12):
        name = str(uuid4())
        sent = (house.transfer("bank", minor, name=name) for minor in (MINOR, 1))
        told = await asyncio.gather(*sent)
        assert set(told) <= {"created", "exists_with_different_amount", "needs_two_persons"}
    moved = await house.balance("carrier") - before
    assert MINOR <= moved <= 10_000


async def test_what_is_done_stays_so_when_one_leaves_and_the_node_starts_again(
    house: House,
) -> None:
    async def code(who: str, approval: str, verdict: str = "approve") -> str:
        try:
            return str((await house.says(who, approval, verdict))["state"])
        except NodeRefused as error:
            return f"{error.status} {error.code}"

    for name in ("erlan", "farida"):
        await house.person(name, "party")
    for name, by in (("gulnar", "operator"), ("hasan", "gulnar"), ("ivan", "gulnar")):
        await house.person(name, "party", party="exporter", by=by)
    money = {"deposit": "d1", "holder": "importer", "currency": "CNY", "amount_minor": 70_000}
    with pytest.raises(NodeRefused) as held:
        await house.post("bank", "/v1/finance/deposits", money)
    assert held.value.code == "needs_two_persons"
    [deposit] = [one["approval"] for one in await house.waiting()]
    transfer = await house.held("bank", 90_000)
    data = house.pain(80_000)
    assert await house.pays(data, "bank") == "PDNG"
    [paid] = await house.callers["exporter"].get("/v1/finance/approvals")
    # Whose approval it is: two who speak, and two others.
    names = {
        deposit: ("erlan", "farida", "aida", "bolat"),
        transfer: ("erlan", "farida", "aida", "bolat"),
        paid["approval"]: ("gulnar", "hasan", "ivan", "ivan"),
    }
    for approval, (first, second, *_) in names.items():
        assert await code(first, approval) == "waits"
        assert await code(second, approval) == "approved"
    stands = await house.pays(data, "bank")
    assert stands != "PDNG"
    before = {one: await house.balance(one) for one in _HOLDERS}
    assert before["importer"] == 10**9 + 70_000 - 90_000

    # One is withdrawn, of the other the password is reset.
    admin = house.callers["admin"]
    for by, gone, reset in (("aida", "farida", "erlan"), ("ivan", "hasan", "gulnar")):
        await house.callers[by].ask("DELETE", f"/v1/people/{gone}")
        await admin.post(f"/v1/people/{reset}/password", {"password": PASSWORD + "!"})
    await house.node.stop()
    await house.node.start()
    await asyncio.sleep(15)  # More than a round of what is acted on again.

    for approval, (first, second, *others) in names.items():
        for who in others:
            for verdict in ("refuse", "approve"):
                assert await code(who, approval, verdict) == "409 approved_already"
        told = await house.callers[others[0]].get(f"/v1/finance/approvals/{approval}")
        assert (told["state"], told["approved_by"]) == ("approved", [first, second])
        assert (told["refused_by"], told["reason"]) == ("", "")
    assert await house.waiting() == []
    # Whoever asks again is answered as before, and nothing more moves.
    await house.post("bank", "/v1/finance/deposits", money)
    assert await house.pays(data, "bank") == stands
    assert {one: await house.balance(one) for one in _HOLDERS} == before


async def test_a_word_counts_of_whoever_may_do_the_act_and_still_stands(house: House) -> None:
    async def code(who: str, approval: str) -> str:
        try:
            return str((await house.says(who, approval))["state"])
        except NodeRefused as error:
            return f"{error.status} {error.code}"

    before = await house.balance("carrier")
    # An operator of the bank may not move its money, and so has no word about it.
    await house.person("chen", "operator")
    await house.person("dana", "operator")
    approval = await house.held("aida", 70_000)
    assert await house.transfer("chen", 70_000) == "forbidden"
    for who in ("chen", "dana"):
        assert (await code(who, approval)).startswith("403")
    assert await code("bolat", approval) == "approved"
    assert await house.balance("carrier") == before + 70_000

    # Nor has somebody who was withdrawn, or got another role, after the word was given.
    for name in ("erlan", "farida"):
        await house.person(name, "party")
        approval = await house.held(name, 80_000 + len(name))
        if name == "erlan":
            await house.callers["aida"].ask("DELETE", f"/v1/people/{name}")
        else:
            await house.callers["admin"].put(f"/v1/people/{name}/role", {"role": "auditor"})
        told = await house.says("bolat", approval)
        assert (told["state"], told["approved_by"]) == ("waits", ["bolat"])
        assert told["reason"].startswith(f"{name} approved, and was withdrawn")
    assert await house.balance("carrier") == before + 70_000
    assert await code("aida", approval) == "approved"
    assert await house.balance("carrier") == before + 70_000 + 80_006

    # Nor of whom the bank has not agreed to again: an admin gave a role and took it, or a password.
    for name in ("gulnar", "hasan"):
        await house.person(name, "party")
        approval = await house.held(name, 90_000 + len(name))
        admin = house.callers["admin"]
        if name == "gulnar":
            for role in ("auditor", "party"):
                await admin.put(f"/v1/people/{name}/role", {"role": role})
        else:
            await admin.post(f"/v1/people/{name}/password", {"password": PASSWORD + "!"})
        listed = {each["name"]: each["state"] for each in await admin.get("/v1/people?limit=100")}
        assert listed[name] == {"gulnar": "waits", "hasan": "reset"}[name]
        told = await house.says("bolat", approval)
        assert (told["state"], told["approved_by"]) == ("waits", ["bolat"])
        assert told["reason"].startswith(f"{name} approved, and was withdrawn, waits")
        if name == "hasan":  # whose session lives until the bank agrees
            assert await code(name, approval) == "403 person_waits"
    assert await house.balance("carrier") == before + 70_000 + 80_006

    # Whoever decides about no money lets in nobody who does, and no name is read as another's.
    async def refused(who: str, path: str, body: Any) -> str:
        with pytest.raises(NodeRefused) as error:
            await house.post(who, path, body)
        return f"{error.value.status} {error.value.code}"

    new = {"password": PASSWORD, "party": "bank", "role": "party"}
    await house.post("admin", "/v1/people", {"name": "ivan", **new})
    assert await refused("chen", "/v1/people/ivan/agreement", {}) == "403 party_must_agree"
    for like, why in (("BOLAT", "409 name_taken"), ("b\u043elat", "409 name_taken")):
        assert await refused("admin", "/v1/people", {"name": like, **new}) == why
    for like in ("bolat ", "bolat\u3164", "bo\u2028lat", " "):
        assert await refused("admin", "/v1/people", {"name": like, **new}) == "400 unprintable"
    node = (await house.callers["admin"].get("/v1/session"))["party"]
    named = {"party": node, "name": "Another", "trade_role": "bank", "country": "KZ"}
    assert await refused("admin", "/v1/parties", named) == "409 party_is_node"
    named |= {"party": "bank3", "name": "Bank "}
    assert await refused("admin", "/v1/parties", named) == "400 unprintable"
