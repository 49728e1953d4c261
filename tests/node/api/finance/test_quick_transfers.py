"""The quick route answers what the usual one answers, and only tokens take it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.finance.domain.ledger.ledger import Result, Transfer
from zhidao.finance.domain.ledger.records import from_transfers
from zhidao.node.api.finance.quick_transfers import QuickTransfers
from zhidao.node.http.authentication import Met

DATA = from_transfers([Transfer(UUID(int=1), UUID(int=2), UUID(int=3), 5, ledger=1, code=1)])


class Transfers:
    def __init__(self) -> None:
        self.moved: list[tuple[str, str, int]] = []

    async def move_records(self, actor: Actor, currency: str, records: Any) -> list[Result]:
        self.moved.append((actor.party, currency, len(records)))
        return [Result.CREATED] * len(records)


class Door:
    async def meet(self, scope: Any) -> Met:
        return Met(Actor(PartyId("bank"), Role.PARTY))


async def ask(
    path: str, *, method: str = "POST", header: bytes = b"authorization", data: bytes = b""
) -> tuple[list[Any], Transfers, list[str]]:
    """What was sent, what was moved, and what went to the app."""
    sent: list[Any] = []
    passed: list[str] = []
    transfers = Transfers()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])

    async def receive() -> Any:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(header, b"x")]}
    await QuickTransfers(app, Door(), transfers)(scope, receive, send)  # type: ignore[arg-type]
    return sent, transfers, passed


async def test_records_by_token_are_moved_and_answered() -> None:
    sent, transfers, passed = await ask("/v1/finance/transfers/CNY/records", data=DATA.tobytes())
    assert transfers.moved == [("bank", "CNY", 1)]
    assert (sent[0]["status"], sent[1]["body"], passed) == (201, b'["created"]', [])


@pytest.mark.parametrize(
    ("path", "method", "header"),
    [
        ("/v1/finance/transfers", "POST", b"authorization"),
        ("/v1/finance/transfers/cny/records", "POST", b"authorization"),
        ("/v1/finance/transfers/CNY/records", "GET", b"authorization"),
        ("/v1/finance/transfers/CNY/records", "POST", b"cookie"),
        ("/v1/finance/transfers/CNY/records", "POST", b"signature-input"),
    ],
)
async def test_everything_else_goes_the_usual_way(path: str, method: str, header: bytes) -> None:
    _, transfers, passed = await ask(path, method=method, header=header, data=DATA.tobytes())
    assert (transfers.moved, passed) == ([], [path])


async def test_half_a_record_is_refused() -> None:
    with pytest.raises(MalformedInput):
        await ask("/v1/finance/transfers/CNY/records", data=DATA.tobytes()[1:])
