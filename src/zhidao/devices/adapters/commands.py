"""Commands to terminals in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.devices.domain.command import Command
from zhidao.store.database import Database

_COLUMNS: Final = (
    "terminal, id, kind, asked, by, asked_tai_ns, expires_tai_ns, state, serial, sent_tai_ns,"
    " ended_tai_ns, result, answer"
)


class PostgresCommands:
    """Implements `service.ports.CommandBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, command: Command) -> None:
        """Writes a new command down."""
        async with self._database.session() as s:
            await s.execute(
                f"insert into devices.command ({_COLUMNS})"  # noqa: S608 (constants)
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(command.terminal, command.id, command.kind, _json(command.values)),
                    *(command.by, command.asked_at.tai_ns, command.expires_at.tai_ns),
                    *_changing(command),
                ),
            )

    async def change(self, command: Command, *, since: str) -> None:
        """Writes what became of it. Raises Conflict if it is not in state `since` any more."""
        async with self._database.session() as s:
            changed = await s.execute(
                "update devices.command set state = %s, serial = %s, sent_tai_ns = %s,"
                " ended_tai_ns = %s, result = %s, answer = %s"
                " where terminal = %s and id = %s and state = %s",
                (*_changing(command), command.terminal, command.id, since),
            )
        if not changed:
            raise Conflict(f"the command stands otherwise meanwhile: {command.id}")

    async def end_queued(self, terminal: str, at: Utc) -> None:
        """Ends all that wait to be sent."""
        async with self._database.session() as s:
            await s.execute(
                "update devices.command set state = 'expired', ended_tai_ns = %s"
                " where terminal = %s and state = 'queued'",
                (at.tai_ns, terminal),
            )

    async def one(self, terminal: str, command: UUID) -> Command:
        """A command by its id. Raises NotFound."""
        rows = await self._rows("terminal = %s and id = %s", (terminal, command))
        if not rows:
            raise NotFound(f"no command {command} of terminal {terminal[:40]!r}")
        return rows[0]

    async def count_queued(self, terminal: str) -> int:
        """How many wait to be sent."""
        (row,) = await self._database.read(
            "select count(*) as n from devices.command where terminal = %s and state = 'queued'",
            (terminal,),
        )
        return int(row["n"])

    async def queued(self, terminal: str, limit: int) -> tuple[Command, ...]:
        """The next that wait to be sent, the oldest first."""
        where = "terminal = %s and state = 'queued' order by id limit %s"
        return await self._rows(where, (terminal, limit))

    async def newest(self, terminal: str, limit: int) -> tuple[Command, ...]:
        """The last ones, the newest first."""
        return await self._rows("terminal = %s order by id desc limit %s", (terminal, limit))

    async def overdue(self, now: Utc, limit: int) -> tuple[Command, ...]:
        """Those that are open though their time is over."""
        where = "state in ('queued', 'sent') and expires_tai_ns < %s order by terminal, id limit %s"
        return await self._rows(where, (now.tai_ns, limit))

    async def _rows(self, where: str, params: tuple[Any, ...]) -> tuple[Command, ...]:
        rows = await self._database.read(
            f"select {_COLUMNS} from devices.command where {where}",  # noqa: S608 (constants)
            params,
        )
        return tuple(map(_command, rows))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _changing(command: Command) -> tuple[Any, ...]:
    sent_ns = command.sent_at.tai_ns if command.sent_at else 0
    ended_ns = command.ended_at.tai_ns if command.ended_at else 0
    return (
        *(command.state, command.serial, sent_ns, ended_ns),
        *(command.result, _json(command.answer)),
    )


def _command(row: Mapping[str, Any]) -> Command:
    return Command(
        id=row["id"],
        terminal=row["terminal"],
        kind=row["kind"],
        values=parse_strict(row["asked"].encode()),
        by=PartyId(row["by"]),
        asked_at=Utc(row["asked_tai_ns"]),
        expires_at=Utc(row["expires_tai_ns"]),
        state=row["state"],
        serial=row["serial"],
        sent_at=Utc(row["sent_tai_ns"]) if row["sent_tai_ns"] else None,
        ended_at=Utc(row["ended_tai_ns"]) if row["ended_tai_ns"] else None,
        result=row["result"],
        answer=tuple((name, value) for name, value in parse_strict(row["answer"].encode())),
    )
