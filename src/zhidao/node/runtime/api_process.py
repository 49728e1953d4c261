"""A further process of the node that answers on its port, under this one's supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.programs.child import end_child, start_child
from zhidao.node.config import Config
from zhidao.node.leases.roles import MANY

COUNT: Final = "node.processes.api"
API_PROCESSES_MAX: Final = 12
# One that cannot start is tried again no faster than that.
AGAIN_S: Final = 2.0
_STOP_S: Final = 5.0
# It signs nothing: neither keys nor what opens them are for it.
_KEPT_BACK: Final = ("keys.", "node.processes.", "node.process_url", "node.process_port")


class ApiProcess:
    """`zhidao serve --roles api,page` on the node's own port and data folder."""

    def __init__(self, config: Config, *, database_url: str, bus_url: str, number: int) -> None:
        self._environment = _environment(config, database_url, bus_url)
        self._log = config.data / f"api.{number}.log"
        self._started_s = float("-inf")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The file that it appends its log to."""
        return self._log

    @property
    def pid(self) -> int | None:
        """Its process id while it is our child."""
        return self._child.pid if self._child else None

    def start(self) -> str:
        """Starts it, or starts it again. It answers a few seconds later, on the shared port."""
        self._started_s = time.monotonic()
        self._child = start_child(
            [sys.executable, "-m", "zhidao.cli", "serve", "--json"],
            log=self._log,
            environment=self._environment,
        )
        return ""

    def alive(self) -> bool:
        """Whether its process runs, or is not to be started again yet."""
        running = self._child is not None and self._child.poll() is None
        return running or time.monotonic() - self._started_s < AGAIN_S

    def stop(self) -> None:
        """Ends it; what it is asked meanwhile it still answers."""
        child, self._child = self._child, None
        if child:
            end_child(child, (signal.SIGTERM, signal.SIGKILL), timeout_s=_STOP_S)


def api_processes(config: Config, database_url: str, bus_url: str) -> dict[str, ApiProcess]:
    """Those that the setting asks for, by name. Raises MalformedInput."""
    count = config.number(COUNT)
    if not 0 <= count <= API_PROCESSES_MAX:
        raise MalformedInput(
            f"{COUNT} is {count}; from 0 to {API_PROCESSES_MAX} is possible",
            where=COUNT,
            remedy="set it to as many as this machine has processors to spare, or to 0",
        )
    if count and config.number("http.port") == 0:
        raise MalformedInput(
            f"{COUNT} wants a port that all of them know",
            where="http.port",
            remedy="set http.port to one",
        )
    return {
        f"api {number}": ApiProcess(
            config, database_url=database_url, bus_url=bus_url, number=number
        )
        for number in range(1, count + 1)
    }


def shares_port(config: Config) -> bool:
    """Whether other processes listen on this one's port, too."""
    return config.flag("http.port_shared") or config.number(COUNT) > 0


def _environment(config: Config, database_url: str, bus_url: str) -> dict[str, str]:
    """The settings of this process, from wherever they come, and the roles of the other one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDAO_")}
    kept.pop("NOTIFY_SOCKET", None)
    kept.pop("CREDENTIALS_DIRECTORY", None)
    for each in config.every():
        name = each.setting.name
        if each.source != "default" and not name.startswith(_KEPT_BACK):
            shown = str(each.value)
            kept[each.setting.variable] = shown.lower() if isinstance(each.value, bool) else shown
    return kept | {
        "ZHIDAO_NODE_DATA": str(config.data),
        "ZHIDAO_NODE_ROLES": ",".join(MANY),
        "ZHIDAO_HTTP_PORT_SHARED": "true",
        "ZHIDAO_DATABASE_URL": database_url,
        "ZHIDAO_BUS_URL": bus_url,
    }
