"""A terminal as a program of its own: speaks JT/T 808 over TCP and keeps what was not answered."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.ambient import Randomness
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.keys import Signer
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import Utc
from zhidao.devices.wire.chunk import KIND_CHUNK, WINDOW_ID_BYTES, Chunk, sign_chunks
from zhidao.devices.wire.client import (
    Answered,
    AskedAgain,
    ClientSession,
    Heard,
    NonceGiven,
    TokenAnswer,
)
from zhidao.devices.wire.jt808.frame import Edition, Frame
from zhidao.devices.wire.jt808.messages import (
    REGISTERED,
    RESULT_OK,
    Authentication,
    Heartbeat,
    Message,
    Registration,
    Transparent,
)
from zhidao.devices.wire.jt808.position import (
    ITEM_SATELLITES,
    STATUS_BEIDOU,
    STATUS_POSITIONED,
    STATUS_SOUTH,
    STATUS_WEST,
    Item,
    PositionReport,
    time_to_bcd,
)

_FRAMES_IN_FLIGHT: Final = 48
_PAUSES: Final = RetryPolicy(first_s=0.05, longest_s=0.8)
_Attempt = Callable[[], Awaitable[object]]
_UDEG: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a terminal itself. `number`: the digits in its headers; `terminal`: its id."""

    terminal: str
    number: str
    key: Signer
    edition: Edition = Edition.E2019


