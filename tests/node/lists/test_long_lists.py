"""A list of ten thousand accounts at a running node: its first page in time, its last row reached.

By `--long`; it prints how long the pages took and how large the file of the whole is.
"""

from __future__ import annotations

import asyncio
import csv
import io
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.node.live_node import admin_of, operator_of

from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import agreed_token
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(3000)]

ACCOUNTS = 10_000
FIRST_PAGE_S_MAX = 0.3
BANK = "importer-bank"
CURRENCIES = 100
_AT_ONCE = 8


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Caller]:
    """A bank with ten thousand accounts of a hundred customers, a currency each."""
    process = NodeProcess(tmp_path / "n")
    await process.start()
    try:
        async with httpx.AsyncClient(base_url=process.url, timeout=120.0) as http:
            admin = await admin_of(process, http)
            known = [(BANK, "Alatau Trade Bank"), *_customers()]
            for party, name in known:
                role = "bank" if party == BANK else "importer"
                said = {"party": party, "name": name, "trade_role": role, "country": "KZ"}
                await admin.post("/v1/parties", said)
            operator = await operator_of(process, admin, http)
            words = {"bank": BANK, "name": "Alatau Trade Bank", "bic": "ALTBKZKA"}
            await operator.post("/v1/finance/banks", words | {"town": "Almaty", "country": "KZ"})
            token = await agreed_token(admin, operator, {"party": BANK, "role": "party"})
            made = Caller(http, token)
            await _opened(made)
            yield made
    finally:
        await process.stop()


def _customers() -> list[tuple[str, str]]:
    numbers = range(ACCOUNTS // CURRENCIES)
    return [(f"customer-{number:03}", f"Customer {number}") for number in numbers]


async def _opened(bank: Caller) -> None:
    known = await bank.get("/v1/finance/currencies")
    codes = [each["currency"] for each in known][:CURRENCIES]
    gate = asyncio.Semaphore(_AT_ONCE)
    began = time.monotonic()

    async def one(number: int) -> None:
        holder = f"customer-{number // CURRENCIES:03}"
        body = {"holder": holder, "currency": codes[number % CURRENCIES], "name": holder}
        async with gate:
            await bank.post("/v1/finance/accounts", body | {"town": "Almaty", "country": "KZ"})

    await asyncio.gather(*(one(number) for number in range(ACCOUNTS)))
    say(f"{ACCOUNTS} accounts were opened in {time.monotonic() - began:.0f} s")


async def test_ten_thousand_accounts_are_shown_at_once_and_to_the_last(bank: Caller) -> None:
    first = await _timed(bank, "in their own order", "")
    assert first <= FIRST_PAGE_S_MAX
    # The whole is read once for an order; then each page of it is as fast as any.
    whole = await _timed(bank, "the first time in an order", "&sort=-holder", tries=1)
    ordered = await _timed(bank, "again in that order", "&sort=-holder")
    assert min(whole, ordered) <= FIRST_PAGE_S_MAX
    for asked in ("", "&sort=-holder"):
        found, slowest = await _walk(bank, asked)
        say(f"last of {len(found)} rows reached{asked and ' in an order'}; slowest {slowest:.3f} s")
        customers = {each["account"] for each in found if each["purpose"] == "customer"}
        assert len(customers) == ACCOUNTS
        assert len({each["account"] for each in found}) == len(found)
    answer = await bank.ask("GET", "/v1/lists/accounts/csv")
    lines = list(csv.reader(io.StringIO(answer.text)))
    say(f"the file of the whole: {len(lines)} lines, {len(answer.content) / 1e6:.1f} MB")
    assert len(lines) == len(found) + 1


async def _timed(bank: Caller, words: str, asked: str, tries: int = 5) -> float:
    took = []
    for _ in range(tries):
        began = time.monotonic()
        page = await bank.get(f"/v1/lists/accounts?limit=25{asked}")
        took.append(time.monotonic() - began)
        assert len(page["rows"]) == 25
    say(f"first page {words}: {min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms")
    return max(took)


async def _walk(bank: Caller, asked: str) -> tuple[list[dict[str, str]], float]:
    found: list[dict[str, str]] = []
    after, slowest = "", 0.0
    while True:
        began = time.monotonic()
        page = await bank.get(f"/v1/lists/accounts?limit=100{asked}{after and f'&after={after}'}")
        slowest = max(slowest, time.monotonic() - began)
        found += page["rows"]
        after = page["next"]
        if not after:
            return found, slowest
