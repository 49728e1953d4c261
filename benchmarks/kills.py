"""Never lost, never twice: voyages on which programs were killed, and what was found afterwards.

The long run carries 40 seeds over all victims, goes on where a stopped run of the same commit
ended, and appends each voyage to `results/kills.voyages.jsonl`. The short run carries three.
There is no rival: nothing else carries this road.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import claim
from zhidao.core.errors import ZhidaoError
from zhidao.simulation.kills import VICTIMS, carry, judge, read_both
from zhidao.simulation.scenario import Scenario, simulated_scenario

VOYAGES: Final = Path(__file__).resolve().parent / "results" / "kills.voyages.jsonl"
SEEDS_LONG: Final = 40
_FIRST_SEED: Final = 100
_KILLS: Final = 3
_SHORT: Final = (("importer-node", 100), ("exporter-node", 101), ("importer-database", 102))


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """How many voyages left nothing lost and nothing twice, and how long they took."""
    commit = _commit()
    plan = [
        (victim, seed)
        for seed, victim in enumerate(islice(cycle(VICTIMS), SEEDS_LONG), _FIRST_SEED)
    ]
    chosen = plan if long else list(_SHORT)
    before = {(row["victim"], row["seed"]): row for row in _kept() if row["commit"] == commit}
    scenario = simulated_scenario("zd-2026-0417", fail="", seed=417)
    rows = []
    for number, (victim, seed) in enumerate(chosen, 1):
        row = before.get((victim, seed)) if long else None
        if row is None:
            row = _voyage(scenario, victim, seed, commit)
            _tell(number, len(chosen), row)
        if long and row is not before.get((victim, seed)):
            VOYAGES.parent.mkdir(exist_ok=True)
            with VOYAGES.open("a") as file:
                file.write(json.dumps(row) + "\n")
        rows.append(row)
    yield from _claims(rows, target=len(chosen))


def _voyage(scenario: Scenario, victim: str, seed: int, commit: str) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="zk-"))
    kills, seconds, starts = 0, 0.0, 0
    try:
        voyage = asyncio.run(carry(scenario, folder, seed=seed, victim=victim, kills=_KILLS))
        kills, seconds, starts = len(voyage.kills), voyage.seconds, voyage.starts
        findings = judge(voyage, asyncio.run(read_both(folder)))
    except ZhidaoError as error:
        findings = [f"{type(error).__name__}: {error}"]
    if not findings:
        shutil.rmtree(folder)
    return {
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
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _tell(number: int, total: int, row: dict[str, Any]) -> None:
    found = "; ".join(row["findings"]) or "nothing lost, nothing twice"
    print(
        f"{number}/{total} {row['victim']}-{row['seed']}: {row['kills']} kills, "
        f"{row['seconds']:.0f} s, {found}",
        file=sys.stderr,
        flush=True,
    )


def _claims(rows: Sequence[dict[str, Any]], *, target: int) -> Iterator[dict[str, Any]]:
    clean = sum(not row["findings"] for row in rows)
    yield claim("kills_voyages_clean", [clean], "voyages", target=target) | {
        "kills": sum(row["kills"] for row in rows),
        "failed": [f"{row['victim']}-{row['seed']}" for row in rows if row["findings"]],
        "runs": len(rows),
    }
    yield claim("kills_voyage_seconds", [row["seconds"] for row in rows], "s")


def _kept() -> list[dict[str, Any]]:
    if not VOYAGES.exists():
        return []
    return [json.loads(line) for line in VOYAGES.read_text().splitlines() if line]


def _commit() -> str:
    """The checkout's commit, with `+` where what is measured differs from it."""
    root = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "src", "benchmarks/kills.py")
    return (git("rev-parse", "--short=12", "HEAD") or "no checkout") + ("+" if changed else "")
