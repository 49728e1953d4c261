"""Private keys at rest: a passphrase opens a vault, the vault's wrapping key opens each key file.

The slow step (scrypt, RFC 7914) is paid once for all keys of a node; each file is sealed with
ChaCha20-Poly1305 (RFC 8439) under its own nonce, its public key authenticated but readable. A key
file does not say whose it is: the vault vouches for a list of that (HMAC, RFC 2104), and its sealed
check says whether there is such a list, which nobody takes back without the passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from zhidao.core.ambient import Randomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.versions import check_version_in

# Cost 2^15 with r = 8 takes about 0.1 s and 32 MiB.
_SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_VAULT_FIELDS: Final = {"v", "kdf", "n", "salt", "nonce", "check"}
_KEY_FIELDS: Final = {"v", "algorithm", "public", "nonce", "sealed"}
_CHECK: Final = b"zhidao vault"
# The vault vouches for a list of names; earlier releases open it all the same.
_CHECK_NAMED: Final = b"zhidao vault, names vouched for"
_NAMES: Final = b"zhidao names of keys"
_FILE_BYTES_MAX: Final = 16_384


class Vault:
    """Seals and opens key files with a key that only the passphrase gives.

    `names_vouched`: a list of which key lies under which name stands beside it, and bears its tag.
    """

    def __init__(self, wrapping: bytes, *, names_vouched: bool = True) -> None:
        self.names_vouched = names_vouched
        self._cipher = ChaCha20Poly1305(wrapping)
        self._names_key = hmac.digest(wrapping, _NAMES, hashlib.sha256)

    def tag(self, names: bytes) -> str:
        """What nobody without the passphrase can put beside a list of names (HMAC-SHA256)."""
        return base64url(hmac.digest(self._names_key, names, hashlib.sha256))

    def seal(self, key: SoftwareKey, randomness: Randomness) -> bytes:
        """The key file's bytes: canonical JSON."""
        nonce = randomness.token(12)
        public = key.public.multikey
        return jcs(
            {
                "v": 1,
                "algorithm": key.public.algorithm.label,
                "public": public,
                "nonce": base64url(nonce),
                "sealed": base64url(self._cipher.encrypt(nonce, key.secret, public.encode())),
            }
        )

    def open(self, data: bytes) -> SoftwareKey:
        """Reads a key file. Raises MalformedInput or, if it was changed, Refused `bad_key`."""
        fields = _fields(data, _KEY_FIELDS, "key file")
        public = fields["public"]
        try:
            secret = self._cipher.decrypt(
                parse_base64url(fields["nonce"]), parse_base64url(fields["sealed"]), public.encode()
            )
        except InvalidTag as error:
            raise Refused("the key file was changed, or is another vault's", code="bad_key") from (
                error
            )
        key = SoftwareKey(Algorithm.named(fields["algorithm"]), secret)
        if key.public.multikey != public:
            raise Refused("the key file's public key is not its private key's", code="bad_key")
        return key


def create_vault(passphrase: bytes, randomness: Randomness) -> tuple[bytes, Vault]:
    """A new vault: the bytes of its file, and the vault opened."""
    salt, nonce = randomness.token(16), randomness.token(12)
    wrapping = _derive(passphrase, salt)
    return _vault_file(wrapping, salt, nonce), Vault(wrapping)


def vouching(data: bytes, passphrase: bytes, randomness: Randomness) -> bytes:
    """A vault's file of an earlier release as one that vouches for names; opens what it opened."""
    salt = parse_base64url(_fields(data, _VAULT_FIELDS, "vault")["salt"])
    return _vault_file(_derive(passphrase, salt), salt, randomness.token(12))


def _vault_file(wrapping: bytes, salt: bytes, nonce: bytes) -> bytes:
    check = ChaCha20Poly1305(wrapping).encrypt(nonce, _CHECK_NAMED, None)
    return jcs(
        {
            "v": 1,
            "kdf": "scrypt",
            "n": _SCRYPT_N,
            "salt": base64url(salt),
            "nonce": base64url(nonce),
            "check": base64url(check),
        }
    )


def open_vault(data: bytes, passphrase: bytes) -> Vault:
    """Opens a vault. Raises Refused `wrong_passphrase`, or MalformedInput for other bytes."""
    fields = _fields(data, _VAULT_FIELDS, "vault")
    if fields["kdf"] != "scrypt" or fields["n"] != _SCRYPT_N:
        raise MalformedInput("the vault names another key derivation; upgrade to read it")
    wrapping = _derive(passphrase, parse_base64url(fields["salt"]))
    try:
        check = ChaCha20Poly1305(wrapping).decrypt(
            parse_base64url(fields["nonce"]), parse_base64url(fields["check"]), None
        )
    except InvalidTag as error:
        raise Refused(
            "wrong passphrase for the node's keys",
            code="wrong_passphrase",
            remedy="give the one with which the node was first started",
        ) from error
    if check not in (_CHECK, _CHECK_NAMED):
        raise MalformedInput("the vault was made by a later release; upgrade to read it")
    return Vault(wrapping, names_vouched=check == _CHECK_NAMED)


def check_key_file(data: bytes) -> PublicKey:
    """What a key file shows without a passphrase. Raises MalformedInput if that is not whole."""
    fields = _fields(data, _KEY_FIELDS, "key file")
    for name in ("nonce", "sealed"):
        parse_base64url(fields[name])
    return PublicKey.from_multikey(fields["public"])


def check_vault(data: bytes) -> None:
    """As `check_key_file`, for a vault."""
    fields = _fields(data, _VAULT_FIELDS, "vault")
    for name in ("salt", "nonce", "check"):
        parse_base64url(fields[name])


def _fields(data: bytes, names: set[str], what: str) -> dict[str, Any]:
    fields = parse_strict(data, bytes_max=_FILE_BYTES_MAX)
    check_version_in(fields, form=f"a {what}", known=(1,))
    if not isinstance(fields, dict) or set(fields) != names or fields["v"] != 1:
        raise MalformedInput(f"not a {what} of version 1")
    if not all(isinstance(v, str) for k, v in fields.items() if k not in ("v", "n")):
        raise MalformedInput(f"the {what} has a field of the wrong type")
    return fields


# It costs a tenth of a second on purpose; a process that takes over has opened its vault before.
@lru_cache(maxsize=1)
def _derive(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=1).derive(passphrase)
