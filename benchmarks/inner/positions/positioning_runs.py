"""What the benchmarks of positioning share: where the data lie, how a run is timed."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "positioning"
LIMIT = 1 << 28


def cpu_s(work: Callable[[], object], runs: int) -> list[float]:
    """Processor seconds of each run, with those of programs that it starts and awaits.

    One run before them loads and compiles what is needed.
    """
    work()
    found = []
    for _ in range(runs):
        started = _used_s()
        work()
        found.append(_used_s() - started)
    return found


def _used_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def rms(values: Any) -> float:
    """Root of the mean square."""
    return math.sqrt(float(np.mean(np.square(values))))
