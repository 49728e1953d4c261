"""A line that says what long work is at, for a person who looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

QUIET_S: Final = 2.0
_WIDTH: Final = 72


@contextmanager
def told(what: str) -> Iterator[Callable[[str], None]]:
    """Gives a function that takes the next part's name; after two seconds it shows on a terminal.

    On anything but a terminal nothing is shown.
    """
    started_s = time.monotonic()
    looking = sys.stderr.isatty()
    shown = False

    def say(part: str) -> None:
        nonlocal shown
        if looking and time.monotonic() - started_s > QUIET_S:
            shown = True
            print(f"\r{f'{what}: {part}':<{_WIDTH}.{_WIDTH}}", end="", file=sys.stderr, flush=True)

    try:
        yield say
    finally:
        if shown:
            print(f"\r{'':<{_WIDTH}}\r", end="", file=sys.stderr, flush=True)


_BAR: Final = 24


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """Gives a function to be called as each of `total` parts starts, with the part's name.

    A bar shows on a terminal once two seconds have passed; elsewhere nothing is shown.
    """
    begun = 0
    with told(what) as say:

        def step(part: str) -> None:
            nonlocal begun
            filled = _BAR * begun // max(total, 1)
            begun = min(begun + 1, total)
            say(f"[{'#' * filled}{'.' * (_BAR - filled)}] {begun}/{total} {part}")

        yield step
