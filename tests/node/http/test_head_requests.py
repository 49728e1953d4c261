"""HEAD at a running node: what GET would say, at once, by the signature of what was sent."""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx
import pytest
from tests.node.live_node import admin_of
from tests.node.test_leaver import STREAMS
from tests.node.test_replay import Signing

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.runtime.live import PAGES_OF_PARTY_MAX
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]


async def test_head_opens_no_page_and_leaves_its_connection_free(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "n")
    await node.start()
    try:
        one = httpx.Limits(max_connections=1)
        async with (
            httpx.AsyncClient(base_url=node.url, timeout=60.0) as http,
            httpx.AsyncClient(base_url=node.url, timeout=5.0, limits=one) as monitor,
        ):
            admin = await admin_of(node, http)
            token = await admin.post("/v1/tokens", {"party": node.name, "role": "operator"})
            monitor.headers["authorization"] = f"Bearer {token['token']}"
            for _ in range(PAGES_OF_PARTY_MAX + 2):
                for path in STREAMS:
                    asked = await monitor.head(path)
                    assert (asked.status_code, asked.content) == (200, b"")
                    assert asked.headers["content-type"].startswith("text/event-stream")
            async with monitor.stream("GET", STREAMS[0]) as page:
                assert page.status_code == 200
            key = SoftwareKey(Algorithm.P256, secrets.token_bytes(32))
            body = {"party": node.name, "role": "operator", "key": key.public.multikey}
            signing = Signing(key, (await admin.post("/v1/tokens", body))["token"].split("_")[1])
            url = httpx.URL(f"{node.url}/v1/parties")
            for signed, sent, status in (
                ("HEAD", "HEAD", 200),
                ("GET", "GET", 200),
                ("GET", "HEAD", 401),
                ("HEAD", "GET", 401),
            ):
                headers = signing.headers(signed, url, b"")
                assert (await http.request(sent, url, headers=headers)).status_code == status
    finally:
        await node.stop()
