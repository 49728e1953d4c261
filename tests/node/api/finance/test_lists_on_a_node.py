"""What a running node is given and what is taken from it: lists of names, calendars.

The node is a program of its own over PostgreSQL; every request goes over its socket.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.node.api.finance.test_two_persons_on_a_node import _BANKS, _FREE, House, _fill
from tests.node.live_node import answer_of, zhidao

from zhidao.finance.adapters.screening_folder import _LOOK_NS
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.wire.iso20022.messages.credit_transfers import INITIATION
from zhidao.finance.wire.iso20022.messages.messages import encode
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.simulation.node_process import DATA, NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
LISTED = "Eric Badege"
_LOOK_S = _LOOK_NS / 10**9 + 1


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    node = NodeProcess(tmp_path / "n", settings=_FREE)
    await node.start()
    async with httpx.AsyncClient(base_url=node.url, timeout=60) as http:
        made = House(node, http, {}, {})
        try:
            await _fill(made)
            place = {"town": "Xian", "country": "CN"}
            asked = {"holder": "importer", "currency": "CNY", "name": "Buyer", **place}
            made.accounts["buyer"] = (await made.post("bank2", "/v1/finance/accounts", asked))[
                "account"
            ]
            line = {"peer": "bank", "currency": "CNY", "limit_minor": 10**9}
            await made.post("bank2", "/v1/finance/credit-lines", line)
            for name, by in (("dana", "operator"), ("erik", "dana")):
                await made.person(name, "party", party="bank2", by=by)
            yield made
        finally:
            await node.stop()


def pays(house: House, minor: int, payee: str, **changes: Any) -> bytes:
    """The exporter's instruction to pay somebody at the second bank."""
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
        payer_account=account(UUID(house.accounts["exporter"]).hex),
        payer_bank=bank(_BANKS["bank"]),
        payee=person(payee, "Xian", "CN"),
        payee_account=account(UUID(house.accounts["buyer"]).hex),
        payee_bank=bank(_BANKS["bank2"]),
        remittance=lines("invoice 7"),
    )._replace(**changes)
    return encode(Transfers(INITIATION, name[:30], f"{day}T08:00:00+00:00", "", "", (one,)))


async def held(house: House, who: str, minor: int) -> dict[str, Any]:
    """What waits at a bank for a sum."""
    found = await house.callers[who].get("/v1/finance/approvals?limit=100")
    [one] = [one for one in found if one["amount_minor"] == minor]
    return dict(one)


async def open_minor(house: House) -> int:
    """What of the exporter's money is reserved."""
    got = await house.callers["bank"].get(f"/v1/finance/accounts/{house.accounts['exporter']}")
    return int(got["debits_pending_minor"])


async def died(house: House) -> None:
    """The node is killed and started again by whoever keeps it."""
    starts = house.node.starts
    os.kill(house.node.pid, signal.SIGKILL)
    while house.node.starts == starts or house.node.state() is None:
        await asyncio.sleep(0.2)


# That holds stand is tried each day without a node: control/test_holds_stand.py.
@pytest.mark.every_days(2)
async def test_a_hold_stands_though_its_list_is_taken_away_and_the_node_is_killed(
    house: House,
) -> None:
    folder = house.node.data / DATA / "screening"
    folder.mkdir()
    today = datetime.now(UTC).date()
    folder.joinpath(f"csv@{today}.other.csv").write_text("id,name\n1,Somebody Else\n")
    listed = folder / f"csv@{today}.csv"
    listed.write_text(f"id,name\n1,{LISTED}\n")
    await asyncio.sleep(_LOOK_S)
    first, second = pays(house, 700, LISTED), pays(house, 800, LISTED)
    assert await house.pays(first, "bank") == "PDNG"
    assert await house.pays(second, "bank") == "PDNG"
    name = (await held(house, "bank", 700))["approval"]
    for one in ("aida", "bolat"):
        await house.says(one, name)
    assert (await held(house, "bank2", 700))["state"] == "waits"

    listed.unlink()
    await asyncio.sleep(_LOOK_S)
    # Once more after the start and 20 s later, which is when it was booked.
    for _ in range(2):
        await died(house)
        await asyncio.sleep(8)
        for data, reserved in ((second, 700), (first, 700)):
            assert await house.pays(data, "bank") in ("PDNG", "ACSP")
            assert await open_minor(house) == reserved
        for who, minor in (("bank", 800), ("bank2", 700)):
            one = await held(house, who, minor)
            assert (one["state"], one["approved_by"]) == ("waits", [])
            assert "no list of this node names who was found" in one["reason"]
    folder.rename(folder.with_name("away"))
    await asyncio.sleep(_LOOK_S + 20)
    assert await house.pays(second, "bank") == "PDNG"
    assert await open_minor(house) == 700

    name = (await held(house, "bank2", 700))["approval"]
    for person_ in ("dana", "erik"):
        await house.says(person_, name)
    assert await open_minor(house) == 0
    assert (await held(house, "bank2", 700))["state"] == "approved"


async def test_a_calendar_that_is_added_while_it_runs_counts_for_the_next_payment(
    house: House, tmp_path: Path
) -> None:
    rules = json.loads((files("zhidao.finance.wire.calendars") / "fedwire.json").read_bytes())
    today = datetime.now(UTC).date()
    # Its rest days are the house's: on one of those banks work today, as announced.
    always = {"yearly": [], "weekdays": [], "worked": [str(today)] if today.weekday() > 4 else []}

    async def added(**changes: Any) -> None:
        file = tmp_path / "added.json"
        file.write_text(json.dumps(rules | always | changes))
        data = str(house.node.data / DATA)
        words = ("finance", "calendars", "add", str(file), "--data", data, "--json")
        answer_of(await asyncio.to_thread(zhidao, *words))

    place = {"town": "Xian", "country": "CN"}
    for who, holder, account_ in (("bank", "exporter", "exporter"), ("bank2", "importer", "buyer")):
        asked = {"holder": holder, "currency": "USD", "name": holder, **place}
        opened = await house.post(who, "/v1/finance/accounts", asked)
        house.accounts[account_] = opened["account"]
    money = {"deposit": "usd", "holder": "exporter", "currency": "USD", "amount_minor": 10**9}
    await house.post("bank", "/v1/finance/deposits", money)
    line = {"peer": "bank", "currency": "USD", "limit_minor": 10**9}
    await house.post("bank2", "/v1/finance/credit-lines", line)

    await added()
    assert await house.pays(pays(house, 700, "Buyer", currency="USD"), "bank") == "ACSP"
    await added(worked=[], yearly=[f"{today:%m-%d}"])
    waits = pays(house, 800, "Buyer", currency="USD")
    assert await house.pays(waits, "bank") not in ("ACSP", "ACSC", "RJCT")
    orders = await house.callers["exporter"].get("/v1/finance/payment-orders")
    assert [one["state"] for one in orders] == ["waits"]
