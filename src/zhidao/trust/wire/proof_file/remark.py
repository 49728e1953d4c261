"""A title's remark as sealed bytes: the chain is public, so it carries no word in clear.

The token registry keeps up to 120 bytes a remark and looks at none of them. Ours are AES-256-SIV
(RFC 5297) over the text filled up to 104 bytes: always 120 bytes, the same ones for the same
remark in the same place, so a repeated request signs the same transaction. Bound to the title, the
place in its history and the signer: copied elsewhere it does not open. No random number is needed,
and none can be used twice, as with a stream cipher whose nonce is fixed.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.evm import Address

REMARK_KEY_BYTES: Final = 64
TEXT_BYTES_MAX: Final = 104
SEALED_BYTES: Final = TEXT_BYTES_MAX + 16
_CONTEXT: Final = b"zhidao title remark v1"


def seal_remark(key: bytes, text: str, *, title: bytes, place: int, signer: Address) -> bytes:
    """The bytes for the chain; none for no text.

    place: how many transactions the title had before this one. Raises Refused
    (`remark_too_long`) beyond 104 bytes of UTF-8, MalformedInput for a NUL in the text or a text
    that is no Unicode.
    """
    if not text:
        return b""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise MalformedInput("a remark is Unicode text") from error
    if len(data) > TEXT_BYTES_MAX:
        raise Refused(
            f"a remark has {TEXT_BYTES_MAX} bytes of UTF-8 at most, not {len(data)}",
            code="remark_too_long",
        )
    if b"\0" in data:
        raise MalformedInput("a remark holds no NUL")
    filled = data.ljust(TEXT_BYTES_MAX, b"\0")
    return AESSIV(key).encrypt(filled, _bound_to(title, place, signer))


def open_remark(key: bytes, sealed: bytes, *, title: bytes, place: int, signer: Address) -> str:
    """The text of a sealed remark; `` for none.

    Raises Refused (`foreign_remark`) for bytes that were not sealed so: those of another program,
    of another place, or of whoever has no key.
    """
    if not sealed:
        return ""
    foreign = Refused("the remark was not sealed by this node here", code="foreign_remark")
    if len(sealed) != SEALED_BYTES:
        raise foreign
    try:
        filled = AESSIV(key).decrypt(sealed, _bound_to(title, place, signer))
        return filled.rstrip(b"\0").decode()
    except (InvalidTag, UnicodeDecodeError) as error:
        raise foreign from error


def _bound_to(title: bytes, place: int, signer: Address) -> list[bytes]:
    return [_CONTEXT, title, place.to_bytes(8, "big"), signer]
