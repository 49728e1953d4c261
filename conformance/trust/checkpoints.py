"""Checkpoints and inclusion of Rekor logs that others signed, good and bad.

A case fails as a whole for reasons outside the log too (time stamps, envelopes); its notes say
that the log part of those is good, and it is the log part that is judged here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from conformance.verdicts import with_data
from zhidao.core.errors import ZhidaoError
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.trust.domain.merkle import leaf_hash, verify_inclusion
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

_OUTSIDE = ("rekor2-timestamp-", "rekor2-dsse-")


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("checkpoints", shared, "trust/rekor", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    for name, case in json.loads((folder / "checkpoints.json").read_text()).items():
        expected = not name.endswith("_fail") or name.startswith(_OUTSIDE)
        yield name, _holds(case) == expected


def _holds(case: dict[str, Any]) -> bool:
    keys = [_key(log) for log in case.get("tlogs", ()) if "ED25519" in _details(log)]
    return all(_entry_holds(entry, keys) for entry in case["tlogEntries"])


def _entry_holds(entry: dict[str, Any], keys: list[NoteKey]) -> bool:
    proof = entry.get("inclusionProof")
    if not proof:
        return False
    try:
        note = decode_note(proof["checkpoint"]["envelope"].encode())
        checkpoint = parse_checkpoint(note.text)
        signed = [key for key in note.signed_by(keys) if key.name == checkpoint.origin]
        verify_inclusion(
            leaf=leaf_hash(base64.b64decode(entry["canonicalizedBody"])),
            index=int(proof["logIndex"]),
            size=checkpoint.size,
            proof=[base64.b64decode(item) for item in proof.get("hashes", ())],
            root=checkpoint.root,
        )
    except ZhidaoError:
        return False
    told = (int(proof["treeSize"]), base64.b64decode(proof["rootHash"]))
    return bool(signed) and told == (checkpoint.size, checkpoint.root)


def _details(log: dict[str, Any]) -> str:
    return str(log["publicKey"].get("keyDetails", ""))


def _key(log: dict[str, Any]) -> NoteKey:
    key = load_der_public_key(base64.b64decode(log["publicKey"]["rawBytes"]))
    assert isinstance(key, Ed25519PublicKey)
    host = urlsplit(log["baseUrl"]).hostname or ""
    return NoteKey(host, PublicKey(Algorithm.ED25519, key.public_bytes_raw()))
