"""Banking calendars of a node: the house's, and the operator's own files before them.

A file is called `NAME.FIRST-LAST.json`; it is taken over by `zhidao finance calendars add`, which
reads it first. Files are read when they changed, so an added year counts at once.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.files.bounded import read_bounded
from zhidao.finance.domain.banking_calendars import CalendarRules, KnownCalendar
from zhidao.finance.wire.calendars import FILE_BYTES_MAX, NAMES, built_in, read_rules

FOLDER: Final = "calendars"
"""Where a node keeps the operator's, in its data folder."""
FILES_MAX: Final = 256
_Print = tuple[tuple[str, int, int], ...]


class FolderCalendars:
    """Implements `ports.Calendars` over a folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._print: _Print | None = None
        self._known: dict[str, KnownCalendar] = {}

    def calendar(self, name: str) -> KnownCalendar:
        """A calendar by its name. Raises Refused (`calendar_not_known`)."""
        known = self._all().get(name)
        if known is None:
            raise Refused(
                f"no banking calendar {name[:40]!r} at this node",
                code="calendar_not_known",
                remedy=f"give one of {', '.join(sorted(self._all()))}, or the operator adds it",
            )
        return known

    def calendars(self) -> list[KnownCalendar]:
        """All that are known, by name."""
        return [known for _, known in sorted(self._all().items())]

    def state(self) -> object:
        """Differs as soon as a file was added, changed or removed."""
        return self._files()

    def stamp(self) -> int:
        """When a file was added or removed last, Unix ns; cheap. 0 without a folder."""
        try:
            return self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def add(self, data: bytes) -> KnownCalendar:
        """Takes a file over and returns its calendar as it is then; the same file again: the same.

        Raises MalformedInput for a file that is none, or does not go with those of its name.
        """
        rules = read_rules(data)
        name = f"{rules.name}.{rules.first_year}-{rules.last_year}.json"
        others = [one for known, one in self._own() if known != name]
        if len(others) >= FILES_MAX:
            raise MalformedInput(
                f"{FILES_MAX} calendars are enough",
                code="bad_calendar",
                where=str(self._folder),
                remedy="remove the oldest first",
            )
        for other in others:
            both = max(rules.first_year, other.first_year) <= min(rules.last_year, other.last_year)
            if other.name == rules.name and both:
                raise MalformedInput(
                    f"{rules.name} of {other.first_year} to {other.last_year} is there already",
                    code="bad_calendar",
                    remedy="give a file of the same years to replace it, or of other years",
                )
        made = _resolved([*(one for one in others), rules])[rules.name]
        self._folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a node that runs may read the folder in this moment.
        half = self._folder.joinpath(f".{name}")
        half.write_bytes(data)
        half.replace(self._folder.joinpath(name))
        return made

    def _all(self) -> dict[str, KnownCalendar]:
        found = self._files()
        if found != self._print:
            self._known = _resolved([rules for _, rules in self._own()])
            self._print = found
        return self._known

    def _own(self) -> list[tuple[str, CalendarRules]]:
        read = []
        files = self._files()
        if len(files) > FILES_MAX:
            # Which of them would count is nobody's guess.
            raise Unavailable(
                f"{len(files)} banking calendars; at most {FILES_MAX} are read",
                code="calendar_unreadable",
                where=str(self._folder),
                remedy="remove the oldest; no day is counted until then",
            )
        for name, _, _ in files:
            try:
                data = read_bounded(self._folder / name, bytes_max=FILE_BYTES_MAX)
                read.append((name, read_rules(data)))
            except (MalformedInput, OSError) as error:
                raise Unavailable(
                    f"the banking calendar {name} cannot be read: {error}",
                    code="calendar_unreadable",
                    where=name,
                    remedy="mend or remove the file; no day is counted until then",
                ) from error
        return read

    def _files(self) -> _Print:
        if not self._folder.is_dir():
            return ()
        files = sorted(path for path in self._folder.glob("*.json") if path.name[0] != ".")
        told = ((path.name, path.stat()) for path in files[: FILES_MAX + 1])
        return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in told)


def _resolved(own: list[CalendarRules]) -> dict[str, KnownCalendar]:
    by_name: dict[str, list[CalendarRules]] = defaultdict(list)
    for rules in (*own, *(built_in(name) for name in NAMES)):
        by_name[rules.name].append(rules)
    return {name: KnownCalendar(tuple(many)) for name, many in by_name.items()}
