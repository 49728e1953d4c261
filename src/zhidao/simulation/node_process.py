"""A node as a program of its own: started, watched, and started again when it dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import Unavailable
from zhidao.core.programs.child import bound_log, free_port

READY_S: Final = 90.0
# More than a node gives its jobs, its last facts, its bus and its database to end.
STOP_S: Final = 45.0
DATA: Final = "node"
"""The folder of the node's data, beside its log."""
_PASSPHRASE: Final = "throw-away keys of a demonstration"  # noqa: S105 (it says so itself)
# One program asks in the name of all.
_NO_LIMITS: Final = {
    "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
    "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
}
_POLL_S: Final = 0.05
_LOG_LOOK_S: Final = 30.0
_TAIL_LINES: Final = 12


class NodeProcess:
    """Runs `zhidao serve` over a data folder and keeps it running, as a service manager would."""

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        page_host: str = "127.0.0.1",
        name: str = "corridor",
        organisation: str = "Corridor authority (demonstration)",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings`: by their environment variables; None: without limits of requests."""
        self._data = data
        self.name = name
        self._organisation = organisation
        self._host = page_host
        self._settings = dict(_NO_LIMITS if settings is None else settings)
        self._port = port or free_port()
        self._devices_port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.starts = 0

    @property
    def data(self) -> Path:
        """The folder of the node's data, its log lines and its passphrase."""
        return self._data

    @property
    def url(self) -> str:
        """Where the node serves; the same after every start."""
        return f"http://{self._host}:{self._port}"

    @property
    def devices_port(self) -> int:
        """Where terminals connect; the same after every start."""
        return self._devices_port

    @property
    def log(self) -> Path:
        """The node's own log lines."""
        return self._data / "node.log"

    @property
    def pid(self) -> int:
        """The node's process id, 0 while it is away."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def start(self) -> dict[str, Any]:
        """Starts the node and returns its state once it is ready. Raises Unavailable."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._launch()
        state = await self._await_ready()
        self._keeper = asyncio.create_task(self._keep())
        return state

    def state(self) -> dict[str, Any] | None:
        """What the node says of itself, or None while it is away."""
        try:
            found = json.loads((self._data / DATA / "node.json").read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("pid") == self.pid else None

    async def stop(self) -> None:
        """Ends the node cleanly."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))
        process = self._process
        if process and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _launch(self) -> None:
        self.starts += 1
        passphrase = self._data / "passphrase"
        if not passphrase.exists():
            passphrase.touch(mode=0o600)
            passphrase.write_text(_PASSPHRASE)
        environment = (
            os.environ
            | {
                "ZHIDAO_NODE_NAME": self.name,
                "ZHIDAO_NODE_ORGANISATION": self._organisation,
                "ZHIDAO_NODE_DEMO": "true",
                "ZHIDAO_HTTP_TLS": "off",
                "ZHIDAO_HTTP_HOST": self._host,
                "ZHIDAO_HTTP_PORT": str(self._port),
                "ZHIDAO_DEVICES_PORT": str(self._devices_port),
                # The simulated machine stands on this machine.
                "ZHIDAO_INDUSTRY_MACHINE_NETWORKS": "127.0.0.0/8",
                "ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase),
            }
            | self._settings
        )
        bound_log(self.log)
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "zhidao.cli",
                "serve",
                "--json",
                "--data",
                str(self._data / DATA),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    async def _await_ready(self) -> dict[str, Any]:
        deadline_s = asyncio.get_running_loop().time() + READY_S
        while asyncio.get_running_loop().time() < deadline_s:
            state = self.state()
            if state is not None:
                return state
            if self._process and self._process.returncode is not None:
                raise Unavailable(f"the node did not start:\n{self._tail()}", code="node_failed")
            await asyncio.sleep(_POLL_S)
        raise Unavailable(f"the node was not ready in {READY_S:.0f} s:\n{self._tail()}")

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            try:
                async with asyncio.timeout(_LOG_LOOK_S):
                    await self._process.wait()
            except TimeoutError:
                bound_log(self.log)
                continue
            await asyncio.sleep(_POLL_S)
            await self._launch()

    def _tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        except OSError:
            return "(no log)"
