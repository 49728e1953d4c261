"""Commands to terminals: given by the operator, sent once, and answered or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from unicodedata import category

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.core.ids import IdSource
from zhidao.core.timescale import NS
from zhidao.devices.domain import command as states
from zhidao.devices.domain.command import MINUTES, MINUTES_MAX, QUEUED, SENT, Command
from zhidao.devices.domain.enrolment import (
    EGTS,
    EGTS_DISPATCHER,
    JT808,
    RETIRED,
    SUSPENDED,
    TELTONIKA,
    Enrolment,
)
from zhidao.devices.service import egts_commands, jt808_commands, teltonika_commands
from zhidao.devices.service.lines import Lines
from zhidao.devices.service.ports import CommandBook, Vault

MAY_COMMAND_TERMINAL: Final = access(Role.OPERATOR)
MAY_SEE_COMMANDS: Final = access(Role.OPERATOR, Role.AUDITOR)
_OVERDUE: Final = 200
_MINUTE_NS: Final = 60 * NS
# Commands that wait for one terminal.
WAITING_MAX: Final = 256
# Signs that are not read but obeyed: control, direction and layout.
_CONTROL: Final = frozenset(("Cc", "Cf", "Zl", "Zp"))
# What a command may hold, by the protocol of its terminal.
_MAY_CARRY: Final = {
    JT808: jt808_commands.check,
    TELTONIKA: teltonika_commands.check,
    EGTS: egts_commands.check,
    EGTS_DISPATCHER: egts_commands.check,
}


class TerminalCommands:
    """The commands of this node's terminals."""

    def __init__(
        self, book: CommandBook, vault: Vault, lines: Lines, clock: Clock, ids: IdSource
    ) -> None:
        self._book = book
        self._vault = vault
        self._lines = lines
        self._clock = clock
        self._ids = ids
        self._adding = asyncio.Lock()

    async def give(
        self,
        actor: Actor,
        terminal: str,
        *,
        kind: str,
        values: Mapping[str, Any],
        minutes: int = MINUTES,
    ) -> Command:
        """Gives a command; it is sent at once if the terminal is on the line, else when it comes.

        After `minutes` it is never sent. Raises NotFound, MalformedInput for values that its
        message cannot hold, Refused: `terminal_out` for a terminal that is not let in,
        `commands_waiting` where 256 wait for it already.
        """
        MAY_COMMAND_TERMINAL.admit(actor)
        known = (await self._vault.terminal(terminal)).seen_by(actor)
        standing = await self._vault.enrolment(known.terminal)
        if standing.state in (SUSPENDED, RETIRED):
            raise _is_out(standing)
        if not 1 <= minutes <= MINUTES_MAX:
            raise MalformedInput(
                f"a command that waits for {minutes} minutes",
                where="$.minutes",
                remedy=f"between 1 and {MINUTES_MAX}",
            )
        _check_words(kind, values)
        now = self._clock.now()
        command = Command(
            id=self._ids.new(),
            terminal=known.terminal,
            kind=kind,
            values=dict(values),
            by=actor.party,
            asked_at=now,
            expires_at=now.plus_ns(minutes * _MINUTE_NS),
        )
        _MAY_CARRY[standing.protocol](command)
        await self._add(command)
        now_standing = await self._vault.enrolment(known.terminal)
        if now_standing.version != standing.version and not now_standing.serves:
            # Suspended, retired or made void since: what waited was ended, and this with it.
            with suppress(Conflict):
                await self._book.change(states.overdue(command, now), since=QUEUED)
            raise _is_out(now_standing)
        await self._lines.push(known.terminal)
        return await self._book.one(known.terminal, command.id)

    async def _add(self, command: Command) -> None:
        async with self._adding:
            if await self._book.count_queued(command.terminal) >= WAITING_MAX:
                raise Refused(
                    f"{WAITING_MAX} commands wait for terminal {command.terminal} already",
                    code="commands_waiting",
                    remedy="wait until it has come, or until their time is over",
                )
            await self._book.add(command)

    async def newest(self, actor: Actor, terminal: str, limit: int) -> tuple[Command, ...]:
        """The last commands of a terminal. Raises NotFound, Forbidden."""
        MAY_SEE_COMMANDS.admit(actor)
        known = (await self._vault.terminal(terminal)).seen_by(actor)
        return await self._book.newest(known.terminal, limit)

    async def to_send(
        self, terminal: str, serial: Callable[[], int], *, limit: int
    ) -> list[Command]:
        """What waits for a terminal that is on the line, each marked as sent, with its serial.

        Of more than `limit` the oldest.
        """
        out: list[Command] = []
        while len(out) < limit:
            # Each of them is then in another state, whoever was first: the next read goes on.
            found = await self._book.queued(terminal, limit - len(out))
            if not found:
                break
            for waiting in found:
                now = self._clock.now()
                if now > waiting.expires_at:
                    await self._changed(states.overdue(waiting, now), QUEUED)
                    continue
                going = states.sent(waiting, serial(), now)
                # First the mark, then the line: a crash between leaves it unanswered, not doubled.
                if await self._changed(going, QUEUED):
                    out.append(going)
        return out

    async def answered(
        self, command: Command, result: int, answer: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """The terminal answered: by which number, and what it told, by name."""
        await self._changed(states.answered(command, result, self._clock.now(), answer), SENT)

    async def tend(self) -> None:
        """Ends commands whose time is over."""
        now = self._clock.now()
        for each in await self._book.overdue(now, _OVERDUE):
            await self._changed(states.overdue(each, now), each.state)

    async def _changed(self, command: Command, since: str) -> bool:
        try:
            await self._book.change(command, since=since)
        except Conflict:
            return False  # Another line of the terminal, or the clock, was first.
        return True


def _check_words(kind: str, values: Mapping[str, Any]) -> None:
    """Raises MalformedInput for text that nobody could read, or that does more than to be read."""
    words = [values.get("text"), *(each.get("value") for each in values.get("parameters", ()))]
    if kind == "text" and not str(words[0] or "").strip():
        raise MalformedInput("a text without a word", where="$.text", remedy="write what it says")
    if any(category(sign) in _CONTROL for each in words if isinstance(each, str) for sign in each):
        raise MalformedInput(
            "text with control characters", where="$.text", remedy="one line of plain text"
        )


def _is_out(standing: Enrolment) -> Refused:
    return Refused(
        f"terminal {standing.terminal} takes no commands: it is {standing.state}",
        code="terminal_out",
        remedy="open a window for it first",
    )
