"""Faults planted in what decides money, arrival, title, proof or a bound, and how many are noticed.

A module of `mutants.toml` stands under `strict`, and then each of its faults (`faults`) must be
noticed but those that are proven there to change nothing; or under `modules`, and then nine of ten
in a sample of sixty. The tests are those that its room names there; none needs a database, a bus or
a browser. They run in forks of one process (`fault_runs`), one at a time, at low priority.

`./run bench mutants` tries twenty faults of each strict module; `--long` all faults of those and
sixty of each other one. What was measured is kept in .mutants fault by fault and not run again
while the module and the test that noticed the fault are unchanged, so that a long run can be
stopped. `./run bench mutants ROOM [--long]` takes one room, or one module by its path.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.faults import plant

ROOT: Final = Path(__file__).resolve().parents[1]
LISTED: Final = ROOT / "benchmarks" / "mutants.toml"
PLACE: Final = ROOT / ".mutants"
SAMPLE: Final = 60
SAMPLE_SHORT: Final = 20
SEED: Final = 2026
KILLED_MIN: Final = 0.90
EQUIVALENT_MAX: Final = 0.05


@dataclass(frozen=True, slots=True)
class Target:
    """A module, the room and the tests that must notice its faults, and whether all of them."""

    room: str
    module: str
    strict: bool
    tests: tuple[str, ...]

    @property
    def source(self) -> Path:
        """Where it stands."""
        return ROOT / "src" / "zhidao" / self.module


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the faults of one module."""

    tried: int
    planted: int
    equivalent: int
    survivors: tuple[str, ...]

    @property
    def noticed(self) -> int:
        """How many of the tried faults some test failed on."""
        return self.tried - len(self.survivors)


def run(long: bool, part: str = "") -> Iterator[dict[str, Any]]:  # noqa: FBT001 (as all benchmarks)
    """One line a module, and one over all sampled ones with its interval."""
    listed = tomllib.loads(LISTED.read_text("utf-8"))
    targets = [one for one in _targets(listed) if part in {"", one.room, one.module}]
    if not targets:
        print(f"mutants: no room or module {part!r} in {LISTED.name}", file=sys.stderr)
        return
    sampled: list[Outcome] = []
    for target in targets:
        if not long and not target.strict and part != target.module:
            continue
        limit = (None if target.strict else SAMPLE) if long else SAMPLE_SHORT
        outcome = _outcome(target, listed, limit)
        if not target.strict:
            sampled.append(outcome)
        yield _line(target, outcome)
        for survivor in outcome.survivors:
            print(f"  {target.module}: {survivor}", file=sys.stderr)
    if len(sampled) > 1:
        yield _summary(sampled)


def _targets(listed: dict[str, Any]) -> Iterator[Target]:
    for room, table in listed.items():
        if not isinstance(table, dict):
            continue
        for strict in (True, False):
            for module in table.get("strict" if strict else "modules", []):
                tests = table.get("tests_of", {}).get(module, table["tests"])
                yield Target(room, module, strict, tuple(tests))


def _outcome(target: Target, listed: dict[str, Any], limit: int | None) -> Outcome:
    path = str(target.source)
    planted = [fault.key for fault in plant(target.source.read_text("utf-8"), path)]
    proven = {
        one["fault"] for one in listed.get("equivalent", []) if one["module"] == target.module
    }
    if unknown := proven - set(planted):
        raise RuntimeError(f"{LISTED.name}: {target.module} has no fault {min(unknown)!r}")
    chosen = [key for key in planted if key not in proven]
    if limit is not None and len(chosen) > limit:
        chosen = random.Random(SEED).sample(chosen, limit)
    noticed = _Kept(target).results(chosen, listed["tests_leave_out"])
    survivors = tuple(key for key in chosen if not noticed[key])
    return Outcome(len(chosen), len(planted), len(proven), survivors)


