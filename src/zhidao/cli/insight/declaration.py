"""`zhidao insight declaration sign|withdraw|show`: what a person answers for, under their key."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put_told, take, tell
from zhidao.cli.insight.signatories import SigningKey, add_signer, moment, signer_of, verify

_DAYS: Final = 365


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    sign = _action(actions, "sign", "sign a declaration for a repository and so many days")
    sign.add_argument("file", type=Path, metavar="ANSWERS", help="answers as TOML")
    sign.add_argument("source", type=Path, help="work tree, bare repository or git bundle")
    sign.add_argument("--rev", default="HEAD", help="commit, branch or tag (HEAD)")
    sign.add_argument("--days", type=int, default=_DAYS, help=f"how long it is good for ({_DAYS})")
    sign.set_defaults(run=run_sign)
    drop = _action(actions, "withdraw", "take back what was signed, all of it or some answers")
    drop.add_argument("file", type=Path, metavar="SIGNED", help="what `sign` wrote")
    drop.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="STANDARD:ITEM",
        help="only this one, as often as wanted; all without it",
    )
    drop.add_argument("--reason", required=True, help="everybody reads it")
    drop.set_defaults(run=run_withdraw)
    for writing in (sign, drop):
        add_signer(writing)
        writing.add_argument("-o", "--output", type=Path, metavar="FILE", help="a new file")
    show = _action(actions, "show", "what a signed file says, by whose key, and whether it holds")
    show.add_argument("file", type=Path, metavar="SIGNED", help="a declaration or a withdrawal")
    show.add_argument("--json", action="store_true", help="answer in JSON")
    show.set_defaults(run=run_show)


def _action(actions: Any, name: str, line: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=line,
        description=line,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


_EXAMPLES: Final = (
    "A signed declaration is a W3C credential in one file, kept beside the repository or in it.\n"
    "It is about the words of each question, the history that begins with the same commits, and\n"
    "each passage that an answer points to: a heading's section, else the paragraph. Where any of\n"
    "them is another one, when its time is over or its signer took it back, it stands no more.\n"
    "examples:\n"
    "  openssl genpkey -algorithm ed25519 -out mine.pem && chmod 600 mine.pem\n"
    "  zhidao insight declaration sign answers.toml ~/project --key mine.pem -o signed.json\n"
    "  zhidao insight declaration show signed.json\n"
    "  zhidao insight declaration sign answers.toml . --party office --data ~/zhidao\n"
    "  zhidao insight declaration withdraw signed.json --answer dpg:7 --reason 'new law' --key \\\n"
    "      mine.pem -o withdrawn.json\n"
    "status: 0 done, 1 refused (a line is not there, another's declaration; `show`: the signature\n"
    "does not hold), 2 bad input, 3 there is no git or it takes too long"
)


def run_sign(options: argparse.Namespace) -> int:
    """Signs the answers of a file."""
    from zhidao.insight.library.assessments import DECLARATION_BYTES_MAX
    from zhidao.insight.library.declarations import sign_declaration

    data = take(options.file, bytes_max=DECLARATION_BYTES_MAX)
    signed = sign_declaration(
        data,
        options.source,
        revision=options.rev,
        sign=SigningKey(signer_of(options)),
        at=moment(None),
        days=options.days,
    )
    put_told(signed + b"\n", options)
    return 0


def run_withdraw(options: argparse.Namespace) -> int:
    """Takes answers back."""
    from zhidao.insight.library.assessments import DECLARATION_BYTES_MAX
    from zhidao.insight.library.declarations import withdraw

    data = take(options.file, bytes_max=DECLARATION_BYTES_MAX)
    signed = withdraw(
        data,
        answers=options.answer,
        reason=options.reason,
        sign=SigningKey(signer_of(options)),
        at=moment(None),
        verify=verify,
    )
    put_told(signed + b"\n", options)
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Tells what is in the file; 1 where the signature does not hold."""
    from zhidao.insight.library.assessments import DECLARATION_BYTES_MAX
    from zhidao.insight.library.declarations import shown

    told = shown(take(options.file, bytes_max=DECLARATION_BYTES_MAX), verify, moment(None))
    tell(json.dumps(told, ensure_ascii=False) if options.json else _lines(told))
    return 1 if told["wrong"] else 0


def _lines(told: dict[str, Any]) -> str:
    head = [f"{told['kind']}, {told['wrong'] or 'the signature holds'}", f"  key     {told['key']}"]
    if told["kind"] == "withdrawal":
        of = ", ".join(told["answers"]) or "all answers"
        return "\n".join(
            (
                *head,
                f"  since   {told['since']}: {told['reason']}",
                f"  takes back {of} of {told['declaration']}",
            )
        )
    over = ", which is over" if told["expired"] else ""
    lines = [
        *head,
        f"  by      {told['by']}, as that key says",
        f"  from    {told['since']} until {told['until']}{over}",
        f"  is      {told['declaration']}",
        f"  history that begins with {', '.join(told['roots'])}",
    ]
    for each in told["answers"]:
        met = "" if each["met"] else "not met: "
        lines += [f"{each['standard']} {each['item']}: {met}{each['text']}"]
        lines += [f"  see {place}" for place in each["see"]]
    return "\n".join(lines)
