"""`zhidao trust prove`: fetches a proof file from a node, or makes one smaller."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zhidao.cli.console.outputs import put, take, tell
from zhidao.core.errors import MalformedInput


def add_action(actions: Any) -> None:
    """Adds the action."""
    prove = actions.add_parser(
        "prove",
        help="fetch a proof from a node, or make one smaller",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            "  zhidao trust prove zd-1 --url https://node.example --token-file t -o p.zdproof\n"
            "  zhidao trust prove p.zdproof --compact -o small.zdproof\n"
            "A compact proof leaves raw observations, ephemerides and the creation of the title\n"
            "contracts out: zhidao verify then says `recomputed: not checked here`.\n"
            "status: 0 done, 1 refused, 2 bad input, 3 the node does not answer"
        ),
    )
    prove.add_argument("what", metavar="FILE|CONSIGNMENT", help="a proof, or a name with --url")
    prove.add_argument("--compact", action="store_true", help="without raw observations")
    prove.add_argument("-o", "--output", type=Path, required=True, help="where it goes")
    prove.add_argument("--corridor", default="", help="whose witnesses must have cosigned it")
    prove.add_argument("--url", help="ask this node, https://host:port")
    prove.add_argument("--token-file", type=Path, help="file of mode 0600 with the API token")
    prove.add_argument("--ca", type=Path, help="certificate of the node, if its own")
    prove.add_argument("--json", action="store_true", help="answer in one JSON object")
    prove.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the file and says what is in it."""
    from zhidao.trust.wire.proof_file.zdproof import PROOF_BYTES_MAX, decode_proof, encode_proof
    from zhidao.verification.compact import compacted

    if options.url:
        if options.token_file is None:
            raise MalformedInput("a consignment's proof is its parties': give --token-file")
        from zhidao.cli.console.remote import RemoteNode

        under = f"?corridor={quote(options.corridor, safe='')}" if options.corridor else ""
        path = f"/v1/consignments/{quote(options.what, safe='')}/proof{under}"
        data = RemoteNode(options).data(path)
    else:
        data = take(Path(options.what), bytes_max=PROOF_BYTES_MAX)
    proof = decode_proof(data)
    smaller = compacted(proof) if options.compact else replace(proof, packed=True)
    packed = encode_proof(smaller)
    put(packed, options.output)
    if options.json:
        answer = {
            "file": str(options.output),
            "consignment": smaller.consignment,
            "bytes": len(packed),
            "bytes_before": len(data),
            "events": len(smaller.events),
            "files": len(smaller.blobs),
            "compact": bool(options.compact),
        }
        tell(json.dumps(answer, ensure_ascii=False))
    else:
        tell(
            f"{options.output}: {len(smaller.events)} events, {len(smaller.blobs)} files, "
            f"{len(packed)} bytes; check it with: zhidao verify {options.output}"
        )
    return 0
