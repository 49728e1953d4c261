"""The few CBOR forms that disclosure proofs are made of: integers, bytes, texts, arrays, maps.

Read strictly: shortest lengths, no indefinite forms, no floats, no key twice. Tag 64 before bytes
is read through, since some writers mark byte arrays so.

Source: RFC 8949 sections 3 and 4.2.1; RFC 8746 section 2.1 for tag 64.
"""

from __future__ import annotations

from typing import Any, Final

from zhidao.core.errors import MalformedInput

_DEPTH_MAX: Final = 8
_UINT8_ARRAY: Final = 64


def encode(value: Any) -> bytes:
    """The bytes of an int from 0, bytes, str, list or dict."""
    match value:
        case bool():
            raise TypeError("no booleans in this subset")
        case int():
            return _head(0, value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            data = value.encode()
            return _head(3, len(data)) + data
        case list():
            return _head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            pairs = [encode(key) + encode(item) for key, item in value.items()]
            return _head(5, len(value)) + b"".join(pairs)
    raise TypeError(f"no CBOR form here for {type(value).__name__}")


def decode(data: bytes) -> Any:
    """Reads exactly one value. Raises MalformedInput."""
    value, end = _read(data, 0, 0)
    if end != len(data):
        raise _malformed("bytes follow the value")
    return value


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, "big")
    raise MalformedInput("a number is too large for CBOR")


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEPTH_MAX:
        raise _malformed(f"it nests deeper than {_DEPTH_MAX} levels")
    if at >= len(data):
        raise _malformed("it ends early")
    major, number, at = _read_head(data, at)
    if major == 0:
        return number, at
    if major in (2, 3):
        end = at + number
        if end > len(data):
            raise _malformed("a text or byte string ends early")
        return (data[at:end] if major == 2 else _text(data[at:end])), end
    if major == 4:
        items = []
        for _ in range(_counted(number, data)):
            item, at = _read(data, at, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        return _read_map(data, at, _counted(number, data), depth)
    if major == 6 and number == _UINT8_ARRAY:
        value, at = _read(data, at, depth + 1)
        if isinstance(value, bytes):
            return value, at
    raise _malformed(f"a value of major type {major} is not read here")


def _read_map(data: bytes, at: int, size: int, depth: int) -> tuple[dict[Any, Any], int]:
    pairs: dict[Any, Any] = {}
    for _ in range(size):
        key, at = _read(data, at, depth + 1)
        if not isinstance(key, int | str) or key in pairs:
            raise _malformed("a key of a map stands twice or is no number or text")
        pairs[key], at = _read(data, at, depth + 1)
    return pairs, at


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if low < 24:
        return major, low, at
    if low > 27:
        raise _malformed("a length of indefinite form")
    size = 1 << (low - 24)
    number = int.from_bytes(data[at : at + size], "big")
    if at + size > len(data) or number < (24 if size == 1 else 1 << 4 * size):
        raise _malformed("a length is not in its shortest form")
    return major, number, at + size


def _counted(number: int, data: bytes) -> int:
    if number > len(data):
        raise _malformed("it promises more values than it has bytes")
    return number


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _malformed("a text is not UTF-8") from error


def _malformed(what: str) -> MalformedInput:
    return MalformedInput(f"CBOR: {what}")
