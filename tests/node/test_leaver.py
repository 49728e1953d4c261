"""Whoever leaves is out of a running node within a second: requests, and what was left open."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest
from tests.node.live_node import admin_of
from tests.node.test_administration import PASSWORD, signed_in

from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.timeout(300), pytest.mark.slow]

OUT_S = 1.0
STREAMS = ("/v1/stream", "/v1/exchange/stream")


async def test_a_leaver_is_out_of_sessions_tokens_and_open_pages_within_a_second(
    tmp_path: Path,
) -> None:
    node = NodeProcess(tmp_path / "n")
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            admin = await admin_of(node, http)
            who = {"password": PASSWORD, "party": node.name, "role": "operator"}
            for name in ("ben", "carl"):
                await admin.post("/v1/people", who | {"name": name})
            ben, carl = await signed_in(http, "ben"), await signed_in(http, "carl")
            text = (await admin.post("/v1/tokens", {"party": node.name, "role": "operator"}))[
                "token"
            ]
            program = Caller(http, text)
            for leaver, path in (
                (ben, "/v1/people/ben"),
                (program, f"/v1/tokens/{text.split('_')[1]}"),
            ):
                open_pages = [asyncio.create_task(ended(leaver, http, each)) for each in STREAMS]
                staying = asyncio.create_task(ended(carl, http, STREAMS[0]))
                await asyncio.sleep(1.2)
                assert not any(each.done() for each in (*open_pages, staying))
                await admin.ask("DELETE", path)
                gone = time.monotonic()
                with pytest.raises(NodeRefused) as refused:
                    await leaver.get("/v1/people")
                assert refused.value.status == 401
                ends = await asyncio.gather(*open_pages)
                assert max(ends) - gone <= OUT_S
                assert not staying.done()
                staying.cancel()
    finally:
        await node.stop()


async def test_a_node_that_stops_ends_the_open_pages_itself(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "n")
    await node.start()
    async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
        admin = await admin_of(node, http)
        pages = [asyncio.create_task(ended(admin, http, each)) for each in STREAMS]
        await asyncio.sleep(1.2)
        assert not any(each.done() for each in pages)
        await node.stop()
        await asyncio.gather(*pages)
    told = node.log.read_text(encoding="utf-8")
    assert "Exception in ASGI application" not in told
    assert "timeout graceful shutdown exceeded" not in told


async def ended(caller: Caller, http: httpx.AsyncClient, path: str) -> float:
    """When a stream of events ends."""
    async with http.stream("GET", path, headers=caller._headers) as answer:
        assert answer.status_code == 200
        async for _ in answer.aiter_bytes():
            pass
    return time.monotonic()
