"""Signature keys by named algorithm; nothing above assumes which one.

Public keys and signatures always travel with their algorithm. Text form of a public key is the
W3C Multikey: `z` + base58btc(multicodec prefix + raw key) (Controlled Identifiers 1.0 section
2.2.2; prefixes from the multicodec table).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, Protocol

import coincurve
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from nacl.bindings import crypto_sign, crypto_sign_open
from nacl.exceptions import BadSignatureError

from zhidao.core.encoding import base58btc, parse_base58btc
from zhidao.core.errors import MalformedInput


class Algorithm(Enum):
    """A signature scheme: its name in our files, multicodec prefix, raw key and signature sizes."""

    ED25519 = ("ed25519", bytes.fromhex("ed01"), 32, 64)
    P256 = ("p256", bytes.fromhex("8024"), 33, 64)
    SECP256K1 = ("secp256k1", bytes.fromhex("e701"), 33, 64)
    ML_DSA_44 = ("ml-dsa-44", bytes.fromhex("9024"), 1312, 2420)
    P384 = ("p384", bytes.fromhex("8124"), 49, 96)

    def __init__(self, label: str, prefix: bytes, key_bytes: int, signature_bytes: int) -> None:
        self.label = label
        self.prefix = prefix
        self.key_bytes = key_bytes
        self.signature_bytes = signature_bytes

    @property
    def secret_bytes(self) -> int:
        """Bytes of a private key: an Ed25519 or ML-DSA seed, or an EC scalar, big-endian."""
        return 48 if self is Algorithm.P384 else SECRET_BYTES

    @classmethod
    def named(cls, label: str) -> Algorithm:
        """By its name; raises MalformedInput for an unknown one."""
        for algorithm in cls:
            if algorithm.label == label:
                return algorithm
        raise MalformedInput(f"unknown signature algorithm {label[:32]!r}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: raw bytes (EC points compressed, SEC 1 section 2.3.3) and its algorithm."""

    algorithm: Algorithm
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != self.algorithm.key_bytes:
            raise MalformedInput(
                f"a {self.algorithm.label} key has {self.algorithm.key_bytes} bytes, "
                f"not {len(self.raw)}"
            )

    @classmethod
    def from_multikey(cls, text: str) -> PublicKey:
        """Reads a Multikey. Raises MalformedInput if prefix, length or point is wrong."""
        return _from_multikey(text)

    @property
    def multikey(self) -> str:
        """The W3C Multikey text."""
        return _multikey(self.algorithm, self.raw)

    @property
    def fingerprint(self) -> str:
        """First 16 bytes of SHA-256 over prefix and key, in groups of four hex digits."""
        digest = hashlib.sha256(self.algorithm.prefix + self.raw).hexdigest()[:32]
        return "-".join(digest[i : i + 4] for i in range(0, 32, 4))

    def check_point(self, y: bytes) -> None:
        """Raises MalformedInput unless this EC key is a point whose other coordinate is `y`."""
        match self.algorithm:
            case Algorithm.P256 | Algorithm.P384:
                try:
                    found = _point(self.raw).public_numbers().y
                except ValueError as error:
                    raise MalformedInput("the key is no point of its curve") from error
            case Algorithm.SECP256K1:
                try:
                    whole = coincurve.PublicKey(self.raw).format(compressed=False)
                except ValueError as error:
                    raise MalformedInput("the key is no point of its curve") from error
                found = int.from_bytes(whole[33:], "big")
            case _:
                raise MalformedInput(f"a {self.algorithm.label} key has no coordinates")
        if found != int.from_bytes(y, "big"):
            raise MalformedInput("the key is no point of its curve")

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's over the message; never raises."""
        if len(signature) != self.algorithm.signature_bytes:
            return False
        try:
            _VERIFY[self.algorithm](self.raw, signature, message)
        except (InvalidSignature, BadSignatureError, ValueError, UnsupportedAlgorithm):
            return False
        return True


# Base58 takes quadratic time, and few keys stand in very many events.
@lru_cache(maxsize=4096)
def _multikey(algorithm: Algorithm, raw: bytes) -> str:
    return "z" + base58btc(algorithm.prefix + raw)


@lru_cache(maxsize=4096)
def _from_multikey(text: str) -> PublicKey:
    if not text.startswith("z"):
        raise MalformedInput("a Multikey starts with z (base58btc)")
    data = parse_base58btc(text[1:])
    for algorithm in Algorithm:
        if data.startswith(algorithm.prefix):
            key = PublicKey(algorithm, data[len(algorithm.prefix) :])
            if key.multikey != text:
                raise MalformedInput("the Multikey is not in its canonical form")
            return key
    raise MalformedInput("unknown key type in a Multikey")


