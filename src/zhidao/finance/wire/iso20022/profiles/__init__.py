"""What a network asks beyond the message definition: profiles as data, the house's and a node's.

A profile is a JSON file. `currencies` holds, by currency, an amount that may not be passed
(`amount_minor_max`), the hour from which payments of a day are carried out (`opening`), the hour
after which a payment of that day is too late (`cut_off`, both with their offset from UTC) and the
days on which it does not settle: those of a banking calendar (`calendar`, see
`finance.wire.calendars`; those of the operator's files hold before the house's) and those that are
named (`closed`). Weekdays count from Monday, 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput
from zhidao.core.limits import DAY
from zhidao.core.money import Currency
from zhidao.finance.domain.banking_calendars import KnownCalendar
from zhidao.finance.wire import calendars

PROFILE_BYTES_MAX: Final = 1 << 20
_YEARS_AHEAD: Final = 10
_Day = Annotated[str, msgspec.Meta(pattern=DAY)]
_Hour = Annotated[
    str, msgspec.Meta(pattern=r"^([0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2})?\Z")
]


class CurrencyRules(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What holds for payments in one currency. Zero and empty: no such rule."""

    amount_minor_max: Annotated[int, msgspec.Meta(ge=0)] = 0
    cut_off: _Hour = ""
    opening: _Hour = ""
    """Without one a day opens with its first second in UTC."""
    closed: Annotated[list[_Day], msgspec.Meta(max_length=4000)] = []
    calendar: Annotated[str, msgspec.Meta(pattern=r"^([A-Z][A-Z0-9_-]{0,31})?\Z")] = ""
    """Whose banking days hold beside `closed`; in a year that it does not know, none do."""


class Profile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The usage rules of one network."""

    profile: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,40}\Z")]
    about: Annotated[str, msgspec.Meta(max_length=500)] = ""
    structured_addresses_from: int
    address_lines_max: Annotated[int, msgspec.Meta(ge=0, le=7)]
    uetr_required: bool
    charges: Annotated[list[str], msgspec.Meta(min_length=1, max_length=4)]
    transactions_max: Annotated[int, msgspec.Meta(ge=0)] = 0
    currencies: Annotated[dict[str, CurrencyRules], msgspec.Meta(max_length=400)] = {}
    closed_weekdays: Annotated[list[int], msgspec.Meta(max_length=6)] = []
    days_ahead_max: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0

    def too_late(self, currency: str, day: date, at: datetime) -> bool:
        """Whether a payment of this day comes after the hour at which the day is closed."""
        rules = self.currencies.get(currency)
        if rules is None or not rules.cut_off:
            return False
        hour = time.fromisoformat(rules.cut_off)
        return at > datetime.combine(day, hour)

    def settles(self, currency: str, day: date) -> bool:
        """Whether the currency settles on this day."""
        if day.isoweekday() in self.closed_weekdays:
            return False
        rules = self.currencies.get(currency)
        if rules is None:
            return True
        if day.isoformat() in rules.closed:
            return False
        return not rules.calendar or _banks_work(rules.calendar, day)

    def next_day(self, currency: str, day: date) -> date:
        """The first day from this one on that settles, a year ahead at most.

        Raises MalformedInput for a profile that knows no such day.
        """
        for ahead in range(366):
            later = day + timedelta(ahead)
            if self.settles(currency, later):
                return later
        raise MalformedInput(f"profile {self.profile}: no day settles for a year from {day}")

    def day_for(self, currency: str, at: datetime) -> date:
        """The first day that settles for what is sent at this moment (with its offset).

        Raises MalformedInput for a profile that knows no such day.
        """
        return self.execution_day(currency, at.date(), at)

    def execution_day(self, currency: str, wanted: date, at: datetime) -> date:
        """The day on which a payment settles that was asked for one, as things stand at a moment.

        It rolls forward over closed days, over days that have passed, and over an hour that has.
        Raises MalformedInput for a profile that knows no such day.
        """
        day = self.next_day(currency, max(wanted, at.date()))
        return (
            self.next_day(currency, day + timedelta(1)) if self.too_late(currency, day, at) else day
        )

    def opens_at(self, currency: str, day: date) -> datetime:
        """When payments of a day begin to be carried out."""
        rules = self.currencies.get(currency)
        if rules is None or not rules.opening:
            return datetime.combine(day, time(0, tzinfo=UTC))
        return datetime.combine(day, time.fromisoformat(rules.opening))


def with_calendars(profile: Profile, known: Sequence[KnownCalendar], *, today: date) -> Profile:
    """The profile with the banking days of these calendars, ten years ahead.

    A year that none of them knows closes no day. Raises MalformedInput (`bad_profile`) for a
    calendar that is none of them.
    """
    by_name = {one.name: one for one in known}
    currencies = dict(profile.currencies)
    for code, rules in profile.currencies.items():
        if not rules.calendar:
            continue
        if rules.calendar not in by_name:
            raise MalformedInput(
                f"profile {profile.profile}: no banking calendar {rules.calendar} for {code}",
                code="bad_profile",
                remedy="add it with zhidao finance calendars add, or name one of"
                f" {', '.join(sorted(by_name))}",
            )
        closed = _closed_days(by_name[rules.calendar], today.year - 1, today.year + _YEARS_AHEAD)
        currencies[code] = msgspec.structs.replace(
            rules, calendar="", closed=[*rules.closed, *closed]
        )
    return msgspec.structs.replace(profile, currencies=currencies)


def _closed_days(calendar: KnownCalendar, first: int, last: int) -> list[str]:
    closed: list[str] = []
    for year in range(first, last + 1):
        rules = next((one for one in calendar.rules if one.knows(year)), None)
        if rules is None:
            continue
        begin, end = date(year, 1, 1), date(year, 12, 31)
        # The year's holidays once, and not anew for each of its days.
        known_year = rules.between(begin, end)
        days = (begin + timedelta(n) for n in range((end - begin).days + 1))
        closed += [day.isoformat() for day in days if not known_year.is_open(day)]
    return closed


@lru_cache(maxsize=4096)
def _banks_work(calendar: str, day: date) -> bool:
    known = calendars.built_in(calendar)
    return not known.knows(day.year) or known.is_open(day)


def read_profile(data: bytes) -> Profile:
    """A profile from its JSON. Raises MalformedInput with the place."""
    if len(data) > PROFILE_BYTES_MAX:
        raise MalformedInput(f"a profile of more than {PROFILE_BYTES_MAX} bytes")
    try:
        profile = decode_json(data, Profile)
    except msgspec.DecodeError as error:
        raise MalformedInput(f"no network profile: {error}", code="bad_profile") from error
    for code in profile.currencies:
        Currency(code)
    for name, rules in profile.currencies.items():
        for day in rules.closed:
            _checked(day, name)
    return profile


def _checked(day: str, currency: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise MalformedInput(
            f"profile: {day} of {currency} is no day", code="bad_profile"
        ) from error


@cache
def built_in(name: str) -> Profile:
    """One of the house's profiles: `cross-border` or `instant`. Raises MalformedInput."""
    if name not in NAMES:
        raise MalformedInput(
            f"no profile {name[:40]!r}", remedy=f"give a file, or one of {', '.join(NAMES)}"
        )
    return read_profile(files(__name__).joinpath(f"{name}.json").read_bytes())


NAMES: Final = ("cross-border", "instant")
