"""How the node is: what answers, what the log holds, what is wrong and what to type."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from zhidao import __version__
from zhidao.core.ambient import Clock
from zhidao.core.errors import ZhidaoError
from zhidao.core.timescale import NS, Utc
from zhidao.node.metrics import Metrics

DISK_BYTES_LOW: Final = 200 * 1024 * 1024


class Service(msgspec.Struct, kw_only=True):
    """One part of the node. `state`: up or down."""

    name: str
    state: str
    detail: str


class LogState(msgspec.Struct, kw_only=True):
    """The log's newest checkpoint."""

    size: int
    root: str
    checkpoint_at: str


class Alarm(msgspec.Struct, kw_only=True):
    """Something is wrong: what, and what to do."""

    code: str
    sentence: str
    remedy: str


class Report(msgspec.Struct, kw_only=True):
    """The node's health."""

    version: str
    uptime_s: int
    services: list[Service]
    log: LogState
    alarms: list[Alarm]


Probe = Callable[[], Awaitable[str]]
"""Answers with a detail when well, raises when not."""


class Health:
    """Asks every part of the node how it is."""

    def __init__(
        self,
        *,
        probes: dict[str, Probe],
        log: Callable[[], Awaitable[LogState]],
        recovering: Callable[[], str],
        dead_letters: Callable[[], Awaitable[int]],
        data: Path,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._probes = probes
        self._log = log
        self._recovering = recovering
        self._dead_letters = dead_letters
        self._data = data
        self._clock = clock
        self._metrics = metrics
        self._started: Utc = clock.now()

    async def ready(self) -> list[str]:
        """Names of parts that do not answer; empty when the node can serve."""
        return [service.name for service in await self._services() if service.state != "up"]

    async def report(self) -> Report:
        """Everything the health page shows."""
        services = await self._services()
        alarms = [
            Alarm(
                code=f"{service.name}_down",
                sentence=f"{service.name} does not answer: {service.detail}",
                remedy="the node starts it again by itself; zhidao doctor tells more",
            )
            for service in services
            if service.state != "up"
        ]
        return Report(
            version=__version__,
            uptime_s=self._clock.now().since_ns(self._started) // NS,
            services=services,
            log=await self._log_state(),
            alarms=alarms + await self._other_alarms(),
        )

    def disk_low(self) -> int | None:
        """Free bytes if they are too few, else None."""
        free = shutil.disk_usage(self._data).free
        return free if free < DISK_BYTES_LOW else None

    async def _services(self) -> list[Service]:
        services = []
        for name, probe in self._probes.items():
            try:
                detail, state = await probe(), "up"
            except (ZhidaoError, OSError, TimeoutError) as error:
                detail, state = str(error) or type(error).__name__, "down"
            self._metrics.service_up.labels(name).set(state == "up")
            services.append(Service(name=name, state=state, detail=detail))
        return services

    async def _log_state(self) -> LogState:
        try:
            return await self._log()
        except ZhidaoError:
            return LogState(size=0, root="", checkpoint_at="")

    async def _other_alarms(self) -> list[Alarm]:
        alarms = []
        free = self.disk_low()
        if free is not None:
            alarms.append(
                Alarm(
                    code="disk_full",
                    sentence=f"{free // 2**20} MiB are free; the node reads and writes nothing new",
                    remedy=f"free space on the disk of {self._data}",
                )
            )
        if reason := self._recovering():
            alarms.append(
                Alarm(
                    code="recovering",
                    sentence=f"the node signs nothing: {reason}",
                    remedy="restore a newer backup (zhidao restore), or declare a new log key",
                )
            )
        try:
            letters = await self._dead_letters()
        except ZhidaoError:
            letters = 0
        if letters:
            alarms.append(
                Alarm(
                    code="dead_letters",
                    sentence=f"{letters} events could not be dealt with",
                    remedy="look at them in node.dead_letter and report the reason",
                )
            )
        return alarms
