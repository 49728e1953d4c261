"""A lease as others see it, and when it may be taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

# Without a renewal for so long a holder is taken for dead.
LEASE_S: Final = 5.0
RENEWED_EVERY_S: Final = 1.0
# The database's clock says that a lease is over, but the holder may renew it: a clock that was
# set forward must not take a lease from who lives. Two renewals would have been seen by then.
SILENT_S: Final = 2.0
# Who was fenced lets others work in peace for a while, unless nobody does: no two processes
# take a lease from each other more often than that.
PEACE_S: Final = 60.0
VACANT_S: Final = 15.0


def _not_known(_: str) -> bool:
    return False


Mark: TypeAlias = tuple[str, int, int]
"""Holder, epoch, renewals: another one means that somebody renewed or took it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One role of one writer, as it stands in the database.

    `over_s`: since when it is over by the database's clock; negative while it runs.
    `since`: when its holder took it, RFC 3339. A released lease has no holder.
    """

    role: str
    holder: str
    epoch: int
    renewals: int
    over_s: float
    since: str = ""

    @property
    def mark(self) -> Mark:
        """What changes with each renewal."""
        return self.holder, self.epoch, self.renewals


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process holds: its roles, all under one epoch."""

    holder: str
    epoch: int
    roles: tuple[str, ...]


@dataclass(slots=True)
class Watch:
    """What a standby has seen of leases, by its own clock that only runs forward.

    `holder`: its own name. `alone`: no other process can reach this database. `ended`: whether a
    process of that name is known to have ended, which only its own machine can know.
    `fenced_s`: when it last lost a lease to another.
    """

    holder: str
    alone: bool = False
    ended: Callable[[str], bool] = _not_known
    fenced_s: float = float("-inf")
    _seen: dict[str, tuple[Mark, float]] = field(default_factory=dict)

    def look(self, leases: Sequence[Lease], now_s: float) -> None:
        """Notes which leases moved since the last look."""
        self._seen = {
            each.role: known
            if (known := self._seen.get(each.role)) and known[0] == each.mark
            else (each.mark, now_s)
            for each in leases
        }

    def forget(self) -> None:
        """Begins anew: what could not be looked at may have moved."""
        self._seen = {}

    def may_take(self, lease: Lease, now_s: float) -> bool:
        """Whether this lease is nobody's any more."""
        if self.alone or lease.holder in ("", self.holder) or self.ended(lease.holder):
            return True
        silent_s = now_s - self._seen[lease.role][1] if lease.role in self._seen else 0.0
        if now_s - self.fenced_s < PEACE_S:
            return silent_s >= VACANT_S
        # By the database's clock, or by our own should that one have been set back.
        return silent_s >= LEASE_S or (lease.over_s > 0 and silent_s >= SILENT_S)

    def pause_s(self, leases: Sequence[Lease], now_s: float, most_s: float) -> float:
        """When to look again: at once when the last of them is over."""
        waits = [-each.over_s + 0.02 for each in leases if not self.may_take(each, now_s)]
        return min(most_s, max(0.02, *waits)) if waits else 0.02


def expected(leases: Sequence[Lease]) -> Mapping[str, Mark]:
    """How the leases stood when somebody decided to take them."""
    return {each.role: each.mark for each in leases}
