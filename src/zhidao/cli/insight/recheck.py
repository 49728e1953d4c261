"""`zhidao insight recheck`: holds an assessment's evidence against the repository again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from zhidao.cli.console.outputs import take, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("result", type=Path, help="result of `zhidao insight assess -o`")
    parser.add_argument("source", type=Path, help="work tree, bare repository or git bundle")
    parser.add_argument("--rev", default="HEAD", help="commit, branch or tag (HEAD)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "Each line of evidence is one of: holds (the same blob, under the same path, says it in those\n"
    "lines; or the figure comes out the same), moved (the blob stands elsewhere), stale (the path\n"
    "has other bytes, or the figure is another), gone.\n"
    "examples:\n"
    "  zhidao insight recheck result.json ~/project\n"
    "  zhidao insight recheck result.json project.bundle --json\n"
    "status: 0 every line holds or moved, 1 a line is stale or gone, or it was refused,\n"
    "2 bad input, 3 there is no git or it takes too long"
)


def run(options: argparse.Namespace) -> int:
    """Prints the state of each line."""
    from zhidao.insight.library import ASSESSMENT_BYTES_MAX, recheck

    data = take(options.result, bytes_max=ASSESSMENT_BYTES_MAX)
    done = recheck(data, options.source, revision=options.rev)
    counts = done["counts"]
    assert isinstance(counts, dict)
    if options.json:
        tell(json.dumps(done, ensure_ascii=False))
    else:
        _print(done)
    return 1 if counts["stale"] or counts["gone"] else 0


def _print(done: Mapping[str, object]) -> None:
    from zhidao.insight.library import plain

    lines, counts = done["lines"], done["counts"]
    assert isinstance(lines, list)
    assert isinstance(counts, dict)
    for line in lines:
        moved = f" -> {line['at']}" if line["state"] == "moved" else ""
        where = f"{line['standard']} {line['item']}"
        tell(plain(f"{line['state']:<6} {where}  {line['kind']}  {line['place']}{moved}"))
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    tell(f"at commit {done['commit']}: {told}")
