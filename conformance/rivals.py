"""Programs of others that suites and benchmarks of positioning run beside ours.

They come from the package index into a throw-away environment in /var/tmp; one that cannot be
installed is left out with a word.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path
from typing import Any


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
