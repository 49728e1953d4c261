"""What a person wants to be told of, and when: kinds, at once or as a digest, quiet hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc

# The kinds of the worklist, and what is wrong with the node, for whoever runs it.
KINDS: Final = ("move", "approval", "screening", "declaration", "agreement", "alarm")
AT_ONCE: Final = "at_once"
DIGEST: Final = "digest"
UTC_NAME: Final = "UTC"
_DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One person's wishes. Minutes count from midnight in `zone`, an IANA name.

    `quiet_from` equal to `quiet_to`: no quiet hours. What falls into them comes at their end, a
    digest at its own minute. `kinds`: those that are wanted.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    pace: str = AT_ONCE
    digest_minute: int = 8 * 60
    quiet_from: int = 0
    quiet_to: int = 0
    zone: str = UTC_NAME
    language: str = "en"

    def __post_init__(self) -> None:
        if strangers := sorted(self.kinds - set(KINDS)):
            raise MalformedInput(f"no kind {strangers[0][:40]!r}", where="kinds")
        if self.pace not in (AT_ONCE, DIGEST):
            raise MalformedInput(f"{AT_ONCE} or {DIGEST}", where="pace")
        for name in ("digest_minute", "quiet_from", "quiet_to"):
            if not 0 <= getattr(self, name) < _DAY_MINUTES:
                raise MalformedInput(f"0 to {_DAY_MINUTES - 1} minutes of a day", where=name)
        if self.zone not in _zones():
            raise MalformedInput(
                f"no time zone {self.zone[:60]!r}", where="zone", remedy="such as Asia/Almaty"
            )

    def due(self, now: Utc) -> Utc:
        """When something that is found now is told; `now` itself for at once."""
        zone = UTC if self.zone == UTC_NAME else ZoneInfo(self.zone)
        here = now.to_datetime().astimezone(zone)
        if self.pace == DIGEST:
            return _next(here, self.digest_minute)
        if self._is_quiet(here.hour * 60 + here.minute):
            return _next(here, self.quiet_to)
        return now

    def _is_quiet(self, minute: int) -> bool:
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= minute < self.quiet_to
        return minute >= self.quiet_from or minute < self.quiet_to


def _next(here: datetime, minute: int) -> Utc:
    """The next time that the wall clock shows the minute; where it is left out, just after."""
    day = here.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0, fold=0)
    if day.timestamp() <= here.timestamp():
        day += timedelta(days=1)
    return Utc.from_unix_ns(int(day.timestamp()) * 1_000_000_000)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    # UTC needs no table of zones, so that a machine without one tells people all the same.
    return frozenset((UTC_NAME, *available_timezones()))
