"""Whether a request may write now: not without disk space, not while the node may not sign.

The rooms would refuse by themselves, each at its own line. The gate refuses before a body is read,
so that nothing is half begun, and it says the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.operations.signing_permit import SigningPermit

LOOK_EVERY_S: Final = 1.0
SPACE_REMEDY: Final = "free space on the node's disk; it writes again within a second"
_READING_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
# Questions that come as a POST because they carry a document or a place.
_READING_PATHS: Final = (
    "/v1/trust/credentials/verify",
    "/v1/finance/passport/verify",
    "/v1/trade/invoices/validate",
    "/location-verification/",
    "/location-retrieval/",
)
# Who signs in writes nothing that a log or a ledger would miss.
# And who says what time it is ends the reason for which nothing may be signed.
_SIGN_IN_PATHS: Final = ("/v1/session", "/v1/node/clock")


class WriteGate:
    """Asked once for each request; looks at the disk at most once a second.

    `is_low` tells whether the disk's reserve is touched, `monotonic_s` is a clock that only runs
    forward.
    """

    def __init__(
        self, is_low: Callable[[], bool], permit: SigningPermit, monotonic_s: Callable[[], float]
    ) -> None:
        self._is_low = is_low
        self._permit = permit
        self._monotonic_s = monotonic_s
        self._low = False
        self._looked_s = float("-inf")

    def check(self, method: str, path: str) -> None:
        """Raises Unavailable (`disk_full`, `recovering`, `lease_lost`) for one that writes."""
        if method in _READING_METHODS or path.startswith(_READING_PATHS):
            return
        if self.is_low():
            raise Unavailable(
                "the node's disk is nearly full: it reads and writes nothing new",
                code="disk_full",
                remedy=SPACE_REMEDY,
            )
        if not path.startswith(_SIGN_IN_PATHS):
            self._permit.check()

    def is_low(self) -> bool:
        """Whether the reserve was touched when last looked at, at most a second ago."""
        now_s = self._monotonic_s()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._low = self._is_low()
            self._looked_s = now_s
        return self._low
