"""OpenAttestation documents of versions 2 and 3: salted leaves, a hash tree, signatures.

What such a file says about itself is checked here: that no shown field differs from what was
wrapped, that the digest is in the signed tree, and that a did:ethr key signed its root. Whether
the issuer's domain names that key, and what a registry on a chain says, are other questions.

Source: the published behaviour of @govtechsg/open-attestation 6 and @tradetrust-tt, checked
against documents that others wrapped and signed (there is no specification of the bytes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import coincurve

from zhidao.core.canonical import parse_strict
from zhidao.core.encoding import parse_base64, parse_hex
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import JSON_DEPTH_MAX
from zhidao.trust.domain.evm import address_text
from zhidao.trust.wire.evm.keccak import address_of_point, keccak256

_V2: Final = "https://schema.openattestation.com/2.0/schema.json"
_V3: Final = "https://schema.openattestation.com/3.0/schema.json"
_LEAVES_MAX: Final = 20_000
_PROOFS_MAX: Final = 64
_DID_ETHR: Final = re.compile(r"did:ethr:(0x[0-9a-fA-F]{40})\Z", re.ASCII)
_SALTED: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:(string|number|boolean|null|undefined):", re.ASCII
)
_DOUBLE_SIGN_PREFIX: Final = b"\x19Ethereum Signed Message:\n32"
CONTROLLER: Final = "#controller"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issued it by the document's word: name, method and where that can be looked up.

    `method`: DID, TOKEN_REGISTRY or DOCUMENT_STORE; `value`: the DID or the contract's address;
    `domain`: the DNS name that is said to vouch for it, or ``.
    """

    method: str
    value: str
    domain: str
    revocation: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A document whose integrity holds. `signed_by` are the DIDs that signed its root."""

    version: int
    digest: str
    root: str
    issuers: tuple[Issuer, ...]
    signed_by: tuple[str, ...]
    expires: str


def is_open_attestation(document: Mapping[str, Any]) -> bool:
    """Whether it looks like one of these documents."""
    signature, proof = document.get("signature"), document.get("proof")
    wrapped = isinstance(signature, Mapping) and signature.get("type") == "SHA3MerkleProof"
    return wrapped or (
        isinstance(proof, Mapping)
        and proof.get("type") == "OpenAttestationMerkleProofSignature2018"
    )


def check(document: Mapping[str, Any]) -> Checked:
    """Checks leaves, tree and signatures.

    Raises MalformedInput (`bad_open_attestation`), Refused (`bad_proof`) if anything differs from
    what was wrapped or signed.
    """
    return _check_v2(document) if "signature" in document else _check_v3(document)


def _check_v2(document: Mapping[str, Any]) -> Checked:
    if document.get("version", _V2) != _V2 or not isinstance(document.get("data"), Mapping):
        raise _malformed("it is no document of version 2.0; 2.0 and 3.0 are understood")
    leaves = dict(_flat(document["data"], "", 0) if document["data"] else [("", {})])
    for path, value in leaves.items():
        salted = isinstance(value, str) and _SALTED.match(value)
        if not salted and value not in ({}, []):
            raise _malformed(f"the field {path[:48]!r} has no salt")
    digest = _digest(
        (_leaf(path, value) for path, value in leaves.items()),
        document.get("privacy"),
        "obfuscatedData",
    )
    root = _check_tree(document["signature"], digest, "proof")
    proofs = document.get("proof", [])
    if not isinstance(proofs, list) or len(proofs) > _PROOFS_MAX:
        raise _malformed(f"its proofs are no list of at most {_PROOFS_MAX}")
    signed_by = tuple(_check_signature(proof, root) for proof in proofs)
    plain = document["data"]
    issuers = plain.get("issuers")
    if not isinstance(issuers, list) or not issuers:
        raise _malformed("it names no issuer")
    return Checked(2, digest, root, tuple(map(_issuer_v2, issuers)), signed_by, "")


def _check_v3(document: Mapping[str, Any]) -> Checked:
    proof = document.get("proof")
    if document.get("version") != _V3 or not isinstance(proof, Mapping):
        raise _malformed("it is no document of version 3.0; 2.0 and 3.0 are understood")
    body = {name: value for name, value in document.items() if name != "proof"}
    leaves = dict(_bracketed(body, "", 0))
    salts = _salts(proof.get("salts"))
    if set(salts) != set(leaves):
        raise Refused("a field was added or taken away", code="bad_proof")
    hashes = (_leaf(path, f"{salts[path]}:{_js(value)}") for path, value in leaves.items())
    digest = _digest(hashes, proof.get("privacy"), "obfuscated")
    root = _check_tree(proof, digest, "proofs")
    signed_by: tuple[str, ...] = ()
    if "signature" in proof:
        key = proof.get("key")
        signed_by = (_check_signature({**proof, "verificationMethod": key}, root),)
    expires = document.get("expirationDate", "")
    return Checked(
        3,
        digest,
        root,
        (_issuer_v3(document),),
        signed_by,
        expires if isinstance(expires, str) else "",
    )


def _flat(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Leaves by dotted paths; an empty object or list is a leaf."""
    if depth > JSON_DEPTH_MAX:
        raise _malformed("it nests too deeply")
    before = f"{path}." if path else ""
    for name, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        # Texts are by far the most; they need no call of their own.
        if type(item) is not str and isinstance(item, Mapping | list) and item:
            yield from _flat(item, f"{before}{name}", depth + 1)
        else:
            yield f"{before}{name}", item


