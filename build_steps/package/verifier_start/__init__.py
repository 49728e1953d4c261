"""`zhidao-verify FILE`: the check of proofs alone, as `zhidao verify` of the whole program does it.

Its modules are those of the program, beside this file and not on the path of others: both may be
installed in one environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

VERSION = "@VERSION@"


def program() -> int:
    """Checks a proof; the status is that of `zhidao verify`."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"zhidao-verify {VERSION}\n")
        return 0
    sys.path.insert(0, str(Path(__file__).parent / "inside"))
    from zhidao.cli.main import program as whole

    sys.argv[1:1] = ["verify"]
    return whole()
