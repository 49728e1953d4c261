"""ecdsa-sd-2023: an issuer signs each statement, a holder shows some, a verifier checks those.

A base proof holds the key that hides the statements' shape, so it is for the holder only: it is
refused by every verifier (`base_proof`) and must never be published.

Source: Data Integrity ECDSA Cryptosuites 1.0 (W3C Recommendation of 15 May 2025) sections 3.4 to
3.6.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.trust.wire.linked_data import cbor
from zhidao.trust.wire.linked_data.json_pointer import Selection
from zhidao.trust.wire.linked_data.jsonld import to_quads
from zhidao.trust.wire.linked_data.jsonld_context import ContextReader
from zhidao.trust.wire.linked_data.rdf_canonical import (
    Quad,
    canonical_labels,
    canonical_statements,
    relabelled,
    statement,
)

SUITE: Final = "ecdsa-sd-2023"
_BASE: Final = bytes.fromhex("d95d00")
_DERIVED: Final = bytes.fromhex("d95d01")
_VALUE_CHARACTERS_MAX: Final = 1_000_000
_HMAC_BYTES: Final = 32
_MULTIKEY_BYTES: Final = len(Algorithm.P256.prefix) + Algorithm.P256.key_bytes


@dataclass(frozen=True, slots=True)
class _Base:
    signature: bytes
    key: bytes
    hmac_key: bytes
    signatures: list[bytes]
    pointers: list[str]


@dataclass(frozen=True, slots=True)
class _Derived:
    signature: bytes
    key: bytes
    signatures: list[bytes]
    labels: dict[str, str]
    mandatory: list[int]


def sign_base(
    document: Mapping[str, Any],
    configuration: Mapping[str, Any],
    *,
    pointers: Sequence[str],
    signer: Signer,
    statement_key: Signer,
    hmac_key: bytes,
    reader: ContextReader,
) -> str:
    """The proofValue of a base proof. `pointers` choose what every holder must show.

    `statement_key` (P-256) is made for this one proof and then forgotten; `hmac_key`: 32 random
    bytes. Raises Refused (`unknown_algorithm`) for other keys.
    """
    for key in (signer, statement_key):
        if key.public.algorithm is not Algorithm.P256:
            raise Refused(f"{SUITE} needs P-256 keys", code="unknown_algorithm")
    if len(hmac_key) != _HMAC_BYTES:
        raise MalformedInput(f"the HMAC key has {_HMAC_BYTES} bytes")
    grouped = _Grouped(document, hmac_key, reader)
    mandatory = grouped.chosen(pointers)
    own = _multikey_bytes(statement_key.public)
    data = _signed_data(configuration, own, mandatory, reader)
    signatures = [
        statement_key.sign(line.encode()) for line in grouped.lines if line not in mandatory
    ]
    base = [signer.sign(data), own, hmac_key, signatures, list(pointers)]
    return "u" + base64url(_BASE + cbor.encode(base))


def derive(
    document: Mapping[str, Any], proof_value: str, *, pointers: Sequence[str], reader: ContextReader
) -> tuple[dict[str, Any], str]:
    """The shown part of a document and its proofValue. `document` bears no proof.

    Raises MalformedInput for another proof value, Refused (`no_such_part`) for a pointer that
    chooses nothing.
    """
    base = _parse_base(proof_value)
    grouped = _Grouped(document, base.hmac_key, reader)
    combined = [*base.pointers, *pointers]
    if not combined:
        raise Refused("nothing is chosen to be shown", code="no_such_part")
    mandatory, selective = grouped.chosen(base.pointers), grouped.chosen(pointers)
    shown = [line for line in grouped.lines if line in mandatory or line in selective]
    hidden_first = [line for line in grouped.lines if line not in mandatory]
    if len(hidden_first) != len(base.signatures):
        raise MalformedInput("the proof has another number of signatures", code="bad_proof")
    signatures = [
        signature
        for line, signature in zip(hidden_first, base.signatures, strict=True)
        if line in selective
    ]
    selection = Selection(document, combined)
    assert selection.document is not None, "there are pointers"
    seen = canonical_labels(list(dict.fromkeys(grouped.quads_of(selection))))
    labels = {
        int(label.removeprefix("_:c14n")): parse_base64url(grouped.labels[node][3:])
        for node, label in seen.items()
    }
    indexes = [place for place, line in enumerate(shown) if line in mandatory]
    value = [base.signature, base.key, signatures, dict(sorted(labels.items())), indexes]
    return dict(selection.document), "u" + base64url(_DERIVED + cbor.encode(value))


def verify_derived(
    document: Mapping[str, Any],
    configuration: Mapping[str, Any],
    proof_value: str,
    *,
    key: PublicKey,
    reader: ContextReader,
) -> None:
    """Checks a derived proof. Raises Refused: `bad_proof`, `base_proof`, and the contexts'."""
    derived = _parse_derived(proof_value)
    quads = list(dict.fromkeys(to_quads(document, reader)))
    labels = {}
    for node, label in canonical_labels(quads).items():
        if label not in derived.labels:
            raise Refused("the proof names other nodes", code="bad_proof")
        labels[node] = derived.labels[label]
    lines = canonical_statements(quads, labels)
    places = set(derived.mandatory)
    if len(places) != len(derived.mandatory) or (places and max(places) >= len(lines)):
        raise Refused("the proof counts other statements", code="bad_proof")
    mandatory = [line for place, line in enumerate(lines) if place in places]
    others = [line for place, line in enumerate(lines) if place not in places]
    if len(others) != len(derived.signatures):
        raise Refused("the proof has another number of signatures", code="bad_proof")
    data = _signed_data(configuration, derived.key, mandatory, reader)
    own = PublicKey(Algorithm.P256, derived.key[len(Algorithm.P256.prefix) :])
    if not key.verifies(derived.signature, data) or not all(
        own.verifies(signature, line.encode())
        for signature, line in zip(derived.signatures, others, strict=True)
    ):
        raise Refused("the proof is not its key's over this document", code="bad_proof")


