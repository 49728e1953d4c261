"""One terminal's conversation: frames in, answers out, and nothing trusted before its token."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.timescale import NS
from zhidao.devices.domain.custody import Part, StoredChunk, StoredFrame, Terminal
from zhidao.devices.service.coming_in import ComingIn
from zhidao.devices.service.jt808_commands import Asked, body_of, told_by
from zhidao.devices.service.lines import Line
from zhidao.devices.service.points import POSITION_IDS
from zhidao.devices.service.session_services import SessionServices, Suspects
from zhidao.devices.service.unfinished import incomplete
from zhidao.devices.wire.chunk import KIND_CHUNK, KIND_NONCE, decode_chunk
from zhidao.devices.wire.jt808.frame import Edition, Frame, Header, decode_frame, encode_whole
from zhidao.devices.wire.jt808.messages import (
    REGISTERED,
    RESULT_FAILED,
    RESULT_OK,
    RESULT_UNSUPPORTED,
    RESULT_WRONG,
    Authentication,
    Heartbeat,
    Logout,
    Message,
    PlatformAnswer,
    Registration,
    ResendRequest,
    TerminalAnswer,
    TimeAnswer,
    TimeRequest,
    Transparent,
    TransparentDown,
    decode_message,
)
from zhidao.devices.wire.jt808.packets import Incomplete, Reassembler, frames_of
from zhidao.devices.wire.jt808.position import PositionBatch

_EARLY_MAX: Final = 3  # Business frames before authentication until the line is closed.
_SERIALS: Final = 1 << 16
_NO_PHONE: Final = "0" * 20


@dataclass(slots=True)
class _Owed:
    """An answer that waits until its frame is durable, and what is to be done then."""

    header: Header
    stored: Sequence[asyncio.Future[None]]
    window_nonce: bytes = b""


@dataclass(slots=True)
class _Round:
    """What one batch of frames leads to: answers ready, and answers owed, in order."""

    out: list[bytes] = field(default_factory=list)
    owed: list[_Owed] = field(default_factory=list)
    vain: list[Part] = field(default_factory=list)

    def came_in_vain(self, head: Header, body: bytes | None) -> None:
        """A message is refused; if it was divided and is whole, nothing of it is waited for."""
        if head.packets_total and body is not None:
            self.vain.append(_part(head))


class Session:
    """The node's side of one connection, without its socket."""

    def __init__(
        self,
        services: SessionServices,
        *,
        network: str = "",
        hang_up: Callable[[], None] = lambda: None,
        send: Callable[[list[bytes]], Awaitable[None]] | None = None,
    ) -> None:
        """`network`: where the line comes from. `hang_up` ends it when another takes its place.

        `send` takes what is not an answer, whenever it comes.
        """
        self._services = services
        self._line = Line(network, self._end, push=self._push)
        self._hang_up = hang_up
        self._send = send
        self._asked = Asked()
        self._sending = asyncio.Lock()
        self._more_waits = False
        self._coming_in = ComingIn(services, self._line)
        self._terminal: Terminal | None = None
        self._serial = 0
        self._early = 0
        self._suspects = Suspects(services)
        self._packets = Reassembler()
        self._header = Header(0, _NO_PHONE, 0)
        self.closed = False

    @property
    def authenticated(self) -> bool:
        """Whether the terminal showed its token."""
        return self._terminal is not None

    @property
    def took_over(self) -> bool:
        """Whether its terminal had another line until then."""
        return self._coming_in.took_over

    @property
    def waits_for_packets(self) -> bool:
        """Whether a divided message is unfinished."""
        return self._packets.pending

    async def receive(self, raw_frames: Sequence[bytes]) -> list[bytes]:
        """The answers to these escaped frames, each acknowledgement after its frame is durable.

        Raises Unavailable if storing failed: nothing of this batch is then acknowledged.
        """
        turn = _Round()
        for raw in raw_frames:
            if self.closed:
                break
            await self._one(raw, turn)
        await self._settle(turn)
        await self._write_down(self._packets.given_up())
        if self._more_waits and not self.closed:
            turn.out += await self._commands()
        return turn.out

    def _end(self) -> None:
        """Nothing that came and was not read yet is heard any more."""
        self.closed = True
        self._hang_up()

    async def lost(self, error: MalformedInput) -> None:
        """The stream cannot be read on; whatever it was, the terminal sends it again."""

    async def leave(self) -> None:
        """The line has ended: what was begun on it will not be finished."""
        self._services.lines.over(self._line)
        if self._terminal is not None:
            self._services.lines.leave(self._terminal.terminal, self._line)
        await self._write_down(self._packets.given_up(all_of_them=True))

    async def ask_again(self, quiet_s: float = 0) -> list[bytes]:
        """Questions for missing sub-packets; call it when the line has been quiet.

        On a line that is not: `quiet_s` since anything came of the message that they are of.
        Of what was asked for three times in vain it is written down how much of it came.
        """
        asked = [
            line
            for gap in self._packets.gaps(
                self._services.clock.now().tai_ns, quiet_ns=int(quiet_s * NS)
            )
            for line in self._down(ResendRequest(gap.first_serial, gap.packets), self._header)
        ]
        await self._write_down(self._packets.given_up())
        return asked

    async def _write_down(self, given_up: Sequence[Incomplete]) -> None:
        for each in given_up:
            assert self._terminal is not None  # Nothing is put together before the token.
            part = Part(each.message_id, each.first_serial, 0, each.packets_total)
            await self._services.terminal_journal.tell_seldom(
                incomplete(self._terminal.terminal, part, each.pieces),
                terminal=self._terminal,
                commit=partial(self._services.vault.give_up, self._terminal.terminal, part),
            )

    async def _one(self, raw: bytes, turn: _Round) -> None:
        try:
            frame = decode_frame(raw)
        except MalformedInput as error:
            await self._suspect(raw, "bad_checksum", error)
            return  # No answer: the terminal sends it again.
        if self._terminal is None:
            await self._before_token(frame, turn)
            return
        self._services.lines.heard(self._line)
        if frame.header.phone.lstrip("0") != self._terminal.number:
            await self._suspect(raw, "wrong_token", MalformedInput("another terminal's number"))
            self._answer(frame.header, RESULT_FAILED, turn)
            return
        self._header = frame.header
        await self._business(frame, self._terminal, turn)

    async def _before_token(self, frame: Frame, turn: _Round) -> None:
        head = frame.header
        try:
            message = decode_message(head.message_id, frame.body, head.edition)
        except MalformedInput:
            self._answer(head, RESULT_WRONG, turn)
            self._count_early()
            return
        if isinstance(message, Registration):
            answer = await self._coming_in.registered(head, message)
            if answer.result != REGISTERED:
                self._count_early()
            turn.out += self._down(answer, head)
        elif isinstance(message, Authentication):
            await self._authenticate(head, message, turn)
        else:
            self._answer(head, RESULT_FAILED, turn)
            self._count_early()

    async def _authenticate(self, head: Header, message: Authentication, turn: _Round) -> None:
        terminal = await self._coming_in.admitted(head, message)
        if terminal is None:
            self._close_with(head, turn)
            return
        self._terminal, self._header = terminal, head
        if self.closed:
            return  # Decided in this very moment: the line has ended.
        self._answer(head, RESULT_OK, turn)
        if terminal.key:
            grant = await self._services.windows.grant(terminal)
            turn.out += self._down(TransparentDown(KIND_NONCE, grant.encode()), head)
        if self._send is not None:
            # First that it is in: what waits for it is looked for after that.
            out, turn.out = turn.out, []
            await self._send(out)
        turn.out += await self._commands()

    async def _push(self) -> None:
        if self._send is not None:
            await self._send(await self._commands())

    async def _commands(self) -> list[bytes]:
        """What waits for the terminal, in the edition in which it speaks."""
        if self._terminal is None or self._services.commands is None:
            return []
        async with self._sending:
            free = self._asked.free(self._services.clock.now())
            waiting = await self._services.commands.to_send(
                self._terminal.terminal, self._next_serial, limit=free
            )
            self._asked.add(waiting)
            self._more_waits = len(waiting) == free
        head = replace(self._header, packets_total=0, packet_number=0, encryption=0)
        return [
            Frame(
                replace(head, message_id=command.message_id, serial=command.serial),
                body_of(command, head.edition),
            ).encode()
            for command in waiting
        ]

    async def _hear_of_commands(
        self, head: Header, message: Message | None, body: bytes | None
    ) -> None:
        if message is None or body is None or self._services.commands is None:
            return
        answered = self._asked.answered(message, head, body)
        if answered:
            await self._services.commands.answered(*answered, told_by(head, body))

    def _next_serial(self) -> int:
        serial = self._serial
        self._serial = (self._serial + 1) % _SERIALS
        return serial

    async def _business(self, frame: Frame, terminal: Terminal, turn: _Round) -> None:
        head = frame.header
        if head.encryption:
            self._answer(head, RESULT_UNSUPPORTED, turn)
            return
        body: bytes | None = None
        try:
            body = self._packets.add(frame, self._services.clock.now().tai_ns)
            message = (
                decode_message(head.message_id, body, head.edition) if body is not None else None
            )
            chunks, nonce = await self._chunk(terminal, message)
        except MalformedInput as error:
            await self._suspect(frame.encode_plain(), "malformed", error)
            turn.came_in_vain(head, body)
            self._answer(head, RESULT_WRONG, turn)
            return
        except Refused as error:
            await self._services.terminal_journal.refuse(terminal, error.code, str(error))
            await self._suspect(frame.encode_plain(), error.code, error)
            turn.came_in_vain(head, body)
            self._answer(head, RESULT_FAILED, turn)
            return
        await self._hear_of_commands(head, message, body)
        match message:
            case Heartbeat() | TerminalAnswer() | Authentication() | Registration():
                # They say nothing that could be lost.
                self._answer(head, RESULT_OK, turn)
            case Logout():
                self._answer(head, RESULT_OK, turn)
                self.closed = True
            case TimeRequest():
                turn.out += self._down(TimeAnswer(self._services.clock.now()), head)
            case _:
                stored = await self._store(frame, terminal, chunks, body, message)
                turn.owed.append(_Owed(head, stored, nonce))

    async def _store(
        self,
        frame: Frame,
        terminal: Terminal,
        chunks: list[StoredChunk],
        body: bytes | None,
        message: Message | None,
    ) -> list[asyncio.Future[None]]:
        """Queues a frame to be stored, and a batch that it makes whole beside it.

        `body`: of the message that is whole with it; what is no batch is kept in its parts only.
        """
        whole = body if isinstance(message, PositionBatch) else None
        head = frame.header
        # What is not read is kept as it came, too: nobody sends it a second time.
        apart = b"" if _is_told_once(head, chunks) else self._occasion(head)
        kept = self._kept(head, frame.body, frame.encode_plain(), terminal, apart)
        if head.packets_total:
            kept = replace(kept, part=_part(head, completes=body is not None and whole is None))
        stored = [await self._services.writer.put(kept, chunks)]
        if head.packets_total and whole:
            stored.append(await self._services.writer.put(self._whole(head, whole, terminal)))
        return stored

    async def _chunk(
        self, terminal: Terminal, message: Message | None
    ) -> tuple[list[StoredChunk], bytes]:
        """The chunk in a message, judged, with its nonce; nothing for every other message."""
        if not isinstance(message, Transparent) or message.kind != KIND_CHUNK:
            return [], b""
        chunk = decode_chunk(message.content)
        return [await self._services.windows.judge(terminal, chunk)], chunk.nonce

    async def _settle(self, turn: _Round) -> None:
        for owed in turn.owed:
            await asyncio.gather(*owed.stored)
        for part in turn.vain:
            assert self._terminal is not None
            # Only now: its parts of this batch are written down.
            await self._services.vault.give_up(self._terminal.terminal, part, ())
        for owed in turn.owed:
            self._answer(owed.header, RESULT_OK, turn)
        # Only now: the chunks of a window that ends in this batch are all stored.
        for nonce in dict.fromkeys(owed.window_nonce for owed in turn.owed if owed.window_nonce):
            await self._advance(nonce, turn)

    async def _advance(self, nonce: bytes, turn: _Round) -> None:
        assert self._terminal is not None
        try:
            done = await self._services.windows.advance(self._terminal, nonce)
        except Refused as error:
            await self._services.terminal_journal.refuse(self._terminal, error.code, str(error))
            return
        if done:
            grant = await self._services.windows.grant(self._terminal)
            turn.out += self._down(TransparentDown(KIND_NONCE, grant.encode()), self._header)

    async def _suspect(self, raw: bytes, reason: str, error: ZhidaoError) -> None:
        """Counts bytes that are not accepted; of a known terminal, keeps some apart."""
        if reason == "bad_checksum":
            reason = error.code if error.code.startswith("bad_") else "malformed"
        if self._terminal is None:
            self._services.terminal_journal.refusals[reason] += 1
            self._count_early()
            return
        if reason == "bad_checksum":
            await self._services.terminal_journal.refuse(self._terminal, reason, str(error))
        elif not isinstance(error, Refused):
            self._services.terminal_journal.refusals[reason] += 1
        await self._suspects.put(self._terminal, raw, reason)

    def _whole(self, head: Header, body: bytes, terminal: Terminal) -> StoredFrame:
        """A divided message put together: what it says is in none of its parts."""
        whole = self._kept(replace(head, packet_number=0), body, encode_whole(head, body), terminal)
        return replace(whole, part=replace(_part(head), number=0, completes=True))

    def _occasion(self, head: Header) -> bytes:
        """What tells a message from the same words on another day, or sent anew on this one."""
        day = self._services.clock.now().to_datetime().date()
        return head.serial.to_bytes(2, "big") + day.isoformat().encode()

    def _kept(
        self, head: Header, body: bytes, plain: bytes, terminal: Terminal, apart: bytes = b""
    ) -> StoredFrame:
        number = head.message_id.to_bytes(2, "big") + head.packet_number.to_bytes(2, "big")
        return StoredFrame(
            terminal=terminal.terminal,
            digest=hashlib.sha256(number + body + apart).digest(),
            id=self._services.ids.new(),
            received_at=self._services.clock.now(),
            message_id=head.message_id,
            serial=head.serial,
            plain=plain,
        )

    def _count_early(self) -> None:
        self._early += 1
        self.closed = self.closed or self._early >= _EARLY_MAX

    def _close_with(self, head: Header, turn: _Round) -> None:
        self._answer(head, RESULT_FAILED, turn)
        self.closed = True

    def _answer(self, head: Header, result: int, turn: _Round) -> None:
        turn.out += self._down(PlatformAnswer(head.serial, head.message_id, result), head)

    def _down(self, message: Message, head: Header) -> list[bytes]:
        """A message to the terminal in the edition in which it spoke."""
        edition = Edition.E2019 if head.is_2019 else Edition.E2013
        frames = frames_of(message, phone=head.phone, edition=edition, serial=self._serial)
        self._serial = (self._serial + len(frames)) % _SERIALS
        return [frame.encode() for frame in frames]


def _part(head: Header, *, completes: bool = False) -> Part:
    """Which part of its message a frame with this header is."""
    return Part(
        message_id=head.message_id,
        first_serial=(head.serial - head.packet_number + 1) % _SERIALS,
        number=head.packet_number,
        total=head.packets_total,
        completes=completes,
    )


def _is_told_once(head: Header, chunks: Sequence[StoredChunk]) -> bool:
    """Whether a body bears its own time or is a part of something: its bytes say which it is."""
    return bool(head.message_id in POSITION_IDS or chunks or head.packets_total)
