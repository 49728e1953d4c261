"""Reading values of EPCIS JSON by their types: what is wrong knows where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeVar

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
T = TypeVar("T")


class Wrong(Exception):
    """What is wrong; on its way out each level adds where it stands."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.place: list[str] = []

    @property
    def pointer(self) -> str:
        """Where: RFC 6901, `/` for the whole."""
        return "".join(f"/{part}" for part in reversed(self.place)) or "/"


def each_of(values: Any, read: Callable[[Any], T]) -> list[T]:
    """What `read` makes of every element; what is no list is wrong."""
    if not isinstance(values, list):
        raise Wrong(f"a list belongs here, not {_kind(values)}")
    found = []
    for index, value in enumerate(values):
        try:
            found.append(read(value))
        except Wrong as wrong:
            wrong.place.append(str(index))
            raise
    return found


def at(name: str, read: Callable[[Any], T], value: Any) -> T:
    """What `read` makes of a field; what is wrong in it stands under its name."""
    try:
        return read(value)
    except Wrong as wrong:
        wrong.place.append(escaped(name))
        raise


def string(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise Wrong(f"text belongs here, not {_kind(value)}")
    return value


def trimmed(value: Any) -> str:
    """A text without whitespace outside."""
    return string(value).strip()


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise Wrong(f"an object belongs here, not {_kind(value)}")
    return value


def number(value: Any) -> str:
    """A number as text, without trailing zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"a number belongs here, not {_kind(value)}")
    try:
        if isinstance(value, int):
            return str(value)
        plain = format(Decimal(repr(value)).normalize(), "f")
    except ValueError:
        raise Wrong("a number of so many digits has no one text") from None
    if not plain.lstrip("-")[0].isdigit():
        raise Wrong(f"{plain} is no number")
    return "0" if plain == "-0" else plain


def utc_ms(value: Any) -> str:
    """A time in UTC with milliseconds, halves rounded up."""
    text = string(value)
    match = _TIME.match(text)
    if not match:
        raise Wrong(f"not an EPCIS time: {text[:40]!r}")
    try:
        moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).astimezone(UTC)
        ms = int(Decimal("0" + (match[2] or ".0")).scaleb(3).to_integral_value("ROUND_HALF_UP"))
        moment += timedelta(milliseconds=ms)
    except (ValueError, OverflowError):
        raise Wrong(f"no such time: {text[:40]!r}") from None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def unknown(name: str) -> NoReturn:
    """Says that a field is none of EPCIS."""
    raise Wrong(f"EPCIS has no field {str(name)[:40]!r} here")


def escaped(name: str) -> str:
    """One part of a JSON pointer: RFC 6901 section 3."""
    return str(name).replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"
