"""A person's own private key, out of a file that nobody else may read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import check_private, take
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.core.keys import Signer

_KEY_BYTES_MAX: Final = 16 * 1024
_PASSPHRASE_BYTES_MAX: Final = 1024


def signing_key(file: Path, passphrase_file: Path | None, *, why: str) -> Signer:
    """The Ed25519 key of a PKCS #8 PEM file. `why`: what is told where it is of another kind.

    Raises MalformedInput for another form, and where others may read it.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from zhidao.core.keys import Algorithm, SoftwareKey

    data = take(file, bytes_max=_KEY_BYTES_MAX)
    check_private(file)
    passphrase = None
    if passphrase_file:
        passphrase = take(passphrase_file, bytes_max=_PASSPHRASE_BYTES_MAX).rstrip(b"\r\n")
    try:
        private = load_pem_private_key(data, passphrase)
    except (ValueError, TypeError) as error:
        raise MalformedInput(
            f"{file} is no private key in PEM form: {error}",
            remedy="openssl genpkey -algorithm ed25519 makes one; a sealed one needs "
            "--passphrase-file",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise MalformedInput(f"the key in {file} is not Ed25519", remedy=why)
    return SoftwareKey(Algorithm.ED25519, private.private_bytes_raw())
