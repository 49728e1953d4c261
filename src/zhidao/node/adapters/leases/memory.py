"""Leases in a dictionary, under the same contract, for processes that are only played."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from zhidao.node.leases.lease import LEASE_S, Grant, Lease, Mark
from zhidao.node.leases.ports import Member

_ALIVE_S = 60.0


class MemoryLeases:
    """`now_s` is the clock of the place where the leases stand, in seconds since 1970."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._leases: dict[str, tuple[Lease, float]] = {}
        self._members: dict[str, tuple[Member, float]] = {}
        self.cut: list[str] = []

    async def look(self) -> tuple[Lease, ...]:
        """See the port."""
        now_s = self._now_s()
        return tuple(
            replace(lease, over_s=now_s - until_s)
            for _, (lease, until_s) in sorted(self._leases.items())
        )

    async def now_s(self) -> float:
        """See the port."""
        return self._now_s()

    async def take(
        self, roles: Sequence[str], holder: str, stood: Mapping[str, Mark]
    ) -> Grant | None:
        """See the port."""
        now_s = self._now_s()
        for role in roles:
            self._leases.setdefault(role, (Lease(role, "", 0, 0, 0.0), now_s))
        found = {role: self._leases[role][0].mark for role in roles}
        if any(found[role] != stood.get(role, ("", 0, 0)) for role in roles):
            return None
        epoch = max(max(mark[1] for mark in found.values()) + 1, int(now_s))
        for role in roles:
            self._leases[role] = Lease(role, holder, epoch, 0, 0.0), now_s + LEASE_S
        return Grant(holder, epoch, tuple(sorted(roles)))

    async def renew(self, grant: Grant) -> bool:
        """See the port."""
        held = self._held(grant)
        for role in held:
            lease = self._leases[role][0]
            renewed = replace(lease, renewals=lease.renewals + 1)
            self._leases[role] = renewed, self._now_s() + LEASE_S
        return len(held) == len(grant.roles)

    async def release(self, grant: Grant) -> None:
        """See the port."""
        for role in self._held(grant):
            self._leases[role] = replace(self._leases[role][0], holder=""), self._now_s()

    async def cut_off(self, holder: str) -> None:
        """See the port."""
        self.cut.append(holder)

    async def tell(self, member: Member) -> None:
        """See the port."""
        self._members[member.holder] = member, self._now_s()

    async def members(self) -> tuple[Member, ...]:
        """See the port."""
        now_s = self._now_s()
        return tuple(
            replace(member, age_s=now_s - seen_s)
            for _, (member, seen_s) in sorted(self._members.items())
            if now_s - seen_s < _ALIVE_S
        )

    async def leave(self, holder: str) -> None:
        """See the port."""
        self._members.pop(holder, None)

    def _held(self, grant: Grant) -> list[str]:
        return [
            role
            for role in grant.roles
            if role in self._leases
            and self._leases[role][0].mark[:2] == (grant.holder, grant.epoch)
        ]
