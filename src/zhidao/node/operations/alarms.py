"""What is wrong with the node right now, as long as it is wrong."""

from __future__ import annotations

from typing import Final

import msgspec

# No event goes into the log or onto the bus any more.
RELAY_STOPPED: Final = "relay_stopped"

# Alarms for which somebody is woken: writing, signing or money stands still, or somebody lied.
CRITICAL: Final = frozenset(
    (
        *("bad_rpc_answer", "chain_rewritten", "clock_jumped", "disk_full", "double_title"),
        *("fraud_proven", "ledger_differs", "logs_missing", "recovering", "registrar_used"),
        *(RELAY_STOPPED, "role_vacant", "writes_failing", "wrong_chain"),
        *("anchored_ahead", "anchored_otherwise", "certificate_ends_soon"),
    )
)


class Alarm(msgspec.Struct, kw_only=True):
    """Something is wrong: what, and what to do.

    `code`, before a colon, is stable; with `args` it lets a page say the same in its language.
    """

    code: str
    sentence: str
    remedy: str
    args: dict[str, str | int] = msgspec.field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The code without what it is about: one of few."""
        return self.code.partition(":")[0]

    @property
    def severity(self) -> str:
        """critical: somebody is woken; warning: it can wait until the morning."""
        return "critical" if self.kind in CRITICAL else "warning"


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
