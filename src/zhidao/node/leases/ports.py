"""What a process asks of the place where leases stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.node.leases.lease import Grant, Lease, Mark


@dataclass(frozen=True, slots=True)
class Member:
    """A process of the node, as it tells the others.

    `url`: where they reach it, with the fingerprint of its own `certificate` (empty: plain HTTP,
    or one of a known authority). `password`: what a process of the node bears that passes a
    request on. `age_s`: how long ago it was last alive; `started`: RFC 3339.
    """

    holder: str
    roles: str
    url: str = ""
    certificate: str = ""
    password: str = ""
    age_s: float = 0.0
    started: str = ""


class Leases(Protocol):
    """The leases of one node. Every act raises Unavailable while their place does not answer."""

    async def look(self) -> tuple[Lease, ...]:
        """All leases as they stand, in order of role."""
        ...

    async def now_s(self) -> float:
        """What time it is by the clock of their place, in seconds since 1970."""
        ...

    async def take(
        self, roles: Sequence[str], holder: str, stood: Mapping[str, Mark]
    ) -> Grant | None:
        """Takes these roles together, if they still stand as they `stood`; None if one moved.

        Waits for no writer: who holds up the takeover is cut off. A role nobody ever had is made.
        """
        ...

    async def renew(self, grant: Grant) -> bool:
        """Whether all of it is still held; for another `LEASE_S` then."""
        ...

    async def release(self, grant: Grant) -> None:
        """Gives up what is still held, so that another may take it at once."""
        ...

    async def cut_off(self, holder: str) -> None:
        """Ends the connections of a process that was taken for dead."""
        ...

    async def tell(self, member: Member) -> None:
        """Says that this process is alive, and what it is."""
        ...

    async def members(self) -> tuple[Member, ...]:
        """The processes of the node that were alive within a minute, in order of name."""
        ...

    async def leave(self, holder: str) -> None:
        """Takes a process's name off the list."""
        ...
