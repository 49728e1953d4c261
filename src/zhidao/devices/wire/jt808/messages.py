"""JT/T 808 messages by id: what a node and a terminal say to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.wire.jt808.cursor import Cursor, padded
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.position import (
    PositionBatch,
    PositionReport,
    decode_batch,
    decode_report,
    encode_batch,
    encode_report,
)

RESULT_OK: Final = 0
RESULT_FAILED: Final = 1
RESULT_WRONG: Final = 2
RESULT_UNSUPPORTED: Final = 3
# Answers to a registration (JT/T 808 table 9): why there is no token.
REGISTERED: Final = 0
REGISTERED_VEHICLE: Final = 1
REGISTER_NO_VEHICLE: Final = 2
REGISTERED_TERMINAL: Final = 3
REGISTER_NO_TERMINAL: Final = 4

# Bytes of maker, model and terminal id in the registration of each edition.
_REGISTRATION_SIZES: Final = {
    Edition.E2011: (5, 8, 7),
    Edition.E2013: (5, 20, 7),
    Edition.E2019: (11, 30, 30),
}
_REGISTRATION_2013_BYTES_MIN: Final = 37


@dataclass(frozen=True, slots=True)
class TerminalAnswer:
    """0x0001: the terminal's general answer to the message with that serial and id."""

    ID: ClassVar[int] = 0x0001
    serial: int
    message_id: int
    result: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """0x0002: still here."""

    ID: ClassVar[int] = 0x0002


@dataclass(frozen=True, slots=True)
class Logout:
    """0x0003: the terminal leaves."""

    ID: ClassVar[int] = 0x0003


@dataclass(frozen=True, slots=True)
class TimeRequest:
    """0x0004: what time is it? New in 2019; whoever asks waits for 0x8004."""

    ID: ClassVar[int] = 0x0004


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """0x8004: the node's time, whole seconds of UTC, which the wire has as YYMMDDhhmmss."""

    ID: ClassVar[int] = 0x8004
    at: Utc


@dataclass(frozen=True, slots=True)
class Registration:
    """0x0100: who the terminal says that it is. `plate_colour` 0: `plate` holds a VIN."""

    ID: ClassVar[int] = 0x0100
    province: int
    city: int
    maker: str
    model: str
    terminal: str
    plate_colour: int
    plate: str


@dataclass(frozen=True, slots=True)
class Authentication:
    """0x0102: the token from registration; IMEI and firmware since 2019."""

    ID: ClassVar[int] = 0x0102
    token: str
    imei: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Transparent:
    """0x0900: bytes of a kind that the two ends agreed on."""

    ID: ClassVar[int] = 0x0900
    kind: int
    content: bytes


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """0x8001: the node's general answer."""

    ID: ClassVar[int] = 0x8001
    serial: int
    message_id: int
    result: int


@dataclass(frozen=True, slots=True)
class ResendRequest:
    """0x8003: send these sub-packets of the message that began with `first_serial` again."""

    ID: ClassVar[int] = 0x8003
    first_serial: int
    packets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RegistrationAnswer:
    """0x8100: `result` 0 brings the token; 1 to 4 say why not."""

    ID: ClassVar[int] = 0x8100
    serial: int
    result: int
    token: str = ""


