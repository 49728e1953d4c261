"""A witness as a program of its own, for the bench of trust: prints its port, serves.

`python -m benchmarks.inner.trust.trust_server witness FOLDER KEYS LOGS`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

from zhidao.core.errors import ZhidaoError
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.ambient import SystemClock
from zhidao.trust.adapters.witness.file import FileWitnessStore
from zhidao.trust.domain.note import Cosigner, NoteKey
from zhidao.trust.domain.witness_rule import OldSizeDiffers
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.wire.log.add_checkpoint import decode_add_checkpoint

ORIGIN = "bench.example/log"
KEY = SoftwareKey(Algorithm.ED25519, b"b" * 32)
TIMED = SoftwareKey(Algorithm.ML_DSA_44, b"b" * 32)
WITNESS_NAME = "bench.example/witness"


def origin(number: int) -> str:
    """The origin of one of many logs that share a key here."""
    return f"bench.example/log{number}"


def cosigners(*, with_ml_dsa: bool) -> list[Cosigner]:
    """The keys of the benchmark's witness."""
    algorithms = [Algorithm.ED25519, *([Algorithm.ML_DSA_44] if with_ml_dsa else [])]
    return [Cosigner(WITNESS_NAME, SoftwareKey(each, b"w" * 32)) for each in algorithms]


async def witness_app(folder: Path, *, with_ml_dsa: bool, logs: int) -> tuple[Any, Witness]:
    """The witness's add-checkpoint alone, over a file that is synchronised for each batch."""
    known = {origin(number): [NoteKey(origin(number), KEY.public)] for number in range(logs)}
    made = Witness(
        cosigners=cosigners(with_ml_dsa=with_ml_dsa),
        logs=lambda: known,
        store=FileWitnessStore(folder / "heads"),
        clock=SystemClock(),
    )
    await made.start(keys_are_new=not (folder / "heads").exists())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            status, answer = 200, await made.add_checkpoint(decode_add_checkpoint(bytes(body)))
        except OldSizeDiffers as differs:
            status, answer = 409, b"%d\n" % differs.size
        except ZhidaoError as error:
            status, answer = error.http_status, str(error).encode()
        head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    return app, made


async def main() -> None:
    """Serves until killed."""
    _, folder, keys, logs = sys.argv[1:]
    app, work = await witness_app(Path(folder), with_ml_dsa=keys == "both", logs=int(logs))
    running = asyncio.create_task(work.run())
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="off", log_level="warning", access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(f"port {port} {Utc.from_unix_ns(time.time_ns())}", flush=True)
    await asyncio.wait([running, serving], return_when=asyncio.FIRST_COMPLETED)


if __name__ == "__main__":
    asyncio.run(main())
