"""`zhidao trade check FILE...`: what schema and rules say of each document."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import take
from zhidao.cli.console.progress import bar
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.trade.library.rule_packs import Verdict

_BYTES_MAX: Final = 64 * 1024 * 1024
_FILES_MAX: Final = 100_000
# Statuses by weight: a document that breaks its rules says more than one judged in part.
_WEIGHT: Final = (0, 4, 1, 2, 3)
_STATUS: Final = {"valid": 0, "partly judged": 4, "not checked": 3}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="XML files or folders")
    parser.add_argument("--packs", type=Path, help="folder of the rule packs")
    parser.add_argument(
        "--engine",
        choices=("compiled", "saxon"),
        default="compiled",
        help="compiled rules with Saxon where they end (default), or Saxon alone",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a document")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints each verdict; the status is the heaviest of all documents.

    0 all are valid, 4 one was judged in part, 1 one is not valid, 2 one could not be read.
    """
    from zhidao.trade.library.rule_packs import check

    files = _files(options.files)
    seen = {0}
    with bar("checking", len(files)) as step:

        def documents() -> Iterator[tuple[Path, bytes]]:
            for file in files:
                step(file.name)
                yield file, take(file, bytes_max=_BYTES_MAX)

        judged = check(documents(), options.packs, only_saxon=options.engine == "saxon")
        for name, verdict in judged:
            seen.add(_print(name, verdict, as_json=options.json))
    return max(seen, key=_WEIGHT.index)


def _files(given: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in given:
        found += sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    if not found:
        raise MalformedInput("no XML file in the folder", where=str(given[0]))
    if len(found) > _FILES_MAX:
        raise MalformedInput(f"more than {_FILES_MAX} files", remedy="check them folder by folder")
    return found


def _print(name: Path, verdict: Verdict | MalformedInput, *, as_json: bool) -> int:
    if isinstance(verdict, MalformedInput):
        if as_json:
            print(json.dumps({"file": str(name), "error": verdict.code, "detail": str(verdict)}))
        else:
            print(f"{name}: unreadable\n  {verdict}")
        return 2
    if as_json:
        print(json.dumps({"file": str(name), **_plain(verdict)}, ensure_ascii=False))
    else:
        _tell(name, verdict)
    return _STATUS.get(verdict.outcome.value, 1)


def _tell(name: Path, verdict: Verdict) -> None:
    print(f"{name}: {verdict.outcome.value}")
    for rules in verdict.rules:
        print(f"  by {rules}")
    for finding in verdict.findings:
        print(f"  {finding.flag.value} {finding.rule} at {finding.place}")
        print(f"    {finding.sentence}")
        if finding.seen or finding.wanted:
            print(f"    seen: {finding.seen or '-'}; wanted: {finding.wanted or '-'}")
    for each in verdict.undecided:
        print(f"  undecided {each.rule} at {each.place}: a field it needs is broken")
    for one in verdict.differences:
        print(f"  norm and rules differ, {one.rule} at {one.place}\n    {one.sentence}")
    for why in verdict.unjudged:
        print(f"  not judged: {why}")
    if verdict.remedy:
        print(f"  to do: {verdict.remedy}")


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome.value,
        "rules": list(verdict.rules),
        "findings": [
            {
                "rule": f.rule,
                "flag": f.flag.value,
                "place": f.place,
                "sentence": f.sentence,
                "seen": f.seen,
                "wanted": f.wanted,
            }
            for f in verdict.findings
        ],
        "undecided": [
            {"rule": u.rule, "flag": u.flag.value, "place": u.place, "error": u.error}
            for u in verdict.undecided
        ],
        "differences": [
            {"rule": d.rule, "place": d.place, "sentence": d.sentence} for d in verdict.differences
        ],
        "unjudged": list(verdict.unjudged),
        "remedy": verdict.remedy,
    }
