"""A BeiDou unit on its line, for those who use this room without a node and the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zhidao.connectivity.adapters import outbox_file
from zhidao.connectivity.adapters.unit_line import UnitLine, open_line
from zhidao.connectivity.service.inbox import Inbox
from zhidao.connectivity.service.outbox import Outbox
from zhidao.connectivity.service.terminal_session import Happening, Settings, TerminalSession
from zhidao.connectivity.service.unit_talk import talk

# How long a unit may take to tell its card.
CARD_S: Final = 20.0


class Unit:
    """A session with a unit, on its line, with its outbox on disk."""

    def __init__(
        self, session: TerminalSession, line: UnitLine, file: Path, now: Callable[[], float]
    ) -> None:
        self.session = session
        self._line = line
        self._file = file
        self._now = now

    @property
    def ready(self) -> bool:
        """Whether the unit told a card."""
        return self.session.card is not None and not self.session.card.absent

    def happenings(self, for_s: float, *, card_s: float = CARD_S) -> Iterator[Happening]:
        """What happens within so many seconds; without a card, within `card_s`.

        Raises Unavailable where the line ends.
        """
        until_s, card_by_s = self._now() + for_s, self._now() + card_s

        def until() -> float:
            return until_s if self.ready else min(until_s, card_by_s)

        return talk(self.session, self._line, now=self._now, keep=self.keep, until=until)

    def keep(self) -> None:
        """Writes the outbox to its file."""
        outbox_file.save(self._file, self.session.outbox, next_send_s=self.session.next_send_s)


@contextmanager
def opened_unit(
    device: str, *, speed: int, outbox: Path, settings: Settings, now: Callable[[], float]
) -> Iterator[Unit]:
    """The unit at `/dev/ttyX` or `tcp://host:port`, for one program at a time.

    now: Unix seconds of a clock that does not jump. Raises MalformedInput, Unavailable.
    """
    with outbox_file.held(outbox):
        waiting, next_s = outbox_file.load(outbox, now_s=now())
        session = TerminalSession(waiting, Inbox(), settings, next_send_s=next_s)
        with open_line(device, speed=speed) as line:
            unit = Unit(session, line, outbox, now)
            try:
                yield unit
            finally:
                unit.keep()


def waiting_in(outbox: Path, *, now_s: float) -> Outbox:
    """What waits in a file. Raises MalformedInput."""
    return outbox_file.load(outbox, now_s=now_s)[0]


def drop_from(outbox: Path, name: bytes, *, now_s: float) -> bool:
    """Takes a message out of a file; False if none is. Raises Unavailable while it is used."""
    with outbox_file.held(outbox):
        waiting, next_s = outbox_file.load(outbox, now_s=now_s)
        if not waiting.remove(name):
            return False
        outbox_file.save(outbox, waiting, next_send_s=next_s)
        return True
