"""The contract ABI's argument encoding, for the types that title contracts use, read strictly.

Source: Solidity documentation, "Contract ABI Specification", sections "Formal Specification of
the Encoding" and "Strict Encoding Mode". Types: `address`, `bool`, `uintN`, `bytesN` (N of bytes,
1..32), `bytes` and `string`. Reading refuses dirty padding, offsets other than the canonical
ones, and bytes after the last value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.evm import WORD_BYTES
from zhidao.trust.wire.evm.keccak import keccak256

Value: TypeAlias = int | bytes | bool | str

_DYNAMIC: Final = ("bytes", "string")


def types_of(signature: str) -> tuple[str, ...]:
    """The argument types of a signature such as `mint(address,uint256)`."""
    inside = signature[signature.index("(") + 1 : -1]
    return tuple(inside.split(",")) if inside else ()


@lru_cache(maxsize=256)
def selector(signature: str) -> bytes:
    """The first four bytes of the signature's Keccak-256: what a call or an error starts with.

    >>> selector("transfer(address,uint256)").hex()
    'a9059cbb'
    """
    return keccak256(signature.encode())[:4]


@lru_cache(maxsize=256)
def topic(signature: str) -> bytes:
    """The word by which an event is known: Keccak-256 of its signature."""
    return keccak256(signature.encode())


def encode(types: Sequence[str], values: Sequence[Value]) -> bytes:
    """Arguments as words: heads first, then the dynamic ones in order.

    Raises MalformedInput if a value does not fit its type.
    """
    if len(types) != len(values):
        raise MalformedInput(f"ABI: {len(values)} values for {len(types)} types")
    head, tail = b"", b""
    for kind, value in zip(types, values, strict=True):
        if kind in _DYNAMIC:
            head += _word(len(types) * WORD_BYTES + len(tail))
            tail += _encode_dynamic(kind, value)
        else:
            head += _encode_static(kind, value)
    return head + tail


def decode(types: Sequence[str], data: bytes) -> tuple[Value, ...]:
    """Reads exactly the form that `encode` writes. Raises MalformedInput."""
    next_tail = len(types) * WORD_BYTES
    values: list[Value] = []
    for index, kind in enumerate(types):
        word = _slice(data, index * WORD_BYTES, WORD_BYTES)
        if kind not in _DYNAMIC:
            values.append(decode_word(kind, word))
            continue
        if int.from_bytes(word, "big") != next_tail:
            raise MalformedInput(f"ABI: argument {index + 1} does not stand where it should")
        value, next_tail = _decode_dynamic(kind, data, next_tail)
        values.append(value)
    if next_tail != len(data):
        raise MalformedInput("ABI: bytes after the last argument", where=f"byte {next_tail}")
    return tuple(values)


def encode_call(signature: str, values: Sequence[Value]) -> bytes:
    """Call data: selector and arguments."""
    return selector(signature) + encode(types_of(signature), values)


def decode_word(kind: str, word: bytes) -> Value:
    """Reads one 32-byte word as a static type; refuses dirty padding."""
    if kind == "address":
        if any(word[:12]):
            raise MalformedInput("ABI: an address has more than 20 bytes")
        return word[12:]
    if kind == "bool":
        number = int.from_bytes(word, "big")
        if number > 1:
            raise MalformedInput("ABI: a bool is neither 0 nor 1")
        return bool(number)
    if kind.startswith("uint"):
        number = int.from_bytes(word, "big")
        if number.bit_length() > int(kind[4:]):
            raise MalformedInput(f"ABI: {kind} overflows")
        return number
    size = _fixed_bytes(kind)
    if any(word[size:]):
        raise MalformedInput(f"ABI: {kind} has dirty padding")
    return word[:size]


def _encode_static(kind: str, value: Value) -> bytes:
    if kind == "address" and isinstance(value, bytes) and len(value) == 20:
        return bytes(12) + value
    if kind == "bool" and isinstance(value, bool):
        return _word(int(value))
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind.startswith("uint") and whole and 0 <= value < 1 << int(kind[4:]):  # type: ignore[operator]
        return _word(value)  # type: ignore[arg-type]
    if kind.startswith("bytes") and isinstance(value, bytes) and len(value) == _fixed_bytes(kind):
        return value + bytes(WORD_BYTES - len(value))
    raise MalformedInput(f"ABI: {value!r:.60} is no {kind}")


def _encode_dynamic(kind: str, value: Value) -> bytes:
    if kind == "string" and isinstance(value, str):
        try:
            content = value.encode()
        except UnicodeEncodeError as error:
            raise MalformedInput("ABI: a string holds a lone surrogate") from error
    elif kind == "bytes" and isinstance(value, bytes):
        content = value
    else:
        raise MalformedInput(f"ABI: {value!r:.60} is no {kind}")
    return _word(len(content)) + content + bytes(-len(content) % WORD_BYTES)


def _decode_dynamic(kind: str, data: bytes, at: int) -> tuple[Value, int]:
    size = int.from_bytes(_slice(data, at, WORD_BYTES), "big")
    start = at + WORD_BYTES
    padded = size + -size % WORD_BYTES
    content = _slice(data, start, padded)
    if any(content[size:]):
        raise MalformedInput(f"ABI: {kind} has dirty padding", where=f"byte {start + size}")
    if kind == "bytes":
        return content[:size], start + padded
    try:
        return content[:size].decode(), start + padded
    except UnicodeDecodeError as error:
        raise MalformedInput("ABI: a string is not UTF-8", where=f"byte {start}") from error


def _slice(data: bytes, start: int, size: int) -> bytes:
    part = data[start : start + size]
    if len(part) != size:
        raise MalformedInput("ABI: the arguments end early", where=f"byte {len(data)}")
    return part


def _word(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")


def _fixed_bytes(kind: str) -> int:
    size = kind.removeprefix("bytes")
    if not size.isdecimal() or not 1 <= int(size) <= WORD_BYTES:
        raise MalformedInput(f"ABI: this codec does not know the type {kind}")
    return int(size)
