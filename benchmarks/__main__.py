"""Measures claims: `python -m benchmarks NAME|all|inner [--long]`.

A claim goes through a route, a command or a documented face of a library. What is measured in
`benchmarks/inner` goes through neither: its lines say `"inner": true` and are quoted nowhere.

Prints one JSON object a line as soon as it is known, and a table for people at the end. Long
results are kept in benchmarks/results and shown again, with their age, by the next short run.
Status: 0 all targets met, 1 some missed, 2 no such benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
NOT_CLAIMS = {
    *("__init__", "__main__", "load_client", "measuring", "pacs008", "positioning_runs"),
    *("exchange_nodes", "exchange_voyage"),  # parts of exchange
    "people_pages",  # a part of people
    *("faults", "fault_runs"),  # parts of mutants
    # Parts of inner ones.
    *("carrier_phase", "bounds", "dual_frequency", "motion", "ledger_kills"),
    *("trust_client", "trust_fuzz", "trust_kills", "trust_lies", "trust_millions", "trust_server"),
}


def main() -> int:
    """Runs what is asked."""
    claims, inner = _names(HERE.glob("*.py")), _names((HERE / "inner").glob("*/*.py"))
    names = [*claims, *inner]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "name",
        nargs="?",
        default="all",
        help=f"all, {', '.join(claims)}; of no user's road: inner, {', '.join(inner)}",
    )
    parser.add_argument(
        "part", nargs="?", default="", help="a part of it: a room or module of mutants"
    )
    parser.add_argument("--long", action="store_true", help="soaks; results are kept")
    options = parser.parse_args()
    chosen = {"all": claims, "inner": inner}.get(options.name, [options.name])
    if not set(chosen) <= set(names):
        print(f"no benchmark {options.name!r}; there are: {', '.join(names)}", file=sys.stderr)
        return 2
    lines = [line for name in chosen for line in _run(name, long=options.long, part=options.part)]
    _table(lines)
    return 0 if all(line["met"] is not False for line in lines) else 1


def _run(name: str, *, long: bool, part: str) -> Iterator[dict[str, Any]]:
    is_inner = not (HERE / f"{name}.py").exists()
    module = import_module(f"benchmarks.{_inner(name)}" if is_inner else f"benchmarks.{name}")
    for told in module.run(long, part) if part else module.run(long):
        line = told | {"inner": True} if is_inner else told
        print(json.dumps(line), flush=True)
        if long:
            _keep(name, line)
        yield line
    if not long:
        yield from _kept(name)


def _inner(name: str) -> str:
    """Where an inner benchmark stands: by room."""
    [file] = (HERE / "inner").glob(f"*/{name}.py")
    return ".".join(file.relative_to(HERE).with_suffix("").parts)


def _names(files: Iterable[Path]) -> list[str]:
    return sorted(file.stem for file in files if file.stem not in NOT_CLAIMS)


def _keep(name: str, line: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with (RESULTS / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(line | {"commit": commit, "machine": machine, "at": at}) + "\n")


def _kept(name: str) -> Iterator[dict[str, Any]]:
    """The newest long result of each claim."""
    file = RESULTS / f"{name}.jsonl"
    if not file.exists():
        return
    newest = {line["claim"]: line for line in map(json.loads, file.read_text().splitlines())}
    for line in newest.values():
        then = datetime.strptime(line["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        hours = round((time.time() - then.timestamp()) / 3600, 1)
        told = line | {"claim": f"{line['claim']} (long)", "age_h": hours}
        print(json.dumps(told), flush=True)
        yield told


def _table(lines: list[dict[str, Any]]) -> None:
    print(
        f"\n{'claim':42} {'value':>12} {'unit':8} {'target':>10} {'met':5} {'spread':>23} load pace"
    )
    for line in lines:
        low, high = line["spread"]
        met = {True: "yes", False: "NO", None: "-"}[line["met"]]
        target = "-" if line["target"] is None else f"{line['target']:g}"
        print(
            f"{line['claim'][:42]:42} {line['value']:>12.4g} {line['unit']:8} {target:>10} {met:5}"
            f" {low:>11.4g}-{high:<11.4g} {line['load']:4.1f} {line.get('pace_ms', 0) or '-':>4}"
        )
        if line["rival"]:
            print(f"{'':6}{line['rival']}: {line['rival_value']:.4g}, ratio {line['ratio']:.2f}")


if __name__ == "__main__":
    sys.exit(main())
