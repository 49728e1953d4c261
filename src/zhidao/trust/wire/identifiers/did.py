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
_WEB_PREFIX: Final = "did:web:"
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}\Z", re.ASCII)
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


def parse_web_place(place: str) -> str:
    """The https URL of a did:web or did:webvh place (host, port as %3A, path after colons).

    Raises MalformedInput for an IP address, a percent-encoded letter of the host, a path that
    climbs, a fragment or a query.

    >>> parse_web_place("example.com%3A8443:a:b")
    'https://example.com:8443/a/b'
    """
    host, *path = place.split(":")
    name, marker, port = host.partition("%3A")
    good = _DOMAIN.match(name) and len(name) <= 253 and "." in name
    # The last label of a name has a letter; what has none is an address.
    if not good or name.rpartition(".")[2].isdigit() or ":" in name:
        raise MalformedInput(f"not a host name: {host[:64]!r}")
    if marker and not (port.isdigit() and port.isascii() and 0 < int(port[:6]) < 65_536):
        raise MalformedInput(f"not a port: {port[:16]!r}")
    if not all(_SEGMENT.match(part) and part.strip(".") for part in path):
        raise MalformedInput(f"not a path of plain names: {place[:64]!r}")
    return "/".join([f"https://{name}" + (f":{int(port)}" if marker else ""), *path])


def web_url(did: str) -> str:
    """Where the document of a did:web stands. Raises MalformedInput.

    >>> web_url("did:web:example.com:did:1")
    'https://example.com/did/1/did.json'
    """
    if not did.startswith(_WEB_PREFIX):
        raise MalformedInput(f"not a did:web: {did[:64]!r}")
    place = parse_web_place(did[len(_WEB_PREFIX) :])
    bare = place.count("/") == 2
    return f"{place}/.well-known/did.json" if bare else f"{place}/did.json"


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
