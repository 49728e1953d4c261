"""Notifications of a running node: in seconds, through kills, each once; sealed, signed, ended.

The mail server is aiosmtpd, the browser's reader is http_ece: neither is ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import http_ece
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.node.adapters.notifications.stubs import Mailbox, mail_server, receiver
from tests.node.live_node import admin_of, operator_of
from tests.node.test_administration import PASSWORD, signed_in

from zhidao.core.encoding import base64url
from zhidao.core.keys import PublicKey
from zhidao.node.security.http_signatures import Message, parse_signature
from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd.*"),
]
TOLD_S = 10.0


class Corridor:
    """A node, its mail server, its admin, and mia, whose party's word is waited for."""

    def __init__(self, node: NodeProcess, http: httpx.AsyncClient, box: Mailbox) -> None:
        self.node, self.http, self.box = node, http, box
        self.admin: Caller
        self.mia: Caller

    async def wait_for_mia(self, label: str) -> None:
        """A token that gets in once mia's party agrees."""
        wanted = {"party": "maker", "role": "party", "label": label}
        await self.admin.post("/v1/tokens", wanted)

    async def mail_of(self, text: str, *, within_s: float = TOLD_S) -> str:
        """The text of the first mail that holds this."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            for mail in self.box.mails:
                if text in mail.get_content():
                    return str(mail.get_content())
            await asyncio.sleep(0.05)
        raise AssertionError(f"no mail with {text} in {within_s} s")

    async def mailed(self) -> str:
        """Adds mia's mail address by its code; its id."""
        said = {"channel": "mail", "target": "mia@example.org"}
        added = await self.mia.post("/v1/notifications/addresses", said)
        code = re.search(r"\b\d{6}\b", await self.mail_of("code"))
        assert code
        path = f"/v1/notifications/addresses/{added['address']}/code"
        assert (await self.mia.post(path, {"code": code[0]}))["state"] == "live"
        return str(added["address"])


