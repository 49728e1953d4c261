"""A Teltonika terminal's conversation: its IMEI, then records, counted once they are kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.devices.domain.custody import StoredFrame, Terminal
from zhidao.devices.service.lines import Line
from zhidao.devices.service.session_services import SessionServices, Suspects
from zhidao.devices.wire.teltonika.packet import (
    ACCEPTED,
    REFUSED,
    Greeting,
    Packet,
    answer,
    decode_frame,
)
from zhidao.devices.wire.teltonika.records import kept_id, singled

_NO_SERIAL: Final = -1


@dataclass(slots=True)
class _Owed:
    """An answer that waits until its records are durable."""

    stored: Sequence[asyncio.Future[None]]


@dataclass(slots=True)
class _Round:
    """What one read leads to, in order: answers, and answers that wait."""

    out: list[bytes | _Owed] = field(default_factory=list)


class TeltonikaSession:
    """The node's side of one connection of a Teltonika terminal, without its socket."""

    # Nothing of it is divided, so that nothing is asked for again.
    waits_for_packets: Final = False

    def __init__(
        self,
        services: SessionServices,
        *,
        network: str = "",
        hang_up: Callable[[], None] = lambda: None,
        send: Callable[[list[bytes]], Awaitable[None]] | None = None,
    ) -> None:
        """As `session.Session`."""
        self._services = services
        self._line = Line(network, self._end)
        self._hang_up = hang_up
        self._send = send
        self._terminal: Terminal | None = None
        self._suspects = Suspects(services)
        self.took_over = False
        self.closed = False

    @property
    def authenticated(self) -> bool:
        """Whether the terminal greeted with an IMEI of this node."""
        return self._terminal is not None

    async def receive(self, units: Sequence[Greeting | bytes]) -> list[bytes]:
        """The answers to a greeting and frames; a number of records only once all are durable.

        Raises Unavailable if storing failed: nothing of this batch is then acknowledged.
        """
        turn = _Round()
        for unit in units:
            if self.closed:
                break
            if isinstance(unit, Greeting):
                turn.out.append(await self._greeted(unit))
            else:
                await self._frame(unit, turn)
        return [await self._settled(each) for each in turn.out]

    async def ask_again(self, quiet_s: float = 0) -> list[bytes]:
        """Nothing: a record that was not answered is sent again unasked."""
        del quiet_s
        return []

    async def lost(self, error: MalformedInput) -> None:
        """The stream cannot be read on, for this reason: the operator hears of it."""
        if self._terminal is not None:
            await self._services.terminal_journal.refuse(self._terminal, error.code, str(error))

    async def leave(self) -> None:
        """The line has ended."""
        if self._terminal is not None:
            self._services.lines.leave(self._terminal.terminal, self._line)

    def _end(self) -> None:
        """Nothing that came and was not read yet is heard any more."""
        self.closed = True
        self._hang_up()

    async def _greeted(self, greeting: Greeting) -> bytes:
        try:
            await self._admitted(greeting.imei)
        except NotFound as error:
            await self._services.terminal_journal.refuse_unknown(
                "unknown_terminal",
                f"{error}: nobody registered a terminal with this IMEI",
                number=greeting.imei,
            )
        except Refused as error:
            await self._not_let_in(greeting.imei, error)
        if self._terminal is None:
            self.closed = True
            return REFUSED
        return ACCEPTED

    async def _admitted(self, imei: str) -> None:
        enrolments, lines = self._services.enrolments, self._services.lines
        terminal = await enrolments.admit(imei, network=self._line.network)
        self.took_over = lines.take(terminal.terminal, self._line)
        try:
            await enrolments.admit_again(terminal)
        except BaseException:
            lines.leave(terminal.terminal, self._line)
            raise
        self._terminal = terminal

    async def _not_let_in(self, imei: str, error: Refused) -> None:
        journal = self._services.terminal_journal
        try:
            known = await self._services.vault.terminal_by_number(imei.lstrip("0"))
        except NotFound:  # Retired in this very moment: its IMEI is nobody's.
            await journal.refuse_unknown(error.code, str(error), number=imei)
            return
        await journal.refuse(known, error.code, str(error))

    async def _frame(self, raw: bytes, turn: _Round) -> None:
        terminal = self._terminal
        assert terminal is not None  # A frame comes behind an accepted greeting only.
        try:
            records = singled(decode_frame(raw))
        except MalformedInput as error:
            await self._not_read(terminal, raw, error, turn)
            return
        self._services.lines.heard(self._line)
        stored = [await self._services.writer.put(self._kept(each, terminal)) for each in records]
        turn.out.append(_Owed(stored))

    async def _not_read(
        self, terminal: Terminal, raw: bytes, error: MalformedInput, turn: _Round
    ) -> None:
        """Nothing of it is taken, so that the terminal keeps it; the operator sees why."""
        await self._services.terminal_journal.refuse(terminal, error.code, str(error))
        await self._suspects.put(terminal, raw, error.code)
        turn.out.append(answer(0))

    async def _settled(self, each: bytes | _Owed) -> bytes:
        if isinstance(each, bytes):
            return each
        await asyncio.gather(*each.stored)
        return answer(len(each.stored))

    def _kept(self, record: Packet, terminal: Terminal) -> StoredFrame:
        return StoredFrame(
            terminal=terminal.terminal,
            digest=hashlib.sha256(record.data).digest(),
            id=self._services.ids.new(),
            received_at=self._services.clock.now(),
            message_id=kept_id(record.codec),
            serial=_NO_SERIAL,
            plain=record.encode(),
        )
