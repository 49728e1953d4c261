"""Instants on UTC, GPST and BDT as whole nanoseconds, with the leap seconds between them.

GPST = TAI - 19 s and BDT = TAI - 33 s, both without leap seconds (BDT = GPST - 14 s);
UTC = TAI - (10 s + leap seconds). Epochs: GPST 1980-01-06, BDT 2006-01-01 (BDS-SIS-ICD-B1I 3.0
section 3.3). Leap-second dates: IERS Bulletin C, table up to 2017-01-01; none since.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Self

from zhidao.core.errors import MalformedInput, Refused

NS: Final = 1_000_000_000
WEEK_S: Final = 604_800
_GPST_BEHIND_TAI_S: Final = 19
_BDT_BEHIND_TAI_S: Final = 33
# Seconds of each scale's epoch counted as if in Unix time (no leap seconds).
# BDT began when GPST was 14 leap seconds ahead of UTC.
BDT_BEHIND_GPST_S: Final = _BDT_BEHIND_TAI_S - _GPST_BEHIND_TAI_S
_GPST_EPOCH_S: Final = 315_964_800  # 1980-01-06T00:00:00
_BDT_EPOCH_S: Final = 1_136_073_600  # 2006-01-01T00:00:00
_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LEAP_DATES: Final = (
    "1972-07-01 1973-01-01 1974-01-01 1975-01-01 1976-01-01 1977-01-01 1978-01-01 1979-01-01 "
    "1980-01-01 1981-07-01 1982-07-01 1983-07-01 1985-07-01 1988-01-01 1990-01-01 1991-01-01 "
    "1992-07-01 1993-07-01 1994-07-01 1996-01-01 1997-07-01 1999-01-01 2006-01-01 2009-01-01 "
    "2012-07-01 2015-07-01 2017-01-01"
).split()
# Unix seconds at which each further leap second has just been counted.
_LEAP_UNIX_S: Final = tuple(
    (datetime.fromisoformat(d).replace(tzinfo=UTC) - _UNIX) // timedelta(seconds=1)
    for d in _LEAP_DATES
)
# TAI seconds (since 1970-01-01 TAI) of the same instants: TAI - UTC was 10 s before the first.
_LEAP_TAI_S: Final = tuple(unix + 11 + i for i, unix in enumerate(_LEAP_UNIX_S))
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z",
    re.ASCII,
)
_UNIX_DAY: Final = _UNIX.toordinal()
_UTC_KNOWN_FROM_UNIX_S: Final = 63_072_000  # 1972-01-01T00:00:00 UTC
_UTC_KNOWN_FROM_TAI_NS: Final = (_UTC_KNOWN_FROM_UNIX_S + 10) * NS


@dataclass(frozen=True, slots=True, order=True)
class Utc:
    """An instant that prints as UTC. `tai_ns` counts SI nanoseconds since 1970-01-01T00:00:00 TAI.

    Counting on TAI keeps a leap second a real second: two instants differ by the time that passed.
    Instants before 1972 are refused, since UTC had other rules then.
    """

    tai_ns: int

    def __post_init__(self) -> None:
        if self.tai_ns < _UTC_KNOWN_FROM_TAI_NS:
            raise Refused("an instant before 1972-01-01 has no UTC by today's rules")

    @classmethod
    def from_unix_ns(cls, unix_ns: int) -> Self:
        """From a Unix time (no leap seconds); the second after a leap second is meant."""
        leaps = bisect_right(_LEAP_UNIX_S, unix_ns // NS)
        return cls(unix_ns + (10 + leaps) * NS)

    @classmethod
    def from_datetime(cls, moment: datetime) -> Self:
        """From a zoned datetime. Raises MalformedInput if it bears no zone."""
        if moment.tzinfo is None:
            raise MalformedInput("a time without a zone is ambiguous; append Z or an offset")
        return cls.from_unix_ns((moment - _UNIX) // timedelta(microseconds=1) * 1000)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From an RFC 3339 date-time with up to nine decimals; `:60` only on a leap second."""
        match = _ISO.match(text)
        if not match:
            raise MalformedInput(f"not an RFC 3339 date-time: {text[:40]!r}")
        year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
        fraction_ns = int((match[7] or "0").ljust(9, "0"))
        zone = match[8]
        offset_s = 0
        if zone not in "Zz":
            hours, minutes = int(zone[1:3]), int(zone[4:6])
            if hours > 23 or minutes > 59:
                raise MalformedInput(f"no such offset: {text[:40]!r}")
            offset_s = (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
        try:
            day_number = date(year, month, day).toordinal() - _UNIX_DAY
        except ValueError as error:
            raise MalformedInput(f"no such date or time: {text[:40]!r}") from error
        if hour > 23 or minute > 59 or second > 60:
            raise MalformedInput(f"no such date or time: {text[:40]!r}")
        unix_s = day_number * 86_400 + hour * 3600 + minute * 60 + second - offset_s
        if unix_s - (second == 60) < _UTC_KNOWN_FROM_UNIX_S:
            raise MalformedInput(f"before 1972 there was no such UTC: {text[:40]!r}")
        leaps = bisect_right(_LEAP_UNIX_S, unix_s)
        if second == 60:
            if unix_s not in _LEAP_UNIX_S:
                raise MalformedInput(f"no leap second at {text[:40]!r}")
            leaps -= 1
        return cls((unix_s + 10 + leaps) * NS + fraction_ns)

    @property
    def unix_ns(self) -> int:
        """Unix time in nanoseconds; a leap second repeats the one before it."""
        leaps = bisect_right(_LEAP_TAI_S, self.tai_ns // NS)
        inside = self.tai_ns // NS + 1 in _LEAP_TAI_S
        return self.tai_ns - (10 + leaps + inside) * NS

    @property
    def is_leap_second(self) -> bool:
        """Whether this instant lies inside an inserted second (23:59:60)."""
        return self.tai_ns // NS + 1 in _LEAP_TAI_S

    def plus_ns(self, nanoseconds: int) -> Utc:
        """The instant that many SI nanoseconds later."""
        return Utc(self.tai_ns + nanoseconds)

    def since_ns(self, earlier: Utc) -> int:
        """SI nanoseconds that passed from `earlier` to this instant."""
        return self.tai_ns - earlier.tai_ns

    def to_datetime(self) -> datetime:
        """As a datetime in UTC, microseconds cut off."""
        return _UNIX + timedelta(microseconds=self.unix_ns // 1000)

    def __str__(self) -> str:
        second, fraction_ns = divmod(self.tai_ns, NS)
        decimals = f".{fraction_ns:09d}".rstrip("0") if fraction_ns else ""
        return f"{_whole_second(second)}{decimals}Z"


@lru_cache(maxsize=256)
def _whole_second(tai_s: int) -> str:
    """Date and time of a whole second, kept: what happens at one moment is written many times."""
    at = Utc(tai_s * NS)
    moment = at.to_datetime()
    second = 60 if at.is_leap_second else moment.second
    return f"{moment:%Y-%m-%dT%H:%M}:{second:02d}"


@dataclass(frozen=True, slots=True, order=True)
class Gpst:
    """GPS time: nanoseconds since 1980-01-06T00:00:00 GPST."""

    ns: int

    @classmethod
    def from_week(cls, week: int, second_ns: int) -> Self:
        """From a full week number (no roll-over) and nanoseconds of the week."""
        return cls(week * WEEK_S * NS + second_ns)

    @classmethod
    def from_utc(cls, at: Utc) -> Self:
        """The same instant on GPS time."""
        return cls(at.tai_ns - (_GPST_EPOCH_S + _GPST_BEHIND_TAI_S) * NS)

    def to_utc(self) -> Utc:
        """The same instant on UTC."""
        return Utc(self.ns + (_GPST_EPOCH_S + _GPST_BEHIND_TAI_S) * NS)

    def to_bdt(self) -> Bdt:
        """The same instant on BeiDou time."""
        return Bdt.from_utc(self.to_utc())

    @property
    def week(self) -> int:
        """Full week number."""
        return self.ns // (WEEK_S * NS)

    @property
    def second_of_week_ns(self) -> int:
        """Nanoseconds since the start of the week."""
        return self.ns % (WEEK_S * NS)


@dataclass(frozen=True, slots=True, order=True)
class Bdt:
    """BeiDou time: nanoseconds since 2006-01-01T00:00:00 BDT."""

    ns: int

    @classmethod
    def from_week(cls, week: int, second_ns: int) -> Self:
        """From a full week number (no roll-over) and nanoseconds of the week."""
        return cls(week * WEEK_S * NS + second_ns)

    @classmethod
    def from_utc(cls, at: Utc) -> Self:
        """The same instant on BeiDou time."""
        return cls(at.tai_ns - (_BDT_EPOCH_S + _BDT_BEHIND_TAI_S) * NS)

    def to_utc(self) -> Utc:
        """The same instant on UTC."""
        return Utc(self.ns + (_BDT_EPOCH_S + _BDT_BEHIND_TAI_S) * NS)

    def to_gpst(self) -> Gpst:
        """The same instant on GPS time."""
        return Gpst.from_utc(self.to_utc())

    @property
    def week(self) -> int:
        """Full week number."""
        return self.ns // (WEEK_S * NS)

    @property
    def second_of_week_ns(self) -> int:
        """Nanoseconds since the start of the week."""
        return self.ns % (WEEK_S * NS)
