"""An arrival that somebody awaits without a deal: who may, who sees it, what is no wish."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.node.api import test_positioning
from tests.node.api.test_positioning import BANK, OPERATOR, PLACE, ROOT, START, STRANGER

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.node.api import arrivals, positioning
from zhidao.node.http.problems import HANDLERS

services = test_positioning.services


class Entries:
    """One consignment, which its parties see."""

    async def consignment(self, actor: Actor, consignment: str) -> Any:
        names = ("importer", "exporter", "customs", "importer_bank", "exporter_bank")
        entered = SimpleNamespace(containers=[], **{name: name.replace("_", "-") for name in names})
        if consignment != "C-2" or actor.party == "stranger":
            raise NotFound("no consignment of that name")
        return SimpleNamespace(entered=entered)


WISH = {
    "consignment": "C-2",
    "terminal": "T-1",
    "site": {
        "name": "Yard",
        "latitude_ndeg": PLACE.latitude_ndeg,
        "longitude_ndeg": PLACE.longitude_ndeg,
        "radius_mm": 100_000,
    },
    "not_before": str(START),
    "not_after": str(START.plus_ns(10**9)),
    "risk_ppb": 10_000,
}


@pytest.fixture
async def waiter(services) -> AsyncIterator[httpx.AsyncClient]:
    async def actor(headers: dict[str, str]) -> Actor:
        return Actor(PartyId(headers["x-caller"]), Role(headers.get("x-role", "party")))

    app = Litestar(
        [arrivals.routes(services[2], Entries()), positioning.routes(*services[:3])],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        yield client


async def test_an_arrival_is_awaited_without_a_deal_and_its_parties_see_it(waiter) -> None:
    made = await waiter.post(f"{ROOT}/arrivals", json=WISH, headers={"x-caller": "importer"})
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "expected"
    again = await waiter.post(f"{ROOT}/arrivals", json=WISH, headers={"x-caller": "importer"})
    assert (again.status_code, again.json()) == (201, made.json())
    for party in ("exporter", "customs", "importer-bank", "exporter-bank", "carrier"):
        seen = await waiter.get(f"{ROOT}/arrivals/C-2", headers={"x-caller": party})
        assert seen.json()["expected"]["risk_ppb"] == 10_000, party
    assert (await waiter.get(f"{ROOT}/arrivals/C-2", headers=STRANGER)).status_code == 404
    other = WISH | {"risk_ppb": 1}
    refused = await waiter.post(f"{ROOT}/arrivals", json=other, headers={"x-caller": "importer"})
    assert (refused.status_code, refused.json()["code"]) == (409, "awaited_otherwise")


async def test_only_the_importer_and_its_bank_await(waiter) -> None:
    for caller, status in (
        ({"x-caller": "carrier"}, 403),
        ({"x-caller": "exporter"}, 403),
        (STRANGER, 404),
        (OPERATOR, 403),
    ):
        answer = await waiter.post(f"{ROOT}/arrivals", json=WISH, headers=caller)
        assert answer.status_code == status, (caller, answer.text)
    assert (await waiter.get(f"{ROOT}/arrivals/C-2", headers=BANK)).status_code == 404


@pytest.mark.parametrize(
    "change", [{"not_after": "tomorrow"}, {"risk_ppb": 0}, {"terminal": ""}, {"more": 1}]
)
async def test_what_is_no_wish_is_malformed(waiter, change: dict[str, object]) -> None:
    answer = await waiter.post(
        f"{ROOT}/arrivals", json=WISH | change, headers={"x-caller": "importer"}
    )
    assert answer.status_code == 400, answer.text
