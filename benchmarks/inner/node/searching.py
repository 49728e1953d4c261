"""A search among 100,000 consignments, and a page of a long list.

Search and list go by their routes to a node of its own. The index of search is filled with rows as
the events of so many consignments leave them, straight into its table: to enter them by the routes
would take hours and measure the entering. Accounts are opened by their route.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import httpx

from benchmarks.measuring import claim
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.adapters.search_index import PostgresSearchIndex
from zhidao.node.search.finding import EVERYTHING, Named
from zhidao.node.search.terms import normal
from zhidao.simulation.node_process import NodeProcess
from zhidao.store.database import Database
from zhidao.store.running import running_url

CONSIGNMENTS: Final = 100_000
SEARCHES: Final = 400
OPENING: Final = 16
_CARRIER: Final = "carrier"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Search at 100,000 consignments, and a list of accounts from its first page to its last."""
    accounts = 10_000 if long else 1_000
    told = asyncio.run(_told(accounts))
    yield claim("search_p99_ms", told["search"], "ms", target=200, at_most=True)
    yield claim("search_by_stranger_p99_ms", told["stranger"], "ms", target=200, at_most=True)
    name = f"list_of_{accounts}_accounts"
    yield claim(f"{name}_first_page_ms", told["first"], "ms", target=300, at_most=True)
    yield claim(f"{name}_sorted_first_time_ms", told["sorted"], "ms")
    yield claim(f"{name}_last_page_reached_s", told["last"], "s")


async def _told(accounts: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder) / "node")
        state = await node.start()
        try:
            await _fill_index(node.data / "node" / "postgres")
            async with httpx.AsyncClient(base_url=str(state["url"]), timeout=120) as client:
                bearers = await _callers(client, state, node.name)
                await _open(client, bearers["bank"], bearers["admin"], accounts)
                return {
                    "search": await _searches(client, bearers[_CARRIER]),
                    "stranger": await _searches(client, bearers["stranger"]),
                    **await _list(client, bearers["bank"], accounts),
                }
        finally:
            await node.stop()


async def _fill_index(data: Path) -> None:
    """Rows as 100,000 consignments of one carrier, each with a container and an invoice, leave."""
    url = running_url(data)
    assert url, "its node is running"
    database = await Database.open(url, randomness=SystemRandomness())
    index = PostgresSearchIndex(database)
    rows: list[Named] = []
    for number in range(CONSIGNMENTS):
        consignment = f"ZD-2026-{number:06}"
        for kind, name in (
            ("consignment", consignment),
            ("container", f"MSKU{number:06}{number % 10}"),
            ("invoice", f"INV/{number:06}/26"),
        ):
            for viewer in (EVERYTHING, _CARRIER, f"exporter-{number % 50}"):
                subject = consignment if kind == "consignment" else f"{name}/{consignment}"
                rows.append(Named(viewer, normal(name), kind, subject, name, consignment))
        if len(rows) > 5_000:
            await index.add(rows)
            rows = []
    await index.add(rows)
    async with database.session() as session:
        await session.execute("analyze node.search")
    await database.close()


async def _callers(
    client: httpx.AsyncClient, state: dict[str, Any], node: str
) -> dict[str, dict[str, str]]:
    entered = await client.post("/v1/session/link", json={"code": state["admin_code"]})
    cookies = dict(entered.raise_for_status().cookies)
    client.cookies.clear()  # They are Secure, and this is loopback without TLS.
    admin = {
        "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "x-csrf-token": cookies["zhidao_csrf"],
    }

    async def made(path: str, body: dict[str, Any], by: dict[str, str]) -> dict[str, Any]:
        answer = await client.post(path, json=body, headers=by)
        if answer.status_code != httpx.codes.CREATED:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
        told: dict[str, Any] = answer.json()
        return told

    async def bearer(party: str, role: str) -> dict[str, str]:
        token = (await made("/v1/tokens", {"party": party, "role": role}, admin))["token"]
        return {"authorization": f"Bearer {token}"}

    operator = await bearer(node, "operator")
    bearers = {"admin": admin}
    for name in ("bank", _CARRIER, "stranger"):
        party = {"party": name, "name": name, "trade_role": name, "country": "KZ"}
        await made("/v1/parties", party, admin)
        bearers[name] = await bearer(name, "party")
        token = bearers[name]["authorization"].split("_")[1]
        answer = await client.post(f"/v1/tokens/{token}/agreement", headers=operator)
        answer.raise_for_status()
    admitted = {"bank": "bank", "name": "bank", "bic": "BANKKZKA", "town": "Almaty"}
    await made("/v1/finance/banks", admitted | {"country": "KZ"}, operator)
    return bearers


async def _open(
    client: httpx.AsyncClient, bank: dict[str, str], admin: dict[str, str], accounts: int
) -> None:
    numbers = iter(range(accounts))

    async def some() -> None:
        for number in numbers:
            place = {"name": f"Customer {number}", "town": "Almaty", "country": "KZ"}
            holder = f"customer-{number:05}"
            party = {"party": holder, "name": holder, "trade_role": "importer", "country": "KZ"}
            answer = await client.post("/v1/parties", json=party, headers=admin)
            answer.raise_for_status()
            body = {"holder": holder, "currency": "CNY"} | place
            answer = await client.post("/v1/finance/accounts", json=body, headers=bank)
            answer.raise_for_status()

    await asyncio.gather(*(some() for _ in range(OPENING)))


async def _searches(client: httpx.AsyncClient, by: dict[str, str]) -> list[float]:
    """The 99th percentile of searches as one types them, from one letter to a whole number."""
    chance, taken = random.Random(1), []
    for _ in range(SEARCHES):
        number = chance.randrange(CONSIGNMENTS)
        name = chance.choice((f"zd 2026-{number:06}", f"msku{number:06}", f"INV {number:06}"))
        text = name[: chance.randrange(1, len(name) + 1)]
        began_s = time.perf_counter()
        answer = await client.get("/v1/search", params={"q": text}, headers=by)
        answer.raise_for_status()
        taken.append(1e3 * (time.perf_counter() - began_s))
    return [quantiles(taken, n=100)[-1]]


async def _list(
    client: httpx.AsyncClient, by: dict[str, str], accounts: int
) -> dict[str, list[float]]:
    async def page(**query: Any) -> tuple[list[Any], str, float]:
        began_s = time.perf_counter()
        answer = await client.get("/v1/lists/accounts", params=query, headers=by)
        told = answer.raise_for_status().json()
        return told["rows"], told["next"], time.perf_counter() - began_s

    first = [1e3 * (await page(limit=25))[2] for _ in range(5)]
    ordered = [1e3 * (await page(limit=25, sort="-holder"))[2]]
    seen, after, began_s = 0, "", time.perf_counter()
    while True:
        rows, after, _ = await page(limit=100, after=after)
        seen += len(rows)
        if not after:
            break
    # The bank's own accounts are among them.
    if seen < accounts:
        raise SystemExit(f"only {seen} of {accounts} accounts were reached")
    return {"first": first, "sorted": ordered, "last": [time.perf_counter() - began_s]}
