"""Fields that several messages of JT/T 808 share: a place, items, parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from zhidao.devices.wire.frame_view import Explained
from zhidao.devices.wire.jt808 import vocabulary as words
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.layout import (
    REST,
    Bcd,
    Bytes,
    IfLeft,
    Layout,
    Number,
    Reading,
    Sized,
    Text,
    Values,
    length_of,
)

U1: Final = Number(1)
U2: Final = Number(2)
U4: Final = Number(4)
TIME: Final = Bcd(6, is_time=True)
LATITUDE: Final = Number(4, unit="degrees", scale=1e-6)
REPLY: Final = ("reply_serial", U2)


@dataclass(frozen=True, slots=True)
class Items:
    """The items behind a position; what follows the last whole one stands under `rest`."""

    def read(self, at: Reading, _told: Values, /) -> Any:
        """A list of numbers and bytes."""
        found: list[Values] = []
        while at.cursor.left >= 2 and at.cursor.left >= 2 + at.cursor.peek(1):
            start, number = at.cursor.at, at.cursor.number(1)
            value = at.cursor.take(at.cursor.number(1))
            name = ".".join((*at.path, f"{number:02X}"))
            at.explained.append(
                Explained(start, at.cursor.at, name, value, _item_means(number, value))
            )
            found.append({"id": number, "value": value})
        return found

    def write(self, value: Any, told: Values, edition: Edition, /) -> bytes:
        """Their bytes."""
        part = Sized(1, of_text=False)
        return b"".join(
            U1.write(each["id"], told, edition) + part.write(each["value"], told, edition)
            for each in value
        )


@dataclass(frozen=True, slots=True)
class Parameter:
    """The value of a parameter, of the type that the standard gives its number."""

    def read(self, at: Reading, told: Values, /) -> Any:
        """A number, a text, or bytes where the length is not that of its type."""
        size = length_of(at, 1)
        kind, name = words.PARAMETERS.get(told["id"], (0, "not in the standard"))
        start, raw = at.cursor.at, at.cursor.take(size)
        value: Any = raw
        if kind == "text":
            value = Text().said(raw)
        elif kind == size:
            value = int.from_bytes(raw, "big")
        at.explained.append(Explained(start, at.cursor.at, ".".join(at.path), value, name))
        return value

    def write(self, value: Any, told: Values, edition: Edition, /) -> bytes:
        """Length and bytes."""
        kind, _ = words.PARAMETERS.get(told["id"], (0, ""))
        if isinstance(value, int):
            size = kind if isinstance(kind, int) and kind else 4
            return U1.write(size, told, edition) + Number(size).write(value, told, edition)
        return Sized(1, of_text=isinstance(value, str)).write(value, told, edition)


PARAMETER: Final[Layout] = (("id", U4), ("value", Parameter()))
PLACE: Final[Layout] = (
    ("alarm", Number(4, bits=words.ALARMS)),
    ("status", Number(4, bits=words.STATUS)),
    ("latitude", LATITUDE),
    ("longitude", LATITUDE),
    ("altitude", Number(2, unit="m")),
    ("speed", Number(2, unit="km/h", scale=0.1)),
    ("course", Number(2, unit="degrees")),
    ("time", TIME),
)
POSITION: Final[Layout] = (*PLACE, ("items", Items()), (REST, IfLeft(Bytes())))


def _item_means(number: int, value: bytes) -> str:
    name, unit, scale = words.ITEMS.get(number, ("", "", 1))
    if not name:
        return "a maker's own" if number >= 0xE0 else "not read here"
    said = f"{int.from_bytes(value, 'big') * scale:.1f}".removesuffix(".0")
    return f"{name} {said} {unit}".rstrip()
