"""`zhidao fraud verify`: checks a fraud proof with nothing but the file (and lists, for names)."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zhidao.cli.console.outputs import take
from zhidao.cli.console.trust_folder import (
    Installed,
    installed_lists,
    read_any,
    shown,
    trust_folder,
)
from zhidao.core.errors import Refused

if TYPE_CHECKING:
    from zhidao.trust.domain.fraud import FraudProof


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    verifying = actions.add_parser("verify", help="check that a key told two stories")
    verifying.add_argument("file", type=Path, metavar="FILE", help="fraud proof (.zdfraud)")
    verifying.add_argument(
        "--trust",
        type=Path,
        action="append",
        metavar="TRUSTFILE",
        help="trust list that says whose the key is, instead of the installed ones",
    )
    verifying.add_argument("--json", action="store_true", help="answer in one JSON object")
    verifying.set_defaults(run=_verify)
    parser.epilog = (
        "examples:\n"
        "  zhidao fraud verify split_view-3f2a.zdfraud\n"
        "status: 0 it is proven, 1 it is not, 2 bad input"
    )


def _verify(options: argparse.Namespace) -> int:
    from zhidao.trust.wire.log.fraud import FRAUD_BYTES_MAX, decode_fraud

    proof = decode_fraud(take(options.file, bytes_max=FRAUD_BYTES_MAX))
    owners = sorted(set(_owners(proof, _lists(options.trust))))
    try:
        sentence, reason = proof.check(), ""
    except Refused as error:
        sentence, reason = str(error), error.code
    if options.json:
        answer = {
            "proven": not reason,
            "convicts": not reason and proof.convicts,
            "reason": reason,
            "kind": proof.kind.value,
            "origin": proof.origin,
            "key": proof.key.key.fingerprint,
            "key_name": proof.key.name,
            "owners": owners,
            "sentence": sentence,
        }
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(shown(_told(proof, sentence, reason, owners)))
    return 1 if reason else 0


def _told(proof: FraudProof, sentence: str, reason: str, owners: list[str]) -> str:
    title = f"NOT PROVEN  {reason}" if reason else "PROVEN" if proof.convicts else "ATTESTED"
    whose = ", ".join(owners) or "in no trust list here: compare the fingerprint with its owner"
    return "\n".join(
        (
            f"{title}  {proof.kind} in {proof.origin}",
            f"  {sentence}.",
            f"  key {proof.key.key.fingerprint}  {proof.key.name}",
            f"  whose: {whose}",
        )
    )


def _owners(proof: FraudProof, lists: list[Installed]) -> Iterator[str]:
    for each in lists:
        for node in each.trust.nodes:
            if proof.key.key in (node.log.key, *node.keys):
                yield f"{node.party} ({each.trust.name}, root {each.fingerprint})"


def _lists(files: list[Path] | None) -> list[Installed]:
    if files:
        return [read_any(path) for path in files]
    return installed_lists(trust_folder(os.environ))
