"""Data Integrity proofs over JSON documents: the suite eddsa-jcs-2022, read strictly.

Source: Data Integrity EdDSA Cryptosuites 1.0 section 3.3; Verifiable Credential Data Integrity 1.0
section 2.1 for the proof's fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.core.encoding import base58btc, parse_base58btc
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.core.timescale import Utc

SUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"
_REQUIRED: Final = {"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"}
_ALLOWED: Final = _REQUIRED | {"@context", "created", "expires", "id"}


def hash_data(document: Mapping[str, Any], configuration: Mapping[str, Any]) -> bytes:
    """What the suite signs: hash of the proof's configuration, then hash of the document."""
    return b"".join(hashlib.sha256(jcs(dict(part))).digest() for part in (configuration, document))


def secure(
    document: Mapping[str, Any], *, signer: Signer, method: str, created: Utc
) -> dict[str, Any]:
    """The document with its proof. Raises Refused if the key is not Ed25519."""
    if signer.public.algorithm is not Algorithm.ED25519:
        raise Refused(
            f"{SUITE} needs an Ed25519 key, not {signer.public.algorithm.label}",
            code="unknown_algorithm",
        )
    configuration = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": str(created),
        "verificationMethod": method,
        "proofPurpose": PURPOSE,
    }
    if "@context" in document:
        configuration["@context"] = document["@context"]
    signature = signer.sign(hash_data(document, configuration))
    return {**document, "proof": {**configuration, "proofValue": "z" + base58btc(signature)}}


def verify_proof(
    secured: Mapping[str, Any], *, key_of: Callable[[str], PublicKey], now: Utc
) -> str:
    """Checks the one proof of a document and returns its verification method.

    `key_of` gives the key of a method or raises. Raises MalformedInput for a proof of another
    form; Refused with code unknown_proof_field, unknown_suite, bad_proof, expired, not_yet_valid.
    """
    proof = secured.get("proof")
    if not isinstance(proof, dict):
        raise MalformedInput("the document bears no single proof", code="bad_proof")
    _check_fields(proof)
    document = {name: value for name, value in secured.items() if name != "proof"}
    configuration = {name: value for name, value in proof.items() if name != "proofValue"}
    if "@context" in proof:
        document["@context"] = _shared_context(document.get("@context"), proof["@context"])
    key = key_of(proof["verificationMethod"])
    if key.algorithm is not Algorithm.ED25519 or not key.verifies(
        _signature(proof["proofValue"]), hash_data(document, configuration)
    ):
        raise Refused("the proof is not its key's over this document", code="bad_proof")
    _check_times(proof, now)
    return str(proof["verificationMethod"])


def _check_fields(proof: Mapping[str, Any]) -> None:
    unknown = sorted(set(proof) - _ALLOWED)
    if unknown:
        raise Refused(f"unknown field of a proof: {unknown[0][:48]!r}", code="unknown_proof_field")
    texts = [proof.get(name) for name in sorted(_ALLOWED - {"@context"}) if name in proof]
    if not set(proof) >= _REQUIRED or not all(isinstance(text, str) for text in texts):
        raise MalformedInput("a field of the proof is missing or no text", code="bad_proof")
    if proof["type"] != "DataIntegrityProof" or proof["cryptosuite"] != SUITE:
        suite = f"{proof['type']} {proof['cryptosuite']}"
        raise Refused(f"this reader knows {SUITE}, not {suite[:64]}", code="unknown_suite")
    if proof["proofPurpose"] != PURPOSE:
        raise Refused(f"the proof is not for {PURPOSE}", code="bad_proof")


def _shared_context(document: object, proof: object) -> object:
    """The proof's context, if the document's begins with it; both may be one value or a list."""
    signed = proof if isinstance(proof, list) else [proof]
    given = document if isinstance(document, list) else [document]
    if given[: len(signed)] != signed:
        raise Refused("the document's context is not the signed one", code="bad_proof")
    return proof


def _signature(text: str) -> bytes:
    size = Algorithm.ED25519.signature_bytes
    data = parse_base58btc(text[1:]) if text.startswith("z") and len(text) <= 2 * size else b""
    if len(data) != size or "z" + base58btc(data) != text:
        raise MalformedInput("proofValue is not a signature in base58btc", code="bad_proof")
    return data


def _check_times(proof: Mapping[str, Any], now: Utc) -> None:
    if "created" in proof and now < Utc.parse(proof["created"]):
        raise Refused(f"the proof was made at {proof['created'][:40]}", code="not_yet_valid")
    if "expires" in proof and now > Utc.parse(proof["expires"]):
        raise Refused(f"the proof expired at {proof['expires'][:40]}", code="expired")
