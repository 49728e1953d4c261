"""SM2 signatures with SM3, verified: what partners under the Chinese suite sign with.

Only verification: it handles no secret, so plain integers in any time are good enough; it takes
some milliseconds. SM3 is OpenSSL's.

Source: GB/T 32918.2-2016 section 7 (verification) and section 5.5 (the digest of the signer);
GB/T 32918.5-2017 for the curve, and its annex A for the test's example.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from cryptography.hazmat.primitives import hashes

from zhidao.core.errors import MalformedInput

_Point: TypeAlias = tuple[int, int] | None

_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A: Final = _P - 3
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
# GM/T 0009-2012 section 10: the signer's name where nobody agreed on another.
DEFAULT_SIGNER: Final = b"1234567812345678"
_SIGNER_BYTES_MAX: Final = 8_191
KEY_BYTES: Final = 65
SIGNATURE_BYTES: Final = 64


def sm3(data: bytes) -> bytes:
    """The 32-byte digest of GB/T 32905-2016."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def sm2_verifies(
    key: bytes, signature: bytes, message: bytes, *, signer: bytes = DEFAULT_SIGNER
) -> bool:
    """Whether `signature` (r || s, 64 bytes) is by `key` (04 || x || y) over the message.

    Raises MalformedInput if the key is no point of the curve or the signer's name too long.
    """
    point = _point(key)
    if len(signer) > _SIGNER_BYTES_MAX:
        raise MalformedInput(f"a signer's name has {_SIGNER_BYTES_MAX} bytes at most")
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (1 <= r < _N and 1 <= s < _N):
        return False
    t = (r + s) % _N
    if t == 0:
        return False
    digest = int.from_bytes(sm3(_signer_digest(key, signer) + message), "big")
    found = _add(_times(s, _G), _times(t, point))
    return found is not None and (digest + found[0]) % _N == r


def _signer_digest(key: bytes, signer: bytes) -> bytes:
    length = (8 * len(signer)).to_bytes(2, "big")
    curve = b"".join(value.to_bytes(32, "big") for value in (_A, _B, *_G))
    return sm3(length + signer + curve + key[1:])


def _point(key: bytes) -> tuple[int, int]:
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    on_curve = x < _P and y < _P and (y * y - (x * x * x + _A * x + _B)) % _P == 0
    if len(key) != KEY_BYTES or key[0] != 4 or not on_curve:
        raise MalformedInput("an SM2 key is 04, x and y of a point of its curve")
    return x, y


def _add(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % _P == 0:
            return None
        slope = (3 * x1 * x1 + _A) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


def _times(number: int, point: _Point) -> _Point:
    total: _Point = None
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total
