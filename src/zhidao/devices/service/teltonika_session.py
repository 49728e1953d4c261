"""A Teltonika terminal's conversation: its IMEI, then records, counted once they are kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.devices.domain.custody import StoredFrame, Terminal
from zhidao.devices.service.lines import Line
from zhidao.devices.service.session_services import SessionServices, Suspects
from zhidao.devices.service.teltonika_commands import Awaited, packet_of
from zhidao.devices.wire.teltonika.packet import (
    ACCEPTED,
    REFUSED,
    Greeting,
    Packet,
    answer,
    decode_frame,
)
from zhidao.devices.wire.teltonika.records import kept_id, singled
from zhidao.devices.wire.teltonika.texts import TEXT_CODECS, decode_texts

_NO_SERIAL: Final = -1
_IMEI_DIGITS: Final = 15


@dataclass(slots=True)
class _Owed:
    """An answer that waits until its records are durable."""

    stored: Sequence[asyncio.Future[None]]


@dataclass(slots=True)
class _Round:
    """What one read leads to, in order: answers, and answers that wait."""

    out: list[bytes | _Owed] = field(default_factory=list)
    # The terminal came in, or answered a command: another may go out.
    is_free: bool = False


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
        self._line = Line(network, self._end, push=self._push)
        self._hang_up = hang_up
        self._send = send
        self._terminal: Terminal | None = None
        self._suspects = Suspects(services)
        self._awaited = Awaited()
        self._sending = asyncio.Lock()
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
                turn.is_free = not self.closed
            else:
                await self._frame(unit, turn)
        out = [await self._settled(each) for each in turn.out]
        if turn.is_free:
            await self._sent(out)
            out += await self._commands()
        return [each for each in out if each]

    async def _sent(self, out: list[bytes]) -> None:
        """First what answers the terminal; what waits for it is looked for after that."""
        if self._send is not None:
            await self._send(out)
            out.clear()

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
            packet = decode_frame(raw)
            if packet.codec in TEXT_CODECS:
                self._services.lines.heard(self._line)
                await self._said(packet, terminal, turn)
                return
            records = singled(packet)
        except MalformedInput as error:
            await self._not_read(terminal, raw, error, turn)
            return
        self._services.lines.heard(self._line)
        stored = [await self._services.writer.put(self._kept(each, terminal)) for each in records]
        turn.out.append(_Owed(stored))

    async def _said(self, packet: Packet, terminal: Terminal, turn: _Round) -> None:
        """Keeps what it says in words, which nobody acknowledges, and hears an answer in it."""
        await asyncio.gather(await self._services.writer.put(self._kept_text(packet, terminal)))
        try:
            texts = decode_texts(packet)
        except MalformedInput as error:
            await self._services.terminal_journal.refuse(terminal, error.code, str(error))
            return
        for text in texts:
            found = self._awaited.answered(packet.codec, text)
            if found is not None and self._services.commands is not None:
                await self._services.commands.answered(*found)
                turn.is_free = True

    async def _push(self) -> None:
        if self._send is not None:
            await self._send(await self._commands())

    async def _commands(self) -> list[bytes]:
        """The next command that waits for the terminal, if none is out."""
        terminal, commands = self._terminal, self._services.commands
        if terminal is None or commands is None:
            return []
        async with self._sending:
            if self._awaited.is_over(self._services.clock.now()):
                # It may still answer that one, on this line: it comes back on another.
                self._end()
            if self.closed or self._awaited.command is not None:
                return []
            waiting = await commands.to_send(terminal.terminal, _no_serial, limit=1)
            if not waiting:
                return []
            (self._awaited.command,) = waiting
        return [packet_of(waiting[0], terminal.number.zfill(_IMEI_DIGITS)).encode()]

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

    def _kept_text(self, packet: Packet, terminal: Terminal) -> StoredFrame:
        """A text is never sent again: the same words are another text."""
        kept = self._kept(packet, terminal)
        return replace(kept, digest=hashlib.sha256(packet.data + kept.id.bytes).digest())

    def _kept(self, packet: Packet, terminal: Terminal) -> StoredFrame:
        return StoredFrame(
            terminal=terminal.terminal,
            digest=hashlib.sha256(packet.data).digest(),
            id=self._services.ids.new(),
            received_at=self._services.clock.now(),
            message_id=kept_id(packet.codec),
            serial=_NO_SERIAL,
            plain=packet.encode(),
        )


def _no_serial() -> int:
    """What goes to it bears no number."""
    return _NO_SERIAL
