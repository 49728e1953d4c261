"""Data Integrity proofs over JSON documents, read strictly: one suite by its table row.

Source: Verifiable Credential Data Integrity 1.0 sections 2.1 and 4; Data Integrity EdDSA
Cryptosuites 1.0 sections 3.2 and 3.3; Data Integrity ECDSA Cryptosuites 1.0 sections 3.2 to 3.5
(W3C Recommendations of 15 May 2025).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.core.encoding import base58btc, parse_base58btc
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.trust.wire.credentials import selective_disclosure as sd
from zhidao.trust.wire.linked_data.jsonld import to_quads
from zhidao.trust.wire.linked_data.jsonld_context import ContextReader
from zhidao.trust.wire.linked_data.rdf_canonical import Hasher, canonical_statements

SUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"
_REQUIRED: Final = {"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"}
_ALLOWED: Final = _REQUIRED | {"@context", "created", "expires", "id"}
_TEXTS: Final = tuple(sorted(_ALLOWED - {"@context"}))

KeyOf = Callable[[str], PublicKey]


@dataclass(frozen=True, slots=True)
class Suite:
    """A cryptosuite: whether it signs RDF statements, and with which keys."""

    name: str
    needs_contexts: bool
    algorithms: tuple[Algorithm, ...]


_EC: Final = (Algorithm.P256, Algorithm.P384)
SUITES: Final = {
    suite.name: suite
    for suite in (
        Suite(SUITE, False, (Algorithm.ED25519,)),
        Suite("eddsa-rdfc-2022", True, (Algorithm.ED25519,)),
        Suite("ecdsa-jcs-2019", False, _EC),
        Suite("ecdsa-rdfc-2019", True, _EC),
        Suite(sd.SUITE, True, (Algorithm.P256,)),
    )
}


def hash_data(
    document: Mapping[str, Any],
    configuration: Mapping[str, Any],
    *,
    reader: ContextReader | None = None,
    algorithm: Algorithm = Algorithm.ED25519,
) -> bytes:
    """What a suite signs: hash of the proof's configuration, then hash of the document.

    With a `reader` the RDF forms are hashed, else the RFC 8785 ones; P-384 takes SHA-384, for
    the order of nodes without names too.
    """
    hasher: Hasher = hashlib.sha384 if algorithm is Algorithm.P384 else hashlib.sha256
    parts = (configuration, document)
    return b"".join(hasher(_canonical(part, reader, hasher)).digest() for part in parts)


def secure(
    document: Mapping[str, Any],
    *,
    signer: Signer,
    method: str,
    created: Utc,
    suite: str = SUITE,
    reader: ContextReader | None = None,
) -> dict[str, Any]:
    """The document with its proof; for ecdsa-sd-2023 see `selective_disclosure`.

    Raises Refused (`unknown_algorithm`) if the suite does not take the key.
    """
    row = _row(suite, reader)
    if signer.public.algorithm not in row.algorithms or suite == sd.SUITE:
        takes = " or ".join(algorithm.label for algorithm in row.algorithms)
        raise Refused(
            f"{suite} needs an {takes} key, not {signer.public.algorithm.label}",
            code="unknown_algorithm",
        )
    configuration = configure(document, suite=suite, method=method, created=created)
    data = hash_data(
        document,
        configuration,
        reader=reader if row.needs_contexts else None,
        algorithm=signer.public.algorithm,
    )
    if row.needs_contexts:
        # It is the document's, and readers of RDF suites take it from there.
        configuration.pop("@context", None)
    return {
        **document,
        "proof": {**configuration, "proofValue": "z" + base58btc(signer.sign(data))},
    }


def configure(
    document: Mapping[str, Any], *, suite: str, method: str, created: Utc
) -> dict[str, Any]:
    """A proof without its value."""
    configuration = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": str(created),
        "verificationMethod": method,
        "proofPurpose": PURPOSE,
    }
    if "@context" in document:
        configuration["@context"] = document["@context"]
    return configuration


def verify_proof(
    secured: Mapping[str, Any],
    *,
    key_of: KeyOf,
    now: Utc,
    reader: ContextReader | None = None,
) -> str:
    """Checks the one proof of a document and returns its verification method.

    `key_of` gives the key of a method or raises. Without a `reader` of contexts only the suites
    that sign JSON are known. Raises MalformedInput for a proof of another form; Refused with code
    unknown_proof_field, unknown_suite, bad_proof, base_proof, expired, not_yet_valid, and those of
    the contexts.
    """
    proof = secured.get("proof")
    if not isinstance(proof, dict):
        raise MalformedInput("the document bears no single proof", code="bad_proof")
    document = dict(secured)
    del document["proof"]
    return check_proof(document, proof, key_of=key_of, now=now, reader=reader)


def check_proof(
    document: dict[str, Any],
    proof: Mapping[str, Any],
    *,
    key_of: KeyOf,
    now: Utc,
    reader: ContextReader | None,
) -> str:
    """Checks one proof over a document that bears none itself; see `verify_proof`."""
    row = _check_fields(proof, reader)
    configuration = dict(proof)
    del configuration["proofValue"]
    if "@context" in proof:
        signed = _shared_context(document.get("@context"), proof["@context"])
        # An RDF suite signs under the document's own context, which the proof may only repeat.
        if not row.needs_contexts:
            document = {**document, "@context": signed}
    if row.needs_contexts and "@context" in document:
        configuration["@context"] = document["@context"]
    key = key_of(proof["verificationMethod"])
    if key.algorithm not in row.algorithms:
        raise Refused(f"{row.name} takes no {key.algorithm.label} key", code="bad_proof")
    if row.name == sd.SUITE:
        assert reader is not None, "the table says that it needs contexts"
        sd.verify_derived(document, configuration, proof["proofValue"], key=key, reader=reader)
    else:
        value = _signature(proof["proofValue"], key.algorithm)
        data = hash_data(
            document,
            configuration,
            reader=reader if row.needs_contexts else None,
            algorithm=key.algorithm,
        )
        if not key.verifies(value, data):
            raise Refused("the proof is not its key's over this document", code="bad_proof")
    _check_times(proof, now)
    return str(proof["verificationMethod"])


def _canonical(document: Mapping[str, Any], reader: ContextReader | None, hasher: Hasher) -> bytes:
    if reader is None:
        return jcs(document if type(document) is dict else dict(document))
    return "".join(canonical_statements(to_quads(document, reader), hasher=hasher)).encode()


def _row(suite: str, reader: ContextReader | None) -> Suite:
    row = SUITES.get(suite)
    if row is None or (row.needs_contexts and reader is None):
        known = ", ".join(n for n, r in SUITES.items() if reader or not r.needs_contexts)
        raise Refused(f"this reader knows {known}, not {suite[:64]}", code="unknown_suite")
    return row


def _check_fields(proof: Mapping[str, Any], reader: ContextReader | None) -> Suite:
    if not proof.keys() <= _ALLOWED:
        unknown = sorted(proof.keys() - _ALLOWED)
        raise Refused(f"unknown field of a proof: {unknown[0][:48]!r}", code="unknown_proof_field")
    if not proof.keys() >= _REQUIRED or not all(
        isinstance(proof[name], str) for name in _TEXTS if name in proof
    ):
        raise MalformedInput("a field of the proof is missing or no text", code="bad_proof")
    if proof["type"] != "DataIntegrityProof":
        raise Refused(f"no suite for a {proof['type'][:64]}", code="unknown_suite")
    row = _row(proof["cryptosuite"], reader)
    if proof["proofPurpose"] != PURPOSE:
        raise Refused(f"the proof is not for {PURPOSE}", code="bad_proof")
    return row


def _shared_context(document: object, proof: object) -> object:
    """The proof's context, if the document's begins with it; both may be one value or a list."""
    signed = proof if isinstance(proof, list) else [proof]
    given = document if isinstance(document, list) else [document]
    if given[: len(signed)] != signed:
        raise Refused("the document's context is not the signed one", code="bad_proof")
    return proof


def _signature(text: str, algorithm: Algorithm) -> bytes:
    size = algorithm.signature_bytes
    data = parse_base58btc(text[1:]) if text.startswith("z") and len(text) <= 2 * size else b""
    # Base58 has one text for each value, so nothing needs to be written again to compare.
    if len(data) != size:
        raise MalformedInput("proofValue is not a signature in base58btc", code="bad_proof")
    return data


def _check_times(proof: Mapping[str, Any], now: Utc) -> None:
    if "created" in proof and now < Utc.parse(proof["created"]):
        raise Refused(f"the proof was made at {proof['created'][:40]}", code="not_yet_valid")
    if "expires" in proof and now > Utc.parse(proof["expires"]):
        raise Refused(f"the proof expired at {proof['expires'][:40]}", code="expired")