class _Grouped:
    """A document's statements under hidden labels, and those that some pointers choose."""

    def __init__(self, document: Mapping[str, Any], hmac_key: bytes, reader: ContextReader) -> None:
        self._document = document
        self._reader = reader
        self._names: dict[tuple[int, str], str] = {}
        quads = list(dict.fromkeys(to_quads(document, reader, self._name)))
        self.labels = {
            node: "_:u" + base64url(_mac(hmac_key, label))
            for node, label in canonical_labels(quads).items()
        }
        self.lines = canonical_statements(quads, self.labels)

    def chosen(self, pointers: Sequence[str]) -> dict[str, None]:
        """The chosen lines, sorted."""
        selection = Selection(self._document, pointers)
        if selection.document is None:
            return {}
        quads = self.quads_of(selection)
        found = sorted({statement(relabelled(quad, self.labels)) for quad in quads})
        missing = set(found) - set(self.lines)
        assert not missing, "a part says what the whole does not"
        return dict.fromkeys(found)

    def quads_of(self, selection: Selection) -> list[Quad]:
        """The statements of a part, under the names that the whole document gives its nodes."""
        assert selection.document is not None, "nothing is selected"

        def name(part: object, place: str) -> str:
            return self._name(selection.origin(part), place)

        return to_quads(selection.document, self._reader, name)

    def _name(self, part: object, place: str) -> str:
        key = (0 if isinstance(part, str) else id(part), place)
        return self._names.setdefault(key, f"_:n{len(self._names)}")


def _mac(key: bytes, label: str) -> bytes:
    return hmac.digest(key, label.removeprefix("_:").encode(), hashlib.sha256)


def _signed_data(
    configuration: Mapping[str, Any],
    statement_key: bytes,
    mandatory: Sequence[str] | Mapping[str, None],
    reader: ContextReader,
) -> bytes:
    """Section 3.4.17 (serializeSignData)."""
    proof = "".join(canonical_statements(to_quads(configuration, reader))).encode()
    told = "".join(mandatory).encode()
    return hashlib.sha256(proof).digest() + statement_key + hashlib.sha256(told).digest()


def _multikey_bytes(key: PublicKey) -> bytes:
    return key.algorithm.prefix + key.raw


def _payload(text: str) -> bytes:
    if len(text) > _VALUE_CHARACTERS_MAX:
        raise MalformedInput(
            f"proofValue has more than {_VALUE_CHARACTERS_MAX} characters", code="bad_proof"
        )
    if not text.startswith("u"):
        raise MalformedInput("proofValue is no base64url multibase", code="bad_proof")
    try:
        return parse_base64url(text[1:])
    except MalformedInput as error:
        raise MalformedInput(str(error), code="bad_proof") from error


def _parts(data: bytes) -> list[Any]:
    try:
        value = cbor.decode(data)
    except MalformedInput as error:
        raise MalformedInput(str(error), code="bad_proof") from error
    if not isinstance(value, list) or len(value) != 5:
        raise _bad()
    signature, key = value[:2]
    sized = isinstance(signature, bytes) and len(signature) == Algorithm.P256.signature_bytes
    if not sized or not isinstance(key, bytes) or len(key) != _MULTIKEY_BYTES:
        raise _bad()
    if not key.startswith(Algorithm.P256.prefix):
        raise _bad()
    return value


def _signatures(value: Any) -> list[bytes]:
    size = Algorithm.P256.signature_bytes
    if not isinstance(value, list) or not all(
        isinstance(item, bytes) and len(item) == size for item in value
    ):
        raise _bad()
    return value


def _parse_base(text: str) -> _Base:
    data = _payload(text)
    if data[:3] != _BASE:
        raise MalformedInput("this is no base proof", code="bad_proof")
    signature, key, hmac_key, signatures, pointers = _parts(data[3:])
    if not isinstance(hmac_key, bytes) or len(hmac_key) != _HMAC_BYTES:
        raise _bad()
    if not isinstance(pointers, list) or not all(isinstance(item, str) for item in pointers):
        raise _bad()
    return _Base(signature, key, hmac_key, _signatures(signatures), pointers)


def _parse_derived(text: str) -> _Derived:
    data = _payload(text)
    if data[:3] == _BASE:
        raise Refused(
            "this is a base proof: it is the holder's, who derives what to show",
            code="base_proof",
            remedy="derive a proof from it first",
        )
    if data[:3] != _DERIVED:
        raise _bad()
    signature, key, signatures, labels, mandatory = _parts(data[3:])
    if not isinstance(labels, dict) or not all(
        isinstance(n, int) and isinstance(label, bytes) and len(label) == _HMAC_BYTES
        for n, label in labels.items()
    ):
        raise _bad()
    if not isinstance(mandatory, list) or not all(isinstance(n, int) for n in mandatory):
        raise _bad()
    names = {f"_:c14n{n}": "_:u" + base64url(label) for n, label in labels.items()}
    return _Derived(signature, key, _signatures(signatures), names, mandatory)


def _bad() -> MalformedInput:
    return MalformedInput(f"proofValue is none of {SUITE}", code="bad_proof")
