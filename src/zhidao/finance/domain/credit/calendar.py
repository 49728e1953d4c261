"""Banking days of a place, and the periods of UCP 600 that count in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from zhidao.core.errors import Refused

EXAMINATION_DAYS: Final = 5
"""UCP 600 article 14(b): banking days after the day of presentation."""
_SEARCH_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class BankingCalendar:
    """Rest days of the week (Monday 0) and holidays of one place; extra days that banks work.

    `known`: the years whose holidays are all here; None: every year. Of any other year nothing is
    said: a day that is taken for open by mistake costs a bank its right to refuse.
    """

    place: str
    rest: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    known: frozenset[int] | None = None

    def is_open(self, day: date) -> bool:
        """Whether banks there regularly work on that day.

        Raises Refused (`calendar_not_known`) for a year that is not known.
        """
        if self.known is not None and day.year not in self.known:
            raise Refused(
                f"the holidays of {self.place} in {day.year} are not known at this node",
                code="calendar_not_known",
                remedy="the operator adds that year: zhidao finance calendars add FILE",
            )
        if day in self.worked:
            return True
        return day.weekday() not in self.rest and day not in self.holidays

    def next_open(self, day: date) -> date:
        """The day itself if open, else the first open one after it (UCP 600 article 29(a))."""
        for _ in range(_SEARCH_DAYS):
            if self.is_open(day):
                return day
            day += timedelta(days=1)
        raise Refused(f"banks of {self.place} are closed for a year after {day}")

    def after(self, day: date, count: int) -> date:
        """The `count`-th banking day after a day."""
        for _ in range(count):
            day = self.next_open(day + timedelta(days=1))
        return day

    def examine_until(self, presented_on: date, pauses: Sequence[tuple[date, date]] = ()) -> date:
        """The last day on which a bank may still refuse (articles 14(b), 16(d)).

        No day behind the first and up to the last of a pause counts (eUCP article e12).
        """
        day = presented_on
        for _ in range(EXAMINATION_DAYS):
            day = self.next_open(day + timedelta(days=1))
            while any(first < day <= last for first, last in pauses):
                day = self.next_open(day + timedelta(days=1))
        return day
