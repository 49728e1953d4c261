"""Layouts of bodies as data: parts that read themselves from bytes, and write themselves back.

A value is a number, a text, bytes, a mapping of named values or a list of them. What a part reads
it writes back byte by byte: a text whose filling is not the standard's stays bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.frame_view import Explained
from zhidao.devices.wire.jt808.cursor import Cursor
from zhidao.devices.wire.jt808.frame import Edition

Values: TypeAlias = dict[str, Any]
REST: Final = "rest"


@dataclass(slots=True)
class Reading:
    """A body on its way: what was read so far, and how it is to be explained."""

    cursor: Cursor
    edition: Edition
    path: tuple[str, ...] = ()
    explained: list[Explained] = field(default_factory=list)


class Part(Protocol):
    """A field of a body. `told` has the values of the fields before it in its group."""

    def read(self, at: Reading, told: Values, /) -> Any:
        """Its value. Raises MalformedInput."""
        ...

    def write(self, value: Any, told: Values, edition: Edition, /) -> bytes:
        """Its bytes. Raises MalformedInput for what it cannot hold."""
        ...


Layout: TypeAlias = "tuple[tuple[str, Slot], ...]"


@dataclass(frozen=True, slots=True)
class Number:
    """A big-endian number without a sign. `names`: what its values mean, `bits`: what its bits do.

    `scale` and `unit` say it in words: the value times the scale.
    """

    size: int
    names: Mapping[int, str] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    unit: str = ""
    scale: float = 1

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The number."""
        return _one(at, self.size, lambda raw: int.from_bytes(raw, "big"), self.meaning)

    def write(self, value: Any, _told: Values, _edition: Edition, /) -> bytes:
        """Its bytes."""
        if not isinstance(value, int) or not 0 <= value < 1 << 8 * self.size:
            raise MalformedInput(f"{value!r} is no number of {self.size} bytes")
        return value.to_bytes(self.size, "big")

    def meaning(self, value: int) -> str:
        """In words."""
        if self.bits:
            wide = range(8 * self.size)
            named = [self.bits.get(bit, f"bit {bit}") for bit in wide if value >> bit & 1]
            return ", ".join(named) or "none"
        if self.names:
            return self.names.get(value, "not in the standard")
        said = f"{value * self.scale:.6f}".rstrip("0").rstrip(".")
        return f"{said} {self.unit}" if self.unit else "" if self.scale == 1 else said


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes as they are; `size` None: all that remain."""

    size: int | None = None

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The bytes."""
        size = at.cursor.left if self.size is None else self.size
        return _one(at, size, bytes, lambda _: "")

    def write(self, value: Any, _told: Values, _edition: Edition, /) -> bytes:
        """The same."""
        if not isinstance(value, bytes) or len(value) != (
            len(value) if self.size is None else self.size
        ):
            raise MalformedInput(f"{self.size} bytes are wanted")
        return value


@dataclass(frozen=True, slots=True)
class Bcd:
    """Digits, two in a byte; letters where a device sends what is no digit. `is_time`: of GMT+8."""

    size: int
    is_time: bool = False

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The digits."""
        return _one(at, self.size, bytes.hex, self.meaning)

    def write(self, value: Any, _told: Values, _edition: Edition, /) -> bytes:
        """Their bytes."""
        try:
            raw = bytes.fromhex(value)
        except (TypeError, ValueError) as error:
            raise MalformedInput(f"{value!r} are no digits") from error
        if len(raw) != self.size:
            raise MalformedInput(f"{value!r}: {2 * self.size} digits are wanted")
        return raw

    def meaning(self, value: str) -> str:
        """In words."""
        if not self.is_time:
            return ""
        if not value.strip("0"):
            return "no time"
        year, month, day, hour, minute, second = (value[i : i + 2] for i in range(0, 12, 2))
        return f"20{year}-{month}-{day} {hour}:{minute}:{second} at GMT+8"


@dataclass(frozen=True, slots=True)
class Text:
    """GBK text; `size` None: all that remains. Filled behind by NUL, else it is given as bytes."""

    size: int | None = None

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The text."""
        size = at.cursor.left if self.size is None else self.size
        return _one(at, size, self.said, _text_in)

    def write(self, value: Any, _told: Values, _edition: Edition, /) -> bytes:
        """Its bytes."""
        raw = _gbk(value)
        if self.size is None:
            return raw
        if len(raw) > self.size:
            raise MalformedInput(f"{value!r} takes {len(raw)} bytes; the field has {self.size}")
        return raw.ljust(self.size, b"\0")

    def said(self, raw: bytes) -> str | bytes:
        """The text, or the bytes where writing it would give others."""
        if raw[:1] == b"\0" and raw.strip(b"\0"):
            return raw  # Filled in front.
        text = _text_or_none(raw.rstrip(b"\0") if self.size is not None else raw)
        return raw if text is None else text


@dataclass(frozen=True, slots=True)
class Sized:
    """A field that its length stands before: `of_text`, or bytes."""

    length: int = 1
    of_text: bool = True

    def read(self, at: Reading, told: Values, /) -> Any:
        """The text or the bytes."""
        size = length_of(at, self.length)
        return (Text() if self.of_text else Bytes()).read(_within(at, size), told)

    def write(self, value: Any, told: Values, edition: Edition, /) -> bytes:
        """Length and bytes."""
        raw = _gbk(value) if self.of_text else Bytes().write(value, told, edition)
        return Number(self.length).write(len(raw), told, edition) + raw