@dataclass(frozen=True, slots=True)
class TransparentDown:
    """0x8900: bytes of an agreed kind to the terminal."""

    ID: ClassVar[int] = 0x8900
    kind: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that this codec does not read; kept as it came."""

    message_id: int
    body: bytes


Message: TypeAlias = (
    TerminalAnswer
    | Heartbeat
    | Logout
    | TimeRequest
    | TimeAnswer
    | Registration
    | Authentication
    | PositionReport
    | PositionBatch
    | Transparent
    | PlatformAnswer
    | ResendRequest
    | RegistrationAnswer
    | TransparentDown
    | Unknown
)


def message_id(message: Message) -> int:
    """The id under which a message travels."""
    return message.message_id if isinstance(message, Unknown) else message.ID


def decode_message(number: int, body: bytes, edition: Edition) -> Message:
    """A message from its id and body. Raises MalformedInput if the body is not of its layout."""
    decode = _DECODE.get(number)
    return decode(body, edition) if decode else Unknown(number, body)


def encode_message(message: Message, edition: Edition) -> bytes:
    """The body of a message. Raises MalformedInput for values that its fields cannot hold."""
    try:
        return _encode(message, edition)
    except OverflowError as error:
        raise MalformedInput(
            f"JT/T 808 0x{message_id(message):04X}: a number does not fit its field"
        ) from error


def _encode(message: Message, edition: Edition) -> bytes:
    encode = _ENCODE.get(type(message))
    return encode(message, edition) if encode else b""


def _encode_answer(message: Any, _: Edition) -> bytes:
    head = message.serial.to_bytes(2, "big") + message.message_id.to_bytes(2, "big")
    out: bytes = head + message.result.to_bytes(1, "big")
    return out


def _encode_transparent(message: Any, _: Edition) -> bytes:
    out: bytes = message.kind.to_bytes(1, "big") + message.content
    return out


def _encode_resend(message: ResendRequest, edition: Edition) -> bytes:
    count = len(message.packets).to_bytes(2 if edition is Edition.E2019 else 1, "big")
    numbers = b"".join(packet.to_bytes(2, "big") for packet in message.packets)
    return message.first_serial.to_bytes(2, "big") + count + numbers


def _encode_registration_answer(message: RegistrationAnswer, _: Edition) -> bytes:
    head = message.serial.to_bytes(2, "big") + message.result.to_bytes(1, "big")
    return head + _gbk(message.token)


def _decode_terminal_answer(body: bytes, _: Edition) -> TerminalAnswer:
    return TerminalAnswer(*_answer(body, "JT/T 808 0x0001"))


def _decode_platform_answer(body: bytes, _: Edition) -> PlatformAnswer:
    return PlatformAnswer(*_answer(body, "JT/T 808 0x8001"))


def _answer(body: bytes, what: str) -> tuple[int, int, int]:
    read = Cursor(body, what)
    fields = read.number(2), read.number(2), read.number(1)
    read.end()
    return fields


def _decode_heartbeat(body: bytes, _: Edition) -> Heartbeat:
    Cursor(body, "JT/T 808 0x0002").end()
    return Heartbeat()


def _decode_logout(body: bytes, _: Edition) -> Logout:
    Cursor(body, "JT/T 808 0x0003").end()
    return Logout()


def _decode_time_request(body: bytes, _: Edition) -> TimeRequest:
    Cursor(body, "JT/T 808 0x0004").end()
    return TimeRequest()


def _decode_time_answer(body: bytes, _: Edition) -> TimeAnswer:
    read = Cursor(body, "JT/T 808 0x8004")
    digits = read.take(6).hex()
    read.end()
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    try:
        year, month, day, hour, minute, second = map(int, pairs)
        at = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise MalformedInput(f"JT/T 808 0x8004: {digits} is no time") from error
    return TimeAnswer(Utc.from_datetime(at))


def _encode_time_answer(message: TimeAnswer, _: Edition) -> bytes:
    return bytes.fromhex(f"{message.at.to_datetime():%y%m%d%H%M%S}")


def _decode_registration(body: bytes, edition: Edition) -> Registration:
    if edition is not Edition.E2019:
        # 2011 and 2013 share a header; only the length of the body tells them apart.
        long = len(body) >= _REGISTRATION_2013_BYTES_MIN
        edition = Edition.E2013 if long else Edition.E2011
    maker, model, terminal = _REGISTRATION_SIZES[edition]
    read = Cursor(body, "JT/T 808 0x0100")
    return Registration(
        province=read.number(2),
        city=read.number(2),
        maker=read.text(maker),
        model=read.text(model),
        terminal=read.text(terminal),
        plate_colour=read.number(1),
        plate=read.text(read.left),
    )


def _encode_registration(message: Registration, edition: Edition) -> bytes:
    maker, model, terminal = _REGISTRATION_SIZES[edition]
    return (
        message.province.to_bytes(2, "big")
        + message.city.to_bytes(2, "big")
        + padded(message.maker, maker, "the maker")
        + padded(message.model, model, "the model")
        + padded(message.terminal, terminal, "the terminal's id")
        + message.plate_colour.to_bytes(1, "big")
        + _gbk(message.plate)
    )


def _decode_authentication(body: bytes, edition: Edition) -> Authentication:
    read = Cursor(body, "JT/T 808 0x0102")
    if edition is not Edition.E2019:
        return Authentication(read.text(read.left))
    token = read.text(read.number(1))
    imei, firmware = read.text(15), read.text(20)
    read.end()
    return Authentication(token, imei, firmware)


def _encode_authentication(message: Authentication, edition: Edition) -> bytes:
    token = _gbk(message.token)
    if edition is not Edition.E2019:
        return token
    return (
        len(token).to_bytes(1, "big")
        + token
        + padded(message.imei, 15, "the IMEI")
        + padded(message.firmware, 20, "the firmware's version")
    )


def _decode_report(body: bytes, _: Edition) -> PositionReport:
    return decode_report(body)


def _decode_batch(body: bytes, _: Edition) -> PositionBatch:
    return decode_batch(body)


def _decode_transparent(body: bytes, _: Edition) -> Transparent:
    read = Cursor(body, "JT/T 808 0x0900")
    return Transparent(read.number(1), read.rest())


def _decode_transparent_down(body: bytes, _: Edition) -> TransparentDown:
    read = Cursor(body, "JT/T 808 0x8900")
    return TransparentDown(read.number(1), read.rest())


def _decode_resend(body: bytes, edition: Edition) -> ResendRequest:
    read = Cursor(body, "JT/T 808 0x8003")
    first = read.number(2)
    count = read.number(2 if edition is Edition.E2019 else 1)
    packets = tuple(read.number(2) for _ in range(min(count, read.left // 2)))
    if len(packets) != count:
        raise MalformedInput(f"JT/T 808 0x8003: {count} packets announced, {len(packets)} came")
    read.end()
    return ResendRequest(first, packets)


def _decode_registration_answer(body: bytes, _: Edition) -> RegistrationAnswer:
    read = Cursor(body, "JT/T 808 0x8100")
    return RegistrationAnswer(read.number(2), read.number(1), read.text(read.left))


def _gbk(text: str) -> bytes:
    return padded(text, len(text) * 2, "the text")[: len(text.encode("gbk"))]


_DECODE: Final[dict[int, Callable[[bytes, Edition], Message]]] = {
    TerminalAnswer.ID: _decode_terminal_answer,
    Heartbeat.ID: _decode_heartbeat,
    Logout.ID: _decode_logout,
    TimeRequest.ID: _decode_time_request,
    TimeAnswer.ID: _decode_time_answer,
    Registration.ID: _decode_registration,
    Authentication.ID: _decode_authentication,
    PositionReport.ID: _decode_report,
    PositionBatch.ID: _decode_batch,
    Transparent.ID: _decode_transparent,
    PlatformAnswer.ID: _decode_platform_answer,
    ResendRequest.ID: _decode_resend,
    RegistrationAnswer.ID: _decode_registration_answer,
    TransparentDown.ID: _decode_transparent_down,
}
# Heartbeat, Logout and TimeRequest have no body.
_ENCODE: Final[dict[type, Callable[[Any, Edition], bytes]]] = {
    TerminalAnswer: _encode_answer,
    PlatformAnswer: _encode_answer,
    TimeAnswer: _encode_time_answer,
    Registration: _encode_registration,
    Authentication: _encode_authentication,
    PositionReport: lambda message, _: encode_report(message),
    PositionBatch: lambda message, _: encode_batch(message),
    Transparent: _encode_transparent,
    TransparentDown: _encode_transparent,
    ResendRequest: _encode_resend,
    RegistrationAnswer: _encode_registration_answer,
    Unknown: lambda message, _: message.body,
}
