"""A private key at rest: scrypt and ChaCha20-Poly1305 around its 32 secret bytes."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from zhidao.core.ambient import Randomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey

# RFC 7914 section 2: cost. 2^15 takes about 0.1 s and 32 MiB here.
_SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_FIELDS: Final = {"v", "algorithm", "public", "kdf", "n", "salt", "nonce", "sealed"}


def seal_key(key: SoftwareKey, passphrase: bytes, randomness: Randomness) -> bytes:
    """The key file's bytes: canonical JSON; the public key stays readable and is authenticated."""
    salt, nonce = randomness.token(16), randomness.token(12)
    public = key.public.multikey
    sealed = ChaCha20Poly1305(_derive(passphrase, salt)).encrypt(nonce, key.secret, public.encode())
    return jcs(
        {
            "v": 1,
            "algorithm": key.public.algorithm.label,
            "public": public,
            "kdf": "scrypt",
            "n": _SCRYPT_N,
            "salt": base64url(salt),
            "nonce": base64url(nonce),
            "sealed": base64url(sealed),
        }
    )


def open_key(data: bytes, passphrase: bytes) -> SoftwareKey:
    """Reads a key file. Raises Refused for a wrong passphrase, MalformedInput for other bytes."""
    fields = parse_strict(data, bytes_max=16_384)
    if not isinstance(fields, dict) or set(fields) != _FIELDS or fields["v"] != 1:
        raise MalformedInput("not a key file of version 1")
    if fields["kdf"] != "scrypt" or fields["n"] != _SCRYPT_N:
        raise MalformedInput("the key file names another key derivation; upgrade to read it")
    cipher = ChaCha20Poly1305(_derive(passphrase, parse_base64url(fields["salt"])))
    try:
        secret = cipher.decrypt(
            parse_base64url(fields["nonce"]),
            parse_base64url(fields["sealed"]),
            fields["public"].encode(),
        )
    except InvalidTag as error:
        raise Refused("wrong passphrase, or the key file was changed", code="bad_key") from error
    key = SoftwareKey(Algorithm.named(fields["algorithm"]), secret)
    if key.public.multikey != fields["public"]:
        raise Refused("the key file's public key is not its private key's", code="bad_key")
    return key


def _derive(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=1).derive(passphrase)