@dataclass(frozen=True, slots=True)
class Many:
    """A list of groups; `count`: bytes of the number before it, 0: until the end of the body."""

    count: int
    layout: Layout

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The groups."""
        wanted = length_of(at, self.count, "count") if self.count else 0
        found: list[Values] = []
        while len(found) < wanted if self.count else at.cursor.left:
            before = at.cursor.left
            found.append(read_group(self.layout, _named(at, str(len(found) + 1))))
            if at.cursor.left == before:
                raise MalformedInput("a list of nothing")
        return found

    def write(self, value: Any, told: Values, edition: Edition, /) -> bytes:
        """Number and groups."""
        out = b"".join(write_group(self.layout, each, edition) for each in value)
        return (Number(self.count).write(len(value), told, edition) if self.count else b"") + out


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one name."""

    layout: Layout

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The values."""
        return read_group(self.layout, at)

    def write(self, value: Any, _told: Values, edition: Edition, /) -> bytes:
        """Their bytes."""
        return write_group(self.layout, value, edition)


@dataclass(frozen=True, slots=True)
class SizedGroup:
    """Fields under one name, with their length before them. They must take all of it."""

    length: int
    layout: Layout

    def read(self, at: Reading, _told: Values, /) -> Any:
        """The values."""
        inner = _within(at, length_of(at, self.length))
        values = read_group(self.layout, inner)
        inner.cursor.end()
        return values

    def write(self, value: Any, told: Values, edition: Edition, /) -> bytes:
        """Length and bytes."""
        raw = write_group(self.layout, value, edition)
        return Number(self.length).write(len(raw), told, edition) + raw


@dataclass(frozen=True, slots=True)
class When:
    """A field that is there only under a condition, of what was told before it and the edition."""

    holds: Callable[[Values, Edition], bool]
    part: Slot


@dataclass(frozen=True, slots=True)
class IfLeft:
    """A field that may be left out at the end."""

    part: Slot


@dataclass(frozen=True, slots=True)
class By:
    """A field of one form in the edition of 2019, and of another before."""

    since_2019: Slot
    before: Slot


# What may stand in a layout under a name; None: nothing.
Slot: TypeAlias = Part | When | IfLeft | By | None


def read_group(layout: Sequence[tuple[str, Slot]], at: Reading) -> Values:
    """The values of a layout, in its order."""
    told: Values = {}
    for name, each in layout:
        part = _chosen(each, told, at.edition, is_left=at.cursor.left > 0)
        if part is not None:
            told[name] = part.read(_named(at, name), told)
    return told


def write_group(layout: Sequence[tuple[str, Slot]], values: Values, edition: Edition) -> bytes:
    """The bytes of a layout. Raises MalformedInput for a value that lacks or that does not fit."""
    out, told = b"", {}
    for name, each in layout:
        part = _chosen(each, values, edition, is_left=name in values)
        if part is None:
            continue
        if name not in values:
            raise MalformedInput(f"{name} is missing", where=name)
        try:
            out += part.write(values[name], values, edition)
        except MalformedInput as error:
            raise MalformedInput(f"{name}: {error}", where=name) from error
        told[name] = values[name]
    if unknown := set(values) - set(told):
        raise MalformedInput(f"there is no field {min(unknown)} here", where=min(unknown))
    return out


def _chosen(each: Slot, told: Values, edition: Edition, *, is_left: bool) -> Part | None:
    """The part that stands here, or None."""
    match each:
        case When(holds, part):
            inner = part if holds(told, edition) else None
        case IfLeft(part):
            inner = part if is_left else None
        case By(since_2019, before):
            inner = since_2019 if edition is Edition.E2019 else before
        case _:
            return each
    return _chosen(inner, told, edition, is_left=is_left)


def length_of(at: Reading, size: int, word: str = "length") -> int:
    """The number before something that says how much of it follows."""
    found: int = Number(size).read(_named(at, word), {})
    return found


def _one(
    at: Reading, size: int, value_of: Callable[[bytes], Any], meaning: Callable[[Any], str]
) -> Any:
    start = at.cursor.at
    value = value_of(at.cursor.take(size))
    at.explained.append(Explained(start, at.cursor.at, ".".join(at.path), value, meaning(value)))
    return value


def _named(at: Reading, name: str) -> Reading:
    return Reading(at.cursor, at.edition, (*at.path, name), at.explained)


def _within(at: Reading, size: int) -> Reading:
    """The same, of the next bytes only; the cursor goes on behind them."""
    return Reading(at.cursor.within(size), at.edition, at.path, at.explained)


def _text_in(value: str | bytes) -> str:
    if isinstance(value, str):
        return ""
    text = value.strip(b"\0 ").decode("gbk", "replace")
    return f"filled otherwise: {text}" if text else "filled otherwise"


def _text_or_none(raw: bytes) -> str | None:
    try:
        text = raw.decode("gbk")
        return text if text.encode("gbk") == raw else None
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None


def _gbk(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise MalformedInput(f"{value!r} is no text")
    try:
        return value.encode("gbk")
    except UnicodeEncodeError as error:
        raise MalformedInput(f"a character outside GBK: {value[:24]!r}") from error