def _bracketed(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Leaves by dotted paths with list places in brackets, as version 3 writes them."""
    if depth > JSON_DEPTH_MAX:
        raise _malformed("it nests too deeply")
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _bracketed(item, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _bracketed(item, f"{path}[{place}]", depth + 1)
    else:
        yield path, value


# Made once: json.dumps makes an encoder for each leaf.
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _leaf(path: str, value: Any) -> str:
    text = _ENCODE({path: value})
    return keccak256(text.encode("utf-8", "surrogatepass")).hex()


def _digest(leaves: Iterator[str], privacy: Any, name: str) -> str:
    hidden = privacy.get(name, []) if isinstance(privacy, Mapping) else []
    if not isinstance(hidden, list) or not all(_is_hash(each) for each in hidden):
        raise _malformed("its hidden fields are no list of hashes")
    hashes = sorted([*leaves, *hidden])
    if len(hashes) > _LEAVES_MAX:
        raise _malformed(f"it has {len(hashes)} fields; at most {_LEAVES_MAX} are read")
    if len(set(hashes)) != len(hashes):
        raise _malformed("it has a hash twice")
    return keccak256(json.dumps(hashes, separators=(",", ":")).encode()).hex()


def _check_tree(signature: Mapping[str, Any], digest: str, name: str) -> str:
    target, root, proof = (signature.get(each) for each in ("targetHash", "merkleRoot", name))
    if target != digest:
        raise Refused("a field is not what was wrapped", code="bad_proof")
    if not isinstance(proof, list) or len(proof) > _PROOFS_MAX:
        raise _malformed(f"its hash path is no list of at most {_PROOFS_MAX}")
    node = parse_hex(digest)
    for each in proof:
        if not _is_hash(each):
            raise _malformed("its hash path has something else in it")
        node = keccak256(b"".join(sorted((node, parse_hex(each)))))
    if root != node.hex():
        raise Refused("the document is not in the signed tree", code="bad_proof")
    return node.hex()


def _check_signature(proof: object, root: str) -> str:
    """The DID whose key signed the root (EIP-191 over its 32 bytes)."""
    if not isinstance(proof, Mapping):
        raise _malformed("a signature is no object")
    method, text = proof.get("verificationMethod"), proof.get("signature")
    if not isinstance(method, str) or not isinstance(text, str):
        raise _malformed("a signature has no key or no value")
    did = method.removesuffix(CONTROLLER)
    found = _DID_ETHR.match(did)
    if not found or did == method:
        raise Refused(f"a key of {method[:48]!r} is not read here", code="unknown_key")
    raw = parse_hex(text.removeprefix("0x"))
    if len(raw) != 65 or raw[64] not in (0, 1, 27, 28):
        raise _malformed("a signature has not 65 bytes")
    message = keccak256(_DOUBLE_SIGN_PREFIX + parse_hex(root))
    try:
        key = coincurve.PublicKey.from_signature_and_message(
            raw[:64] + bytes([raw[64] % 27]), message, hasher=None
        )
    except ValueError as error:
        raise Refused("the signature is not over this document", code="bad_proof") from error
    if address_text(address_of_point(key.format(compressed=False))) != found[1].lower():
        raise Refused("the signature is not its key's over this document", code="bad_proof")
    return did


def _issuer_v2(issuer: Any) -> Issuer:
    if not isinstance(issuer, Mapping):
        raise _malformed("an issuer is no object")
    identity, revocation = issuer.get("identityProof"), issuer.get("revocation")
    kind = _plain(identity, "type")
    for method, name in (("TOKEN_REGISTRY", "tokenRegistry"), ("DOCUMENT_STORE", "documentStore"),
                         ("DOCUMENT_STORE", "certificateStore")):  # fmt: skip
        if name in issuer:
            return Issuer(method, _plain(issuer, name), _plain(identity, "location"), "")
    if kind not in ("DID", "DNS-DID"):
        raise _malformed("an issuer names no registry and no DID")
    key = _plain(identity, "key").removesuffix(CONTROLLER)
    if key != _plain(issuer, "id"):
        raise Refused("the issuer's key is another DID's", code="issuer_mismatch")
    return Issuer("DID", key, _plain(identity, "location"), _plain(revocation, "type"))


def _issuer_v3(document: Mapping[str, Any]) -> Issuer:
    told = document.get("openAttestationMetadata")
    proof = told.get("proof") if isinstance(told, Mapping) else None
    identity = told.get("identityProof") if isinstance(told, Mapping) else None
    if not isinstance(proof, Mapping) or not isinstance(proof.get("value"), str):
        raise _malformed("it names no method of issuing")
    revocation = proof.get("revocation")
    return Issuer(
        str(proof.get("method")),
        proof["value"].removesuffix(CONTROLLER),
        str(identity.get("identifier", "")) if isinstance(identity, Mapping) else "",
        str(revocation.get("type", "")) if isinstance(revocation, Mapping) else "",
    )


def _plain(fields: Any, name: str) -> str:
    """A field's text without its salt and type, or ``."""
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value.split(":", 2)[2] if isinstance(value, str) and _SALTED.match(value) else ""


def _salts(text: Any) -> dict[str, str]:
    if not isinstance(text, str):
        raise _malformed("it has no salts")
    listed = parse_strict(parse_base64(text))
    if not isinstance(listed, list) or len(listed) > _LEAVES_MAX:
        raise _malformed(f"its salts are no list of at most {_LEAVES_MAX}")
    found: dict[str, str] = {}
    for each in listed:
        good = isinstance(each, Mapping) and set(each) == {"value", "path"}
        if not good or not all(isinstance(text, str) for text in each.values()):
            raise _malformed("a salt has another form")
        if each["path"] in found:
            raise _malformed("a field has two salts")
        found[each["path"]] = each["value"]
    return found


def _js(value: Any) -> str:
    """A scalar as JavaScript's template strings write it."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _is_hash(text: object) -> bool:
    return (
        isinstance(text, str)
        and len(text) == 64
        and all(letter in "0123456789abcdef" for letter in text)
    )


def _malformed(what: str) -> MalformedInput:
    return MalformedInput(f"OpenAttestation: {what}", code="bad_open_attestation")
