# ruff: noqa: INP001, S603, T201 (a script of the build, not part of a package)
"""Compiles our own contracts: LogAnchor for chains of others, TitleGuard for lost keys.

Needs the compiler: `uv pip install --require-hashes -r requirements/contracts.txt` into an
environment of its own, since it brings versions that the node does not use. Writes
`log_anchor.json` and `title_guard.json` beside the title contracts, each with the digest of the
source that it was made from. They are never committed.

Usage: PYTHON_WITH_VYPER build_steps/own_contracts.py
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOM: Final = Path(__file__).resolve().parent.parent / "src/zhidao/trust"
_CONTRACTS: Final = {"LogAnchor.vy": "log_anchor.json", "TitleGuard.vy": "title_guard.json"}
# The rules that the embedded engine has; later forks run it too.
_FORK: Final = "shanghai"


def main() -> int:
    """Compiles and writes; says what it wrote."""
    vyper = Path(sys.executable).with_name("vyper")
    for source_name, target_name in _CONTRACTS.items():
        source, target = _ROOM / "contracts" / source_name, _ROOM / "artefacts" / target_name
        done = subprocess.run(
            [vyper, "-f", "bytecode", "--evm-version", _FORK, source],
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
            "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "fork": _FORK,
            "bytecode": code,
        }
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(artefact, indent=1, sort_keys=True) + "\n")
        digest = hashlib.sha256(bytes.fromhex(code)).hexdigest()
        print(f"{target}: {len(code) // 2} bytes, SHA-256 {digest}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
