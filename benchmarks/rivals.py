"""Programs of others that benchmarks of positioning run beside ours, and where the data lie.

Rivals come from the package index into a throw-away environment in /var/tmp; one that cannot be
installed is left out with a word.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "positioning"
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


@cache
def _rivals() -> Path | None:
    """The interpreter of an environment with the rivals."""
    folder = Path("/var/tmp/zhidao-rivals")
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    named = (
        "pyrtklib5==0.2.8",
        "georinex==1.16.2",
        "pyrtcm==1.2.1",
        "cssrlib==1.2.1",
        "pandas",
        "networkx==3.5",
    )
    for name in named:
        done = subprocess.run(
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", name],
            capture_output=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            print(f"positioning: the rival {name} cannot be installed", file=sys.stderr)
    return python


def rival(script: str, *arguments: str) -> dict[str, Any] | None:
    """What a script prints as its last line, run among the rivals; None where it fails."""
    python = _rivals()
    done = subprocess.run(
        [str(python), "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode or not done.stdout.strip():
        print(f"positioning: a rival failed: {done.stderr.strip()[-200:]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def rms(values: Any) -> float:
    """Root of the mean square."""
    return math.sqrt(float(np.mean(np.square(values))))
