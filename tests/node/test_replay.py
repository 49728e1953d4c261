"""No signed request has a second effect: not again, not by its other signature, not elsewhere."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.node.live_node import admin_of

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.security.http_signatures import Message, content_digest, parse_signature
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

DOCS = Path(__file__).resolve().parents[2] / "docs"
# SEC 2, section 2.4.2: the order of P-256.
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# Nodes speak there for themselves; what comes twice has one effect by its identifier.
OF_NODES = "/exchange/bundle"
ROLES = ("admin", "operator", "party", "auditor")


def other_signature(raw: bytes) -> bytes:
    """(r, n - s): holds wherever (r, s) does."""
    return raw[:32] + (N - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")


class Signing:
    """A caller that signs its requests with a P-256 key."""

    def __init__(self, key: SoftwareKey, key_id: str) -> None:
        self.key = key
        self.key_id = key_id

    def headers(self, method: str, url: httpx.URL, body: bytes) -> dict[str, str]:
        digest = content_digest(body)
        said = (
            's=("@method" "@target-uri" "content-digest")'
            f';created={int(time.time())};keyid="{self.key_id}";nonce="{secrets.token_hex(8)}"'
        )
        draft = parse_signature(said, "s=:AAAA:")
        message = Message(
            method,
            url.scheme,
            url.netloc.decode(),
            url.raw_path.decode().partition("?")[0],
            "",
            {"content-digest": [digest]},
        )
        return {
            "content-type": "application/json",
            "content-digest": digest,
            "signature-input": said,
            "signature": marked(self.key.sign(draft.base(message))),
        }


def marked(raw: bytes) -> str:
    return f"s=:{base64.b64encode(raw).decode()}:"


def malleable(headers: Mapping[str, str]) -> dict[str, str]:
    raw = base64.b64decode(headers["signature"][3:-1])
    return dict(headers) | {"signature": marked(other_signature(raw))}


async def signing(node: NodeProcess, http: httpx.AsyncClient) -> dict[str, Signing]:
    admin = await admin_of(node, http)
    made = {}
    for role in ROLES:
        key = SoftwareKey(Algorithm.P256, secrets.token_bytes(32))
        answer = await admin.post(
            "/v1/tokens", {"party": node.name, "role": role, "key": key.public.multikey}
        )
        made[role] = Signing(key, answer["token"].split("_")[1])
    return made


def openapi() -> Mapping[str, Any]:
    """The node's own OpenAPI document, as the reference pages read it from the code."""
    spec = importlib.util.spec_from_file_location("docs_from_code", DOCS / "from_code.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    document: Mapping[str, Any] = module.openapi()
    return document


def writing_routes(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Every route that changes something and is not for strangers, by the node's own OpenAPI.

    Each with a role that it admits.
    """
    return [
        (method.upper(), filled(path, operation), role_of(operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("post", "put", "patch", "delete")
        and {} not in operation.get("security", ())
        and path != OF_NODES
    ]


def filled(path: str, operation: Mapping[str, Any]) -> str:
    """The path with something of the right form in the place of each name."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        plain = {"uuid": str(UUID(int=7))}.get(schema.get("format", ""), parameter["name"])
        number = schema.get("type") == "integer"
        path = path.replace("{" + parameter["name"] + "}", "1" if number else plain)
    return path


def role_of(operation: Mapping[str, Any]) -> str:
    """A role that the route admits; an admin's where it is one of them."""
    roles = operation["x-zhidao-access"]["roles"]
    return next(role for role in ROLES if role in roles)


# Bodies that have an effect, where one can be had without a road; others are refused, once.
BODIES: dict[str, Any] = {
    "/v1/tokens": {"party": "corridor", "role": "auditor", "label": "replayed"},
    "/v1/people": {
        "party": "corridor",
        "role": "operator",
        "name": "Aigerim",
        "password": "ten or more letters",
    },
    "/v1/parties": {
        "party": "maker",
        "name": "Maker",
        "trade_role": "exporter",
        "country": "CN",
    },
}


async def test_no_signed_request_has_a_second_effect(tmp_path: Path) -> None:
    node, other = NodeProcess(tmp_path / "a"), NodeProcess(tmp_path / "b", name="other")
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=30.0) as http:
            callers = await signing(node, http)
            routes = writing_routes(openapi())
            assert len(routes) > 60
            sent = []
            for method, path, role in routes:
                url = httpx.URL(node.url + path)
                body = json.dumps(BODIES.get(path, {})).encode()
                headers = callers[role].headers(method, url, body)
                foreign = headers | {"host": "evil.example"}
                answer = await http.request(method, url, content=body, headers=foreign)
                assert answer.status_code == 421, (path, answer.text)
                first = await http.request(method, url, content=body, headers=headers)
                if path in BODIES:
                    assert first.is_success, first.text
                sent.append((method, url, body, headers, first))
            await refused_everywhere(http, sent)
            await killed_and_back(node)
            await refused_everywhere(http, sent)
            tokens = await count(http, callers["admin"], "/v1/tokens")
            assert tokens == len(ROLES) + 1
            await other.start()
            try:
                await refused_elsewhere(other, sent)
            finally:
                await other.stop()
    finally:
        await node.stop()


async def refused_everywhere(http: httpx.AsyncClient, sent: list[Any]) -> None:
    wrong = []
    for method, url, body, headers, first in sent:
        for again in (headers, malleable(headers)):
            answer = await http.request(method, url, content=body, headers=again)
            if answer.status_code != 401 or "used before" not in answer.text:
                wrong.append((method, url.path, first.status_code, answer.text[:90]))
    assert wrong == []


async def refused_elsewhere(other: NodeProcess, sent: list[Any]) -> None:
    async with httpx.AsyncClient(base_url=other.url, timeout=30.0) as http:
        for method, url, body, headers, _ in sent:
            for host in (url.netloc.decode(), other.url.partition("//")[2]):
                there = dict(headers) | {"host": host}
                answer = await http.request(method, url.path, content=body, headers=there)
                assert answer.status_code == 401, (url.path, answer.text)


async def killed_and_back(node: NodeProcess) -> None:
    os.kill(node.pid, signal.SIGKILL)
    starts = node.starts
    for _ in range(900):
        await asyncio.sleep(0.1)
        if node.starts > starts and node.state():
            return
    raise AssertionError("the node does not come back")


async def count(http: httpx.AsyncClient, caller: Signing, path: str) -> int:
    url = httpx.URL(str(http.base_url).rstrip("/") + path)
    answer = await http.get(path, headers=caller.headers("GET", url, b""))
    return len(answer.raise_for_status().json())


async def test_under_one_key_one_token_is_made_also_after_a_kill(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "a")
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=30.0) as http:
            admin = (await signing(node, http))["admin"]

            async def ask(label: str) -> httpx.Response:
                url = httpx.URL(node.url + "/v1/tokens")
                body = json.dumps(BODIES["/v1/tokens"] | {"label": label}).encode()
                # Signed anew each time: a signature opens one request.
                headers = admin.headers("POST", url, body) | {"idempotency-key": '"one"'}
                return await http.post(url, content=body, headers=headers)

            first, twin = await asyncio.gather(ask("a"), ask("a"))
            await killed_and_back(node)
            again, other = await ask("a"), await ask("b")
            assert first.status_code == 201, first.text
            assert first.json()["token"].startswith("zd_")
            assert first.content == twin.content == again.content
            assert again.headers["idempotency-replayed"] == "true"
            assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
            assert await count(http, admin, "/v1/tokens") == len(ROLES) + 1
    finally:
        await node.stop()
