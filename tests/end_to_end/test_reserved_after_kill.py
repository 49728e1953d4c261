"""`kill -9` of a whole node within a file of many payments: nothing stays reserved a minute later.

A real node over its own database; whoever sent the file sends nothing again.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from zhidao.core.errors import Unavailable
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.wire.iso20022.messages.credit_transfers import INITIATION
from zhidao.finance.wire.iso20022.messages.messages import encode
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.entrance import let_in
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.participants import BANKS, CUSTOMERS

pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(1_800)]

PARTIES = ("importer", "exporter", "importer-bank", "exporter-bank")
FUNDS = 1_000_000_00
WITHIN_S = 60.0
"""From the node's being back until nothing is reserved any more."""


class Banks:
    """Two banks and a customer of each at one node."""

    def __init__(self, node: NodeProcess, callers: dict[str, Caller]) -> None:
        self.node, self.callers = node, callers
        self.accounts: dict[str, str] = {}

    async def fill(self) -> None:
        for party, name, bic, town, country in BANKS:
            place = {"bank": party, "name": name, "bic": bic, "town": town, "country": country}
            await self.callers["operator"].post("/v1/finance/banks", place)
        for at, holder, town, country in CUSTOMERS:
            asked = {"holder": holder, "currency": "CNY", "name": holder}
            opened = await self.callers[at].post(
                "/v1/finance/accounts", {**asked, "town": town, "country": country}
            )
            self.accounts[holder] = opened["account"]
        await self.callers["importer-bank"].post(
            "/v1/finance/deposits",
            {"deposit": "d", "holder": "importer", "currency": "CNY", "amount_minor": FUNDS},
        )
        await self.callers["exporter-bank"].post(
            "/v1/finance/credit-lines",
            {"peer": "importer-bank", "currency": "CNY", "limit_minor": FUNDS},
        )

    def file(self, count: int, message: str) -> bytes:
        """An instruction of so many payments of one unit each."""
        transfers = tuple(
            CreditTransfer(
                group=message,
                instruction=f"I-{place}",
                end_to_end=f"E-{place}",
                uetr=str(uuid4()),
                amount_minor=1,
                currency="CNY",
                day=datetime.now(UTC).date().isoformat(),
                charges="SHAR",
                payer=person("Importer", "Almaty", "KZ"),
                payer_account=account(UUID(self.accounts["importer"]).hex),
                payer_bank=bank("ALTBKZKA"),
                payee=person("Exporter", "Xi'an", "CN"),
                payee_account=account(UUID(self.accounts["exporter"]).hex),
                payee_bank=bank("WEIHCNB1"),
                remittance=lines("invoice 7"),
            )
            for place in range(count)
        )
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return encode(Transfers(INITIATION, message, moment, "", "", transfers))

    async def send(self, data: bytes) -> None:
        await self.callers["importer"].ask(
            "POST",
            "/v1/finance/banks/importer-bank/messages",
            content=data,
            headers={"content-type": "application/xml"},
        )

    async def balance(self, holder: str) -> dict[str, Any]:
        at = f"/v1/finance/accounts/{self.accounts[holder]}"
        found: dict[str, Any] = await self.callers[holder].get(at)
        return found

    async def reserved(self) -> int:
        return int((await self.balance("importer"))["debits_pending_minor"])


async def _killed(banks: Banks, count: int, message: str, wait_s: float) -> tuple[int, float]:
    """What was reserved when the node was back, and how long it took until nothing was.

    It is killed so long after something was first seen reserved.
    """
    sending = asyncio.create_task(banks.send(banks.file(count, message)))
    while not sending.done() and not await banks.reserved():
        await asyncio.sleep(0)
    await asyncio.sleep(wait_s)
    was = banks.node.pid
    os.kill(was, signal.SIGKILL)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    while banks.node.pid in (0, was) or banks.node.state() is None:
        await asyncio.sleep(0.1)
    first = await banks.reserved()
    back_s = time.monotonic()
    while await banks.reserved():
        assert time.monotonic() - back_s < WITHIN_S, f"{await banks.reserved()} is still reserved"
        await asyncio.sleep(0.5)
    return first, time.monotonic() - back_s


@pytest.mark.parametrize(("count", "kills"), [(300, 2), (5_000, 10)], ids=["small", "whole"])
async def test_nothing_stays_reserved_a_minute_after_a_node_was_killed_within_a_file(
    count: int, kills: int, tmp_path: Path
) -> None:
    if datetime.now(UTC).weekday() >= 5:
        pytest.skip("banks rest today: the payments would wait for their day")
    chance = random.Random(21)
    node = NodeProcess(tmp_path)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=120) as http:
            banks = Banks(node, await let_in(http, node, PARTIES))
            await banks.fill()
            began_s = time.monotonic()
            await banks.send(banks.file(count, "M-0"))
            took_s = time.monotonic() - began_s
            found: list[tuple[int, float]] = []
            for number in range(1, kills * 3 + 1):
                wait_s = chance.choice((0.0, 0.0, 0.05 * took_s * chance.random()))
                found.append(await _killed(banks, count, f"M-{number}", wait_s))
                if sum(first > 0 for first, _ in found) >= kills:
                    break
            hit = [(first, after_s) for first, after_s in found if first]
            longest_s = max(after_s for _, after_s in found)
            print(  # noqa: T201 (the figure of a long run)
                f"{count} payments, {len(found)} kills, {len(hit)} with something reserved, "
                f"nothing reserved after {longest_s:.1f} s at most; unkilled {took_s:.1f} s"
            )
            assert hit, "no kill fell between reservation and posting"
            importer, exporter = await banks.balance("importer"), await banks.balance("exporter")
            assert importer["balance_minor"] + exporter["balance_minor"] == FUNDS
            # Each file is paid whole or not at all.
            assert exporter["balance_minor"] % count == 0
            assert exporter["balance_minor"] >= count
    except (Unavailable, NodeRefused) as error:
        raise AssertionError(node.log.read_text(errors="replace")[-2_000:]) from error
    finally:
        await node.stop()
