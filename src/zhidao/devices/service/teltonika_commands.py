"""Commands to Teltonika terminals: a text in codec 12 or 14, one out at a time, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from unicodedata import category

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.domain.command import Command
from zhidao.devices.wire.teltonika.packet import Packet
from zhidao.devices.wire.teltonika.texts import (
    CODEC_12,
    CODEC_13,
    CODEC_14,
    COMMAND,
    OTHER_IMEI,
    RESPONSE,
    Text,
    encode_texts,
)

_CODECS: Final = (CODEC_12, CODEC_14)
# The number by which a command is refused: the kind of the answer that says so.
_DONE, _REFUSED = 0, OTHER_IMEI
_TOLD_CHARACTERS: Final = 4_000
_CONTROL: Final = "Cc"


def check(command: Command) -> None:
    """Raises MalformedInput for a command that such a terminal does not know."""
    if command.kind != "text":
        raise MalformedInput(
            f"a Teltonika terminal takes texts, not {command.kind}",
            where="$.kind",
            remedy="give a text such as getinfo, as the maker's list of commands has them",
        )
    text = str(command.values.get("text", ""))
    if not text.isascii():
        raise MalformedInput(
            "a command to a Teltonika terminal is ASCII", where="$.text", remedy="use its letters"
        )
    if command.values.get("codec", CODEC_12) not in _CODECS:
        raise MalformedInput("no such codec", where="$.codec", remedy="12, or 14")


def packet_of(command: Command, imei: str) -> Packet:
    """The packet that carries it to the terminal with this IMEI."""
    codec = codec_of(command)
    content = str(command.values["text"]).encode("ascii")
    return encode_texts(codec, (Text(COMMAND, content, imei=imei if codec == CODEC_14 else ""),))


def codec_of(command: Command) -> int:
    """By which codec it goes: 14 names the IMEI, and another terminal does nothing."""
    return int(command.values.get("codec", CODEC_12))


@dataclass(slots=True)
class Awaited:
    """The one command that is out on a line: an answer does not say what it is to."""

    command: Command | None = None

    def is_over(self, now: Utc) -> bool:
        """Whether it was not answered in its time: what comes now may be another's."""
        return self.command is not None and now > self.command.expires_at

    def answered(
        self, codec: int, text: Text
    ) -> tuple[Command, int, tuple[tuple[str, str], ...]] | None:
        """What a text answers, with the result and what it told; None if it answers nothing."""
        command = self.command
        if command is None or not _is_answer(codec_of(command), codec, text):
            return None
        self.command = None
        if text.kind == OTHER_IMEI:
            told = (("imei", text.imei), ("refused", "the command names another IMEI; not done"))
            return command, _REFUSED, told
        return command, _DONE, (("text", _shown(text.content)),)


def _is_answer(asked: int, codec: int, text: Text) -> bool:
    if asked == CODEC_14:
        return codec == CODEC_14 and text.kind in (RESPONSE, OTHER_IMEI)
    return codec in (CODEC_12, CODEC_13) and text.kind == RESPONSE


def _shown(content: bytes) -> str:
    words = content.decode("utf-8", "replace").strip()
    plain = "".join(" " if category(sign) == _CONTROL else sign for sign in words)
    return plain if len(plain) <= _TOLD_CHARACTERS else plain[:_TOLD_CHARACTERS] + " …"
