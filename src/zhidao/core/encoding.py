"""Strict text forms of bytes: one text for one value, everything else is refused."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from zhidao.core.errors import MalformedInput

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*\Z", re.ASCII)
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUE: Final = {letter: value for value, letter in enumerate(_BASE58)}
_BASE58_CHARACTERS_MAX: Final = 8192


def base64url(data: bytes) -> str:
    """RFC 4648 section 5 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parse_base64url(text: str) -> bytes:
    """Reads base64url without padding; refuses padding, other letters and non-zero spare bits.

    >>> parse_base64url("AQI")
    b'\\x01\\x02'
    """
    if not _BASE64URL.match(text):
        raise MalformedInput("not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise MalformedInput("not base64url without padding") from error
    if base64url(data) != text:
        raise MalformedInput("base64url is not canonical: spare bits are set")
    return data


def parse_base64(text: str) -> bytes:
    """Reads padded standard base64 (RFC 4648 section 4); refuses every other spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput("not base64") from error
    if base64.b64encode(data).decode() != text:
        raise MalformedInput("base64 is not canonical")
    return data


def parse_hex(text: str) -> bytes:
    """Reads lower-case hexadecimal of even length."""
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise MalformedInput("not hexadecimal") from error
    if data.hex() != text:
        raise MalformedInput("hexadecimal is not canonical: use lower case without blanks")
    return data


def utf8(text: str) -> bytes:
    """The text's bytes. Raises MalformedInput (`lone_surrogate`) for what is no character."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedInput("a lone surrogate is no character", code="lone_surrogate") from error


def base58btc(data: bytes) -> str:
    """Bitcoin's base-58 alphabet, leading zero bytes as `1`."""
    number = int.from_bytes(data, "big")
    out = ""
    while number:
        number, digit = divmod(number, 58)
        out = _BASE58[digit] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def parse_base58btc(text: str) -> bytes:
    """Reads base-58; at most 8,192 characters, since the cost grows with the square."""
    if len(text) > _BASE58_CHARACTERS_MAX:
        raise MalformedInput(
            f"base58 text of {len(text)} characters; at most {_BASE58_CHARACTERS_MAX} are read"
        )
    number = 0
    for letter in text:
        if letter not in _BASE58_VALUE:
            raise MalformedInput(f"not base58: {letter!r}")
        number = number * 58 + _BASE58_VALUE[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
