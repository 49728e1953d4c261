"""`zhidao trust did`: the keys that a decentralised identifier asserts with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import take
from zhidao.cli.console.trust_folder import shown
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

_BYTES_MAX: Final = 8 * 1024 * 1024


def add_action(actions: Any) -> None:
    """Adds the action."""
    did = actions.add_parser(
        "did",
        help="resolve a did:key, did:jwk, did:web or did:webvh",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            "  zhidao trust did did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK\n"
            "  zhidao trust did did:web:node.example --document did.json\n"
            "  zhidao trust did did:webvh:Qm...:node.example --log did.jsonl\n"
            "Without a file, did:web and did:webvh are fetched over https.\n"
            "status: 0 resolved, 1 refused, 2 bad input, 3 nobody answers"
        ),
    )
    did.add_argument("did", metavar="DID")
    did.add_argument(
        "--document", type=Path, metavar="FILE", help="its did.json, instead of asking"
    )
    did.add_argument("--log", type=Path, metavar="FILE", help="its did.jsonl, instead of asking")
    did.add_argument("--witnesses", type=Path, metavar="FILE", help="its did-witness.json")
    did.add_argument("--json", action="store_true", help="answer in one JSON object")
    did.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the identifier's asserting keys."""
    document = _document(options)
    keys = _keys(document, options.did)
    if options.json:
        print(json.dumps({"did": options.did, "keys": keys, "document": document}))
        return 0
    print(shown(options.did))
    for key in keys:
        print(shown(f"  {key['algorithm']:<10} {key['fingerprint']}  {key['method']}"))
    return 0


def _document(options: argparse.Namespace) -> Mapping[str, Any]:
    import asyncio

    from zhidao.core.canonical import parse_strict
    from zhidao.node.library import system_clock
    from zhidao.trust.wire.identifiers.did_webvh import resolve

    did: str = options.did
    if options.log:
        witnesses = take(options.witnesses, bytes_max=_BYTES_MAX) if options.witnesses else b""
        log = take(options.log, bytes_max=_BYTES_MAX)
        return resolve(did, log, witnesses, now=system_clock().now()).active()
    if options.document:
        document = parse_strict(take(options.document, bytes_max=_BYTES_MAX))
        if not isinstance(document, dict):
            raise MalformedInput("a DID document is a JSON object")
        return document
    if did.startswith("did:key:"):
        key = did.removeprefix("did:key:")
        return _of_key(did, {"type": "Multikey", "publicKeyMultibase": key}, f"{did}#{key}")
    if did.startswith("did:jwk:"):
        from zhidao.core.encoding import parse_base64url

        jwk = parse_strict(parse_base64url(did.removeprefix("did:jwk:")))
        return _of_key(did, {"type": "JsonWebKey", "publicKeyJwk": jwk}, f"{did}#0")
    return asyncio.run(_fetched(did))


def _of_key(did: str, key: dict[str, Any], method: str) -> dict[str, Any]:
    return {
        "id": did,
        "verificationMethod": [{"id": method, "controller": did, **key}],
        "assertionMethod": [method],
    }


async def _fetched(did: str) -> Mapping[str, Any]:
    from zhidao.node.library import system_clock
    from zhidao.trust.library import public_evidence
    from zhidao.trust.service.credentials.gathering import did_document

    async with public_evidence() as fetcher:
        return await did_document(did, fetcher, system_clock())


def _keys(document: Mapping[str, Any], did: str) -> list[dict[str, str]]:
    from zhidao.trust.wire.identifiers.did_document import asserting_key

    named = document.get("assertionMethod", [])
    entries = named if isinstance(named, list) else [named]
    methods = [entry.get("id") if isinstance(entry, dict) else entry for entry in entries[:200]]
    keys = []
    for method in methods:
        key = asserting_key(document, did, str(method))
        keys.append(
            {
                "method": str(method),
                "algorithm": key.algorithm.label,
                "key": key.multikey,
                "fingerprint": key.fingerprint,
            }
        )
    return keys
