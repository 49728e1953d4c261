"""What the node tells the service manager that started it: ready, alive, stopping.

Silent where there is none. Source: sd_notify(3) and sd_watchdog_enabled(3): datagrams of
NAME=VALUE lines to the unix socket named by NOTIFY_SOCKET.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LOG: Final = logging.getLogger("zhidao.node")
_US: Final = 1_000_000
# Without a watchdog there is nothing to keep alive; the job only sleeps.
_IDLE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """The way to the service manager. `address`: its socket, empty for none.

    `watchdog_s`: it ends the node if this long nothing is heard; 0 for never.
    """

    address: str
    watchdog_s: float

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> ServiceManager:
        """The manager that an environment names, if its watchdog means process `pid`."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls("", 0.0)
        given = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        microseconds = int(given) if meant and given.isascii() and given.isdigit() else 0
        return cls(address, microseconds / _US)

    def ready(self, status: str) -> None:
        """The node serves; `status` is a line that an operator reads."""
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """The node was told to stop."""
        self._tell("STOPPING=1")

    async def keep_alive(self) -> None:
        """Tells twice in each watchdog period that the event loop turns. Runs until cancelled."""
        while True:
            if self.watchdog_s:
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / 2 or _IDLE_S)

    def _tell(self, text: str) -> None:
        if not self.address:
            return
        # A leading @ stands for the zero byte of an abstract address.
        address = "\0" + self.address[1:] if self.address[0] == "@" else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
                link.setblocking(False)
                link.sendto(text.encode(), address)
        except OSError as error:
            # Its loss must not take the node down; the manager judges by itself.
            _LOG.warning("the service manager hears nothing: %s", error)


def own_service_manager() -> ServiceManager:
    """The one that started this process."""
    return ServiceManager.of(os.environ, os.getpid())
