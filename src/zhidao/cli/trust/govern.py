"""`zhidao trust governor|propose|sign|show`: a trust list that nobody can change alone."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of
from zhidao.cli.console.outputs import take
from zhidao.cli.console.trust_folder import shown
from zhidao.core.errors import Refused
from zhidao.core.files.output import write_whole

if TYPE_CHECKING:
    from zhidao.core.timescale import Utc
    from zhidao.trust.domain.governance import GovernedList
    from zhidao.trust.wire.governance.governance import GovernedFile

_KEY: Final = "governor"
_DAYS: Final = 365


def add_actions(actions: Any) -> None:
    """Adds the actions of governors to `zhidao trust`."""
    governor = actions.add_parser("governor", help="this node's governor key, made if new")
    add_settings(governor)
    governor.set_defaults(run=_governor)
    proposing = actions.add_parser("propose", help="write the next version of a list, unsigned")
    proposing.add_argument("file", type=Path, metavar="LIST", help="trust list (trust.json)")
    proposing.add_argument(
        "--governor",
        action="append",
        default=[],
        metavar="KEY",
        help="Multikey of a governor; once for each (with --after: as before if none is given)",
    )
    proposing.add_argument("--threshold", type=int, default=0, help="how many must sign")
    proposing.add_argument("--days", type=int, default=_DAYS, help="how long it lives (90 or more)")
    proposing.add_argument("--after", type=Path, metavar="ZDTRUST", help="the version before")
    proposing.add_argument("-o", "--output", type=Path, required=True, metavar="ZDTRUST")
    proposing.add_argument("--json", action="store_true", help="answer in JSON")
    proposing.set_defaults(run=_propose)
    signing = actions.add_parser("sign", help="sign a proposed version as a governor")
    signing.add_argument("file", type=Path, metavar="ZDTRUST")
    add_settings(signing)
    signing.set_defaults(run=_sign)
    seeing = actions.add_parser("seen", help="enclose a log's cosigned proof of a version")
    seeing.add_argument("file", type=Path, metavar="ZDTRUST")
    seeing.add_argument("proof", type=Path, metavar="TLOG_PROOF", help="from the node's log")
    seeing.add_argument("--json", action="store_true", help="answer in JSON")
    seeing.set_defaults(run=_seen)
    showing = actions.add_parser("show", help="check a version and say how it stands")
    showing.add_argument("file", type=Path, metavar="ZDTRUST")
    showing.add_argument("--root", default=None, help="fingerprint of the first root, as compared")
    showing.add_argument("--at", default="", metavar="TIME", help="as of this time (UTC), not now")
    showing.add_argument("--json", action="store_true", help="answer in JSON")
    showing.set_defaults(run=_show)


def read_governed(path: Path) -> GovernedFile:
    """A governed list from a file. Raises MalformedInput."""
    from zhidao.trust.wire.governance.governance import GOVERNED_BYTES_MAX, decode_governed

    return decode_governed(take(path, bytes_max=GOVERNED_BYTES_MAX))


def plain(found: GovernedList, at: Utc) -> dict[str, Any]:
    """A verified version as JSON values."""
    from zhidao.core.timescale import NS, Utc

    fresh = found.fresh
    return {
        "name": found.trust.name,
        "version": found.version,
        "root": found.root,
        "root_version": found.root_version,
        "threshold": found.threshold,
        "governors": list(found.governors),
        "signers": list(found.signers),
        "expires": str(found.expires),
        "standing": found.standing(at).value,
        "seen_by": list(fresh.by) if fresh else [],
        "seen_at": str(Utc.from_unix_ns(fresh.at_s * NS)) if fresh else "",
    }


def _governor(options: argparse.Namespace) -> int:
    from zhidao.core.keys import Algorithm

    key = _keys(options).make(_KEY, Algorithm.ED25519).public
    if options.json:
        print(json.dumps({"key": key.multikey, "fingerprint": key.fingerprint}))
    else:
        print(f"{key.multikey}\n  {key.fingerprint}")
    return 0


def _propose(options: argparse.Namespace) -> int:
    from zhidao.core.keys import PublicKey
    from zhidao.node.library import system_clock
    from zhidao.trust.domain.governance import DAY_NS
    from zhidao.trust.wire.governance.governance import governors_of, missing_signatures, propose
    from zhidao.trust.wire.governance.trust_list import TRUST_BYTES_MAX

    after = read_governed(options.after) if options.after else None
    governors = [PublicKey.from_multikey(text) for text in options.governor]
    threshold = options.threshold
    if after is not None:
        before, needed = governors_of(after)
        governors, threshold = governors or list(before), threshold or needed
    file = propose(
        take(options.file, bytes_max=TRUST_BYTES_MAX),
        governors=governors,
        threshold=threshold,
        expires=system_clock().now().plus_ns(options.days * DAY_NS),
        after=after,
    )
    _write(options.output, file)
    _say(options, f"{options.output}: {missing_signatures(file)} governors must sign", file)
    return 0


def _sign(options: argparse.Namespace) -> int:
    from zhidao.core.keys import Algorithm
    from zhidao.trust.wire.governance.governance import missing_signatures, sign_governed

    key = _keys(options).get(_KEY, Algorithm.ED25519)
    if key is None:
        raise Refused(
            "this node has no governor key", code="not_a_governor", remedy="zhidao trust governor"
        )
    file = sign_governed(read_governed(options.file), key)
    _write(options.file, file)
    missing = missing_signatures(file)
    rest = f"{missing} more must sign" if missing else "complete; give it to those who go by it"
    _say(options, f"{options.file}: signed by {key.public.fingerprint}; {rest}", file)
    return 0


def _seen(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from zhidao.node.library import system_clock
    from zhidao.trust.service.witness.governing import believe
    from zhidao.trust.wire.log.tlog_proof import PROOF_BYTES_MAX

    proof = take(options.proof, bytes_max=PROOF_BYTES_MAX)
    file = replace(read_governed(options.file), seen=proof)
    found = believe(file)
    _write(options.file, file)
    answer = plain(found, system_clock().now())
    print(json.dumps(answer, ensure_ascii=False) if options.json else shown(told(answer)))
    return 0


def _show(options: argparse.Namespace) -> int:
    from zhidao.core.timescale import Utc
    from zhidao.node.library import system_clock
    from zhidao.trust.domain.governance import Standing
    from zhidao.trust.service.witness.governing import believe

    at = Utc.parse(options.at) if options.at else system_clock().now()
    found = believe(read_governed(options.file), pinned=options.root)
    answer = plain(found, at)
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(shown(told(answer)))
        if answer["standing"] == Standing.EXPIRING:
            print(f"WARNING: it ends at {answer['expires']}", file=sys.stderr)
    return 1 if answer["standing"] == Standing.EXPIRED else 0


def told(answer: dict[str, Any]) -> str:
    """A verified version for a person."""
    seen = (
        f"seen in a log by {', '.join(answer['seen_by'])} at {answer['seen_at']}"
        if answer["seen_by"]
        else "no quorum vouches that it is the newest"
    )
    signed = f"by {len(answer['signers'])} of {len(answer['governors'])} governors"
    return "\n".join(
        (
            f"{answer['name']}, version {answer['version']}: {answer['standing']}",
            f"  root    {answer['root']} (version {answer['root_version']})",
            f"  signed  {signed}, {answer['threshold']} needed: {', '.join(answer['signers'])}",
            f"  ends    {answer['expires']}",
            f"  fresh   {seen}",
        )
    )


def _say(options: argparse.Namespace, sentence: str, file: GovernedFile) -> None:
    from zhidao.trust.wire.governance.governance import missing_signatures

    if options.json:
        missing = missing_signatures(file)
        print(json.dumps({"root": file.root_fingerprint, "missing_signatures": missing}))
    else:
        print(shown(sentence))


def _write(path: Path, file: GovernedFile) -> None:
    from zhidao.trust.wire.governance.governance import encode_governed

    write_whole(path, encode_governed(file))


def _keys(options: argparse.Namespace) -> Any:
    from zhidao.node.library import key_files

    config = config_of(options)
    return key_files(config.data, passphrase_of(config))