@asynccontextmanager
async def corridor(folder: Path) -> AsyncIterator[Corridor]:
    with mail_server() as box:
        settings = {
            "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
            "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
            "ZHIDAO_MAIL_HOST": "127.0.0.1",
            "ZHIDAO_MAIL_PORT": str(box.port),
            "ZHIDAO_MAIL_TLS": "off",
            "ZHIDAO_MAIL_FROM": "node@corridor.example",
            "ZHIDAO_NOTIFICATIONS_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        node = NodeProcess(folder, settings=settings)
        await node.start()
        try:
            async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
                made = Corridor(node, http, box)
                made.admin = await admin_of(node, http)
                party = {"party": "maker", "name": "M", "trade_role": "exporter", "country": "CN"}
                await made.admin.post("/v1/parties", party)
                who = {"name": "mia", "password": PASSWORD, "party": "maker", "role": "party"}
                await made.admin.post("/v1/people", who)
                operator = await operator_of(node, made.admin, http)
                await operator.post("/v1/people/mia/agreement", None)
                made.mia = await signed_in(http, "mia")
                yield made
        finally:
            await node.stop()


def say(line: str) -> None:
    """A figure, seen with -s."""
    sys.stdout.write(f"{line}\n")


async def killed(node: NodeProcess) -> None:
    """kill -9, and until it serves again."""
    before = node.pid
    os.kill(before, signal.SIGKILL)
    while node.state() is None or node.pid in (0, before):
        await asyncio.sleep(0.05)


async def through_kills(made: Corridor, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    await made.mailed()
    labels = [f"terminal {seed} {number}" for number in range(kills)]
    for label in labels:
        await made.wait_for_mia(label)
        await asyncio.sleep(chance.uniform(0.0, 2.5))
        await killed(made.node)
    for label in labels:
        await made.mail_of(label, within_s=30.0)
    await asyncio.sleep(2.0)
    told: Counter[str] = Counter()
    for mail in {str(mail["Message-ID"]): mail for mail in made.box.mails}.values():
        told.update(label for label in labels if f" {label} " in f"{mail.get_content()} ")
    say(
        f"{kills} kills: {len(labels)} things, {len(made.box.ids())} messages, "
        f"{len(made.box.mails) - len(made.box.ids())} sent again under their id"
    )
    assert told == Counter(labels)


async def test_what_waits_reaches_a_person_in_seconds_by_three_ways(tmp_path: Path) -> None:
    async with corridor(tmp_path / "n") as made, receiver(201) as (hook, took):
        await made.mailed()
        browser = ec.generate_private_key(ec.SECP256R1())
        point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        own = await made.mia.get("/v1/notifications")
        push = {
            "channel": "push",
            "target": f"{hook}/push/abc",
            "public_key": base64url(point),
            "shared": base64url(b"s" * 16),
        }
        pushed = await made.mia.post("/v1/notifications/addresses", push)
        assert "abc" not in pushed["target"]
        await made.mia.post(
            "/v1/notifications/addresses", {"channel": "webhook", "target": f"{hook}/hook"}
        )
        began = time.monotonic()
        await made.wait_for_mia("gate 7")
        text = await made.mail_of("gate 7")
        while len(took) < 2:
            assert time.monotonic() - began < TOLD_S
            await asyncio.sleep(0.05)
        say(f"told by three channels in {time.monotonic() - began:.2f} s")
        assert f"{made.node.url}/waiting" in text
        by = {each.target: each for each in took}
        sealed = by["/push/abc"]
        assert f"k={own['push_key']}" in sealed.headers["authorization"]
        opened = json.loads(
            http_ece.decrypt(
                sealed.body, private_key=browser, auth_secret=b"s" * 16, version="aes128gcm"
            )
        )
        assert "gate 7" in opened["body"]
        assert b"gate 7" not in sealed.body
        request = by["/hook"]
        signed = parse_signature(request.headers["signature-input"], request.headers["signature"])
        told = Message(
            method="POST",
            scheme="http",
            authority=hook.removeprefix("http://"),
            path="/hook",
            query="",
            headers={name: [value] for name, value in request.headers.items()},
        )
        assert PublicKey.from_multikey(signed.key_id).verifies(signed.signature, signed.base(told))
        assert [each["label"] for each in json.loads(request.body)["items"]] == ["gate 7"]
        # The browser unsubscribed: its push service says so, and nothing more goes there.
        took.status = 410
        await made.wait_for_mia("gate 8")
        await made.mail_of("gate 8")
        end = time.monotonic() + TOLD_S
        while True:
            addresses = (await made.mia.get("/v1/notifications"))["addresses"]
            states = {each["channel"]: (each["state"], each["reason"]) for each in addresses}
            if states["push"][0] == states["webhook"][0] == "ended":
                break
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        assert states == {
            "mail": ("live", ""),
            "push": ("ended", "push_gone"),
            "webhook": ("ended", "webhook_gone"),
        }
        queue = await made.admin.get("/v1/notifications/queue?only=dead")
        assert {each["code"] for each in queue} == {"push_gone", "webhook_gone"}
        assert "gate" not in json.dumps(queue)
        with pytest.raises(NodeRefused) as refused:
            await made.mia.get("/v1/notifications/queue")
        assert refused.value.status == 403
        with pytest.raises(NodeRefused) as refused:
            await made.mia.post(
                "/v1/notifications/addresses", {"channel": "webhook", "target": "https://10.0.0.1/"}
            )
        assert (refused.value.status, refused.value.code) == (422, "no_public_address")


async def test_nothing_is_lost_or_told_twice_through_two_kills(tmp_path: Path) -> None:
    async with corridor(tmp_path / "n") as made:
        await through_kills(made, 2, seed=417)


@pytest.mark.long
@pytest.mark.timeout(3000)
async def test_nothing_is_lost_or_told_twice_through_a_hundred_kills(tmp_path: Path) -> None:
    async with corridor(tmp_path / "n") as made:
        await through_kills(made, 100, seed=19)
