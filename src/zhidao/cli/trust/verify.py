"""`zhidao verify`: checks a proof file with no node, no database and no network."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import take, tell
from zhidao.cli.console.trust_folder import (
    Installed,
    installed_lists,
    read_any,
    shown,
    trust_folder,
)
from zhidao.core.errors import MalformedInput, Refused
from zhidao.trade.domain.promise import PARTS

if TYPE_CHECKING:
    from zhidao.core.timescale import Utc
    from zhidao.trust.domain.proof import Proof, Statement
    from zhidao.trust.domain.trust_list import TrustList
    from zhidao.verification.verdict import Verdict

MALFORMED: Final = "malformed"
NOT_STATED: Final = "not stated"
_IN_PART_STATUS: Final = 4
_WIDTH_MIN: Final = 40
_TITLES: Final = {
    "holds": "HOLDS",
    "holds_in_part": "HOLDS IN PART",
    "refused": "DOES NOT HOLD",
    "untrusted_root": "UNTRUSTED ROOT",
}
_GREEN, _RED, _YELLOW, _BOLD, _PLAIN = "\033[32m", "\033[31m", "\033[33m", "\033[1m", "\033[0m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="proof file (.zdproof)")
    parser.add_argument(
        "--trust",
        type=Path,
        action="append",
        metavar="TRUSTFILE",
        help="trust list to go by instead of the installed ones; may be given several times",
    )
    parser.add_argument(
        "--require",
        type=_parts,
        default=(),
        metavar="PARTS",
        help="what the proof has to show, instead of all that its entry promised: "
        f"{','.join(PARTS)}, or some of these",
    )
    parser.add_argument("--json", action="store_true", help="answer in one JSON object")
    parser.epilog = (
        "examples:\n"
        "  zhidao verify consignment.zdproof --trust trust.json\n"
        "  zhidao verify consignment.zdproof --require arrival,payment\n"
        "  zhidao trust add trust.json && zhidao verify consignment.zdproof --json\n"
        "status: 0 it holds, 1 it does not hold or nobody vouches for its keys, 2 bad input,\n"
        "4 it holds in part: what it was to show is not all there, or titles could not be\n"
        "executed again, because py-evm is not installed"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the verdict, what is proven and what is not."""
    from zhidao.trust.library import local_evm
    from zhidao.trust.wire.proof_file.zdproof import PROOF_BYTES_MAX, decode_proof
    from zhidao.verification.verdict import verify

    data = take(options.file, bytes_max=PROOF_BYTES_MAX)
    try:
        proof = decode_proof(data)
    except MalformedInput as error:
        if not options.json:
            raise
        tell(json.dumps(_malformed(error), ensure_ascii=False))
        return error.exit_status
    from zhidao.node.library import system_clock

    lists = _lists(options.trust, proof)
    verdict = verify(
        proof,
        [each.trust for each in lists],
        evm=local_evm(),
        required=options.require,
        now=system_clock().now(),
    )
    root = next((each.fingerprint for each in lists if each.trust is verdict.judge), "")
    if options.json:
        tell(json.dumps(plain(verdict, proof.consignment, root=root), ensure_ascii=False))
    else:
        required = options.require
        tell(
            told(verdict, proof.consignment, root=root, required=required, colours=_colours()),
            painted=True,
        )
    if not verdict.stands:
        return 1
    return 0 if verdict.holds and verdict.whole else _IN_PART_STATUS


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    for unknown in (part for part in parts if part not in PARTS):
        raise argparse.ArgumentTypeError(
            f"{unknown[:40]!r} is no part of a proof; known are {', '.join(PARTS)}"
        )
    return parts


def plain(verdict: Verdict, consignment: str, *, root: str = "") -> dict[str, Any]:
    """The verdict as JSON values. `root`: fingerprint of the list that it was judged by."""
    return {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "sentence": verdict.sentence,
        "consignment": consignment,
        "trust": verdict.trust,
        "trust_root": root,
        "promised": NOT_STATED if verdict.promised is None else list(verdict.promised),
        "shown": list(verdict.shown),
        "missing": list(verdict.missing),
        "simulated": _statements(verdict.simulated),
        "proven": _statements(verdict.proven),
        "not_proven": _statements(verdict.not_proven),
        "fingerprints": [
            {"name": key.name, "purpose": key.purpose, "fingerprint": key.fingerprint}
            for key in verdict.fingerprints
        ],
    }


