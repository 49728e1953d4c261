"""Planted lies about a way, of two kilometres and more, against what networks said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

COUNT: Final = 1_000


def run(_: Path | None) -> dict[str, Any]:
    """The report: a thousand lies and a thousand honest ways, all of one seed."""
    from tests.connectivity.domain.test_spoofed_tracks import (
        FALSE,
        FOUND,
        SEED,
        honest_ways,
        spoofs,
    )

    found, missed = spoofs(COUNT)
    wrong, share = honest_ways(COUNT)
    failed = []
    if found < FOUND * COUNT:
        failed += [f"{kind}: {count} not found" for kind, count in sorted(missed.items())]
    if len(wrong) > FALSE * COUNT:
        failed += [f"honest way {seed} is called a lie" for seed in wrong]
    return {
        "suite": "network-spoofs",
        "passed": found + COUNT - len(wrong),
        "total": 2 * COUNT,
        "failed": failed,
        "found": found,
        "false": len(wrong),
        "seed": SEED,
        "mean_mark": round(share, 4),
    }
