"""Public keys as JSON Web Keys, and the did:jwk that is nothing but one.

Source: RFC 7517 section 4, RFC 7518 section 6.2, RFC 8037 section 2, RFC 8812 section 3.1;
did:jwk method (not checked beyond its example in the tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey

_CURVES: Final = {
    "P-256": (Algorithm.P256, 32),
    "P-384": (Algorithm.P384, 48),
    "secp256k1": (Algorithm.SECP256K1, 32),
}
_DID_JWK: Final = "did:jwk:"
_CHARACTERS_MAX: Final = 4_096


def key_of_jwk(jwk: object) -> PublicKey:
    """The key of a JWK. Raises MalformedInput for another kind of key, or a private one."""
    if not isinstance(jwk, Mapping):
        raise MalformedInput("a JWK is a JSON object")
    if "d" in jwk:
        raise MalformedInput("a private key stands where a public one should", code="private_key")
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "OKP" and curve == "Ed25519":
        return PublicKey(Algorithm.ED25519, _bytes(jwk, "x"))
    if kind == "EC" and isinstance(curve, str) and curve in _CURVES:
        algorithm, size = _CURVES[curve]
        x, y = _bytes(jwk, "x"), _bytes(jwk, "y")
        if len(x) != size or len(y) != size:
            raise MalformedInput(f"a coordinate on {curve} has {size} bytes")
        key = PublicKey(algorithm, bytes([2 + (y[-1] & 1)]) + x)
        key.check_point(y)
        return key
    raise MalformedInput(f"no key type here: {str(kind)[:16]!r} {str(curve)[:16]!r}")


def jwk_of(key: PublicKey) -> dict[str, str]:
    """The JWK of an Ed25519 key (RFC 8037 section 2). Raises Refused for another algorithm."""
    if key.algorithm is not Algorithm.ED25519:
        raise Refused("only an Ed25519 key is written as a JWK here", code="unknown_algorithm")
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.raw)}


def key_of_did_jwk(did: str) -> PublicKey:
    """The key of a did:jwk. Raises MalformedInput."""
    if len(did) > _CHARACTERS_MAX:
        raise MalformedInput(f"a did:jwk of more than {_CHARACTERS_MAX} characters")
    if not did.startswith(_DID_JWK):
        raise MalformedInput(f"not a did:jwk: {did[:40]!r}")
    return key_of_jwk(parse_strict(parse_base64url(did[len(_DID_JWK) :])))


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise MalformedInput(f"the JWK has no {name}")
    return parse_base64url(value)
