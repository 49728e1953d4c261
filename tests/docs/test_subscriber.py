"""A subscriber that knows the AsyncAPI document only: what a running node tells it is as it says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from tests.node.live_node import admin_of, agreed_party_token

from zhidao.simulation import participants
from zhidao.simulation.client import Caller
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(300)]


class Subscriber:
    """Finds channels and messages of a node's own document; validates what comes."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def _at(self, reference: dict[str, str]) -> dict[str, Any]:
        part: Any = self._document
        for word in reference["$ref"].removeprefix("#/").split("/"):
            part = part[word]
        return dict(part)

    def channel(self, address: str) -> dict[str, Any]:
        every = self._document["channels"].values()
        return next(dict(each) for each in every if each["address"] == address)

    def take(self, address: str, name: str, payload: Any) -> None:
        """Raises where a payload is none that a channel tells under this name."""
        message = self._at(self.channel(address)["messages"][name])
        whole = message["payload"] | {"components": self._document["components"]}
        jsonschema_rs.Draft202012Validator(whole).validate(payload)


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in answer.aiter_lines():
        word, _, rest = line.partition(": ")
        if word == "event":
            name = rest
        elif word == "data":
            yield name, json.loads(rest)


async def _walk(folder: Path) -> list[str]:
    node = NodeProcess(folder)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            admin = await admin_of(node, http)
            token = await agreed_party_token(node, admin, http)
            return await _heard(http, Caller(http, token), token)
    finally:
        await node.stop()


async def _heard(http: httpx.AsyncClient, maker: Caller, token: str) -> list[str]:
    subscriber = Subscriber((await http.get("/schema/asyncapi.json")).json())
    heard: list[str] = []
    stream = "/v1/stream"
    headers = {"Authorization": f"Bearer {token}"}
    async with http.stream("GET", stream, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for name, data in _events(answer):
            subscriber.take(stream, name, data)
            heard.append(name)
            if name == "road":
                break
            await _entered(maker)
    road = await maker.get("/v1/consignments/zd-1/road")
    proof = await maker.get(f"/v1/events/{road['documents'][0]['event']}/proof")
    # The bytes of an event are the same in the log, in its proof and on the bus.
    event = json.loads(base64.urlsafe_b64decode(proof["event"] + "=="))
    subscriber.take(f"zhidao.{event['type']}", "event", event)
    return [*heard, event["type"]]


async def _entered(maker: Caller) -> None:
    entry = participants.entry("zd-1", participants.TO_ALMATY, order="")
    entry.pop("productionOrderDocument")
    for item in entry["includedConsignmentItem"]:
        item.pop("lotId", None)
    text = json.dumps(entry).replace('"exporter"', '"maker"')
    await maker.post("/v1/trade/consignments", json.loads(text))


def test_what_a_running_node_tells_is_what_its_document_says(tmp_path: Path) -> None:
    heard = asyncio.run(_walk(tmp_path))
    assert heard[0] == "beat"
    assert heard[-2] == "road"
    assert heard[-1].startswith("trade.")
