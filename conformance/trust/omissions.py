"""Random omissions from a proof: `zhidao verify` and docs/checks say the same of each.

100 cases, 1,000 with `--long`; each by its own number, so that a failure can be made again. The
proof is that of `tests/verification/corridor_bench`. Needs node, and no outside data.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import judged

ROOT = Path(__file__).resolve().parents[2]
COUNT, LONG, SEED = 100, 1000, 2026


def run(shared: Path | None, *, long: bool = False) -> dict[str, Any]:
    """The report."""
    del shared
    if shutil.which("node") is None:
        return {"suite": "omissions", "skipped": "no node is installed"}
    return judged("omissions", _cases(LONG if long else COUNT))


def _cases(count: int) -> Iterator[tuple[str, bool]]:
    sys.path.insert(0, str(ROOT))
    from tests.verification.corridor_bench import Corridor
    from tests.verification.omissions import without
    from tests.verification.test_independent import agreements

    from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
    from zhidao.verification.compact import compacted

    corridor = Corridor()
    proof = compacted(decode_proof(asyncio.run(corridor.proof())))
    bundles = [
        (f"omission {number}", encode_proof(each), corridor.trust())
        for number, each in without(proof, count=count, seed=SEED)
    ]
    with tempfile.TemporaryDirectory() as folder:
        yield from agreements(bundles, Path(folder))
