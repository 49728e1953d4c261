"""Whether this node may sign and record: not while recovering, not after losing its log."""

from __future__ import annotations

from collections.abc import Callable

from zhidao.core.errors import Unavailable

LEASE_REMEDY = "stop one of the two nodes that use this database, then start the other again"
RECOVERING_REMEDY = "restore a newer backup (zhidao restore), or declare a new log key"


class Permit:
    """Asked before every signature. Reading goes on whatever it says.

    `recovering` tells why the log is not in order (empty: it is); wiring sets it, because the log
    is built on ground that already bears the permit.
    """

    def __init__(self) -> None:
        self.recovering: Callable[[], str] = lambda: ""
        self._lost = ""

    def withdraw(self, why: str) -> None:
        """Another process writes this node's log now: this one writes nothing more, ever."""
        self._lost = why

    @property
    def lost(self) -> str:
        """Why this process may never write again; empty if it may."""
        return self._lost

    def check(self) -> None:
        """Raises Unavailable (`lease_lost`, `recovering`) if nothing may be signed now."""
        if self._lost:
            raise Unavailable(
                f"this node only reads: {self._lost}", code="lease_lost", remedy=LEASE_REMEDY
            )
        reason = self.recovering()
        if reason:
            raise Unavailable(
                f"this node is recovering and signs nothing: {reason}",
                code="recovering",
                remedy=RECOVERING_REMEDY,
            )
