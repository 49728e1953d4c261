"""What a network asks beyond the message definition: profiles as data, the house's and a node's.

A profile is a JSON file. `currencies` holds, by currency, an amount that may not be passed
(`amount_minor_max`), the hour after which a payment of that day is too late (`cut_off`, with its
offset from UTC) and the days on which it does not settle: those of a banking calendar (`calendar`,
see `finance.wire.calendars`) and those that are named (`closed`). Weekdays count from Monday, 1.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.finance.wire import calendars

PROFILE_BYTES_MAX: Final = 1 << 20
_Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
_Hour = Annotated[str, msgspec.Meta(pattern=r"^(\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2})?$")]


class CurrencyRules(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What holds for payments in one currency. Zero and empty: no such rule."""

    amount_minor_max: Annotated[int, msgspec.Meta(ge=0)] = 0
    cut_off: _Hour = ""
    closed: Annotated[list[_Day], msgspec.Meta(max_length=4000)] = []
    calendar: Literal["", "TARGET", "FEDWIRE", "CN"] = ""
    """Whose banking days hold beside `closed`; in a year that it does not know, none do."""


class Profile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The usage rules of one network."""

    profile: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
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


@lru_cache(maxsize=4096)
def _banks_work(calendar: str, day: date) -> bool:
    known = calendars.built_in(calendar)
    return not known.knows(day.year) or known.is_open(day)


def read_profile(data: bytes) -> Profile:
    """A profile from its JSON. Raises MalformedInput with the place."""
    if len(data) > PROFILE_BYTES_MAX:
        raise MalformedInput(f"a profile of more than {PROFILE_BYTES_MAX} bytes")
    try:
        profile = msgspec.json.decode(data, type=Profile)
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
