"""What is wrong with the node right now, as long as it is wrong."""

from __future__ import annotations

from typing import Final

import msgspec

# No event goes into the log or onto the bus any more.
RELAY_STOPPED: Final = "relay_stopped"


class Alarm(msgspec.Struct, kw_only=True):
    """Something is wrong: what, and what to do.

    `code`, before a colon, is stable; with `args` it lets a page say the same in its language.
    """

    code: str
    sentence: str
    remedy: str
    args: dict[str, str | int] = msgspec.field(default_factory=dict)


class Alarms:
    """Alarms that parts of the node have raised and not taken back; one for each code."""

    def __init__(self) -> None:
        self._raised: dict[str, Alarm] = {}

    def sound(
        self, code: str, sentence: str, remedy: str, *, args: dict[str, str | int] | None = None
    ) -> None:
        """Raises an alarm, or replaces its sentence."""
        self._raised[code] = Alarm(code=code, sentence=sentence, remedy=remedy, args=args or {})

    def clear(self, code: str) -> None:
        """Takes an alarm back, if it stands."""
        self._raised.pop(code, None)

    def stands(self, code: str) -> bool:
        """Whether an alarm of that code stands."""
        return code in self._raised

    def standing(self) -> list[Alarm]:
        """The alarms that stand, oldest first."""
        return list(self._raised.values())
