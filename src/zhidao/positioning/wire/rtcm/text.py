"""Text message 1029. Source: RTCM 10403.3 table 3.5-26 (not at hand; checked with pyrtcm)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.frame import message_number

_HEAD: Final = Layout.of("number:12 station:12 mjd:16 second:17 characters:7 bytes:8")
_MJD_OF_UNIX: Final = 40_587
_DAY_S: Final = 86_400
_BYTES_MAX: Final = 255
_CHARACTERS_MAX: Final = 127


@dataclass(frozen=True, slots=True)
class TextMessage:
    """Words for people: modified Julian day and second of the UTC day, and the text."""

    NUMBER: ClassVar[int] = 1029

    station: int
    mjd: int
    second: int
    text: str

    @classmethod
    def at(cls, moment: Utc, text: str, *, station: int = 0) -> Self:
        """The message of an instant."""
        days, second = divmod(moment.unix_ns // 1_000_000_000, _DAY_S)
        return cls(station, days + _MJD_OF_UNIX, second, text)

    def encode(self) -> bytes:
        """Message 1029. Raises MalformedInput for more than 127 characters or 255 bytes."""
        data = self.text.encode()
        if len(data) > _BYTES_MAX or len(self.text) > _CHARACTERS_MAX:
            raise MalformedInput(
                f"RTCM 1029: {len(self.text)} characters of {len(data)} bytes;"
                f" {_CHARACTERS_MAX} characters of {_BYTES_MAX} bytes fit"
            )
        head = {
            "number": self.NUMBER,
            "station": self.station,
            "mjd": self.mjd,
            "second": self.second,
        }
        head |= {"characters": len(self.text), "bytes": len(data)}
        return _HEAD.write(head) + data

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Raises MalformedInput for another or a cut message, and for what is no UTF-8."""
        if message_number(payload) != cls.NUMBER:
            raise MalformedInput(f"RTCM {message_number(payload)} is no 1029")
        v = _HEAD.read(payload)
        start = _HEAD.width // 8
        data = payload[start : start + v["bytes"]]
        if len(data) < v["bytes"]:
            raise MalformedInput("RTCM 1029: the text is cut")
        try:
            return cls(v["station"], v["mjd"], v["second"], data.decode())
        except UnicodeDecodeError:
            raise MalformedInput("RTCM 1029: the text is no UTF-8") from None
