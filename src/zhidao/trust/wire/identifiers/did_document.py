"""DID documents: the keys with which a controller asserts, whatever form they are written in.

Source: Decentralized Identifiers 1.0 sections 5.2 and 5.3; Controlled Identifiers 1.0 sections 2.2
and 2.3 (W3C Recommendations).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import PublicKey
from zhidao.trust.wire.credentials.jwk import key_of_jwk

_METHODS_MAX: Final = 200
# Tuples: what another wrote may be a list, which a set cannot be asked for.
_MULTIKEY_TYPES: Final = ("Multikey", "Ed25519VerificationKey2020")
_JWK_TYPES: Final = ("JsonWebKey", "JsonWebKey2020")


def asserting_key(document: Mapping[str, Any], did: str, method: str) -> PublicKey:
    """The key of a verification method that the DID may assert with.

    Raises Refused: `unknown_key` if it is not there or not for assertions, `key_revoked` if its
    controller took it back; MalformedInput for a document of another form.
    """
    if document.get("id") != did:
        raise Refused(f"the document is not {did[:80]}'s", code="unknown_key")
    if document.get("deactivated") is True:
        raise Refused(f"{did[:80]} was deactivated", code="did_deactivated")
    wanted = _absolute(method, did)
    assertions = _list(document, "assertionMethod")
    for entry in assertions:
        if isinstance(entry, Mapping) and _absolute(str(entry.get("id")), did) == wanted:
            return _key(entry, did)
    named = {_absolute(entry, did) for entry in assertions if isinstance(entry, str)}
    for entry in _list(document, "verificationMethod"):
        if isinstance(entry, Mapping) and _absolute(str(entry.get("id")), did) == wanted:
            if wanted not in named:
                raise Refused(f"{method[:80]} is not for assertions", code="unknown_key")
            return _key(entry, did)
    raise Refused(f"{did[:80]} has no key {method[-40:]!r}", code="unknown_key")


def _key(entry: Mapping[str, Any], did: str) -> PublicKey:
    if entry.get("controller") != did:
        raise Refused("the key has another controller", code="unknown_key")
    if "revoked" in entry or "expires" in entry:
        raise Refused("the key has an end, which is not judged here", code="key_revoked")
    kind = entry.get("type")
    if kind in _MULTIKEY_TYPES and isinstance(entry.get("publicKeyMultibase"), str):
        return PublicKey.from_multikey(entry["publicKeyMultibase"])
    if kind in _JWK_TYPES:
        return key_of_jwk(entry.get("publicKeyJwk"))
    raise Refused(f"a key of type {str(kind)[:40]} is not read here", code="unknown_key")


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    items = value if isinstance(value, list) else [value]
    if len(items) > _METHODS_MAX:
        raise MalformedInput(f"more than {_METHODS_MAX} entries", where=name)
    return items


def _absolute(text: str, did: str) -> str:
    return did + text if text.startswith("#") else text
