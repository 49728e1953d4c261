"""Whether this node may sign and record: not while recovering, not after losing its log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.operations import replication_watch
from zhidao.node.operations.clock_watch import CODE, REMEDY

LEASE_REMEDY = "nothing: this process stands by, and takes over when the other ends"
WAIT_REMEDY = "repeat the request in a second"
RECOVERING_REMEDY = (
    "restore a newer backup (zhidao restore), or declare a new log key (zhidao log new-key)"
)

# How the log's writer begins when it says why it is not in order.
RECOVERING_KINDS: Final = {
    "the log's writer has not started": "not_started",
    "the copy of the newest checkpoint": "copy_unreadable",
    "the copied checkpoint is of another": "other_log",
    "the database has": "behind",
    "the database holds another history": "other_history",
}


def recovering_args(reason: str) -> dict[str, str | int]:
    """Why the log is not in order, as a stable kind with its sizes, for pages."""
    kind = next((k for words, k in RECOVERING_KINDS.items() if reason.startswith(words)), "")
    sizes = [int(digits) for digits in re.findall(r"\b(\d+)\b", reason)]
    if kind == "behind" and len(sizes) == 2:
        return {"kind": kind, "has": sizes[0], "signed": sizes[1]}
    return {"kind": kind} if kind else {}


class SigningPermit:
    """Asked before every signature. Reading goes on whatever it says.

    `recovering` tells why the log is not in order (empty: it is); wiring sets it, because the log
    is built on a context that already bears the permit.
    """

    def __init__(self) -> None:
        self.recovering: Callable[[], str] = lambda: ""
        # Why the clock is not to be trusted; wiring sets it as well.
        self.clock: Callable[[], str] = lambda: ""
        # Why too few machines have what is written; wiring sets it where that counts.
        self.copies: Callable[[], str] = lambda: ""
        # Why this process is not sure to hold its lease, and who hears that it lost it.
        self.unsure: Callable[[], str] = lambda: ""
        self.on_lost: Callable[[str], None] = lambda _: None
        self._lost = ""

    def withdraw(self, why: str) -> None:
        """Another process writes this node's log now: this one writes nothing more."""
        self._lost = why
        self.on_lost(why)

    @property
    def lost(self) -> str:
        """Why this process may write no more before it is a standby again; empty if it may."""
        return self._lost

    @property
    def stopped(self) -> str:
        """Why this process signs nothing, beside a log that is recovering; empty if it may."""
        return self._lost or self.unsure() or self.clock() or self.copies()

    def check_clock(self) -> None:
        """Raises Unavailable (`clock_jumped`) if nothing may be signed by this clock."""
        if reason := self.clock():
            raise Unavailable(f"this node signs nothing: {reason}", code=CODE, remedy=REMEDY)

    def check(self) -> None:
        """Raises Unavailable if it may not sign.

        With `lease_lost`, `lease_unsure`, `recovering`, `clock_jumped` or `replication_degraded`.
        """
        if self._lost:
            raise Unavailable(
                f"this node only reads: {self._lost}", code="lease_lost", remedy=LEASE_REMEDY
            )
        if reason := self.unsure():
            raise Unavailable(
                f"this process may not write now: {reason}", code="lease_unsure", remedy=WAIT_REMEDY
            )
        reason = self.recovering()
        if reason:
            raise Unavailable(
                f"this node is recovering and signs nothing: {reason}",
                code="recovering",
                remedy=RECOVERING_REMEDY,
            )
        self.check_clock()
        if reason := self.copies():
            raise Unavailable(
                f"this node writes nothing: {reason}",
                code=replication_watch.CODE,
                remedy=replication_watch.REMEDY,
            )
