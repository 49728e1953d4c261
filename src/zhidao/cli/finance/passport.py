"""`zhidao finance passport`: your verified receivables as a credential, shown part by part."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of
from zhidao.cli.console.outputs import put, take, tell

_PATH: Final = "/v1/finance/passport"
_BYTES_MAX: Final = 64 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    issue = actions.add_parser("issue", help="make your passport of what the node verified")
    issue.set_defaults(run=run_issue)
    present = actions.add_parser("present", help="show some of its claims to one reader")
    present.add_argument(
        "--show", default="", metavar="CLAIMS", help="such as turnover,days_to_pay; none: nothing"
    )
    present.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it")
    present.set_defaults(run=run_present)
    verify = actions.add_parser("verify", help="check one that somebody showed; asks no node")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument("--issuer", metavar="DID", help="the did:key of the node you trust")
    verify.add_argument("--json", action="store_true", help="answer in JSON")
    verify.set_defaults(run=run_verify)
    for action in (present, verify):
        action.add_argument("--audience", required=True, metavar="WHO", help="who reads it")
        action.add_argument("--nonce", required=True, metavar="TEXT", help="the reader's question")
    for action in (issue, present):
        add_caller(action)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance passport issue --url https://localhost:8443 --token-file ~/party.token\n"
    "  zhidao finance passport present --show turnover,days_to_pay --audience bank \\\n"
    "      --nonce 7f31 -o shown.sdjwt --url https://localhost:8443 --token-file ~/party.token\n"
    "  zhidao finance passport verify shown.sdjwt --audience bank --nonce 7f31 \\\n"
    "      --issuer did:key:z6Mk...\n"
    "status: 0 done, 1 it does not hold or is refused, 2 bad input, 3 no answer"
)


def run_issue(options: argparse.Namespace) -> int:
    """Prints the claims of a new passport."""
    passport = node_of(options).send(_PATH, {})
    if options.json:
        tell(json.dumps(passport, ensure_ascii=False))
    else:
        tell(f"passport of {passport['issued_at']}, claims that you may leave out:")
        for name in passport["may_hide"]:
            tell(f"  {name}: {json.dumps(passport['claims'][name], ensure_ascii=False)}")
    return 0


def run_present(options: argparse.Namespace) -> int:
    """Writes a presentation to a file or to standard output."""
    body = {
        "show": [name.strip() for name in options.show.split(",") if name.strip()],
        "audience": options.audience,
        "nonce": options.nonce,
    }
    text = str(node_of(options).send(f"{_PATH}/presentations", body)["presentation"])
    if options.output:
        put(text.encode(), options.output)
        text = str(options.output)
    tell(json.dumps({"presentation": text}) if options.json else text)
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Checks a presentation here, with nothing but the file."""
    from zhidao.core.errors import MalformedInput, Refused
    from zhidao.finance.domain.receivables.passport import check_kind
    from zhidao.trust.service.credentials.selective import checked
    from zhidao.trust.wire.identifiers.did import did_key

    told: dict[str, Any] = {"holds": False, "code": "", "issuer": "", "claims": {}}
    text = take(options.file, bytes_max=_BYTES_MAX).decode("ascii", "replace").strip()
    try:
        key, claims = checked(
            text, now_s=int(time.time()), audience=options.audience, nonce=options.nonce
        )
        check_kind(claims)
        told |= {"issuer": did_key(key), "claims": dict(claims)}
        told["holds"] = options.issuer in (None, told["issuer"])
        if not told["holds"]:
            told |= {"code": "unexpected_issuer", "sentence": f"{told['issuer']} issued it"}
    except (MalformedInput, Refused) as error:
        told |= {"code": error.code, "sentence": str(error)}
    if options.json:
        tell(json.dumps(told, ensure_ascii=False))
    elif told["holds"]:
        tell(f"holds; issued by {told['issuer']}" + ("" if options.issuer else _UNKNOWN))
        for name, value in told["claims"].items():
            if name not in ("cnf", "iss"):
                tell(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
    else:
        tell(f"does not hold: {told['code']}: {told['sentence']}")
    return 0 if told["holds"] else 1


_UNKNOWN: Final = " (whether that is a node that you trust was not checked: give --issuer)"
