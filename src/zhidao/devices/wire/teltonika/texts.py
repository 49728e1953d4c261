"""Texts of codecs 12, 13 and 14: a command to a Teltonika terminal, and what it answers.

Written from the frames that the maker publishes as examples; of its page on codec 13 two readings
are about, so that both are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.jt808.cursor import Cursor
from zhidao.devices.wire.teltonika.packet import DATA_BYTES_MAX, Packet

CODEC_12, CODEC_13, CODEC_14 = 0x0C, 0x0D, 0x0E
TEXT_CODECS: Final = (CODEC_12, CODEC_13, CODEC_14)
# Kinds: to the terminal, from it, and from one whose IMEI is not the one in the command.
COMMAND, RESPONSE, OTHER_IMEI = 0x05, 0x06, 0x11
_SIZE_BYTES: Final = 4
_TIME_BYTES: Final = 8
_SECONDS_BYTES: Final = 4
_IMEI_BYTES: Final = 8
_IMEI_DIGITS: Final = 15
_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Text:
    """One text. `kind`: as numbered by the maker; `at_ms`: after 1970, in codec 13; `imei`: in 14.

    The IMEI is the one that a command is for, and in an answer the terminal's own.
    """

    kind: int
    content: bytes
    at_ms: int = 0
    imei: str = ""


def decode_texts(packet: Packet) -> tuple[Text, ...]:
    """The texts of a packet; the second number of them is not looked at, as the maker says.

    Raises MalformedInput: `unknown_codec`, `truncated`, `trailing`, `bad_count`, `bad_greeting`
    where the IMEI is none.
    """
    codec = packet.codec
    if codec not in TEXT_CODECS:
        raise MalformedInput(f"Teltonika: codec {codec:02X} holds no text", code="unknown_codec")
    read = Cursor(packet.data, f"Teltonika codec {codec:02X}")
    read.take(1)
    count = read.number(1)
    if not count:
        raise MalformedInput("Teltonika: no text is announced", code="bad_count")
    texts = tuple(_text(read, codec, last=left == 1) for left in range(count, 0, -1))
    read.take(1)
    read.end()
    return texts


def encode_texts(codec: int, texts: tuple[Text, ...]) -> Packet:
    """A packet of texts. Raises MalformedInput for what the codec cannot hold."""
    try:
        body = b"".join(_written(each, codec) for each in texts)
        count = len(texts).to_bytes(1, "big")
    except OverflowError as error:
        raise MalformedInput("Teltonika: a number does not fit its field") from error
    data = bytes((codec,)) + count + body + count
    if len(data) > DATA_BYTES_MAX or not texts:
        raise MalformedInput(
            f"Teltonika: {len(texts)} texts of {len(data)} bytes; a frame holds one at least and"
            f" {DATA_BYTES_MAX} bytes",
        )
    return Packet(data)


def _text(read: Cursor, codec: int, *, last: bool) -> Text:
    kind, size = read.number(1), read.number(_SIZE_BYTES)
    if codec == CODEC_14:
        inner = read.within(size)
        imei = _imei(inner.take(_IMEI_BYTES))
        return Text(kind, inner.rest(), imei=imei)
    if codec == CODEC_12:
        return Text(kind, read.take(size))
    # In one reading the size counts the time, in the other it does not.
    beside = read.left - 1 - size if last else 0
    if beside in (_SECONDS_BYTES, _TIME_BYTES):
        return Text(kind, at_ms=_time(read.take(beside)), content=read.take(size))
    inner = read.within(size)
    eight = inner.left >= _TIME_BYTES and not (inner.peek(0) or inner.peek(1))
    at_ms = _time(inner.take(_TIME_BYTES if eight else _SECONDS_BYTES))
    return Text(kind, inner.rest(), at_ms=at_ms)


def _time(raw: bytes) -> int:
    number = int.from_bytes(raw, "big")
    return number if len(raw) == _TIME_BYTES else number * _MS


def _imei(raw: bytes) -> str:
    digits = raw.hex()
    if not digits.isdigit() or digits[0] != "0":
        raise MalformedInput(f"Teltonika: {digits} is no IMEI", code="bad_greeting")
    return digits[1:]


def _written(text: Text, codec: int) -> bytes:
    if codec == CODEC_14:
        if len(text.imei) != _IMEI_DIGITS or not (text.imei.isascii() and text.imei.isdigit()):
            raise MalformedInput("Teltonika: an IMEI has 15 digits", code="bad_greeting")
        content = bytes.fromhex("0" + text.imei) + text.content
    elif codec == CODEC_13:
        content = text.at_ms.to_bytes(_TIME_BYTES, "big") + text.content
    elif codec == CODEC_12:
        content = text.content
    else:
        raise MalformedInput(f"Teltonika: codec {codec:02X} holds no text", code="unknown_codec")
    return text.kind.to_bytes(1, "big") + len(content).to_bytes(_SIZE_BYTES, "big") + content
