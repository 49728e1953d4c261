"""`zhidao witness verify`: says whether a quorum of witnesses vouches for a log's head."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from zhidao.cli.console.outputs import take
from zhidao.cli.console.trust_folder import shown
from zhidao.core.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    verifying = actions.add_parser("verify", help="check a checkpoint or tlog-proof by a policy")
    verifying.add_argument("file", type=Path, metavar="FILE", help="checkpoint or .tlog-proof")
    verifying.add_argument(
        "--policy", type=Path, required=True, metavar="POLICY", help="quorum policy (tlog-policy)"
    )
    verifying.add_argument(
        "--entry", type=Path, metavar="FILE", help="the entry that a .tlog-proof is about"
    )
    verifying.add_argument("--json", action="store_true", help="answer in one JSON object")
    verifying.set_defaults(run=_verify)
    parser.epilog = (
        "examples:\n"
        "  zhidao witness verify checkpoint --policy corridor.policy\n"
        "  zhidao witness verify entry.tlog-proof --policy corridor.policy --entry entry.bin\n"
        "status: 0 the quorum vouches for it, 1 it does not, 2 bad input"
    )


def _verify(options: argparse.Namespace) -> int:
    from zhidao.core.timescale import NS, Utc
    from zhidao.node.library import system_clock
    from zhidao.trust.service.witness.policy_check import judge_file
    from zhidao.trust.wire.log.policy import POLICY_BYTES_MAX, parse_policy
    from zhidao.trust.wire.log.tlog_proof import PROOF_BYTES_MAX

    policy = parse_policy(take(options.policy, bytes_max=POLICY_BYTES_MAX))
    data = take(options.file, bytes_max=PROOF_BYTES_MAX)
    entry = take(options.entry, bytes_max=65_535) if options.entry else None
    answer: dict[str, Any] = {"holds": True, "reason": "", "sentence": ""}
    try:
        judged = judge_file(data, policy, entry, now=system_clock().now())
    except Refused as error:
        answer |= {"holds": False, "reason": error.code, "sentence": str(error)}
    else:
        when = str(Utc.from_unix_ns(judged.witnessed.at_s * NS)) if judged.witnessed.by else ""
        answer |= {
            "origin": judged.checkpoint.origin,
            "size": judged.checkpoint.size,
            "root": judged.checkpoint.root.hex(),
            "witnesses": list(judged.witnessed.by),
            "witnessed_at": when,
        }
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(shown(_told(answer)))
    return 0 if answer["holds"] else 1


def _told(answer: dict[str, Any]) -> str:
    if not answer["holds"]:
        return f"NOT WITNESSED  {answer['reason']}\n  {answer['sentence']}"
    by = ", ".join(answer["witnesses"]) or "nobody: the policy asks for no witness"
    return (
        f"WITNESSED  {answer['origin']}, {answer['size']} leaves\n"
        f"  by {by}\n  since {answer['witnessed_at'] or 'no time is vouched for'} at the latest"
    )
