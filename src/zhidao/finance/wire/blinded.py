"""A look-up that tells the asked one nothing and teaches the asker one token a question.

An oblivious pseudo-random function over the prime-order group of edwards25519 (2HashDH, after
Jarecki, Kiayias and Krawczyk 2014; same shape as RFC 9497's OPRF mode, whose ristretto255 suite
libsodium's Python bindings do not offer, so its test vectors do not apply). Without the home
node's secret nobody can try out guesses of invoice fields, however few there are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from nacl.bindings import (
    crypto_core_ed25519_from_uniform,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_invert,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import CryptoError

from zhidao.core.ambient import Randomness
from zhidao.core.errors import MalformedInput

POINT_BYTES: Final = 32
_WIDE: Final = 64
_LABEL: Final = b"zhidao receivable 1\n"


@dataclass(frozen=True, slots=True)
class Question:
    """What the asker keeps (`data`, `blind`) and what it sends (`blinded`)."""

    data: bytes
    blind: bytes
    blinded: bytes


def ask(data: bytes, randomness: Randomness) -> Question:
    """Hides data behind a random factor, so that the asked node sees a random point."""
    blind = crypto_core_ed25519_scalar_reduce(randomness.token(_WIDE))
    return Question(data, blind, crypto_scalarmult_ed25519_noclamp(blind, _point(data)))


def evaluate(blinded: bytes, secret: bytes) -> bytes:
    """The home node's answer. Raises MalformedInput for what is no point of the group."""
    if len(blinded) != POINT_BYTES or not crypto_core_ed25519_is_valid_point(blinded):
        raise MalformedInput("a blinded question is a point of edwards25519's prime-order group")
    try:
        return crypto_scalarmult_ed25519_noclamp(secret, blinded)
    except CryptoError as error:
        raise MalformedInput("the blinded question is the neutral element") from error


def finish(question: Question, answer: bytes) -> str:
    """The token of what was asked, hex. Raises MalformedInput for an answer that is no point."""
    unblinded = evaluate(answer, crypto_core_ed25519_scalar_invert(question.blind))
    return _token(question.data, unblinded)


def token(data: bytes, secret: bytes) -> str:
    """The same token as the home node computes it from the data itself."""
    return _token(data, crypto_scalarmult_ed25519_noclamp(secret, _point(data)))


def secret_of(seed: bytes) -> bytes:
    """A home node's secret scalar from 32 secret bytes."""
    return crypto_core_ed25519_scalar_reduce(hashlib.sha512(_LABEL + seed).digest())


def _point(data: bytes) -> bytes:
    return crypto_core_ed25519_from_uniform(hashlib.sha256(_LABEL + data).digest())


def _token(data: bytes, point: bytes) -> str:
    return hashlib.sha256(_LABEL + len(data).to_bytes(4, "big") + data + point).hexdigest()
