"""JSON with one byte form: strict reading, and RFC 8785 writing behind a guarded fast path."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import msgspec
import orjson
import rfc8785

from zhidao.core.errors import MalformedInput
from zhidao.core.limits import JSON_BYTES_MAX, JSON_DEPTH_MAX, JSON_INTEGER_MAX

Json: TypeAlias = (
    "Mapping[str, Json] | list[Json] | tuple[Json, ...] | str | int | float | bool | None"
)

T = TypeVar("T")

# Outside this range one of ECMAScript and orjson prints an exponent and the other may not.
_PLAIN_FLOAT: Final = (1e-5, 1e16)
_BRACES_AS_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))
_OPENER: Final = ord("[")


def parse_strict(data: bytes, *, bytes_max: int = JSON_BYTES_MAX) -> Any:
    """Reads JSON and refuses all that two readers could understand differently.

    Refused: a byte-order mark, bytes that are not UTF-8, duplicate keys, NaN and Infinity, numbers
    that overflow, integers beyond 2^53-1, lone surrogates, more than 64 levels, too many bytes.
    Source: RFC 7493 (I-JSON) section 2.
    """
    if len(data) > bytes_max:
        raise MalformedInput(f"JSON of {len(data)} bytes; at most {bytes_max} are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("JSON is not UTF-8", where=f"byte {error.start}") from error
    check_depth(data)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise MalformedInput(f"not JSON: {error.msg}", where=where) from error
    if "\\u" in text:
        _refuse_surrogates(value)
    return value


def decode_json(data: bytes, kind: type[T], *, strict: bool = True) -> T:
    """JSON as a struct, by msgspec, which by itself recurses as deep as the bytes say.

    Raises MalformedInput beyond the depth that is read, msgspec's own errors for all else.
    """
    check_depth(data)
    return msgspec.json.decode(data, type=kind, strict=strict)


def jcs(value: Json) -> bytes:
    """The RFC 8785 form of a JSON value.

    Takes orjson where it gives the same bytes and rfc8785 everywhere else.
    Raises MalformedInput for what has no canonical form (NaN, unsafe integers, lone surrogates).

    >>> jcs({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    if _is_plain(value, 0):
        fast = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        # Keys sort by UTF-16 units, which differs from code points only above U+FFFF (F0..F4).
        if fast.isascii() or not any(
            lead in fast for lead in (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
        ):
            return fast
    return jcs_reference(value)


class Unsigned:
    """The RFC 8785 form of an object that has no signature yet, and of the same one with it.

    A signature is a member of what it signs: both forms are needed, and are one walk's work.
    `name` is the member that comes later; one that `fields` has is left out. Raises
    MalformedInput as `jcs`.

    >>> form = Unsigned({"a": 1, "z": 2}, "signature")
    >>> form.message, form.signed("xyz")
    (b'{"a":1,"z":2}', b'{"a":1,"signature":"xyz","z":2}')
    """

    def __init__(self, fields: Mapping[str, Json], name: str) -> None:
        assert name.isascii(), "only then keys sort around it in one way"
        before = jcs({key: value for key, value in fields.items() if key < name})[1:-1]
        after = jcs({key: value for key, value in fields.items() if key > name})[1:-1]
        self._name, self._before, self._after = name, before, after

    @property
    def message(self) -> bytes:
        """What is signed."""
        return _object_of(self._before, self._after)

    def signed(self, signature: str) -> bytes:
        """The whole object."""
        return _object_of(self._before, jcs({self._name: signature})[1:-1], self._after)


def _object_of(*members: bytes) -> bytes:
    return b"{" + b",".join(part for part in members if part) + b"}"


def jcs_reference(value: Json) -> bytes:
    """The readable twin of `jcs`: always rfc8785."""
    try:
        return rfc8785.dumps(_plain(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise MalformedInput(f"this value has no canonical JSON form: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _is_plain(value: object, depth: int) -> bool:
    """Whether orjson writes RFC 8785 for this value. Loops, since every event passes here."""
    kind = type(value)
    if kind is dict:
        return depth < JSON_DEPTH_MAX and _is_plain_object(value, depth + 1)  # type: ignore[arg-type]
    if kind is list or kind is tuple:
        if depth >= JSON_DEPTH_MAX:
            return False
        for item in value:  # type: ignore[attr-defined]
            if not (_is_plain_text(item) if type(item) is str else _is_plain(item, depth + 1)):
                return False
        return True
    return _is_plain_leaf(value)


def _is_plain_object(value: dict[object, object], depth: int) -> bool:
    for key, item in value.items():
        if type(key) is not str or not (key.isascii() or _encodes(key)):
            return False
        if type(item) is str:
            if not (item.isascii() or _encodes(item)):
                return False
        elif not _is_plain(item, depth):
            return False
    return True


def _is_plain_leaf(value: object) -> bool:
    kind = type(value)
    if kind is str:
        return _is_plain_text(value)  # type: ignore[arg-type]
    if kind is bool or value is None:
        return True
    if kind is int:
        return -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX  # type: ignore[operator]
    if kind is float:
        number: float = value  # type: ignore[assignment]
        low, high = _PLAIN_FLOAT
        return low <= abs(number) < high and not number.is_integer()
    return False


def _is_plain_text(text: str) -> bool:
    # orjson refuses lone surrogates with an error of its own; the slow path names them.
    return text.isascii() or _encodes(text)


def _encodes(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise MalformedInput(f"the key {twice!r} stands twice in one object", code="duplicate_key")
    return value


def _constant(text: str) -> NoReturn:
    raise MalformedInput(f"{text} is not a JSON number", code="non_finite")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > JSON_INTEGER_MAX:
        raise MalformedInput(f"integer beyond 2^53-1: {text[:24]}", code="unsafe_integer")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise MalformedInput(f"number overflows: {text[:24]}", code="non_finite")
    return number


def check_depth(data: bytes) -> None:
    """Refuses JSON that nests beyond the limit, before a reader recurses into it.

    Whole-text operations of C take away strings and inner pairs of brackets; only what is left of
    very deep or unbalanced brackets is looked at one by one.
    """
    if data.count(b"[") + data.count(b"{") <= JSON_DEPTH_MAX:
        return
    if b"\\" in data:
        # In this order: an escaped backslash first, so that what is left before a quote escapes it.
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(data.split(b'"')[::2]).translate(_BRACES_AS_BRACKETS, _NO_BRACKET)
    inner = 0
    while inner < JSON_DEPTH_MAX and len(rest := brackets.replace(b"[]", b"")) < len(brackets):
        brackets, inner = rest, inner + 1
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket == _OPENER else -1
        if depth + inner > JSON_DEPTH_MAX:
            raise MalformedInput(f"JSON nests deeper than {JSON_DEPTH_MAX} levels")


def _refuse_surrogates(value: object) -> None:
    if isinstance(value, str):
        if not _encodes(value):
            raise MalformedInput("a lone surrogate is no character", code="lone_surrogate")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_surrogates(key)
            _refuse_surrogates(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_surrogates(item)
