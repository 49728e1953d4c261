"""Runs outside suites: `python -m conformance [SUITE] [--data FOLDER]`.

Prints one JSON object a suite, {suite, passed, total, failed} or {suite, skipped}, and a table
for people at the end. Status: 0 nothing failed, 1 something did, 2 no such suite.
`conformance/sources.toml` names where each outside set comes from.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BESIDE = HERE.parents[1] / "shared" / "data"
# Suites stand in the rooms that they try; these modules there are none.
NO_SUITES = ("__init__", "rule_packs")
SUITES = {
    file.stem: file.parent.name
    for file in HERE.glob("*/*.py")
    if file.stem not in NO_SUITES and file.parent.name != "fuzz"
}


def main() -> int:
    """Runs what is asked."""
    names = sorted(SUITES)
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("suite", nargs="?", default="all", help=f"all, {', '.join(names)}")
    parser.add_argument("--data", type=Path, default=BESIDE, help="folder of the outside sets")
    parser.add_argument("--long", action="store_true", help="as many cases as the suite ever takes")
    options = parser.parse_args()
    wanted = options.suite.replace("-", "_")
    chosen = names if wanted == "all" else [wanted]
    if not set(chosen) <= set(names):
        print(f"no suite {options.suite!r}; there are: {', '.join(names)}", file=sys.stderr)  # noqa: T201
        return 2
    shared = options.data if options.data.is_dir() else None
    results = []
    for name in chosen:
        suite = import_module(f"conformance.{SUITES[name]}.{name}").run
        more = {"long": True} if options.long and "long" in signature(suite).parameters else {}
        results.append(suite(shared, **more))
        print(json.dumps(results[-1], ensure_ascii=False), flush=True)  # noqa: T201
    _table(results)
    return 1 if any(result.get("failed") for result in results) else 0


def _table(results: list[dict[str, Any]]) -> None:
    print(f"\n{'suite':28} {'passed':>7} {'total':>7}  failed")  # noqa: T201
    for result in results:
        if "skipped" in result:
            print(f"{result['suite']:28} {'skipped':>7} {'':7}  {result['skipped']}")  # noqa: T201
            continue
        failed = ", ".join(str(each) for each in result["failed"][:4]) or "-"
        print(f"{result['suite']:28} {result['passed']:>7} {result['total']:>7}  {failed}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
