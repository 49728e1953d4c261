"""Whether this machine's clock can be right: deadlines and certificates go by it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# struct timex has 208 bytes on 64-bit Linux (adjtimex(2)); a longer buffer does no harm. With
# modes = 0 nothing is changed.
_TIMEX_BYTES: Final = 512
_TIME_ERROR: Final = 5
_SLACK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ClockError:
    """What is wrong with the clock. `certain`: it contradicts what stands on this disk."""

    certain: bool
    sentence: str
    remedy: str


def clock_error(written_before: Sequence[Path], now_s: float | None = None) -> ClockError | None:
    """What is wrong, or None. `written_before`: files that cannot be younger than now."""
    now_s = time.time() if now_s is None else now_s
    for file in written_before:
        ahead_s = file.stat().st_mtime - now_s
        if ahead_s > _SLACK_S:
            return ClockError(
                certain=True,
                sentence=f"the clock is {ahead_s:.0f} s before {file} was written",
                remedy="timedatectl set-ntp true",
            )
    if not _is_synchronised():
        return ClockError(
            certain=False,
            sentence="no time service keeps this clock right, as far as the kernel knows",
            remedy="timedatectl set-ntp true",
        )
    return None


def _is_synchronised() -> bool:
    """What the kernel was told by a time service; True where it cannot be asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "adjtimex"):
        return True
    return bool(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _TIME_ERROR)
