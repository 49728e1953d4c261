"""What the log of a node says of stalls of its event loop, judged against the machine's own.

A machine may stand still for everybody: a virtual one whose host is busy does, and no count of the
kernel inside it tells. So a process of its own, which does nothing but look at the clock, notes
when it could not; what a node's loop stood still meanwhile is nobody's doing there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

STALL_MS: Final = 250
# What the fixed work below takes on the machine for which that bound was set, ms of processor.
_PACE_MS: Final = 4.0
_LOOK_S: Final = 0.02
_PAUSE_S: Final = 0.1
_LOOKER: Final = f"""
import sys, time
last = time.time()
while True:
    time.sleep({_LOOK_S})
    now = time.time()
    if now - last > {_PAUSE_S}:
        print(last, now, file=open(sys.argv[1], "a"), flush=True)
    last = now
"""
_PAUSES: list[Path] = []


@contextlib.contextmanager
def pauses_noted(folder: Path) -> Iterator[None]:
    """Meanwhile every pause of the whole machine is noted."""
    file = folder / "pauses"
    file.touch()
    looker = subprocess.Popen([sys.executable, "-S", "-c", _LOOKER, str(file)])
    _PAUSES.append(file)
    try:
        yield
    finally:
        looker.kill()
        looker.wait()


def check_stalls(text: bytes, log: Path) -> None:
    """Fails on a stall of the node's own making; says where the machine was to blame."""
    if starved := text.count(b"loop_starved"):
        logging.getLogger(__name__).info("%s: the machine starved the node %s times", log, starved)
    stalls = [line for line in text.splitlines() if b"loop_stalled" in line]
    if not stalls:
        return
    bound_ms = STALL_MS * _slowness()
    pauses = _pauses()
    own = [line[:1000] for line in stalls if _own_ms(line, pauses) > bound_ms]
    # In the message itself: a summary of a run shows no more than that.
    assert own == [], f"{log}: the event loop stood still over {bound_ms:.0f} ms: {own}"


@cache
def _slowness() -> float:
    """How many times slower this machine is; the same code holds the loop as much longer."""
    best = math.inf
    for _ in range(3):
        began_s = time.process_time()
        sum(number * number for number in range(100_000))
        best = min(best, time.process_time() - began_s)
    return max(1.0, best * 1e3 / _PACE_MS)


def _pauses() -> list[tuple[datetime, datetime]]:
    lines = [line for file in _PAUSES for line in file.read_text().splitlines()]
    instants = [[datetime.fromtimestamp(float(part), UTC) for part in s.split()] for s in lines]
    return [(began, ended) for began, ended in instants]


def _own_ms(line: bytes, pauses: list[tuple[datetime, datetime]]) -> float:
    """How long the loop stood still by the node's own doing; a line that cannot be read: for ever.

    The log line is written as soon as the loop goes on again.
    """
    try:
        told = json.loads(line)
        ended = datetime.fromisoformat(told["at"])
        own_ms, starved_ms = float(told["own_ms"]), float(told["starved_ms"])
    except (ValueError, KeyError, TypeError):
        return math.inf
    try:
        began = ended - timedelta(milliseconds=own_ms + starved_ms)
    except OverflowError:
        return math.inf
    shared = [(min(ended, end) - max(began, start)).total_seconds() for start, end in pauses]
    return own_ms - 1e3 * sum(seconds for seconds in shared if seconds > 0)
