"""Runs in a mount namespace of its own: a small disk is filled while a whole node serves on it.

Prints one JSON object of what the node answered before, during and after.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
from tests.node.live_node import answer_of, logged, maker_token, order, zhidao

from zhidao.simulation.node_process import NodeProcess

RESERVE = 120 * 1024 * 1024


async def run(disk: Path) -> dict[str, Any]:
    os.environ["ZHIDAO_NODE_DISK_RESERVE_BYTES"] = str(RESERVE)
    node = NodeProcess(disk / "run")
    told: dict[str, Any] = {}
    try:
        await node.start()
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            told = await fill_and_free(node, http, disk)
    finally:
        await node.stop()
    return told | {"report": report_of(disk / "run" / "node")}


def report_of(data: Path) -> Any:
    """What the stopped node's log proves; refused if a leaf or root is not what was signed."""
    return answer_of(zhidao("insight", "report", "--json", "--data", data))


async def fill_and_free(node: NodeProcess, http: httpx.AsyncClient, disk: Path) -> dict[str, Any]:
    token = await maker_token(node, http)
    before = [await order(http, token, f"before-{n}") for n in range(3)]
    filler = disk / "filler"
    status = os.statvfs(disk)
    with filler.open("wb") as file:
        for _ in range((status.f_bavail * status.f_frsize - RESERVE // 2) // 65_536):
            file.write(bytes(65_536))
    await asyncio.sleep(1.2)  # The gate looks at the disk once a second.
    during = [await order(http, token, f"during-{n}") for n in range(3)]
    ready = await http.get("/readyz")
    readable = await http.get(
        "/v1/industry/orders/before-0/lots/none", headers={"Authorization": f"Bearer {token}"}
    )
    size = await logged(http, token)
    await node.stop()
    await node.start()
    restarted = [await order(http, token, "during-0")]
    restarted_size = await logged(http, token)
    filler.unlink()
    await asyncio.sleep(1.2)
    after = [await order(http, token, f"during-{n}") for n in range(3)]
    await logged(http, token, size + 3)
    again = [await order(http, token, f"before-{n}") for n in range(3)]
    ready_after = (await http.get("/readyz")).json()
    return {
        "before": before,
        "during": during,
        "ready": [ready.status_code, ready.json()],
        "readable": readable.status_code,
        "size_during": size,
        "restarted": restarted,
        "restarted_size": restarted_size,
        "after": after,
        "again": again,
        "size_after": await logged(http, token),
        "ready_after": ready_after,
    }


def main() -> None:
    sys.stdout.write(json.dumps(asyncio.run(run(Path(sys.argv[1])))))


if __name__ == "__main__":
    main()
