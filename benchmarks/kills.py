"""Never lost, never twice: voyages on which programs were killed, and what was found afterwards.

The long run carries 40 seeds over all victims, goes on where a stopped run of the same commit
ended, and appends to `results/kills.jsonl`. The short run carries three and tells the last long
result with its age. There is no rival: nothing else carries this road.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import ZhidaoError
from zhidao.simulation.adapters.remains import read_remains
from zhidao.simulation.kills import VICTIMS, carry, judge
from zhidao.simulation.scene import Scene, simulated_scene

RESULTS: Final = Path(__file__).resolve().parent / "results" / "kills.jsonl"
SEEDS_LONG: Final = 40
_FIRST_SEED: Final = 100
_KILLS: Final = 3
_SHORT: Final = (("node", 100), ("database", 101), ("bus", 102))


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """One object for each voyage, then the claim; the short run adds the last long result."""
    commit = _commit()
    plan = list(enumerate(islice(cycle(VICTIMS), SEEDS_LONG), _FIRST_SEED))
    if not long:
        scene = simulated_scene("zd-2026-0417", fail="", seed=417)
        rows = [_voyage(scene, victim, seed, commit) for victim, seed in _SHORT]
        yield _claim(rows, target=len(_SHORT))
        before = _kept()
        if before:
            newest = str(before[-1]["commit"])
            last = _claim([row for row in before if row["commit"] == newest], target=SEEDS_LONG)
            yield last | {"claim": "kills_survived_long", "commit": newest, "age": _age(before[-1])}
        return
    done = {(row["victim"], row["seed"]): row for row in _kept() if row["commit"] == commit}
    scene = simulated_scene("zd-2026-0417", fail="", seed=417)
    for seed, victim in plan:
        if (victim, seed) not in done:
            row = done[victim, seed] = _voyage(scene, victim, seed, commit)
            RESULTS.parent.mkdir(exist_ok=True)
            with RESULTS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            yield row
    yield _claim(done.values(), target=SEEDS_LONG) | {"claim": "kills_survived_long"}


def _voyage(scene: Scene, victim: str, seed: int, commit: str) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="zk-"))
    kills, seconds, starts = 0, 0.0, 0
    try:
        voyage = asyncio.run(carry(scene, folder, seed=seed, victim=victim, kills=_KILLS))
        kills, seconds, starts = len(voyage.kills), voyage.seconds, voyage.starts
        findings = judge(voyage, asyncio.run(read_remains(folder / "node")))
    except ZhidaoError as error:
        findings = [f"{type(error).__name__}: {error}"]
    if not findings:
        shutil.rmtree(folder)
    return {
        "voyage": f"{victim}-{seed}",
        "victim": victim,
        "seed": seed,
        "kills": kills,
        "starts": starts,
        "seconds": seconds,
        "findings": findings,
        "kept": str(folder) if findings else "",
        "commit": commit,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _claim(rows: Iterable[dict[str, Any]], *, target: int) -> dict[str, Any]:
    rows = list(rows)
    clean = [row for row in rows if not row["findings"]]
    seconds = sorted(row["seconds"] for row in rows)
    return {
        "claim": "kills_survived",
        "value": len(clean),
        "unit": "voyages with nothing lost and nothing twice",
        "rival": None,
        "target": target,
        "met": len(clean) == len(rows) >= target,
        "runs": len(rows),
        "kills": sum(row["kills"] for row in rows),
        "spread": [seconds[0], seconds[-1]] if seconds else [],
        "failed": [row["voyage"] for row in rows if row["findings"]],
        "load": round(os.getloadavg()[0], 2),
    }


def _kept() -> list[dict[str, Any]]:
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text().splitlines() if line]


def _age(row: dict[str, Any]) -> str:
    hours = (datetime.now(UTC) - datetime.fromisoformat(row["date"])).total_seconds() / 3600
    return f"{hours:.1f} h"


def _commit() -> str:
    """The checkout's commit, with `+` where files differ from it."""
    root = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "src", "benchmarks/kills.py")
    return (git("rev-parse", "--short=12", "HEAD") or "no checkout") + ("+" if changed else "")
