"""Several processes of one node on one database and one bus, started, stopped and killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from zhidao.bus.embedded import EmbeddedNats
from zhidao.core.programs.child import free_port
from zhidao.store.embedded import EmbeddedPostgres

READY_S = 60.0


@contextlib.contextmanager
def database_in(folder: Path) -> Iterator[str]:
    """A PostgreSQL that outlives every process of the node; gives its URL."""
    server = EmbeddedPostgres(folder / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()


@dataclass
class Process:
    """One `zhidao serve` of the node."""

    port: int
    child: asyncio.subprocess.Process
    out: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def told(self) -> dict[str, Any]:
        """What it said of itself last, `{}` before that."""
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        return json.loads(lines[-1]) if lines else {}

    @property
    def serves(self) -> bool:
        return self.told().get("standby") is False

    def send(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)


@dataclass
class Rig:
    """Starts, kills and stops processes; ends them all in the end."""

    folder: Path
    database_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "corridor"
    processes: list[Process] = field(default_factory=list)
    _bus: EmbeddedNats | None = None
    _bus_url: str = ""
    _count: int = 0

    async def __aenter__(self) -> Self:
        self._bus = EmbeddedNats(self.folder / "nats")
        self._bus_url = self._bus.start()
        (self.folder / "data").mkdir(mode=0o700)
        passphrase = self.folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("throw-away keys of a test")
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            if process.child.returncode is None:
                process.send(signal.SIGCONT)
                process.send(signal.SIGKILL)
                await process.child.wait()
        if self._bus:
            self._bus.stop()

    async def start(self, *words: str, machine: str = "", **settings: str) -> Process:
        """Starts one more and waits until it answers, as holder or as standby.

        `machine`: another data folder, as on another machine: nothing but the database tells
        whether a process there lives. The keys are the same.
        """
        self._count += 1
        port = int(settings.get("ZHIDAO_HTTP_PORT", "") or free_port())
        data = self._data(machine)
        environment = os.environ | {
            "ZHIDAO_NODE_NAME": self.name,
            "ZHIDAO_NODE_DEMO": "true",
            "ZHIDAO_HTTP_TLS": "off",
            "ZHIDAO_HTTP_PORT": str(port),
            "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
            "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
            "ZHIDAO_DEVICES_PORT": "0",
            "ZHIDAO_DATABASE_URL": self.database_url,
            "ZHIDAO_BUS_URL": self._bus_url,
            "ZHIDAO_KEYS_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            **self.settings,
            **settings,
        }
        out = self.folder / f"process-{self._count}.out"
        command = (sys.executable, "-m", "zhidao.cli", "serve", "--json")
        with out.open("wb") as told, (self.folder / f"process-{self._count}.log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *command,
                *("--data", str(data), *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=told,
                stderr=log,
                env=environment,
            )
        process = Process(port, child, out)
        self.processes.append(process)
        await until(lambda: bool(process.told()) or child.returncode is not None)
        assert child.returncode is None, self.log_of(process)
        return process

    def _data(self, machine: str) -> Path:
        home, data = self.folder / "data", self.folder / f"data{machine}"
        data.mkdir(mode=0o700, exist_ok=True)
        if machine and not (data / "keys").exists():
            (data / "keys").symlink_to(home / "keys")
        return data

    def log_of(self, process: Process) -> str:
        return process.out.with_suffix(".log").read_text()[-3000:]

    def living(self) -> list[Process]:
        return [each for each in self.processes if each.child.returncode is None]

    def holder(self) -> Process:
        """The process that said last that it serves."""
        return next(each for each in self.living() if each.serves)

    async def kill(self, process: Process) -> None:
        process.send(signal.SIGKILL)
        await process.child.wait()

    async def stop(self, process: Process) -> None:
        process.send(signal.SIGTERM)
        await process.child.wait()

    def state(self) -> dict[str, Any]:
        """What the node's own file says (with codes)."""
        found = [
            json.loads(file.read_bytes()) for file in (self.folder / "data").glob("node*.json")
        ]
        return next(each for each in found if not each["standby"])


async def until(condition: Any, seconds: float = READY_S) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
