"""Webhooks: signed over all that matters, under one id, and refused where one byte differs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.node.adapters.notifications.stubs import Taken, receiver
from tests.node.notifications.test_letters import ITEMS, NOW, message

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unauthenticated, Unavailable
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.timescale import NS
from zhidao.node.adapters.notifications.outward import Outward, networks
from zhidao.node.adapters.notifications.webhook import TAG, Webhook
from zhidao.node.notifications.message import Address, AddressState, Channel
from zhidao.node.notifications.ports import AddressEnded
from zhidao.node.security.http_signatures import (
    Message,
    Signed,
    check_coverage,
    check_digest,
    check_times,
    parse_signature,
)

KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32)))


def address(url: str) -> Address:
    return Address(
        id="a" * 32,
        person="mia",
        channel=Channel.WEBHOOK,
        target=url,
        state=AddressState.LIVE,
        made_at=NOW,
    )


@asynccontextmanager
async def channel() -> AsyncIterator[Webhook]:
    opened = Outward(networks("127.0.0.0/8", name="x"))
    yield Webhook(opened, lambda: KEY, HandClock(NOW), node="corridor", page="https://n.example")
    await opened.close()


def judged(request: Taken, authority: str) -> tuple[Signed, Message]:
    """What a receiver does with a webhook."""
    path, _, query = request.target.partition("?")
    told = Message(
        method=request.method,
        scheme="http",
        authority=authority,
        path=path,
        query=query,
        headers={name: [value] for name, value in request.headers.items()},
    )
    signed = parse_signature(request.headers["signature-input"], request.headers["signature"])
    check_coverage(signed, told, has_body=True)
    check_digest(request.headers["content-digest"], request.body)
    check_times(signed, NOW.unix_ns // NS)
    return signed, told


async def test_a_receiver_knows_the_node_the_address_and_the_body() -> None:
    async with receiver() as (url, took), channel() as webhook:
        await webhook.send(address(f"{url}/hook?for=mia"), message(), ITEMS)
    (request,) = took
    signed, told = judged(request, url.removeprefix("http://"))
    assert PublicKey.from_multikey(signed.key_id) == KEY.public
    assert KEY.public.verifies(signed.signature, signed.base(told))
    assert f'tag="{TAG}"' in signed.parameters
    assert "webhook-id" in signed.components
    said = json.loads(request.body)
    assert request.headers["webhook-id"] == said["id"] == "b" * 32
    assert [each["label"] for each in said["items"]] == [each.label for each in ITEMS]
    other = Taken(request.method, "/hook?for=ben", request.headers, request.body)
    signed, told = judged(other, url.removeprefix("http://"))
    assert not KEY.public.verifies(signed.signature, signed.base(told))
    with pytest.raises(Unauthenticated):
        judged(Taken("POST", request.target, request.headers, request.body + b" "), "x")


@pytest.mark.parametrize(
    ("status", "raised"),
    [(410, AddressEnded), (500, Unavailable), (404, Unavailable), (302, Unavailable)],
)
async def test_answers_that_are_no_yes(status: int, raised: type[Exception]) -> None:
    async with receiver(status) as (url, _), channel() as webhook:
        with pytest.raises(raised):
            await webhook.send(address(url), message(), ITEMS)