@dataclass(slots=True)
class _Line:
    """One connection and what was heard on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    session: ClientSession
    heard: list[Heard] = field(default_factory=list)

    async def send(self, frames: Sequence[Frame]) -> None:
        self.writer.write(b"".join(frame.encode() for frame in frames))
        await self.writer.drain()

    async def listen(self, until_s: float) -> None:
        """Waits for the node to say something. Raises ConnectionError or TimeoutError."""
        async with asyncio.timeout_at(until_s):
            data = await self.reader.read(65536)
        if not data:
            raise ConnectionError("the node closed the connection")
        try:
            self.heard += self.session.hear(data)
        except MalformedInput as error:
            raise ConnectionError("the node does not speak JT/T 808") from error

    async def first(self, kind: type[Heard], until_s: float) -> Heard:
        """The next thing heard of a kind."""
        while True:
            for index, heard in enumerate(self.heard):
                if isinstance(heard, kind):
                    return self.heard.pop(index)
            await self.listen(until_s)


class TerminalClient:
    """Registers, authenticates, and delivers messages until each is acknowledged.

    It reconnects by itself while the time allowed for a call lasts. Calls must not overlap.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        host: str,
        port: int,
        randomness: Randomness,
        token: str = "",
        keep: Callable[[str], None] | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        """`token`: one from before, else the terminal registers to get it, and `keep` is told.

        A terminal that keeps its token registers again if that is no longer good.
        """
        self._identity = identity
        self._host = host
        self._port = port
        self._randomness = randomness
        self._timeout_s = timeout_s
        self._keep = keep
        self._line: _Line | None = None
        self._nonce = b""
        self.token = token
        # Of each message that a node must keep: SHA-256 over its id, packet number and body.
        self.acknowledged: set[bytes] = set()

    async def connect(self) -> None:
        """Connects, registers if there is no token, authenticates and receives a nonce.

        Raises Refused (`not_registered`, `wrong_token`), Unavailable if the node stays away.
        """
        await self._until(self._deadline_s(), self._connected)

    async def close(self) -> None:
        """Hangs up."""
        await self._drop()

    async def send(self, messages: Sequence[Message]) -> None:
        """Delivers messages in order; returns when the node has acknowledged each frame.

        Raises Refused if the node answers that it does not accept one, Unavailable after the
        time allowed.
        """
        deadline_s = self._deadline_s()
        waiting = list(messages)

        async def attempt() -> None:
            line = await self._connected()
            while waiting:
                done = await self._exchange(line, waiting, deadline_s)
                del waiting[:done]

        await self._until(deadline_s, attempt)

    async def heartbeat(self) -> None:
        """Says that it is still here."""
        await self.send([Heartbeat()])

    async def send_window(
        self,
        data: bytes,
        *,
        simulated: bool,
        nonce: bytes = b"",
        key: Signer | None = None,
        payload_bytes: int = 8192,
    ) -> list[Chunk]:
        """Signs a window of raw observations over the node's nonce and delivers it.

        `nonce` and `key` other than its own are for showing that the node refuses them.
        """
        fresh = nonce or await self._take_nonce()
        chunks = sign_chunks(
            data,
            window=self._randomness.token(WINDOW_ID_BYTES),
            nonce=fresh,
            simulated=simulated,
            key=key or self._identity.key,
            payload_bytes=payload_bytes,
        )
        await self.send_chunks(chunks)
        return chunks

    async def send_chunks(self, chunks: Sequence[Chunk]) -> None:
        """Delivers chunks as they are: fresh ones, or yesterday's."""
        await self.send([Transparent(KIND_CHUNK, chunk.encode()) for chunk in chunks])

    async def _take_nonce(self) -> bytes:
        """The nonce for the next window; each is used once."""
        deadline_s = self._deadline_s()

        async def attempt() -> None:
            line = await self._connected()
            if not self._nonce:
                given = await line.first(NonceGiven, deadline_s)
                assert isinstance(given, NonceGiven)
                self._nonce = given.nonce

        await self._until(deadline_s, attempt)
        nonce, self._nonce = self._nonce, b""
        return nonce

    async def _exchange(self, line: _Line, waiting: Sequence[Message], deadline_s: float) -> int:
        """Sends as many messages as fit in flight and waits for all answers; returns how many."""
        frames: list[Frame] = []
        count = 0
        for message in waiting:
            if frames and len(frames) >= _FRAMES_IN_FLIGHT:
                break
            frames += line.session.frames(message)
            count += 1
        open_frames = {(f.header.serial, f.header.message_id): f for f in frames}
        await line.send(frames)
        while open_frames:
            await line.listen(deadline_s)
            for heard in line.heard:
                if isinstance(heard, Answered):
                    frame = open_frames.pop((heard.serial, heard.message_id), None)
                    if frame and heard.result != RESULT_OK:
                        raise _not_accepted(heard)
                    if frame and frame.header.message_id != Heartbeat.ID:
                        self.acknowledged.add(_digest(frame))
                elif isinstance(heard, AskedAgain):
                    await line.send(_missing(frames, heard))
                elif isinstance(heard, NonceGiven):
                    self._nonce = heard.nonce
            line.heard.clear()
        return count

    async def _connected(self) -> _Line:
        if self._line is None:
            self._line = await self._greet()
        return self._line

    async def _greet(self) -> _Line:
        deadline_s = asyncio.get_running_loop().time() + min(self._timeout_s, 10.0)
        reader, writer = await asyncio.open_connection(self._host, self._port)
        line = _Line(reader, writer, ClientSession(self._identity.number, self._identity.edition))
        try:
            had_one = bool(self.token)
            if not had_one:
                await self._register(line, deadline_s)
            await self._authenticate(line, deadline_s, may_register=had_one and bool(self._keep))
            given = await line.first(NonceGiven, deadline_s)
            assert isinstance(given, NonceGiven)
            self._nonce = given.nonce
        except BaseException:
            writer.close()
            raise
        return line

    async def _authenticate(self, line: _Line, deadline_s: float, *, may_register: bool) -> None:
        await line.send(line.session.frames(Authentication(self.token)))
        answer = await line.first(Answered, deadline_s)
        if not isinstance(answer, Answered) or answer.result != RESULT_OK:
            if may_register:
                self.token = ""
                raise ConnectionError("the token is no longer good")
            raise Refused(
                f"the node does not accept terminal {self._identity.terminal}'s token",
                code="wrong_token",
            )

    async def _register(self, line: _Line, deadline_s: float) -> None:
        message = Registration(
            province=0,
            city=0,
            maker="ZHIDA",
            model="reference",
            terminal=self._identity.terminal,
            plate_colour=0,
            plate="",
        )
        await line.send(line.session.frames(message))
        answer = await line.first(TokenAnswer, deadline_s)
        assert isinstance(answer, TokenAnswer)
        if answer.result != REGISTERED:
            raise Refused(
                f"the node does not register terminal {self._identity.terminal} "
                f"(result {answer.result})",
                code="not_registered",
            )
        self.token = answer.token
        if self._keep:
            self._keep(self.token)

    async def _until(self, deadline_s: float, attempt: _Attempt) -> None:
        """Tries again after each broken connection until the deadline."""
        failures = 0
        while True:
            try:
                await attempt()
            except (OSError, TimeoutError) as error:
                await self._drop()
                failures += 1
                pause_s = _PAUSES.ceiling_s(failures)
                if asyncio.get_running_loop().time() + pause_s > deadline_s:
                    raise Unavailable(
                        f"the node at {self._host}:{self._port} did not take what terminal "
                        f"{self._identity.terminal} has to say: {error or type(error).__name__}"
                    ) from error
                await asyncio.sleep(pause_s)
            except BaseException:
                await self._drop()
                raise
            else:
                return

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line:
            line.writer.close()
            with contextlib.suppress(OSError):
                await line.writer.wait_closed()

    def _deadline_s(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout_s


def position_report(
    *,
    at: Utc,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float = 0.0,
    speed_kmh: float = 0.0,
    course_deg: float = 0.0,
    satellites: int = 0,
) -> PositionReport:
    """A position report (0x0200) with a BeiDou fix at a WGS 84 place."""
    status = STATUS_POSITIONED | STATUS_BEIDOU
    status |= (STATUS_SOUTH if latitude_deg < 0 else 0) | (STATUS_WEST if longitude_deg < 0 else 0)
    return PositionReport(
        alarm=0,
        status=status,
        latitude_udeg=round(abs(latitude_deg) * _UDEG),
        longitude_udeg=round(abs(longitude_deg) * _UDEG),
        altitude_m=max(0, round(height_m)),
        speed_tenth_kmh=round(speed_kmh * 10),
        course_deg=round(course_deg) % 360,
        time_bcd=time_to_bcd(at),
        items=(Item(ITEM_SATELLITES, bytes((satellites,))),) if satellites else (),
    )


def _digest(frame: Frame) -> bytes:
    """What tells a frame's content, however often and under whatever serial it is sent."""
    head = frame.header
    number = head.message_id.to_bytes(2, "big") + head.packet_number.to_bytes(2, "big")
    return hashlib.sha256(number + frame.body).digest()


def _missing(frames: Sequence[Frame], asked: AskedAgain) -> list[Frame]:
    """The frames of a divided message that the node asked for again."""
    first = asked.request.first_serial
    wanted = {(first + number - 1) % (1 << 16) for number in asked.request.packets}
    return [f for f in frames if f.header.packets_total and f.header.serial in wanted]


def _not_accepted(answer: Answered) -> Refused:
    return Refused(
        f"the node does not accept a message 0x{answer.message_id:04X} (result {answer.result})",
        code="not_accepted",
    )
