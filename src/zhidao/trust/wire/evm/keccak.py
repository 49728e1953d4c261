"""Keccak-256 as Ethereum uses it, and the addresses made with it.

It is Keccak of the SHA-3 competition, not the SHA-3 of FIPS 202: the padding differs.
"""

from __future__ import annotations

import hashlib
from typing import Final

import coincurve
from Crypto.Hash import keccak

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.trust.domain.evm import Address
from zhidao.trust.wire.evm.rlp import encode, encode_integer


def keccak256(data: bytes) -> bytes:
    """The 32-byte digest.

    >>> keccak256(b"").hex()[:16]
    'c5d2460186f7233c'
    """
    if _IN_OPENSSL:
        return hashlib.new(_NAME, data, usedforsecurity=False).digest()
    return keccak.new(digest_bits=256, data=data).digest()


def _in_openssl() -> bool:
    try:
        hashlib.new(_NAME, b"")
    except ValueError:
        return False
    return True


# OpenSSL has it since 3.2 and is several times as fast; older ones leave it to pycryptodome.
_NAME: Final = "keccak-256"
_IN_OPENSSL: Final = _in_openssl()


def address_of(key: PublicKey) -> Address:
    """The account that a secp256k1 key controls. Raises MalformedInput for another algorithm."""
    if key.algorithm is not Algorithm.SECP256K1:
        raise MalformedInput(f"an account has a secp256k1 key, not {key.algorithm.label}")
    try:
        point = coincurve.PublicKey(key.raw)
    except ValueError as error:
        raise MalformedInput("not a point of secp256k1") from error
    return address_of_point(point.format(compressed=False))


def address_of_point(uncompressed: bytes) -> Address:
    """From an uncompressed point (65 bytes, SEC 1): the last 20 bytes of its digest."""
    return Address(keccak256(uncompressed[1:])[-20:])


def created_address(sender: Address, nonce: int) -> Address:
    """Where a contract goes that an account creates (yellow paper, section 7)."""
    return Address(keccak256(encode([bytes(sender), encode_integer(nonce)]))[-20:])


def clone_address(factory: Address, salt: bytes, implementation: Address) -> Address:
    """Where `Clones.cloneDeterministic` puts a minimal proxy: CREATE2 (EIP-1014, ERC-1167)."""
    code = (
        bytes.fromhex("3d602d80600a3d3981f3363d3d373d3d3d363d73")
        + implementation
        + bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
    )
    return Address(keccak256(b"\xff" + factory + salt + keccak256(code))[-20:])
