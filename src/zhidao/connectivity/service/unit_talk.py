"""A session on a line: bytes to and fro until nothing waits, or the time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from zhidao.connectivity.service.terminal_session import Happening, TerminalSession

# How long one look at the line lasts at most, so that an interrupt is answered.
_LOOK_S: Final = 1.0


class Line(Protocol):
    """Bytes to and from a unit."""

    def write(self, data: bytes) -> None:
        """Writes all of it."""
        ...

    def read(self, within_s: float) -> bytes:
        """What came, as soon as something does; empty if nothing does."""
        ...


def talk(
    session: TerminalSession,
    line: Line,
    *,
    now: Callable[[], float],
    keep: Callable[[], None],
    until: Callable[[], float],
) -> Iterator[Happening]:
    """What happens on the line, as it does, until `until()`; the caller stops when it has enough.

    `keep` writes the outbox to disk. It is called before a message goes out, so that whoever is
    killed then has its interval kept, and after what changes the outbox.
    """
    while (at := now()) < until():
        out, told = session.tick(at)
        if told or out:
            keep()
        yield from told
        if out:
            line.write(out)
        wait_s = min(session.wake_s(now()) - now(), until() - now(), _LOOK_S)
        data = line.read(max(0.0, wait_s))
        happened = tuple(session.feed(data, now())) if data else ()
        if happened:
            # Whoever is told of a message has it before its sender hears so.
            yield from happened
            keep()
