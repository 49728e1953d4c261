"""`zhidao insight verify`: computes a report on digital public goods again from its folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import take, tell
from zhidao.cli.insight.signatories import add_trusted, trusted_by
from zhidao.core.errors import MalformedInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("folder", type=Path, help="what `zhidao insight publish` wrote")
    parser.add_argument(
        "--repository",
        action="append",
        default=[],
        metavar="GOOD=SOURCE",
        help="a good's repository, to which its assessment is held; as often as wanted",
    )
    add_trusted(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "No node and no network. Every figure and the page are made again from the evidence in the\n"
    "folder, every file is held to the signed list, and what cannot be computed from here is\n"
    "named: goods without their repository, corridors whose reports are not enclosed.\n"
    "examples:\n"
    "  zhidao insight verify report --signatory 'The centre=z6Mk...'\n"
    "  zhidao insight verify report --signatory z6Mk... --repository PostgreSQL=~/postgres.git\n"
    "status: 0 all is as signed by an accepted key, 1 something is not, 2 bad input"
)


def run(options: argparse.Namespace) -> int:
    """Tells what is wrong and what nobody can compute from here."""
    from zhidao.insight.library.publications import verify_publication

    told: dict[str, Any] = verify_publication(
        _files(options.folder),
        trusted=trusted_by(options),
        repositories=dict(_repository(each) for each in options.repository),
    )
    tell(json.dumps(told, ensure_ascii=False) if options.json else _lines(told))
    return 1 if told["wrong"] else 0


def _files(folder: Path) -> dict[str, bytes]:
    from zhidao.insight.library.publications import EVIDENCE_BYTES_MAX, FILES_MAX

    if not folder.is_dir():
        raise MalformedInput(
            f"{folder} is no folder", code="no_report", remedy="name the folder of a report"
        )
    found: dict[str, bytes] = {}
    for file in sorted(folder.rglob("*")):
        if file.is_dir() and not file.is_symlink():
            continue
        if len(found) == FILES_MAX:
            raise MalformedInput(
                f"{folder} has more than {FILES_MAX} files", remedy="name the folder of a report"
            )
        found[file.relative_to(folder).as_posix()] = take(file, bytes_max=EVIDENCE_BYTES_MAX)
    return found


def _repository(text: str) -> tuple[str, Path]:
    name, equal, source = text.partition("=")
    if not (name and equal and source):
        raise MalformedInput("--repository is GOOD=SOURCE", where="--repository")
    return name, Path(source).expanduser()


def _lines(told: dict[str, Any]) -> str:
    lines = [f"WRONG {each}" for each in told["wrong"]]
    lines += [f"not computed from here: {each}" for each in told["not_computed"]]
    lines += [
        f"{told['title']['en']} / {told['title']['zh']}",
        f"by {told['by']}, {told['key']}, since {told['since']}",
        f"values in the report: {told['figures']}; wrong: {len(told['wrong'])}",
    ]
    return "\n".join(lines)
