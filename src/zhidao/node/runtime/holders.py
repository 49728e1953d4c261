"""Who holds the leases, as a process sees it that holds none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.leases.keeper import awake_s
from zhidao.node.leases.lease import LEASE_S, Lease, Mark
from zhidao.node.leases.ports import Leases, Member
from zhidao.node.operations.alarms import Alarm

LOOK_EVERY_S: Final = 0.5
# A takeover takes less; whoever waits longer than that waits for a person.
TOLD_AFTER_S: Final = 8.0
CODE: Final = "role_vacant"
_REMEDY: Final = "start a process of this node with these roles: zhidao serve"
_LOG: Final = logging.getLogger("zhidao.leases")


class Holders:
    """Looks at the leases of the needed roles until cancelled."""

    def __init__(
        self, leases: Leases, needed: Sequence[str], *, clock_s: Callable[[], float] = awake_s
    ) -> None:
        self._leases = leases
        self._needed = tuple(needed)
        self._clock_s = clock_s
        self._moved: dict[str, tuple[Mark, float]] = {}
        self._vacant: tuple[str, ...] = ()
        self._vacant_since_s = clock_s()
        self._holder: Member | None = None

    def holder(self) -> Member | None:
        """The process that serves now; None while there is none."""
        return self._holder

    def alarms(self) -> list[Alarm]:
        """`role_vacant` while nobody holds a needed role for longer than a takeover takes."""
        if not self._vacant or self._clock_s() - self._vacant_since_s < TOLD_AFTER_S:
            return []
        named = ", ".join(self._vacant)
        sentence = f"no process of this node holds {named}"
        return [Alarm(code=CODE, sentence=sentence, remedy=_REMEDY, args={"roles": named})]

    async def run(self) -> None:
        """Looks again and again."""
        told = False
        while True:
            try:
                await self.look()
            except Unavailable as error:
                # Who served last may still; asking it tells.
                _LOG.warning("leases cannot be read: %s", error, extra={"code": error.code})
            alarms = self.alarms()
            if alarms and not told:
                _LOG.error("%s", alarms[0].sentence, extra={"code": CODE})
            told = bool(alarms)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Looks once. Raises Unavailable if the leases cannot be read."""
        leases = await self._leases.look()
        members = {each.holder: each for each in await self._leases.members()}
        now_s = self._clock_s()
        self._note(leases, now_s)
        live = {each.role: each.holder for each in leases if self._lives(each, now_s)}
        vacant = tuple(role for role in self._needed if role not in live)
        if vacant and not self._vacant:
            self._vacant_since_s = now_s
        self._vacant = vacant
        self._holder = None if vacant else members.get(live[self._needed[0]])

    def _note(self, leases: Sequence[Lease], now_s: float) -> None:
        """Notes which leases moved since the last look."""
        for each in leases:
            known = self._moved.get(each.role)
            if known is None or known[0] != each.mark:
                self._moved[each.role] = each.mark, now_s

    def _lives(self, lease: Lease, now_s: float) -> bool:
        silent_s = now_s - self._moved[lease.role][1]
        return bool(lease.holder) and lease.over_s <= 0 and silent_s < LEASE_S
