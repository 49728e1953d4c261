"""An operator tells a running node what time it is; the act has its leaf."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from tests.node.live_node import admin_of, answer_of, logged, zhidao

from zhidao.simulation.node_process import NodeProcess

pytestmark = pytest.mark.service


async def test_an_operator_s_word_on_the_clock_is_taken_and_written_down(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            admin = await admin_of(node, http)
            made = await admin.post("/v1/tokens", {"party": node.name, "role": "operator"})
            path, now = "/v1/node/clock/agreement", datetime.now(UTC)
            headers = {"Authorization": f"Bearer {made['token']}"}
            wrong = await http.post(
                path,
                json={"now": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"},
                headers=headers,
            )
            assert wrong.json()["code"] == "clock_differs"
            token = tmp_path / "token"
            token.write_text(made["token"])
            token.chmod(0o600)
            said = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            before = await logged(http, made["token"])
            asked = zhidao(
                *("clock", "agree", "--now", said, "--url", node.url),
                *("--token-file", token, "--json"),
            )
            assert answer_of(asked) == {"jumped_s": 0}
            assert await logged(http, made["token"], before + 1) > before
            http.cookies.clear()
            assert (await http.post(path, json={"now": said})).status_code == 401
            assert (await http.get("/readyz")).json()["ready"]
    finally:
        await node.stop()
