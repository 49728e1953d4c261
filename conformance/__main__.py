"""Runs outside suites: `python -m conformance [SUITE] [--data FOLDER] [--allow-skipped]`.

Prints one JSON object a suite, {suite, passed, total, failed} or {suite, skipped}, and a table
for people at the end. Status: 0 all passed, 1 something failed, 2 no such suite, 4 something was
skipped, which is no pass; `--allow-skipped` takes what was run for enough.
`conformance/sources.toml` names where each outside set comes from.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
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
    parser.add_argument(
        "--allow-skipped", action="store_true", help="status 0 though some suites were skipped"
    )
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
    return status_of(results, allow_skipped=options.allow_skipped)


def status_of(results: Sequence[dict[str, Any]], *, allow_skipped: bool) -> int:
    """1 if a case failed; 4 if a suite was skipped, or had no case at all, and may not be."""
    if any(result.get("failed") for result in results):
        return 1
    judged = [result for result in results if "skipped" not in result and result["total"]]
    return 0 if allow_skipped or len(judged) == len(results) else 4


def _table(results: list[dict[str, Any]]) -> None:
    print(f"\n{'suite':28} {'passed':>7} {'total':>7}  failed")  # noqa: T201
    for result in results:
        if "skipped" in result:
            print(f"{result['suite']:28} {'skipped':>7} {'':7}  {result['skipped']}")  # noqa: T201
            continue
        failed = ", ".join(str(each) for each in result["failed"][:4]) or "-"
        print(f"{result['suite']:28} {result['passed']:>7} {result['total']:>7}  {failed}")  # noqa: T201
    if skipped := sum("skipped" in result for result in results):
        print(f"{skipped} of {len(results)} suites were skipped: nothing is known of them")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
