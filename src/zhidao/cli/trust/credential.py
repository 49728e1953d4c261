"""`zhidao trust credential verify FILE`: one verdict on a credential of any maker, as JSON."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from zhidao.cli.console.outputs import take
from zhidao.core.timescale import Utc

_FILE_BYTES_MAX = 8 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify",
        help="check a W3C, TrustVC, OpenAttestation or SD-JWT file",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            "  zhidao trust credential verify origin.json\n"
            "  zhidao trust credential verify bill.json --offline --at 2026-11-24T12:00:00Z\n"
            "The verdict is ok or one reason code; status 0 means ok and 1 that it is refused."
        ),
    )
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument("--at", metavar="TIME", help="judge as of this time (RFC 3339, UTC)")
    verify.add_argument(
        "--contexts", type=Path, metavar="DIR", help="contexts of yours, named by contexts.json"
    )
    verify.add_argument(
        "--evidence", type=Path, metavar="DIR", help="DID documents and lists, by evidence.json"
    )
    verify.add_argument("--offline", action="store_true", help="ask nobody")
    verify.add_argument(
        "--issuer", action="append", default=[], metavar="DID", help="who it must be"
    )
    verify.add_argument("--audience", metavar="TEXT", help="whom a token must be shown to")
    verify.add_argument("--nonce", metavar="TEXT", help="what a token's holder must have signed")
    verify.add_argument("--json", action="store_true", help="as always here")
    verify.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the verdict; 0 if it is ok, 1 if it is a reason."""
    import asyncio

    from zhidao.trust.library import contexts_with, evidence_in
    from zhidao.trust.service.credentials.external_evidence import Evidence
    from zhidao.trust.service.credentials.verification import CredentialVerifier, Expectation

    data = take(options.file, bytes_max=_FILE_BYTES_MAX)
    now = Utc.parse(options.at) if options.at else Utc.from_unix_ns(time.time_ns())
    contexts = contexts_with(options.contexts)
    evidence: Evidence | None
    if options.evidence:
        evidence = evidence_in(options.evidence, now)
    else:
        evidence = None if options.offline else asyncio.run(_gather(data))
    expected = Expectation(frozenset(options.issuer), options.audience, options.nonce)
    verdict = CredentialVerifier(contexts).verify(data, now, evidence=evidence, expected=expected)
    told = {
        "verdict": verdict.code,
        "reason": verdict.sentence,
        "form": verdict.form,
        "issuer": verdict.issuer,
        "at": str(now),
    }
    print(json.dumps(told, ensure_ascii=False))
    return 0 if verdict.holds else 1


async def _gather(data: bytes) -> Any:
    from zhidao.node.library import system_clock
    from zhidao.trust.library import public_evidence
    from zhidao.trust.service.credentials.gathering import gather

    async with public_evidence() as fetcher:
        return await gather(data, fetcher, system_clock())
