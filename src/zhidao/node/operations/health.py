"""How the node is: what answers, what the log holds, what is wrong and what to type."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from zhidao import __version__
from zhidao.core.ambient import Clock
from zhidao.core.errors import ZhidaoError
from zhidao.core.timescale import NS, Utc
from zhidao.node.operations.alarms import RELAY_STOPPED, Alarm, Alarms
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.signing_permit import RECOVERING_REMEDY, recovering_args
from zhidao.store.space import SpaceWatch


class Service(msgspec.Struct, kw_only=True):
    """One part of the node. `state`: up or down; `code` is stable and says why it is down."""

    name: str
    state: str
    detail: str
    code: str = ""


class LogState(msgspec.Struct, kw_only=True):
    """The log's newest checkpoint.

    `waiting`: events that are not in the log and on the bus yet; -1 if that is unknown now.
    """

    size: int
    root: str
    checkpoint_at: str
    waiting: int = 0


class Report(msgspec.Struct, kw_only=True):
    """The node's health. Times by the node's clock; `scenario_at`: a demonstration's own time."""

    version: str
    uptime_s: int
    services: list[Service]
    log: LogState
    alarms: list[Alarm]
    now: str = ""
    scenario_at: str = ""


async def _known(ask: Callable[[], Awaitable[int]]) -> float:
    try:
        return await ask()
    except ZhidaoError:
        return math.nan


async def _unix(ask: Callable[[], Awaitable[str]]) -> float:
    """Unix time in seconds; 0 for what never was."""
    try:
        at = await ask()
    except ZhidaoError:
        return math.nan
    return Utc.parse(at).unix_ns / NS if at else 0.0


async def _nothing() -> str:
    return ""


def _differs(ledger: str) -> str:
    return f"ledger_differs:{ledger}"


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
        space: SpaceWatch,
        clock: Clock,
        metrics: Metrics,
        alarms: Alarms,
        waiting: Callable[[], Awaitable[int]],
        writes: Callable[[], Awaitable[str]],
        stopped: Callable[[], str],
        ledgers: Callable[[], Mapping[str, str]],
        backup_at: Callable[[], Awaitable[str]] = _nothing,
        scenario: Clock | None = None,
    ) -> None:
        """`writes`: why nothing can be written; `stopped`: why this process may not sign.

        `ledgers`: those whose heads are not what was logged, with what was seen. `backup_at`: when
        the newest backup was made, or an empty text.
        """
        self._ledgers = ledgers
        self._backup_at = backup_at
        self._writes = writes
        self._stopped = stopped
        self._waiting = waiting
        self._scenario = scenario
        self._alarms = alarms
        self._probes = probes
        self._log = log
        self._recovering = recovering
        self._dead_letters = dead_letters
        self._space = space
        self._clock = clock
        self._metrics = metrics
        self._started: Utc = clock.now()

    async def ready(self) -> list[str]:
        """Names of parts that do not answer; empty when the node can serve.

        `writes` is among them while its own writes fail or are old, `signing` while its log
        cannot sign or its clock is not to be trusted, `relay` while no event goes into the log or
        onto the bus, `ledger` while one's head differs.
        """
        down = [service.name for service in await self._services() if service.state != "up"]
        if self.disk_low() is not None or await self._writes():
            down.append("writes")
        if self._recovering() or self._stopped():
            down.append("signing")
        if self._alarms.stands(RELAY_STOPPED):
            down.append("relay")
        if self._ledgers():
            down.append("ledger")
        return down

    async def alarms(self) -> list[Alarm]:
        """What is wrong beside parts that do not answer."""
        return await self._other_alarms()

    async def measure(self) -> None:
        """Sets every figure that tells how things are now; counters count by themselves.

        What cannot be asked now is not a number, never the last or a first value.
        """
        down = await self.ready()
        alarms = await self.alarms()
        figures = self._metrics
        figures.ready.set(not down)
        figures.leaves.set(await _known(self._log_size))
        figures.waiting.set(await _known(self._waiting))
        figures.free_bytes.set(self._space.free_bytes())
        figures.signed_at.set(await _unix(self._signed_at))
        figures.backup_at.set(await _unix(self._backup_at))
        figures.uptime.set(self._clock.now().since_ns(self._started) / NS)
        figures.alarms.clear()
        for alarm in alarms:
            figures.alarms.labels(alarm.kind, alarm.severity).inc()

    async def report(self) -> Report:
        """Everything the health page shows."""
        services = await self._services()
        alarms = [
            Alarm(
                code=f"{service.name}_down",
                sentence=f"{service.name} does not answer: {service.detail}",
                remedy="the node starts it again by itself; zhidao doctor tells more",
                args={"problem": service.code},
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
            now=str(self._clock.now()),
            scenario_at=str(self._scenario.now()) if self._scenario else "",
        )

    def disk_low(self) -> int | None:
        """Free bytes if they are too few, else None."""
        free = self._space.free_bytes()
        return free if free < self._space.reserve_bytes else None

    async def _services(self) -> list[Service]:
        services = []
        for name, probe in self._probes.items():
            code = ""
            try:
                detail, state = await probe(), "up"
            except (ZhidaoError, OSError, TimeoutError) as error:
                detail, state = str(error) or type(error).__name__, "down"
                code = error.code if isinstance(error, ZhidaoError) else "no_answer"
            self._metrics.service_up.labels(name).set(state == "up")
            services.append(Service(name=name, state=state, detail=detail, code=code))
        return services

    async def _log_size(self) -> int:
        return (await self._log()).size

    async def _signed_at(self) -> str:
        return (await self._log()).checkpoint_at

    async def _log_state(self) -> LogState:
        try:
            state = await self._log()
        except ZhidaoError:
            state = LogState(size=0, root="", checkpoint_at="")
        try:
            state.waiting = await self._waiting()
        except ZhidaoError:
            state.waiting = -1
        return state

    async def _other_alarms(self) -> list[Alarm]:
        alarms = self._alarms.standing()
        free = self.disk_low()
        if free is not None:
            alarms.append(
                Alarm(
                    code="disk_full",
                    sentence=f"{free // 2**20} MiB are free; the node reads and writes nothing new",
                    remedy=f"free space on the disk of {self._space.folder}",
                    args={"free_mib": free // 2**20, "folder": str(self._space.folder)},
                )
            )
        if free is None and (reason := await self._writes()):
            alarms.append(
                Alarm(
                    code="writes_failing",
                    sentence=f"the node cannot write: {reason}",
                    remedy="look at the database: its disk, its rights, whether it is a standby",
                    args={"problem": reason},
                )
            )
        if reason := self._recovering():
            alarms.append(
                Alarm(
                    code="recovering",
                    sentence=f"the node signs nothing: {reason}",
                    remedy=RECOVERING_REMEDY,
                    args=recovering_args(reason),
                )
            )
        for ledger, seen in self._ledgers().items():
            alarms.append(
                Alarm(
                    code=_differs(ledger),
                    sentence=f"the ledger is not what was logged of it: {seen}",
                    remedy="post nothing; keep this database as evidence, restore a backup",
                    args={"ledger": ledger},
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
                    args={"letters": letters},
                )
            )
        return alarms
