"""Sign-ins that failed, as one act a minute and block of addresses; never the name as typed."""

from __future__ import annotations

from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.timescale import NS
from zhidao.node.security.administration import Act, Administration, console
from zhidao.node.security.callers import Person
from zhidao.node.security.sign_in_delays import TRIES_FREE

# The try after which a minute and more must pass: whoever exists is then told of it.
TRIES_TO_LOCK: Final = TRIES_FREE + 6
# Blocks that one minute tells apart; what comes from more is told together.
BLOCKS_MAX: Final = 1000
OTHERS: Final = "others"


class FailedSignIns:
    """Counts in memory and writes each minute down once it is over."""

    def __init__(self, administration: Administration, clock: Clock) -> None:
        self._administration = administration
        self._clock = clock
        self._counts: dict[tuple[int, str], list[int]] = {}
        self._locked: list[tuple[Person, str]] = []

    def count(self, block: str, *, delayed: bool = False, locked: Person | None = None) -> None:
        """Counts one: refused for its password, or (`delayed`) before that was looked at.

        `locked`: who exists, and may be tried from this block only slowly from now on.
        """
        minute = self._minute()
        known = (minute, block) in self._counts or len(self._counts) < BLOCKS_MAX
        counts = self._counts.setdefault((minute, block if known else OTHERS), [0, 0])
        counts[1 if delayed else 0] += 1
        if locked and len(self._locked) < BLOCKS_MAX:
            self._locked.append((locked, block))

    async def write(self, *, everything: bool = False) -> None:
        """Writes the minutes that are over (or all) and who was locked."""
        node = self._administration.node
        now = self._minute()
        for minute, block in sorted(self._counts):
            if minute < now or everything:
                wrong, delayed = self._counts.pop((minute, block))
                await self._administration.note(
                    console(node),
                    Act.SIGN_INS_FAILED,
                    subject=block or "unknown",
                    party=node,
                    values={
                        "minute": str(minute),
                        "wrong": str(wrong),
                        "delayed": str(delayed),
                    },
                )
        while self._locked:
            person, block = self._locked.pop(0)
            await self._administration.note(
                console(node),
                Act.LOCKED,
                subject=person.name,
                party=person.party,
                values={"block": block},
            )

    def _minute(self) -> int:
        return self._clock.now().unix_ns // NS // 60
