"""Whether this machine's clock can be right: deadlines and certificates go by it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.node.operations.clock_watch import TimeSources

# struct timex has 208 bytes on 64-bit Linux (adjtimex(2)); a longer buffer does no harm. With
# modes = 0 nothing is changed.
_TIMEX_BYTES: Final = 512
_TIME_ERROR: Final = 5
_SLACK_S: Final = 5.0
# Suspend included: Linux has a clock of its own for that, elsewhere the monotonic one counts it.
_PASSED: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


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


def machine_time() -> TimeSources:
    """The machine's clocks: the time, what passed with suspend, and whether a service agrees."""
    return TimeSources(
        wall_ns=time.time_ns,
        passed_ns=lambda: time.clock_gettime_ns(_PASSED),
        agrees=_is_vouched_for,
    )


def _is_synchronised() -> bool:
    """What the kernel was told by a time service; True where it cannot be asked."""
    state = _kernel_state()
    return state is None or state != _TIME_ERROR


def _is_vouched_for() -> bool:
    """Whether a time service told the kernel that the clock is right; False if nobody can say.

    Whoever sets the clock by hand takes that away, until a service says so again.
    """
    state = _kernel_state()
    return state is not None and 0 <= state < _TIME_ERROR


def _kernel_state() -> int | None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "adjtimex"):
        return None
    return int(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
