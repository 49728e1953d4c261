"""Decentralised identifiers that need no registry: did:key, and did:web documents of this node.

Source: did:key method 0.9 and did:web method (W3C CCG reports, not checked beyond the vectors in
the tests); Controlled Identifiers 1.0 section 2.2 for verification methods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import PublicKey

_KEY_PREFIX: Final = "did:key:"
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?\Z", re.ASCII)


def did_key(key: PublicKey) -> str:
    """The did:key of a public key."""
    return _KEY_PREFIX + key.multikey


def key_method(key: PublicKey) -> str:
    """The verification method that a did:key names: the identifier, and the key again."""
    return f"{did_key(key)}#{key.multikey}"


def parse_key_method(method: str) -> tuple[str, PublicKey]:
    """The did:key and the key of a verification method. Raises MalformedInput for another form."""
    did, _, fragment = method.partition("#")
    if not did.startswith(_KEY_PREFIX) or did != _KEY_PREFIX + fragment:
        raise MalformedInput(f"not a verification method of a did:key: {method[:80]!r}")
    return did, PublicKey.from_multikey(fragment)


def did_web(domain: str) -> str:
    """The did:web of a host, with its port if it has one.

    >>> did_web("node.example:8443")
    'did:web:node.example%3A8443'
    """
    if not _DOMAIN.match(domain) or len(domain) > 255:
        raise MalformedInput(f"not a host name: {domain[:64]!r}")
    return "did:web:" + domain.replace(":", "%3A")


def web_document(domain: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """What a node serves at `/.well-known/did.json`: the keys with which it asserts."""
    did = did_web(domain)
    methods = [
        {
            "id": f"{did}#{key.multikey}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.multikey,
        }
        for key in keys
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [did_key(key) for key in keys],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
