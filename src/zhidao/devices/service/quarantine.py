"""Terminals whose stored rows cannot be recorded: passed over, told of, and tried again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

RETRY_S: Final = 300.0
_LOG: Final = logging.getLogger("zhidao.devices")


class Quarantine:
    """What is set aside, by terminal, with the reason. Kept in memory: a new start tries all.

    `tell` hears of every change with all that is set aside; `monotonic_s` is a clock in seconds.
    """

    def __init__(
        self,
        tell: Callable[[Mapping[str, str]], None] = lambda _reasons: None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._monotonic_s = monotonic_s
        self._reasons: dict[str, str] = {}
        self._again_at_s: dict[str, float] = {}

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Terminals that are not tried now."""
        now_s = self._monotonic_s()
        return tuple(name for name, at_s in self._again_at_s.items() if at_s > now_s)

    def put(self, terminal: str, error: Exception) -> None:
        """Sets a terminal aside for a while."""
        _LOG.error("the reports of terminal %s cannot be recorded", terminal, exc_info=error)
        self._reasons[terminal] = f"{type(error).__name__}: {error}"
        self._again_at_s[terminal] = self._monotonic_s() + RETRY_S
        self._tell(self._reasons)

    def lift(self, terminal: str) -> None:
        """Takes a terminal back, if it was set aside."""
        if self._reasons.pop(terminal, None) is not None:
            del self._again_at_s[terminal]
            self._tell(self._reasons)
