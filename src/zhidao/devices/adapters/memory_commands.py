"""Commands to terminals in this process, for unit tests and simulation."""

from __future__ import annotations

from uuid import UUID

from zhidao.core.errors import Conflict, NotFound
from zhidao.core.timescale import Utc
from zhidao.devices.domain.command import QUEUED, SENT, Command, overdue


class MemoryCommands:
    """Implements `service.ports.CommandBook`."""

    def __init__(self) -> None:
        self._commands: dict[UUID, Command] = {}

    async def add(self, command: Command) -> None:
        """See the port."""
        self._commands[command.id] = command

    async def change(self, command: Command, *, since: str) -> None:
        """See the port."""
        if self._commands[command.id].state != since:
            raise Conflict(f"the command stands otherwise meanwhile: {command.id}")
        self._commands[command.id] = command

    async def end_queued(self, terminal: str, at: Utc) -> None:
        """See the port."""
        for each in self._of(terminal):
            if each.state == QUEUED:
                self._commands[each.id] = overdue(each, at)

    async def one(self, terminal: str, command: UUID) -> Command:
        """See the port."""
        found = self._commands.get(command)
        if found is None or found.terminal != terminal:
            raise NotFound(f"no command {command} of terminal {terminal!r}")
        return found

    async def count_queued(self, terminal: str) -> int:
        """See the port."""
        return sum(each.state == QUEUED for each in self._of(terminal))

    async def queued(self, terminal: str, limit: int) -> tuple[Command, ...]:
        """See the port."""
        return tuple(each for each in self._of(terminal) if each.state == QUEUED)[:limit]

    async def newest(self, terminal: str, limit: int) -> tuple[Command, ...]:
        """See the port."""
        return tuple(reversed(self._of(terminal)))[:limit]

    async def overdue(self, now: Utc, limit: int) -> tuple[Command, ...]:
        """See the port."""
        found = sorted(self._commands.values(), key=lambda each: (each.terminal, each.id))
        return tuple(c for c in found if c.state in (QUEUED, SENT) and c.expires_at < now)[:limit]

    def _of(self, terminal: str) -> list[Command]:
        mine = [each for each in self._commands.values() if each.terminal == terminal]
        return sorted(mine, key=lambda each: each.id)
