"""`zhidao trust title-tag`: a carrier signs tag and claim of its bill's title with its own key."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put, take
from zhidao.cli.console.private_keys import signing_key
from zhidao.cli.console.remote import RemoteNode
from zhidao.core.errors import MalformedInput

_DOCUMENT_BYTES_MAX: Final = 64 * 1024 * 1024
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}", re.ASCII)


def add_action(actions: Any) -> None:
    """Adds the action."""
    tag = actions.add_parser(
        "title-tag",
        help="a carrier signs the tag of its bill with a key of its own",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            "  openssl genpkey -algorithm ed25519 -out carrier.pem && chmod 600 carrier.pem\n"
            "  zhidao trust title-tag --key carrier.pem --carrier-code HMTX --bill HMTXA0417 \\\n"
            "      --document bill.json --url https://node.example --token-file t -o tag.json\n"
            "  zhidao trust title-tag --key carrier.pem --carrier-code HMTX --bill HMTXA0417 \\\n"
            "      --document 8b1a... --registry 0x5a... --chain-id 279003002008231\n"
            "The answer goes as `brought` into the request that mints the title. One key makes\n"
            "one tag at every node, so that a second title for the bill is refused wherever the\n"
            "first is known. The key leaves this machine never.\n"
            "status: 0 signed, 1 refused, 2 bad input, 3 the node does not answer"
        ),
    )
    tag.add_argument("--key", type=Path, required=True, metavar="FILE", help="Ed25519, PKCS #8 PEM")
    tag.add_argument("--passphrase-file", type=Path, metavar="FILE", help="if the key is sealed")
    tag.add_argument("--carrier-code", required=True, metavar="CODE", help="SCAC or like")
    tag.add_argument("--bill", required=True, metavar="NUMBER", help="as on its face")
    tag.add_argument(
        "--document", required=True, metavar="FILE|SHA256", help="the bill's file, or its digest"
    )
    tag.add_argument("--url", help="the node that will mint, to ask it for its registry")
    tag.add_argument("--token-file", type=Path, help="file of mode 0600 with its API token")
    tag.add_argument("--ca", type=Path, help="certificate of the node, if its own")
    tag.add_argument("--registry", metavar="ADDRESS", help="instead of asking: 0x and 40 digits")
    tag.add_argument("--chain-id", type=int, metavar="N", help="instead of asking")
    tag.add_argument("-o", "--output", type=Path, metavar="FILE")
    tag.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes issuer, opening and claim as JSON."""
    from zhidao.core.encoding import base64url
    from zhidao.trust.domain.title_tag import Bill, bring

    bill = Bill(options.carrier_code, options.bill)
    bill.check_plain()
    document = _digest(options.document)
    registry, chain_id = _place(options)
    key = signing_key(
        options.key,
        options.passphrase_file,
        why="only Ed25519 gives one signature, and so one tag, for one bill",
    )
    signed = bring(bill, key, title=document, registry=registry, chain_id=chain_id)
    told = {
        "issuer": signed.issuer.multikey,
        "opening": base64url(signed.opening),
        "claim": base64url(signed.claim),
    }
    put(json.dumps(told, indent=1).encode() + b"\n", options.output)
    return 0


def _digest(text: str) -> str:
    if _DIGEST.fullmatch(text):
        return text
    import hashlib

    return hashlib.sha256(take(Path(text), bytes_max=_DOCUMENT_BYTES_MAX)).hexdigest()


def _place(options: argparse.Namespace) -> tuple[str, int]:
    """Registry and chain, given or asked of the node."""
    given = options.registry is not None, options.chain_id is not None
    if all(given):
        registry: str = options.registry.lower()
        if not _ADDRESS.fullmatch(registry) or options.chain_id < 1:
            raise MalformedInput(
                "--registry wants 0x and 40 hexadecimal digits, --chain-id a number"
            )
        return registry, options.chain_id
    if any(given) or not (options.url and options.token_file):
        raise MalformedInput(
            "where will the title stand?",
            remedy="give --url and --token-file of the node that mints, "
            "or both --registry and --chain-id",
        )
    told = RemoteNode(options).get("/v1/trust/titles/registry")
    return str(told["registry"]), int(told["chain_id"])