class Signer(Protocol):
    """Something that holds a private key: a file, a token, a module."""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """A raw signature of the algorithm's fixed size."""
        ...


class SoftwareKey:
    """A private key in this process's memory."""

    def __init__(self, algorithm: Algorithm, secret: bytes) -> None:
        """`secret`: 32 bytes (Ed25519 seed, EC scalar big-endian, ML-DSA seed); P-384: 48."""
        if len(secret) != algorithm.secret_bytes:
            raise MalformedInput(f"a private key has {algorithm.secret_bytes} bytes")
        self._secret = secret
        self._private = _private(algorithm, secret)
        self.public = PublicKey(algorithm, _raw_public(self._private))
        # libsodium's form of a key, seed and public half: it signs in two thirds of OpenSSL's time.
        self._pair = secret + self.public.raw if algorithm is Algorithm.ED25519 else b""

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes, for the key file only."""
        return self._secret

    def sign(self, message: bytes) -> bytes:
        """A raw signature; EC ones are r || s with s in the lower half (secp256k1)."""
        if self._pair:
            return crypto_sign(message, self._pair)[:_ED25519_BYTES]
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            size = self.public.algorithm.secret_bytes
            digest = hashes.SHA384() if size == 48 else hashes.SHA256()
            r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(digest)))
            if self.public.algorithm is Algorithm.SECP256K1:
                s = min(s, _SECP256K1_ORDER - s)
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SoftwareKey({self.public.algorithm.label}, {self.public.fingerprint})"


SECRET_BYTES: Final = 32
_ED25519_BYTES: Final = 64
_SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey


def _private(algorithm: Algorithm, secret: bytes) -> _Private:
    match algorithm:
        case Algorithm.ED25519:
            return ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        case Algorithm.ML_DSA_44:
            return mldsa.MLDSA44PrivateKey.from_seed_bytes(secret)
        case Algorithm.P256:
            return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        case Algorithm.P384:
            return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP384R1())
        case Algorithm.SECP256K1:
            return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256K1())


def _raw_public(private: _Private) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        )
    return private.public_key().public_bytes_raw()


def _verify_ed25519(raw: bytes, signature: bytes, message: bytes) -> None:
    # libsodium: twice as fast as OpenSSL here, and it refuses points of small order too.
    crypto_sign_open(signature + message, raw)


def _verify_ml_dsa_44(raw: bytes, signature: bytes, message: bytes) -> None:
    mldsa.MLDSA44PublicKey.from_public_bytes(raw).verify(signature, message)


_P256_DIGEST: Final = ec.ECDSA(hashes.SHA256())
_P384_DIGEST: Final = ec.ECDSA(hashes.SHA384())


# Reading a compressed point takes a third of a verification.
@lru_cache(maxsize=1024)
def _point(raw: bytes) -> ec.EllipticCurvePublicKey:
    curve = ec.SECP256R1() if len(raw) == Algorithm.P256.key_bytes else ec.SECP384R1()
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, raw)


def _verify_p256(raw: bytes, signature: bytes, message: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    _point(raw).verify(encode_dss_signature(r, s), message, _P256_DIGEST)


def _verify_p384(raw: bytes, signature: bytes, message: bytes) -> None:
    r, s = int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")
    _point(raw).verify(encode_dss_signature(r, s), message, _P384_DIGEST)


def low_s(signature: bytes) -> bytes:
    """The one form that counts here of a secp256k1 signature of 64 bytes, whose s may be high.

    For what others sign by a rule that lets s be either (RFC 8812 for JOSE); never for what must
    have one form only, as a transaction of a chain.
    """
    s = int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not _SECP256K1_ORDER // 2 < s < _SECP256K1_ORDER:
        return signature
    return signature[:32] + (_SECP256K1_ORDER - s).to_bytes(32, "big")


def _verify_secp256k1(raw: bytes, signature: bytes, message: bytes) -> None:
    # A high s is a second signature for the same message: refused, so each has one form.
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    key = coincurve.PublicKey(raw)
    if s > _SECP256K1_ORDER // 2 or not key.verify(encode_dss_signature(r, s), message):
        raise InvalidSignature


_VERIFY: Final = {
    Algorithm.ED25519: _verify_ed25519,
    Algorithm.P256: _verify_p256,
    Algorithm.P384: _verify_p384,
    Algorithm.SECP256K1: _verify_secp256k1,
    Algorithm.ML_DSA_44: _verify_ml_dsa_44,
}
