"""A crowd that wants a node to stand still, in a process of its own.

Usage: python -m benchmarks.hostile_crowd, with one JSON object on standard input: host, port,
tokens, routes (paths of POST), callers, idle, dripping, seconds. The callers post bodies that are
dear to read, to each route in turn; idle connections are opened and say nothing; dripping ones
send a letter of a header a second. Connections come from many blocks of loopback addresses. Prints
`ready` when all stands, and at the end one JSON object of what was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections import Counter
from typing import Any, Final

import httpx

# So many connections of one /24 at most, below the share of a block.
BLOCK: Final = 250
_MIB: Final = 1024 * 1024


def bodies() -> list[tuple[str, bytes]]:
    """What is dear to read, by its media type."""
    deep = b'{"a":' * 50_000
    contexts = json.dumps({"@context": [f"https://example.org/{n}" for n in range(20_000)]})
    wide = json.dumps({f"key-{n}": [n] * 8 for n in range(20_000)})
    laughs = b'<?xml version="1.0"?><Document>' + b"<Ntry><Amt>1</Amt></Ntry>" * 40_000
    return [
        ("application/json", deep),
        ("application/json", contexts.encode()),
        ("application/json", wide.encode()),
        ("application/xml", laughs),
        ("application/xml", b"<a>" * 200_000),
        ("application/octet-stream", bytes(_MIB)),
    ]


async def main(told: dict[str, Any]) -> dict[str, Any]:
    """Opens what stands, then posts until the time is over."""
    host, port = told["host"], told["port"]
    until_s = time.monotonic() + told["seconds"]
    loop = asyncio.get_running_loop()
    held: list[socket.socket] = []
    lost: Counter[str] = Counter()

    async def opened(number: int, base: int) -> socket.socket | None:
        line = socket.socket()
        line.setblocking(False)
        try:
            line.bind((f"127.{base}.{number // BLOCK}.{1 + number % BLOCK}", 0))
            await asyncio.wait_for(loop.sock_connect(line, (host, port)), 20)
        except (OSError, TimeoutError) as error:
            lost[type(error).__name__] += 1
            line.close()
            return None
        return line

    for first in range(0, told["idle"], 200):
        made = (opened(n, 10) for n in range(first, min(first + 200, told["idle"])))
        held += [line for line in await asyncio.gather(*made) if line]
    dripping: list[socket.socket] = []
    for first in range(0, told["dripping"], 200):
        made = (opened(n, 20) for n in range(first, min(first + 200, told["dripping"])))
        dripping += [line for line in await asyncio.gather(*made) if line]
    print("ready", flush=True)
    answers: Counter[int] = Counter()
    callers = [_post(told, number, until_s, answers) for number in range(told["callers"])]
    await asyncio.gather(_drip(dripping, until_s), *callers)
    for line in (*held, *dripping):
        line.close()
    return {"answers": dict(answers), "idle": len(held), "dripping": len(dripping)} | dict(lost)


async def _drip(lines: list[socket.socket], until_s: float) -> None:
    text = b"POST /v1/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Drip: "
    place = 0
    while time.monotonic() < until_s:
        letter = text[place : place + 1] or b"x"
        place += 1
        for line in lines:
            with contextlib.suppress(OSError):
                line.send(letter)
        await asyncio.sleep(1)


async def _post(told: dict[str, Any], number: int, until_s: float, answers: Counter[int]) -> None:
    transport = httpx.AsyncHTTPTransport(local_address=f"127.30.{number}.1")
    headers = {"authorization": f"Bearer {told['tokens'][number % len(told['tokens'])]}"}
    base = f"http://{told['host']}:{told['port']}"
    made, routes, turn = bodies(), told["routes"], number * 7
    async with httpx.AsyncClient(base_url=base, transport=transport, timeout=30) as client:
        while time.monotonic() < until_s:
            kind, body = made[turn % len(made)]
            path = routes[turn // len(made) % len(routes)]
            turn += 1
            try:
                answer = await client.post(
                    path, content=body, headers=headers | {"content-type": kind}
                )
                answers[answer.status_code] += 1
            except httpx.HTTPError:
                answers[0] += 1


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))), flush=True)
