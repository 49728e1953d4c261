"""Sealing for one recipient: HPKE (RFC 9180), base mode, in its single-shot form.

Two suites, told apart by the recipient's key; both with HKDF-SHA256 and ChaCha20-Poly1305:
DHKEM(X25519, HKDF-SHA256) of RFC 9180 section 7, and MLKEM768-X25519 (KEM 0x647A, once X-Wing,
draft-ietf-hpke-pq), which stays closed as long as either of its two parts is unbroken. What is
sealed today may be kept until there are machines that break X25519, so the second is taken where
the recipient has it.
A sealed text is the encapsulated key followed by ciphertext and tag.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zhidao.core.errors import MalformedInput, Refused
from zhidao.exchange.domain.peer import HYBRID_KEY_BYTES, X25519_KEY_BYTES

_MLKEM_KEY_BYTES: Final = HYBRID_KEY_BYTES - X25519_KEY_BYTES
_TAG_BYTES: Final = 16
_OVERHEAD_BYTES: Final = X25519_KEY_BYTES + _TAG_BYTES
# FIPS 203 table 3: a ciphertext of ML-KEM-768 has 1,088 bytes.
OVERHEAD_BYTES_MAX: Final = 1088 + _OVERHEAD_BYTES
_PLAIN: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_HYBRID: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealingKey:
    """A node's private keys for what is sealed to it: `public` for X25519, `hybrid` for both."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 bytes known to this node only; the keys are derived from them."""
        # Each suite its own label: one secret to keep, and no key serves two schemes.
        plain = _derived(secret, b"zhidao.exchange.sealing.v1")
        self._private = X25519PrivateKey.from_private_bytes(plain)
        self.public = self._private.public_key().public_bytes_raw()
        # The seed of a hybrid key gives its parts as draft-connolly-cfrg-xwing-kem section 5.2
        # says; its X25519 part is another one, since a key that serves two schemes ties them.
        seed = _derived(secret, b"zhidao.exchange.sealing.v2")
        expanded = hashlib.shake_256(seed).digest(96)
        post_quantum = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        classical = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._both = MLKEM768X25519PrivateKey(post_quantum, classical)
        self.hybrid = (
            post_quantum.public_key().public_bytes_raw() + classical.public_key().public_bytes_raw()
        )

    def open(self, sealed: bytes, *, info: bytes, hybrid: bool) -> bytes:
        """The content. Raises Refused (`cannot_open`) if it is not sealed to this key so."""
        least = OVERHEAD_BYTES_MAX if hybrid else _OVERHEAD_BYTES
        if len(sealed) < least:
            # A text too short to be one is malformed; one that does not open may be sealed to
            # another, so the two are told apart.
            raise MalformedInput(f"a sealed text has at least {least} bytes")
        try:
            if hybrid:
                return _HYBRID.decrypt(sealed, self._both, info=info)
            return _PLAIN.decrypt(sealed, self._private, info=info)
        except (InvalidTag, ValueError) as error:
            raise Refused(
                "the content is not sealed to this node's key, or was changed on its way",
                code="cannot_open",
                remedy="get this node's card again, and send the document under a new id",
            ) from error


def is_hybrid(public: bytes) -> bool:
    """Whether a public key is of the hybrid suite."""
    return len(public) == HYBRID_KEY_BYTES


def seal(content: bytes, public: bytes, *, info: bytes) -> bytes:
    """Seals for the holder of a key: X25519 (32 bytes), or ML-KEM-768 and X25519 (1,216 bytes).

    Raises MalformedInput for what is no such key: another size, one of small order, or an ML-KEM
    key with a number that is not below its modulus (FIPS 203 section 7.2).
    """
    try:
        if is_hybrid(public):
            return _HYBRID.encrypt(content, _hybrid_key(public), info=info)
        return _PLAIN.encrypt(content, X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError as error:
        raise MalformedInput("the recipient's sealing key is no key", where="sealing") from error


# A peer's key is read and checked once, and not for each document that goes to it.
@lru_cache(maxsize=64)
def _hybrid_key(public: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_KEY_BYTES]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_KEY_BYTES:]),
    )


def _derived(secret: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(secret)