def told(
    verdict: Verdict,
    consignment: str,
    *,
    root: str = "",
    required: Sequence[str] = (),
    colours: bool,
) -> str:
    """The verdict for a person: first whether it holds, then what was only simulated."""
    consignment = shown(consignment)
    title = _TITLES[verdict.verdict]
    if verdict.stands:
        by = f"under the trust list {verdict.trust!r} (root {root})"
        colour = _GREEN if verdict.holds else _YELLOW
        head = f"{_painted(title, colour, colours)}  consignment {consignment}, {by}"
    else:
        head = (
            f"{_painted(title, _RED, colours)}  consignment {consignment}: {shown(verdict.reason)}"
        )
    lines = [head, *_compared(verdict, required)]
    if verdict.simulated:
        lines.append(_painted("SIMULATED, not lived:", _YELLOW, colours))
        lines += _items(verdict.simulated)
    if verdict.sentence:
        lines += _wrapped(f"{verdict.sentence}.", "  ")
    if not verdict.stands:
        lines += [
            f"  {key.purpose} key {key.fingerprint}  {shown(key.name)}" for key in _keys(verdict)
        ]
    if verdict.verdict == "untrusted_root":
        lines += _wrapped(
            "A proof cannot vouch for its own keys. Get the node's trust list, compare its "
            "fingerprints over another channel, then: zhidao trust add TRUSTFILE",
            "  ",
        )
    if verdict.stands:
        lines += ["", _painted("proven:", _BOLD, colours), *_items(verdict.proven)]
        lines += ["", _painted("NOT proven:", _BOLD, colours), *_items(verdict.not_proven)]
    return "\n".join(lines)


def _compared(verdict: Verdict, required: Sequence[str]) -> list[str]:
    """What was promised or asked for, and what of it is there."""
    if not verdict.stands:
        return []
    promised = NOT_STATED if verdict.promised is None else ", ".join(verdict.promised) or "nothing"
    lines = [
        f"promised: {shown(promised)}",
        *([f"asked for: {', '.join(sorted(required))}"] if required else []),
        f"shown: {', '.join(verdict.shown) or 'nothing'}",
    ]
    return lines + ([f"MISSING: {shown(', '.join(verdict.missing))}"] if verdict.missing else [])


def _keys(verdict: Verdict) -> Sequence[Any]:
    return verdict.fingerprints if verdict.verdict == "untrusted_root" else ()


def _lists(files: list[Path] | None, proof: Proof) -> list[Installed]:
    """The lists that may judge this proof.

    Raises Refused (`list_expired`) if the only ones have expired and nobody vouches that the facts
    are older than that.
    """
    from zhidao.node.library import system_clock

    if files:
        chosen = [read_any(path) for path in files]
    else:
        chosen = installed_lists(trust_folder(os.environ))
    good: list[Installed] = []
    refusal: Refused | None = None
    for each in chosen:
        try:
            if each.governed and each.governed.standing(system_clock().now()) == "expired":
                each.governed.check_speaks(_witnessed_at(each.trust, proof))
        except Refused as error:
            refusal = error
        else:
            good.append(each)
    if refusal and not good:
        raise refusal
    return good


def _witnessed_at(trust: TrustList, proof: Proof) -> Utc | None:
    from zhidao.core.timescale import NS, Utc

    witnessed = trust.policy.judge(proof.note) if trust.policy else None
    return Utc.from_unix_ns(witnessed.at_s * NS) if witnessed and witnessed.by else None


def _malformed(error: MalformedInput) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        name: []
        for name in ("shown", "missing", "simulated", "proven", "not_proven", "fingerprints")
    }
    head = {"verdict": MALFORMED, "reason": error.code, "sentence": str(error)}
    unknown = {"consignment": "", "trust": "", "trust_root": "", "promised": NOT_STATED}
    return head | unknown | nothing


def _statements(statements: Sequence[Statement]) -> list[dict[str, str]]:
    return [{"code": each.code, "text": each.text} for each in statements]


def _items(statements: Sequence[Statement]) -> list[str]:
    return [line for each in statements for line in _wrapped(each.text, "  - ")]


def _wrapped(text: str, first: str) -> list[str]:
    """Broken to the terminal's width where there is one; whole lines for other programs."""
    text = shown(text.replace("\n", " "))
    if not sys.stdout.isatty():
        return [first + text]
    width = max(shutil.get_terminal_size().columns, _WIDTH_MIN)
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
    )


def _painted(text: str, colour: str, colours: bool) -> str:  # noqa: FBT001 (said at each call)
    return f"{_BOLD}{colour}{text}{_PLAIN}" if colours else text


def _colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
