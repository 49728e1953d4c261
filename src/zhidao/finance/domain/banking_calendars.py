"""On which days the banks of a place rest: by rule where there is one, else year by year.

A rule knows any year; holidays that a government announces are known for the years it announced.
Of any other year nothing is said: a day that is taken for open by mistake costs a bank its right
to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.credit.calendar import BankingCalendar

_SUNDAY: Final = 6


@dataclass(frozen=True, slots=True)
class WeekdayOfMonth:
    """A weekday (Monday 0) of a month: the `nth`, or the last if that is -1."""

    month: int
    weekday: int
    nth: int

    def of(self, year: int) -> date:
        """The day in that year."""
        if self.nth < 0:
            last = date(year + self.month // 12, self.month % 12 + 1, 1) - timedelta(days=1)
            return last - timedelta(days=(last.weekday() - self.weekday) % 7)
        first = date(year, self.month, 1)
        return first + timedelta(days=(self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRules:
    """Rest days of the week (Monday 0), days of each year, and days that were announced.

    `yearly`: month and day. `easter`: days from Easter Sunday. `sunday_to_monday`: a yearly day on
    a Sunday is kept on the Monday. `worked`: days that banks work though they are rest days.
    """

    name: str
    source: str
    first_year: int
    last_year: int
    rest: frozenset[int] = frozenset({5, 6})
    yearly: tuple[tuple[int, int], ...] = ()
    easter: tuple[int, ...] = ()
    weekdays: tuple[WeekdayOfMonth, ...] = ()
    sunday_to_monday: bool = False
    announced: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def knows(self, year: int) -> bool:
        """Whether all holidays of that year are known."""
        return self.first_year <= year <= self.last_year

    def is_open(self, day: date) -> bool:
        """Whether banks work on that day. Raises Refused for a year that is not known."""
        return self.between(day, day).is_open(day)

    def between(self, first: date, last: date) -> BankingCalendar:
        """The calendar from one day to another.

        Raises Refused (`calendar_not_known`) if a year of them is not known.
        """
        holidays: set[date] = set()
        for year in range(first.year, last.year + 1):
            if not self.knows(year):
                raise Refused(
                    f"the holidays of {self.name} are known from {self.first_year} to"
                    f" {self.last_year}, not for {year}",
                    code="calendar_not_known",
                    remedy="give a calendar of your own with that year's holidays",
                )
            holidays |= self.holidays_of(year)
        return BankingCalendar(self.name, self.rest, frozenset(holidays), self.worked)

    def holidays_of(self, year: int) -> set[date]:
        """The days on which banks rest in a year, beside the rest days of the week."""
        days = {date(year, month, day) for month, day in self.yearly}
        if self.sunday_to_monday:
            days |= {day + timedelta(days=1) for day in days if day.weekday() == _SUNDAY}
        sunday = easter(year) if self.easter else date.min
        days |= {sunday + timedelta(days=offset) for offset in self.easter}
        days |= {one.of(year) for one in self.weekdays}
        return days | {day for day in self.announced if day.year == year}


_BEFORE: Final = 2
_BEHIND: Final = 4


@dataclass(frozen=True, slots=True)
class KnownCalendar:
    """All that a node knows of a calendar: files of one name, whose years add up.

    Where two know a year, the first is believed: the operator's own stand before the house's.
    """

    rules: tuple[CalendarRules, ...]

    def __post_init__(self) -> None:
        if len({one.name for one in self.rules}) != 1:
            raise MalformedInput("a calendar has one name", code="bad_calendar")
        if len({one.rest for one in self.rules}) != 1:
            raise MalformedInput(
                f"two files of {self.rules[0].name} have other rest days", code="bad_calendar"
            )

    @property
    def name(self) -> str:
        """`TARGET`, `CN`, ..."""
        return self.rules[0].name

    @property
    def years(self) -> tuple[tuple[int, int], ...]:
        """First and last year of each file."""
        return tuple(sorted({(one.first_year, one.last_year) for one in self.rules}))

    @property
    def last_year(self) -> int:
        """The last year that is known."""
        return max(one.last_year for one in self.rules)

    def around(self, day: date) -> BankingCalendar:
        """Banking days of the years about a day; any other is refused when it is asked for."""
        holidays: set[date] = set()
        worked: set[date] = set()
        known: set[int] = set()
        for year in range(day.year - _BEFORE, day.year + _BEHIND):
            rules = next((one for one in self.rules if one.knows(year)), None)
            if rules is not None:
                known.add(year)
                holidays |= rules.holidays_of(year)
                worked |= {each for each in rules.worked if each.year == year}
        return BankingCalendar(
            self.name,
            self.rules[0].rest,
            frozenset(holidays),
            frozenset(worked),
            frozenset(known),
        )


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    >>> easter(2026)
    datetime.date(2026, 4, 5)

    Source: the anonymous algorithm (Meeus, Astronomical Algorithms, chapter 8: not checked).
    """
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    back = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * back + 114, 31)
    return date(year, month, day + 1)
