"""What every benchmark says of a claim, and how processes are weighed."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any


def claim(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    target: float | None = None,
    at_most: bool = False,
    rival: str = "",
    rival_values: Sequence[float] = (),
) -> dict[str, Any]:
    """A line of the common form; the value is the median, `at_most` says that less is better.

    With a rival the target is of the ratio ours/theirs (theirs/ours when less is better).
    """
    value = median(values)
    rival_value = median(rival_values) if rival_values else None
    ratio = None
    if rival_value:
        ratio = rival_value / value if at_most else value / rival_value
    met: bool | None = None
    if target is not None:
        judged = value if ratio is None else ratio
        met = judged <= target if at_most and ratio is None else judged >= target
    return {
        "claim": name,
        "value": round(value, 4),
        "unit": unit,
        "rival": rival or None,
        "rival_value": rival_value,
        "ratio": ratio,
        "target": target,
        "met": met,
        "runs": len(values),
        "spread": [round(min(values), 4), round(max(values), 4)],
        "load": round(os.getloadavg()[0], 2),
        "pace_ms": pace_ms(),
    }


def pace_ms() -> float:
    """How long a fixed piece of work takes here and now, in ms of processor, the best of five.

    The same machine is not the same a day later: without it no two figures can be compared.
    """
    best = math.inf
    for _ in range(5):
        began_s = time.process_time()
        total = 0
        for number in range(100_000):
            total += number * number
        best = min(best, time.process_time() - began_s)
    return round(best * 1e3, 2)


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for known in found:
        found.extend(children.get(known, ()))
    return found


def pss_bytes(pid: int) -> dict[str, int]:
    """Proportional set size of a process and its descendants, by program name."""
    sizes: dict[str, int] = {}
    for each in tree(pid):
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            name = Path(f"/proc/{each}/comm").read_text().strip()
        except OSError:
            continue
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        sizes[name] = sizes.get(name, 0) + int(line.split()[1]) * 1024
    return sizes


def cpu_s(pid: int) -> float:
    """Processor time that one process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
