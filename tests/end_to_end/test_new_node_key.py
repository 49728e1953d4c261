"""A node goes over to another key, and its peer learns of it without being asked anew."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from benchmarks.exchange_nodes import RunningNode
from tests.node.live_node import zhidao

from zhidao.exchange.wire.bundle import ENVELOPE, RECEIPT, decode_bundle
from zhidao.exchange.wire.envelope import decode_envelope
from zhidao.exchange.wire.receipt import decode_receipt

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(280)]
WAIT_S = 60.0


@pytest.mark.every_days(2)
def test_a_peer_learns_of_a_new_key_and_forgets_a_revoked_one(tmp_path: Path) -> None:
    one, two = RunningNode(tmp_path, "exporter"), RunningNode(tmp_path, "importer")

    def keys(*words: str) -> dict[str, Any]:
        one.stop()
        secret = tmp_path / "exporter.passphrase"
        settings = tmp_path / "exporter.toml"
        settings.write_text('[node]\nname = "exporter"\n')
        more = ("--config", settings, "--data", tmp_path / "exporter", "--json")
        done = zhidao("keys", *words, "--reason", "yearly", *more, passphrase=secret)
        assert done.returncode == 0, done.stderr
        one.start()
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        return answer

    try:
        for node in (one, two):
            node.launch()
        for node in (one, two):
            node.await_ready()
        one.admit(two)
        two.admit(one)
        first = known_keys(two)
        assert sent_with(one, two) == (first[0], first[0])
        rotated = keys("rotate", "exporter")
        assert (rotated["former"], rotated["key"] in first) == (first[0], False)
        until(lambda: known_keys(two) == [rotated["former"], rotated["key"]])
        until(lambda: news_of(one) == ["accepted"])
        # The news is noted a moment after its receipt came.
        until(lambda: sent_with(one, two) == (rotated["key"], rotated["key"]))
        keys("revoke", "exporter", "--key", rotated["former"])
        until(lambda: known_keys(two) == [rotated["key"]])
        assert sent_with(one, two) == (rotated["key"], rotated["key"])
        until(lambda: news_of(one) == ["accepted", "accepted"])
    finally:
        one.stop()
        two.stop()


def sent_with(one: RunningNode, two: RunningNode) -> tuple[str, str]:
    """The keys that sign an envelope to the importer and a receipt for one that came from it."""
    for here, there in ((one, two), (two, one)):
        body = {
            "document": str(uuid4()),
            "recipient": there.name,
            "to_party": there.party,
            "consignment": "C-1",
            "kind": "trade.invoice",
            "media_type": "application/xml",
            "content": "PEludm9pY2UvPg==",
        }
        answer = here.ask("POST", "/v1/exchange/outbox", "party", json=body)
        assert answer.status_code < 300, answer.text
    until(lambda: all(each["state"] == "accepted" for each in invoices(one) + invoices(two)))
    export = decode_bundle(one.ask("GET", "/v1/exchange/export", "party").content)
    envelopes = [decode_envelope(i.data) for i in export if i.kind == ENVELOPE]
    mine = max(
        (e for e in envelopes if e.heading.sender == "exporter"), key=lambda e: e.heading.sequence
    )
    theirs = max(
        (e for e in envelopes if e.heading.sender == "importer"), key=lambda e: e.heading.sequence
    )
    receipts = [decode_receipt(i.data) for i in export if i.kind == RECEIPT]
    ours = [r for r in receipts if r.document == theirs.heading.document]
    return mine.key.multikey, ours[-1].key.multikey


def invoices(node: RunningNode) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.ask("GET", "/v1/exchange/outbox", "party").json()
    return found


def known_keys(node: RunningNode) -> list[str]:
    (peer,) = node.ask("GET", "/v1/exchange/peers").json()
    found: list[str] = peer["keys"]
    return found


def news_of(node: RunningNode) -> list[str]:
    sent = node.ask("GET", "/v1/exchange/outbox").json()
    return [each["outcome"] for each in sent if each["kind"] == "zhidao.keys"]


def until(so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not so():
        assert time.monotonic() < deadline_s, "it does not become so"
        time.sleep(0.2)
