"""Whether the machine's clock jumped: what is signed says when, so nothing is signed after a jump.

Two clocks are compared: the one that tells the time, and one that only counts what passed, suspend
included. Their difference changes by as much as a time service may slew, and else by a jump.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.timescale import NS, Utc
from zhidao.node.operations.alarms import Alarms

JUMP_NS: Final = 5 * NS
EVERY_S: Final = 1.0
# Linux slews by at most 500 parts in a million (adjtimex(2)).
_SLEW_PPM: Final = 500
CODE: Final = "clock_jumped"
REMEDY: Final = (
    "set the clock right (timedatectl set-ntp true); signing goes on once a time service agrees, or"
    " once an operator says what time it is: zhidao clock agree --now UTC"
)


@dataclass(frozen=True, slots=True)
class TimeSources:
    """The clocks of a machine.

    `wall_ns`: since 1970; `passed_ns`: since some instant, suspend included; `agrees`: whether a
    time service vouches for the first one now.
    """

    wall_ns: Callable[[], int]
    passed_ns: Callable[[], int]
    agrees: Callable[[], bool]


class ClockWatch:
    """Let `run` run; `wrong` is asked before every signature, and looks for itself."""

    def __init__(self, sources: TimeSources, alarms: Alarms) -> None:
        self._sources = sources
        self._alarms = alarms
        self._seen_ns = sources.passed_ns()
        # What the time's difference to the time passed may be.
        self._offset_ns = sources.wall_ns() - self._seen_ns
        self._jumped_ns = 0

    @property
    def jumped_s(self) -> int:
        """By how many whole seconds the clock stands from where it should; 0 if it does not."""
        return round(self._jumped_ns / NS)

    async def run(self) -> None:
        """Looks until cancelled, so that a jump is an alarm though nobody signs."""
        while True:
            self.wrong()
            await asyncio.sleep(EVERY_S)

    def wrong(self) -> str:
        """Why nothing may be signed by this clock now; empty if it may."""
        passed_ns = self._sources.passed_ns()
        offset_ns = self._sources.wall_ns() - passed_ns
        slew_ns = max(0, passed_ns - self._seen_ns) * _SLEW_PPM // 1_000_000
        self._seen_ns = passed_ns
        away_ns = offset_ns - self._offset_ns
        if abs(away_ns) > JUMP_NS and self._sources.agrees():
            self._offset_ns, away_ns = offset_ns, 0
        if abs(away_ns) <= JUMP_NS:
            self._offset_ns += max(-slew_ns, min(slew_ns, away_ns))
            self._jumped_ns = 0
            self._alarms.clear(CODE)
            return ""
        self._jumped_ns = away_ns
        sentence = f"the clock jumped by {self.jumped_s} s that did not pass"
        self._alarms.sound(
            CODE, f"{sentence}; nothing is signed", REMEDY, args={"seconds": self.jumped_s}
        )
        return sentence

    def agree(self, now: Utc) -> int:
        """An operator says what time it is; returns by how many seconds the clock had jumped.

        Raises Refused (`clock_differs`) if the clock says something else.
        """
        wall_ns = self._sources.wall_ns()
        away_ns = wall_ns - now.unix_ns
        if abs(away_ns) > JUMP_NS:
            raise Refused(
                f"the node's clock says {Utc.from_unix_ns(wall_ns)}, you say {now}",
                code="clock_differs",
                remedy="set the machine's clock right first: timedatectl set-time",
            )
        self.wrong()
        jumped_s = self.jumped_s
        self._seen_ns = self._sources.passed_ns()
        self._offset_ns = wall_ns - self._seen_ns
        self.wrong()
        return jumped_s
