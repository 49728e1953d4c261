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


class Deals:
    """The deals that wait, by name."""

    waiting: tuple[str, ...] = ()

    async def waiting_for(self, consignment: str) -> tuple[str, ...]:
        return self.waiting if consignment == "C-2" else ()


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
        [arrivals.routes(services[2], Entries(), Deals()), positioning.routes(*services[:3])],
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


IMPORTER = {"x-caller": "importer"}
CHANGED = {name: value for name, value in WISH.items() if name != "consignment"} | {
    "risk_ppb": 5_000,
    "seen_version": 1,
    "reason": "the train is late",
}


async def test_whoever_waits_changes_it_and_takes_it_back(waiter) -> None:
    await waiter.post(f"{ROOT}/arrivals", json=WISH, headers=IMPORTER)
    path = f"{ROOT}/arrivals/C-2"
    changed = await waiter.post(f"{path}/change", json=CHANGED, headers=IMPORTER)
    assert changed.status_code == 200, changed.text
    assert changed.json()["expected"]["risk_ppb"] == 5_000
    # A second tab that saw the first wish only.
    stale = await waiter.post(f"{path}/withdrawal", json={"seen_version": 1}, headers=IMPORTER)
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_since")
    for caller, status in (
        ({"x-caller": "importer-bank"}, 403),
        ({"x-caller": "exporter"}, 403),
        (STRANGER, 404),
        (OPERATOR, 403),
    ):
        for act, body in (
            ("change", CHANGED | {"risk_ppb": 1}),
            ("withdrawal", {"seen_version": 3}),
        ):
            answer = await waiter.post(f"{path}/{act}", json=body, headers=caller)
            assert answer.status_code == status, (caller, act, answer.text)
    ended = await waiter.post(f"{path}/withdrawal", json={"seen_version": 3}, headers=IMPORTER)
    assert (ended.status_code, ended.json()["state"]) == (200, "withdrawn")


async def test_what_a_deal_waits_for_is_not_changed(waiter, monkeypatch) -> None:
    await waiter.post(f"{ROOT}/arrivals", json=WISH, headers=IMPORTER)
    monkeypatch.setattr(Deals, "waiting", ("deal-7",))
    for act, body in (("change", CHANGED), ("withdrawal", {"seen_version": 1})):
        answer = await waiter.post(f"{ROOT}/arrivals/C-2/{act}", json=body, headers=IMPORTER)
        assert (answer.status_code, answer.json()["code"]) == (422, "deal_waits"), answer.text
        assert "deal-7" in answer.text


async def test_what_is_no_change_is_malformed(waiter) -> None:
    await waiter.post(f"{ROOT}/arrivals", json=WISH, headers=IMPORTER)
    for wrong in (
        {"seen_version": -1},
        {"seen_version": "x"},
        {"not_after": "tomorrow"},
        {"more": 1},
    ):
        answer = await waiter.post(
            f"{ROOT}/arrivals/C-2/change", json=CHANGED | wrong, headers=IMPORTER
        )
        assert answer.status_code == 400, (wrong, answer.text)
