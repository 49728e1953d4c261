"""Sealing for one recipient: HPKE (RFC 9180), base mode, in its single-shot form.

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180 section 7). A sealed
text is the encapsulated key of 32 bytes followed by ciphertext and tag.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zhidao.core.errors import MalformedInput, Refused

OVERHEAD_BYTES: Final = 32 + 16
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealingKey:
    """A node's private key for what is sealed to it."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 bytes known to this node only; the key is derived from them."""
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"zhidao.exchange.sealing.v1")
        self._private = X25519PrivateKey.from_private_bytes(derived.derive(secret))
        self.public = self._private.public_key().public_bytes_raw()

    def open(self, sealed: bytes, *, info: bytes) -> bytes:
        """The content. Raises Refused (`cannot_open`) if it is not sealed to this key so."""
        if len(sealed) < OVERHEAD_BYTES:
            raise MalformedInput("a sealed text has at least 48 bytes")
        try:
            return _SUITE.decrypt(sealed, self._private, info=info)
        except (InvalidTag, ValueError) as error:
            raise Refused(
                "the content is not sealed to this node's key, or was changed on its way",
                code="cannot_open",
                remedy="get this node's card again, and send the document under a new id",
            ) from error


def seal(content: bytes, public: bytes, *, info: bytes) -> bytes:
    """Seals for the holder of an X25519 key. Raises MalformedInput for a key of small order."""
    try:
        return _SUITE.encrypt(content, X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError as error:
        raise MalformedInput("the recipient's sealing key is no key", where="sealing") from error
