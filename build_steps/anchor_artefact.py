# ruff: noqa: INP001, S603, T201 (a script of the build, not part of a package)
"""Compiles LogAnchor.vy for nodes that anchor their log on a chain of others; few do.

Needs the compiler: `uv pip install --require-hashes -r requirements/contracts.txt` into an
environment of its own, since it brings versions that the node does not use. Writes
`log_anchor.json` beside the title contracts, with the digest of the source that it was made from.
It is never committed.

Usage: PYTHON_WITH_VYPER build_steps/anchor_artefact.py
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOM: Final = Path(__file__).resolve().parent.parent / "src/zhidao/trust"
_SOURCE: Final = _ROOM / "contracts/LogAnchor.vy"
_TARGET: Final = _ROOM / "artefacts/log_anchor.json"
# The rules that the embedded engine has; later forks run it too.
_FORK: Final = "shanghai"


def main() -> int:
    """Compiles and writes; says what it wrote."""
    vyper = Path(sys.executable).with_name("vyper")
    done = subprocess.run(
        [vyper, "-f", "bytecode", "--evm-version", _FORK, _SOURCE],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return 1
    code = done.stdout.strip().removeprefix("0x")
    artefact = {
        "source_sha256": hashlib.sha256(_SOURCE.read_bytes()).hexdigest(),
        "fork": _FORK,
        "bytecode": code,
    }
    _TARGET.parent.mkdir(parents=True, exist_ok=True)
    _TARGET.write_text(json.dumps(artefact, indent=1, sort_keys=True) + "\n")
    print(f"{_TARGET}: {len(code) // 2} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
