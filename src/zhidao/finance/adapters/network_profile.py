"""What payments between banks are held to now: a network's profile with this node's calendars.

The folder of calendars is looked at for each message, so an added or removed file counts for the
next one, and one that was written over within a second. A profile is made anew only when a file
changed, or the year.
"""

from __future__ import annotations

import time
from datetime import date
from threading import Lock
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.wire.iso20022.profiles import Profile, with_calendars

_LOOK_NS: Final = 1_000_000_000
"""So often each file is looked at; the folder always is."""
_REMEDY: Final = "add the calendar, or start the node with a profile that names known ones"


class FolderNetwork:
    """A profile whose banking days follow the folder of calendars."""

    def __init__(self, profile: Profile, calendars: FolderCalendars, clock: Clock) -> None:
        self._profile = profile
        self._calendars = calendars
        self._clock = clock
        self._one = Lock()
        self._of: object = None
        self._looked: tuple[int, int] = (0, 0)
        """The year and the folder's stamp of the last look at each file."""
        self._looked_ns = -_LOOK_NS
        self._made: Profile | None = None

    def profile(self) -> Profile:
        """The profile as it is now; from any thread.

        Raises Unavailable (`calendar_unreadable`) while a calendar cannot be read or is missing:
        a day would be counted wrongly.
        """
        with self._one:
            year = self._clock.now().to_datetime().year
            looked, now_ns = (year, self._calendars.stamp()), time.monotonic_ns()
            made = self._made
            if made is None or looked != self._looked or now_ns - self._looked_ns >= _LOOK_NS:
                self._made = None
                made = self._made = self._as_of_now(made, year)
                self._looked, self._looked_ns = looked, now_ns
            return made

    def _as_of_now(self, made: Profile | None, year: int) -> Profile:
        seen = (self._calendars.state(), year)
        if made is not None and seen == self._of:
            return made
        try:
            known = self._calendars.calendars()
            made = with_calendars(self._profile, known, today=date(year, 1, 1))
        except MalformedInput as error:
            raise Unavailable(
                error.finding, code="calendar_unreadable", remedy=error.remedy or _REMEDY
            ) from error
        self._of = seen
        return made
