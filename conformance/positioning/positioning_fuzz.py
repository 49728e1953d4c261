"""Damaged input for every parser of positioning: no crash, no hang, bounded memory.

Each parser runs in a process of its own, so that a compiled kernel that leaves its arrays ends as
a failed case and not as the end of the run. Good files are cut, spliced and changed; the seed and
the number of an input make it again:
`python -m conformance.positioning.positioning_fuzz PARSER SEED FIRST 1`.
Short runs give each parser 2,000 inputs and tell of the last long run with its age. `--long` gives
a million, keeps each portion in benchmarks/results, and goes on where it was stopped; portions
that found something are run again. When all parsers have had theirs, a new seed begins.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from conformance.fuzz.positioning_parsers import PARSERS, changed, good_inputs, parser
from conformance.verdicts import judged

SUITE = "positioning-fuzz"
SHORT, LONG = 2_000, 1_000_000
SHORT_SEED, LONG_SEED_FIRST = 1, 2
# One process gets so many inputs at once; then its counts are kept.
PORTION = 100_000
# Of processor time, so that a busy machine makes no hang; and of the clock, for programs started.
HANG_S, HANG_CLOCK_S = 5, 120
MEMORY_MIB_MAX = 400
RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "positioning_fuzz.jsonl"
Portions = dict[tuple[str, int, int], dict[str, Any]]


def run(shared: Path | None, *, long: bool = False) -> dict[str, Any]:
    """The report; a case is a parser."""
    del shared
    if long:
        return _long()
    told = [_portion(name, SHORT_SEED, 0, SHORT) for name in PARSERS]
    for each in told:
        print(json.dumps(each), file=sys.stderr, flush=True)  # noqa: T201
    kept = kept_portions(RESULTS)
    last = _last(kept) if kept else {}
    return judged(SUITE, [(each["parser"], fine(each)) for each in told]) | last


def _long() -> dict[str, Any]:
    """Runs what is missing of a million inputs for each parser, and keeps it."""
    kept = kept_portions(RESULTS)
    seed = seed_of_next(kept)
    cases = []
    for name in PARSERS:
        passed = True
        for first in missing(kept, name, seed):
            told = _portion(name, seed, first, PORTION)
            print(json.dumps(told), file=sys.stderr, flush=True)  # noqa: T201
            _keep(told)
            passed = passed and fine(told)
        cases.append((name, passed))
    return judged(SUITE, cases) | {"seed": seed, "inputs_each": LONG}


def fine(told: dict[str, Any]) -> bool:
    """Whether a portion found nothing."""
    return not told["crashes"] and not told["hangs"] and told["peak_mib"] < MEMORY_MIB_MAX


def kept_portions(results: Path) -> Portions:
    """The newest result of each portion, by parser, seed and first input."""
    lines = results.read_text().splitlines() if results.exists() else []
    rows = [row for row in map(json.loads, lines) if "seed" in row]
    return {(row["parser"], row["seed"], row["first"]): row for row in rows}


def missing(kept: Portions, name: str, seed: int) -> list[int]:
    """First inputs of the portions that a parser has still to get, or to get again."""
    done = {
        first for (of, at, first), row in kept.items() if (of, at) == (name, seed) and fine(row)
    }
    return [first for first in range(0, LONG, PORTION) if first not in done]


def seed_of_next(kept: Portions) -> int:
    """The seed of the unfinished long run, or of a new one."""
    last = max((seed for _, seed, _ in kept), default=LONG_SEED_FIRST)
    return last if any(missing(kept, name, last) for name in PARSERS) else last + 1


def _last(kept: Portions) -> dict[str, Any]:
    """What the newest long run has found so far, and how old that is."""
    seed = max(seed for _, seed, _ in kept)
    rows = [row for (_, at, _), row in kept.items() if at == seed]
    then = datetime.fromisoformat(max(row["at"] for row in rows))
    hours = round((time.time() - then.timestamp()) / 3600, 1)
    found = {key: sum(row[key] for row in rows) for key in ("inputs", "crashes", "hangs")}
    whole = sum(not missing(kept, name, seed) for name in PARSERS)
    return {"long": found | {"seed": seed, "parsers_with_a_million": whole, "age_h": hours}}


def _portion(name: str, seed: int, first: int, count: int) -> dict[str, Any]:
    """Counts of a portion, run in a process of its own."""
    words = [sys.executable, "-m", __name__, name, str(seed), str(first), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    head = {"parser": name, "seed": seed, "first": first}
    if done.returncode:
        trouble = f"status {done.returncode}: {done.stderr[-600:]}"
        lost = {"inputs": 0, "refused": 0, "crashes": 1, "hangs": 0, "peak_mib": 0, "seconds": 0.0}
        return head | lost | {"example": trouble}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return head | told


def _keep(told: dict[str, Any]) -> None:
    words = ["git", "rev-parse", "--short=12", "HEAD"]
    here = RESULTS.parent.parent
    git = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)  # noqa: S603
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        line = told | {"commit": git.stdout.strip(), "machine": machine, "at": at}
        file.write(json.dumps(line) + "\n")


class _HangError(Exception):
    """An input took longer than HANG_S seconds of the processor, or HANG_CLOCK_S of the clock."""


def _ring(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise _HangError


def fuzz(name: str, seed: int, first: int, count: int) -> dict[str, Any]:
    """Counts over inputs first … first + count - 1 of a parser."""
    if name.endswith("_compiled"):
        import numba  # noqa: F401 (its presence makes the compiled twins be taken)
    from zhidao.core.errors import ZhidaoError

    seeds, parse = good_inputs(name), parser(name)
    for data in seeds:
        # Compiled twins are compiled by their first input, which is no hang.
        with suppress(ZhidaoError):
            parse(data)
    signal.signal(signal.SIGPROF, _ring)
    signal.signal(signal.SIGALRM, _ring)
    told: dict[str, Any] = {"inputs": 0, "refused": 0, "crashes": 0, "hangs": 0, "example": ""}
    started = time.perf_counter()
    for number in range(first, first + count):
        data = changed(seeds, Random(seed << 40 | number))  # noqa: S311
        told["inputs"] += 1
        signal.setitimer(signal.ITIMER_PROF, HANG_S)
        signal.setitimer(signal.ITIMER_REAL, HANG_CLOCK_S)
        try:
            parse(data)
        except ZhidaoError:
            told["refused"] += 1
        except _HangError:
            told["hangs"] += 1
            told["example"] = told["example"] or f"input {number} hangs"
        except Exception as error:  # noqa: BLE001 (anything else is a crash, and is counted)
            told["crashes"] += 1
            told["example"] = told["example"] or f"input {number}: {error!r}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
    return told | {"peak_mib": _peak_mib(), "seconds": round(time.perf_counter() - started, 1)}


def _peak_mib() -> int:
    # Not ru_maxrss, which begins at what the parent had: after other suites that is too much.
    told = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()
    return round(int(told[0]) / 1024)


if __name__ == "__main__":
    print(json.dumps(fuzz(sys.argv[1], *map(int, sys.argv[2:5]))))  # noqa: T201
