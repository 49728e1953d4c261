"""`zhidao insight recheck`: holds an assessment against the repository again, line by line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import take, tell
from zhidao.cli.insight.sboms import add_sboms, sboms_of
from zhidao.cli.insight.signatories import add_trusted, declared, trusted_by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("result", type=Path, help="result of `zhidao insight assess -o`")
    parser.add_argument("source", type=Path, help="work tree, bare repository or git bundle")
    parser.add_argument("--rev", default="HEAD", help="commit, branch or tag (HEAD)")
    parser.add_argument(
        "--declare",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what was signed since, as a withdrawal; as often as wanted",
    )
    add_trusted(parser)
    add_sboms(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "Each line of evidence is one of: holds (the same blob, under the same path, says it in those\n"
    "lines; or the figure comes out the same), moved (the blob stands elsewhere), stale (the path\n"
    "has other bytes, or the figure is another), gone.\n"
    "Each verdict is given anew by the same questions: same, other, untold (the standard asks it\n"
    "and the result leaves it out) or unasked (it does not ask that). Of the commit that was\n"
    "assessed, a result that was changed anywhere is found out. What people declared unsigned is\n"
    "taken as they said it. What was signed is checked again: by the keys that you name, whether\n"
    "it is in its time, not withdrawn, and about the same question, history and passages.\n"
    "A result that was made with --sbom is as it was made with the same lists beside it only.\n"
    "examples:\n"
    "  zhidao insight recheck result.json ~/project\n"
    "  zhidao insight recheck result.json project.bundle --json\n"
    "  zhidao insight recheck result.json ~/project --rev 3f1c9e2\n"
    "  zhidao insight recheck result.json . --signatory z6Mk... --declare withdrawn.json\n"
    "status: 0 every line holds or moved, every verdict is the same and every signature stands,\n"
    "1 one is not so, the result was changed, or it was refused, 2 bad input, 3 there is no git\n"
    "or it takes too long"
)


def run(options: argparse.Namespace) -> int:
    """Prints what became of each line and verdict."""
    from zhidao.insight.library.assessments import ASSESSMENT_BYTES_MAX, recheck

    data = take(options.result, bytes_max=ASSESSMENT_BYTES_MAX)
    done: dict[str, Any] = recheck(
        data,
        options.source,
        revision=options.rev,
        declarations=declared(options.declare),
        trusted=trusted_by(options),
        sboms=sboms_of(options),
    )
    if options.json:
        tell(json.dumps(done, ensure_ascii=False))
    else:
        _print(done)
    changed = [done["counts"][state] for state in ("stale", "gone")]
    changed.append(sum(each["mark"] != "signed" for each in done["signed"]))
    changed += [count for name, count in done["verdict_counts"].items() if name != "same"]
    return 1 if any(changed) or done["as_made"] is False else 0


def _print(done: dict[str, Any]) -> None:
    from zhidao.insight.library.assessments import plain

    for line in done["lines"]:
        moved = f" -> {line['at']}" if line["state"] == "moved" else ""
        where = f"{line['standard']} {line['item']}"
        tell(plain(f"{line['state']:<6} {where}  {line['kind']}  {line['place']}{moved}"))
    for each in done["verdicts"]:
        if each["standing"] != "same":
            was, now = each["stated"] or "nothing", each["now"] or "nothing"
            where = f"{each['standard']} {each['item']}"
            tell(plain(f"{each['standing']:<7} {where}  result: {was}; now: {now}"))
    for each in done["signed"]:
        tell(plain(_signed_line(each)))
    at = f"at commit {done['commit']}"
    if done["as_made"] is None:
        at += f" (assessed: {done['assessed']})"
    tell(plain(at))
    tell(f"evidence: {_counted(done['counts'])}")
    tell(f"verdicts: {_counted(done['verdict_counts'])}")
    tell(_standing(done["signed"]))
    if done["as_made"] is not None:
        tell(_MADE[done["as_made"]])


def _signed_line(each: dict[str, Any]) -> str:
    where = f"{each['standard']} {each['item']}"
    return f"{each['mark']:<7} {where}  by {each['by']}, {each['key']}"


def _standing(signed: list[dict[str, Any]]) -> str:
    if not signed:
        return "signed answers: none"
    standing = sum(each["mark"] == "signed" for each in signed)
    return f"signed answers that stand: {standing} of {len(signed)}"


_MADE: Final = {
    True: "the result is what an assessment of this commit gives",
    False: "the result is NOT what an assessment gives: it was changed, or made by another version",
}


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
