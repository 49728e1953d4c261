"""Banking calendars as data: each a JSON file with its source and the years that it knows."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.banking_calendars import CalendarRules, WeekdayOfMonth

NAMES: Final = ("TARGET", "FEDWIRE", "CN")
"""The euro area's settlement days, those of the US dollar, and the banks of China's mainland."""
_Year = Annotated[int, msgspec.Meta(ge=1900, le=2299)]
_MonthDay = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}-[0-9]{2}\Z")]


class _Weekday(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    month: Annotated[int, msgspec.Meta(ge=1, le=12)]
    weekday: Annotated[int, msgspec.Meta(ge=0, le=6)]
    nth: Annotated[int, msgspec.Meta(ge=-1, le=4)]


class _Calendar(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    calendar: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2,16}\Z")]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    first_year: _Year
    last_year: _Year
    rest: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=6)]], msgspec.Meta(max_length=6)]
    yearly: Annotated[list[_MonthDay], msgspec.Meta(max_length=60)] = []
    easter: Annotated[list[int], msgspec.Meta(max_length=20)] = []
    weekdays: Annotated[list[_Weekday], msgspec.Meta(max_length=60)] = []
    sunday_to_monday: bool = False
    announced: Annotated[list[date], msgspec.Meta(max_length=2_000)] = []
    worked: Annotated[list[date], msgspec.Meta(max_length=2_000)] = []


def read_rules(data: bytes) -> CalendarRules:
    """A calendar from its JSON. Raises MalformedInput with the place."""
    if len(data) > FILE_BYTES_MAX:
        raise MalformedInput(f"a calendar has {FILE_BYTES_MAX} bytes at most", code="bad_calendar")
    try:
        read = decode_json(data, _Calendar)
        # A leap year holds every day that a year can have.
        days = [date.fromisoformat(f"2000-{text}") for text in read.yearly]
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedInput(f"no banking calendar: {error}", code="bad_calendar") from error
    told = [*read.announced, *read.worked]
    outside = [day for day in told if not read.first_year <= day.year <= read.last_year]
    # A day outside the years that a file knows is a slip that would not be seen for a year.
    if not NAME.fullmatch(read.calendar) or not read.source.strip() or outside:
        wrong = f"{outside[0]} is outside its years" if outside else "it has no name or source"
        raise MalformedInput(f"no banking calendar: {wrong}", code="bad_calendar")
    if read.last_year < read.first_year:
        raise MalformedInput("no banking calendar: its years run backwards", code="bad_calendar")
    return CalendarRules(
        name=read.calendar,
        source=read.source,
        first_year=read.first_year,
        last_year=read.last_year,
        rest=frozenset(read.rest),
        yearly=tuple((day.month, day.day) for day in days),
        easter=tuple(read.easter),
        weekdays=tuple(WeekdayOfMonth(one.month, one.weekday, one.nth) for one in read.weekdays),
        sunday_to_monday=read.sunday_to_monday,
        announced=frozenset(read.announced),
        worked=frozenset(read.worked),
    )


FILE_BYTES_MAX: Final = 256 * 1024
NAME: Final = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")


@cache
def built_in(name: str) -> CalendarRules:
    """One of the house's calendars. Raises MalformedInput for a name that is none."""
    if name not in NAMES:
        raise MalformedInput(
            f"no banking calendar {name[:20]!r}", remedy=f"give one of {', '.join(NAMES)}"
        )
    return read_rules(files(__name__).joinpath(f"{name.lower()}.json").read_bytes())
