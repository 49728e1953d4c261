"""The banking calendars that this node knows, for whoever is signed in."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
from litestar import Router, get

from zhidao.core.access import CALLER
from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.finance.domain.banking_calendars import KnownCalendar
from zhidao.finance.service.ports import Calendars
from zhidao.node.http.access import ACCESS

_SHOWN: int = 5
_LOOK_AHEAD_DAYS: int = 400


class CalendarView(msgspec.Struct, kw_only=True):
    """A calendar: which years are known, from where, and the next days without banking.

    `next_closed`: up to five, rest days of the week left out. `missing_year`: the first year from
    this one on whose holidays are not known, 0 for none among the next five.
    """

    calendar: str
    sources: list[str]
    years: list[tuple[int, int]]
    next_closed: list[str]
    missing_year: int


def routes(calendars: Calendars, clock: Clock) -> Router:
    """Routes under /v1/finance/calendars."""

    @get("/", opt={ACCESS: CALLER})
    async def listed(actor: Actor) -> list[CalendarView]:
        """The calendars by name. What the operator added counts at once."""
        del actor  # Public days; anybody who is signed in may ask.
        today = clock.now().to_datetime().date()
        return [_view(one, today) for one in calendars.calendars()]

    return Router("/v1/finance/calendars", route_handlers=[listed], tags=["finance"])


def _view(one: KnownCalendar, today: date) -> CalendarView:
    around = one.around(today)
    closed: list[str] = []
    for ahead in range(_LOOK_AHEAD_DAYS):
        day = today + timedelta(days=ahead)
        if around.known is None or day.year not in around.known or len(closed) == _SHOWN:
            break
        if day.weekday() not in around.rest and not around.is_open(day):
            closed.append(day.isoformat())
    years = range(today.year, today.year + _SHOWN)
    known = [any(first <= year <= last for first, last in one.years) for year in years]
    missing = [year for year, there in zip(years, known, strict=True) if not there]
    return CalendarView(
        calendar=one.name,
        sources=[rules.source for rules in one.rules],
        years=list(one.years),
        next_closed=closed,
        missing_year=missing[0] if missing else 0,
    )
