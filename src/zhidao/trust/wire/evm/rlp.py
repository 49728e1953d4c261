"""Recursive length prefix: the byte form under every Ethereum transaction, read strictly.

Source: Ethereum yellow paper, appendix B. A reader here refuses every second spelling: a length
with leading zeros, a long form where the short one fits, a single byte below 0x80 with a prefix.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from zhidao.core.errors import MalformedInput

Item: TypeAlias = "bytes | list[Item]"

_SHORT_MAX: Final = 55
_STRING: Final = 0x80
_LIST: Final = 0xC0
DEPTH_MAX: Final = 16


def encode(item: Item) -> bytes:
    """The RLP form of bytes or of a nested list of bytes.

    >>> encode([b"cat", b""]).hex()
    'c58363617480'
    """
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _prefix(len(item), _STRING) + item
    body = b"".join(encode(part) for part in item)
    return _prefix(len(body), _LIST) + body


def decode(data: bytes) -> Item:
    """Reads one item that fills the bytes exactly. Raises MalformedInput."""
    item, end = _read(data, 0, 0)
    if end != len(data):
        raise MalformedInput("RLP: bytes after the item", where=f"byte {end}")
    return item


def encode_integer(value: int) -> bytes:
    """A non-negative integer as an RLP string: big-endian, shortest, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode_integer(data: Item, *, name: str, bytes_max: int = 32) -> int:
    """Reads an integer from an RLP string; refuses leading zeros and more than `bytes_max`."""
    if not isinstance(data, bytes):
        raise MalformedInput(f"RLP: {name} is a list, not an integer")
    if data[:1] == b"\0":
        raise MalformedInput(f"RLP: {name} has a leading zero")
    if len(data) > bytes_max:
        raise MalformedInput(f"RLP: {name} has {len(data)} bytes; at most {bytes_max} are read")
    return int.from_bytes(data, "big")


def _prefix(length: int, base: int) -> bytes:
    if length <= _SHORT_MAX:
        return bytes([base + length])
    size = encode_integer(length)
    return bytes([base + _SHORT_MAX + len(size)]) + size


def _read(data: bytes, at: int, depth: int) -> tuple[Item, int]:
    if depth > DEPTH_MAX:
        raise MalformedInput(f"RLP nests deeper than {DEPTH_MAX} levels", where=f"byte {at}")
    if at >= len(data):
        raise MalformedInput("RLP ends early", where=f"byte {at}")
    first = data[at]
    if first < _STRING:
        return data[at : at + 1], at + 1
    start, end = _extent(data, at, first)
    if first < _LIST:
        if end - start == 1 and data[start] < _STRING:
            raise MalformedInput("RLP: a small byte with a prefix", where=f"byte {at}")
        return data[start:end], end
    items: list[Item] = []
    while start < end:
        item, start = _read(data, start, depth + 1)
        items.append(item)
    if start != end:
        raise MalformedInput("RLP: an item reaches past its list", where=f"byte {at}")
    return items, end


def _extent(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Where the content of the item at `at` starts and ends."""
    length = first - (_LIST if first >= _LIST else _STRING)
    start = at + 1
    if length > _SHORT_MAX:
        size = length - _SHORT_MAX
        digits = data[start : start + size]
        length = int.from_bytes(digits, "big")
        if len(digits) != size or digits[:1] == b"\0" or length <= _SHORT_MAX:
            raise MalformedInput("RLP: a length is not in its shortest form", where=f"byte {at}")
        start += size
    if start + length > len(data):
        raise MalformedInput("RLP ends early", where=f"byte {at}")
    return start, start + length