class _Kept:
    """Results of one module fault by fault, of this run and of earlier ones."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._file = PLACE / "faults" / f"{target.module.replace('/', '.')}.jsonl"
        self._module = _digest([target.source])
        self._tests = _digest(
            [f for place in target.tests for f in _python_files(ROOT / place)]
            + sorted((ROOT / "tests").glob("conftest.py"))
        )

    def results(self, chosen: list[str], leave_out: str) -> dict[str, bool]:
        """Whether each fault was noticed; runs what is not known."""
        known = self._known()
        asked = [key for key in chosen if key not in known]
        if asked:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                for told in _run_faults(self._target, asked, leave_out):
                    by = str(told["by"]).partition("::")[0]
                    stamp = {"module": self._module, "tests": self._tests, "by": by}
                    line = {**told, **stamp, "by_digest": _digest([ROOT / by]) if by else ""}
                    file.write(json.dumps(line) + "\n")
                    file.flush()
                    known[told["fault"]] = told["noticed"]
        return known

    def _known(self) -> dict[str, bool]:
        if not self._file.is_file():
            return {}
        lines = [json.loads(line) for line in self._file.read_text("utf-8").splitlines()]
        return {line["fault"]: line["noticed"] for line in lines if self._holds(line)}

    def _holds(self, line: dict[str, Any]) -> bool:
        """Whether a result is still that of this tree."""
        if line["module"] != self._module:
            return False
        by = ROOT / line["by"]
        unchanged = bool(line["by"]) and by.is_file() and _digest([by]) == line["by_digest"]
        return line["tests"] == self._tests or (line["noticed"] and unchanged)


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _python_files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def _run_faults(target: Target, faults: list[str], leave_out: str) -> Iterator[dict[str, Any]]:
    """What became of each, as soon as it is known."""
    inner = target.source.relative_to(ROOT / "src").with_suffix("")
    job = {
        "root": str(ROOT),
        "path": str(target.source.relative_to(ROOT)),
        "module": ".".join(inner.parts),
        "tests": list(target.tests),
        "leave_out": leave_out,
        "faults": faults,
    }
    one_thread = dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    environment = {**os.environ, **one_thread, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    words = ["nice", "-n", "10", sys.executable, "-m", "benchmarks.fault_runs"]
    with (PLACE / "last.log").open("wb") as log:
        worker = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert worker.stdin is not None
    assert worker.stdout is not None
    with worker:
        worker.stdin.write(json.dumps(job))
        worker.stdin.close()
        for number, line in enumerate(worker.stdout, 1):
            told = json.loads(line)
            if "error" in told:
                raise RuntimeError(f"{target.module}: {told['error']}; see {PLACE / 'last.log'}")
            if sys.stderr.isatty():
                print(f"\r{target.module}: {number} of {len(faults)} ", end="", file=sys.stderr)
            yield told
    if worker.returncode:
        raise RuntimeError(f"{target.module}: the runs ended early; see {PLACE / 'last.log'}")


def _line(target: Target, outcome: Outcome) -> dict[str, Any]:
    share = outcome.noticed / outcome.tried if outcome.tried else 1.0
    few = outcome.equivalent <= EQUIVALENT_MAX * max(1, outcome.planted)
    bar = 1.0 if target.strict else KILLED_MIN
    return {
        "claim": f"faults_noticed {target.module}",
        "value": round(share, 4),
        "unit": "share",
        "rival": None,
        "rival_value": None,
        "ratio": None,
        "target": bar,
        "met": share >= bar and few,
        "runs": outcome.tried,
        "spread": list(_interval(outcome.noticed, outcome.tried)),
        "load": round(os.getloadavg()[0], 2),
        "planted": outcome.planted,
        "equivalent": outcome.equivalent,
    }


def _summary(outcomes: list[Outcome]) -> dict[str, Any]:
    whole = Outcome(
        sum(one.tried for one in outcomes),
        sum(one.planted for one in outcomes),
        sum(one.equivalent for one in outcomes),
        tuple(text for one in outcomes for text in one.survivors),
    )
    line = _line(Target("all", "all sampled modules", strict=False, tests=()), whole)
    return {**line, "claim": "faults_noticed of all sampled modules"}


def _interval(noticed: int, tried: int) -> tuple[float, float]:
    """Wilson's interval of 95 % (Wilson 1927; formula checked against its closed form)."""
    if not tried:
        return 0.0, 1.0
    z, share = 1.959964, noticed / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    half /= 1 + z * z / tried
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)
