"""Builds the devices room in the node's runtime context."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.journal import Records
from zhidao.devices.adapters.commands import PostgresCommands
from zhidao.devices.adapters.gateway import Gateway, Limits
from zhidao.devices.adapters.listeners import Ports
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.service.custody import KeptData
from zhidao.devices.service.enrolments import Enrolments
from zhidao.devices.service.lines import Lines
from zhidao.devices.service.ports import PositionSink
from zhidao.devices.service.quarantine import Quarantine
from zhidao.devices.service.seals import Seals
from zhidao.devices.service.session_services import SessionServices
from zhidao.devices.service.terminal_commands import TerminalCommands
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.terminals import Terminals
from zhidao.devices.service.tracks import NoSink, Tracks
from zhidao.devices.service.unfinished import UnfinishedMessages
from zhidao.devices.service.windows import Windows
from zhidao.devices.service.writer import FrameWriter
from zhidao.node.api.devices import commands as command_routes
from zhidao.node.api.devices import seals as seal_routes
from zhidao.node.api.devices.terminals import routes
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.store.journal import PostgresJournal

_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class DevicesServices:
    """The devices room, ready for use. `gateway.address` tells where terminals connect."""

    terminals: Terminals
    seals: Seals
    tracks: Tracks
    custody: KeptData
    gateway: Gateway
    room: Room


async def build(
    context: RuntimeContext,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    limits: Limits | None = None,
    ports: Ports | None = None,
    alarms: Alarms | None = None,
    sink: PositionSink | None = None,
    stored: Callable[[Sequence[StoredFrame]], None] | None = None,
) -> DevicesServices:
    """The room over PostgreSQL; takes the ports for terminals, serves them in the background.

    `port`: of JT/T 808; `ports`: others. `alarms`: where terminals are named
    whose stored rows had to be set aside. `sink`: where positions of all bearers meet
    (`ConnectivityServices.sink`). `stored` hears of frames once they are durable.
    Raises Unavailable if the port is taken.
    """
    journal = PostgresJournal(context.database, "devices", context.wake_relay)
    vault = PostgresVault(context.database, journal, context.data / "archive")
    secret = await vault.secret(context.randomness.token(32))
    terminal_journal = TerminalJournal(journal, vault, context.scribe, context.clock)
    records = Records(journal, context.scribe)
    terminals = Terminals(vault, context.scribe, context.clock)
    lines = Lines(_contested(alarms or Alarms()))
    book = PostgresCommands(context.database)
    enrolments = Enrolments(
        vault, terminal_journal, context.clock, context.randomness, secret, lines, book
    )
    aside = [Quarantine(_told(alarms or Alarms(), kind)) for kind in ("windows", "positions")]
    windows = Windows(
        vault, context.archive, terminal_journal, context.clock, context.randomness, aside[0]
    )
    tracks = Tracks(vault, terminals, terminal_journal, context.ids, sink or NoSink(), aside[1])
    seals = Seals(vault, records, context.scribe)

    commands = TerminalCommands(book, vault, lines, context.clock, context.ids)
    unfinished = UnfinishedMessages(vault, terminal_journal, context.clock)

    async def tend() -> None:
        lines.tend()
        await enrolments.tend()
        await commands.tend()
        await unfinished.tend()
        await windows.tend()
        await tracks.record()

    services = SessionServices(
        vault=vault,
        enrolments=enrolments,
        lines=lines,
        windows=windows,
        writer=FrameWriter(vault, stored) if stored else FrameWriter(vault),
        terminal_journal=terminal_journal,
        clock=context.clock,
        ids=context.ids,
        commands=commands,
    )
    others = (ports or Ports()).listeners(host)
    gateway = Gateway(services, host=host, port=port, tend=tend, limits=limits, others=others)
    await gateway.open()
    router = routes(
        terminals=terminals,
        enrolments=enrolments,
        tracks=tracks,
        terminal_journal=terminal_journal,
        gateway=gateway,
    )
    return DevicesServices(
        terminals=terminals,
        seals=seals,
        tracks=tracks,
        custody=KeptData(vault, context.archive, seals),
        gateway=gateway,
        room=Room(
            name="devices",
            routers=(router, seal_routes.routes(seals), command_routes.routes(commands)),
            background=(gateway.run, tracks.read_old_frames),
        ),
    )


def limits_of(*, sessions_max: int, per_address_max: int) -> Limits:
    """The bounds of the server for terminals, as set. Raises MalformedInput below one."""
    if min(sessions_max, per_address_max) < 1:
        raise MalformedInput(
            f"devices.sessions_max = {sessions_max}, devices.per_address_max = {per_address_max}: "
            "no terminal could connect",
            remedy="set both to 1 or more",
        )
    return Limits(sessions_max=sessions_max, per_address_max=per_address_max)


def _contested(alarms: Alarms) -> Callable[[Mapping[str, str]], None]:
    def tell(contested: Mapping[str, str]) -> None:
        if not contested:
            alarms.clear("terminal_contested")
            return
        named = ", ".join(sorted(contested)[:_NAMED])
        alarms.sound(
            "terminal_contested",
            f"somebody else may stand for {named}: {contested[min(contested)]}",
            "if it was not the terminal itself, void its token and open a window for it"
            " (zhidao terminal invite --void)",
            args={"terminals": named, "count": len(contested)},
        )

    return tell


def _told(alarms: Alarms, kind: str) -> Callable[[Mapping[str, str]], None]:
    code = f"quarantined:{kind}"

    def tell(reasons: Mapping[str, str]) -> None:
        if not reasons:
            alarms.clear(code)
            return
        named = ", ".join(sorted(reasons)[:_NAMED])
        first = reasons[min(reasons)]
        alarms.sound(
            code,
            f"{kind} of {len(reasons)} terminals are set aside ({named}): {first}",
            "the others go on; these are tried again every five minutes; report the trace in the"
            " node's log",
            args={"terminals": named, "count": len(reasons)},
        )

    return tell
