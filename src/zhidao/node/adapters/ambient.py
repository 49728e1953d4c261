"""The real clock and the real source of chance."""

from __future__ import annotations

import os
import time

from zhidao.core.timescale import Utc


class SystemClock:
    """The machine's clock, as UTC."""

    def now(self) -> Utc:
        """The present instant."""
        return Utc.from_unix_ns(time.time_ns())


class SystemRandomness:
    """The kernel's random bytes."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        return os.urandom(size)
