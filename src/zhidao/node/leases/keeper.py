"""Takes a process's leases when they are free, renews them, and says when they are lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.leases.lease import LEASE_S, RENEWED_EVERY_S, Grant, Lease, Watch, expected
from zhidao.node.leases.ports import Leases

LOOK_EVERY_S: Final = 0.25
_AGAIN_S: Final = 0.1
# An answer that takes longer than this is asked for again.
_RENEWAL_S: Final = 2.5
# The clock that also counts while the machine sleeps, where there is one.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_LOG: Final = logging.getLogger("zhidao.leases")


def awake_s() -> float:
    """Seconds by a clock that only runs forward and does not stop while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


class LeaseKeeper:
    """One process's hold on its roles: wait for them, keep them, lose them, wait again."""

    def __init__(
        self,
        leases: Leases,
        roles: Sequence[str],
        watch: Watch,
        *,
        clock_s: Callable[[], float] = awake_s,
    ) -> None:
        self._leases = leases
        self._roles = tuple(sorted(roles))
        self._watch = watch
        self._clock_s = clock_s
        self._grant: Grant | None = None
        self._renewed_s = float("-inf")
        self._given_up = ""
        self.seen: Sequence[Lease] = ()

    @property
    def grant(self) -> Grant | None:
        """What is held now, as far as is known."""
        return self._grant

    def unsure(self) -> str:
        """Why nothing may be written now; empty while the lease surely runs.

        By this process's own clock: whoever slept longer than the lease asks nobody for that.
        """
        if self._grant is None:
            return "this process holds no lease"
        if self._clock_s() - self._renewed_s >= LEASE_S:
            return f"the lease was not renewed for {LEASE_S:.0f} s"
        return ""

    async def try_once(self) -> Grant | None:
        """Takes all roles if all are free now. Raises Unavailable if nobody tells."""
        now_s = self._clock_s()
        try:
            leases = [each for each in await self._leases.look() if each.role in self._roles]
        except Unavailable:
            # What could not be looked at may have been renewed meanwhile.
            self._watch.forget()
            raise
        self._watch.look(leases, now_s)
        self.seen = leases
        if not all(self._watch.may_take(each, now_s) for each in leases):
            return None
        begun_s = self._clock_s()
        grant = await self._leases.take(self._roles, self._watch.holder, expected(leases))
        if grant is None:
            return None
        self._grant, self._renewed_s, self._given_up = grant, begun_s, ""
        # This process has no connection of that name yet: what bears its own is an earlier life's.
        for former in sorted({each.holder for each in leases} - {""}):
            _LOG.info("cut off %s", former, extra={"epoch": grant.epoch})
            await self._leases.cut_off(former)
        return grant

    async def acquire(self) -> Grant:
        """Waits as a standby until all roles are free, and takes them."""
        while True:
            pause_s = LOOK_EVERY_S
            try:
                if (grant := await self.try_once()) is not None:
                    return grant
                pause_s = self._watch.pause_s(self.seen, self._clock_s(), LOOK_EVERY_S)
            except Unavailable as error:
                _LOG.warning("the standby waits: %s", error, extra={"code": error.code})
            await asyncio.sleep(pause_s)

    async def hold(self) -> str:
        """Renews until the lease is lost or given up; returns why. Cancel it to end."""
        grant = self._grant
        assert grant is not None, "nothing is renewed that was not taken"
        while not self._given_up:
            begun_s = self._clock_s()
            try:
                async with asyncio.timeout(_RENEWAL_S):
                    held = await self._leases.renew(grant)
            except (Unavailable, TimeoutError) as error:
                _LOG.warning("the lease is not renewed: %s", error or "no answer in time")
                await asyncio.sleep(_AGAIN_S)
                continue
            if not held:
                self._lost()
                return "another process has taken over"
            self._renewed_s = begun_s
            await asyncio.sleep(RENEWED_EVERY_S)
        reason = self._given_up
        await self.release()
        self._lost()
        return reason

    def give_up(self, why: str) -> None:
        """Has `hold` end: this process was told that it may write no more."""
        self._given_up = why

    async def release(self) -> None:
        """Lets another process take over at once; it does so anyhow if nobody can be told."""
        grant, self._grant = self._grant, None
        if grant is None:
            return
        try:
            async with asyncio.timeout(_RENEWAL_S):
                await self._leases.release(grant)
        except (Unavailable, TimeoutError) as error:
            _LOG.warning("the lease runs out by itself: %s", error or "no answer in time")

    def _lost(self) -> None:
        self._grant = None
        self._watch.fenced_s = self._clock_s()
        self._watch.forget()
