"""Scenario time of a demonstration, kept in a file: a node that dies does not forget it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from zhidao.core.ambient import HandClock
from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import read_kept
from zhidao.core.timescale import Utc

_BEGINNING: Final = "1980-01-06T00:00:00Z"


class KeptClock(HandClock):
    """A clock that moves only when told, and is where it was after a restart."""

    def __init__(self, file: Path) -> None:
        super().__init__(_read(file))
        self._file = file

    def set(self, at: Utc) -> None:
        """Moves the clock; the file says so before anybody goes by it."""
        aside = self._file.with_suffix(".new")
        aside.write_text(str(at))
        aside.replace(self._file)
        super().set(at)


def _read(file: Path) -> Utc:
    try:
        said = read_kept(file)
    except FileNotFoundError:
        return Utc.parse(_BEGINNING)
    return read_time(said, file)


def read_time(said: bytes, file: Path) -> Utc:
    """The time that a file says. Raises MalformedInput, naming it: time does not go back."""
    try:
        return Utc.parse(said.decode("ascii").strip())
    except (MalformedInput, UnicodeDecodeError) as error:
        raise MalformedInput(
            f"the demonstration's time cannot be read: {error}",
            where=str(file),
            remedy="write the time that it had into the file, such as 2026-05-03T00:00:00Z",
        ) from error
