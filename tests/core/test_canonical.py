from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core import canonical
from zhidao.core.canonical import Unsigned, decode_json, jcs, jcs_reference, parse_strict
from zhidao.core.errors import MalformedInput

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    # RFC 8785 prints 1e20 as a whole number, which a strict reader must not take.
    | st.floats(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(values)
def test_the_fast_path_writes_what_the_reference_writes(value: object) -> None:
    assert jcs(value) == jcs_reference(value)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), values, max_size=6))
def test_a_form_with_room_for_a_signature_is_that_of_the_object(fields: dict[str, object]) -> None:
    fields.pop("m", None)
    form = Unsigned(fields, "m")
    assert form.message == jcs(fields)
    assert form.signed("x") == jcs(fields | {"m": "x"})


def _nested(levels: int) -> object:
    value: object = []
    for _ in range(levels - 1):
        value = [value]
    return value


def _nested_objects(levels: int) -> object:
    value: object = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, 2**53 - 1, 1 - 2**53),
        *(1e-5, -1e-5, 0.5, 2251799813685247.5),
        *("a", "\u00e9", "\uffff", ["a", "\u00e9", ("b",)]),
        *({"a": "b", "\u00e9": "\u00e9", "c": [0.5], "\ud7ff": "\ue000"},),
        *(_nested(64), _nested_objects(64)),
    ],
)
def test_what_orjson_writes_alike_is_not_written_slowly(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = jcs_reference(value)
    slowly: list[object] = []
    monkeypatch.setattr(canonical, "jcs_reference", lambda each: slowly.append(each) or b"")
    assert jcs(value) == expected
    assert slowly == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((1.0, b"1"), (-0.0, b"0"), (1e16, b"10000000000000000"), (9.5e-6, b"0.0000095")),
        *((1e21, b"1e+21"), (1.5e-7, b"1.5e-7")),
        *((MappingProxyType({"a": 1}), b'{"a":1}'), ([MappingProxyType({})], b"[{}]")),
        ({"b": {"a": MappingProxyType({})}}, b'{"b":{"a":{}}}'),
        (_nested(65), b"[" * 65 + b"]" * 65),
    ],
)
def test_what_orjson_writes_otherwise_is_written_as_the_rule_says(
    value: object, text: bytes
) -> None:
    assert jcs(value) == text


@pytest.mark.parametrize("plane", [0x10000, 0x40000, 0x80000, 0xC0000, 0x100000])
def test_keys_beyond_the_basic_plane_sort_by_their_surrogates(plane: int) -> None:
    late, early = "\ue000", chr(plane)
    assert list(json.loads(jcs({late: 1, early: 2}))) == [early, late]
    assert jcs([{late: 1, early: 2}]) == jcs_reference([{late: 1, early: 2}])


@given(values)
def test_reading_what_was_written_gives_the_same_bytes(value: object) -> None:
    assert jcs(parse_strict(jcs(value))) == jcs(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_strict(data)
    except MalformedInput:
        return


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b"[NaN]", "non_finite"),
        (b"[-Infinity]", "non_finite"),
        (b"[1e400]", "non_finite"),
        (b"[9007199254740993]", "unsafe_integer"),
        (b"[1" + b"0" * 5000 + b"]", "unsafe_integer"),
        (b'["\\ud800"]', "lone_surrogate"),
        (b'{"\\udc00":1}', "lone_surrogate"),
        (b"\xef\xbb\xbf{}", "malformed_input"),
        (b"[" * 65 + b"]" * 65, "malformed_input"),
        (b"{" * 100, "malformed_input"),
        (b"\xff", "malformed_input"),
        (b"[1,]", "malformed_input"),
        (b"", "malformed_input"),
        (b"01", "malformed_input"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        parse_strict(text)
    assert caught.value.code == code


def deepest(text: str) -> int:
    """How deep brackets nest outside of strings, letter by letter."""
    depth = most = 0
    inside = skip = False
    for letter in text:
        if inside:
            inside, skip = skip or letter != '"', not skip and letter == "\\"
        elif letter == '"':
            inside = True
        elif letter in "[{":
            depth += 1
            most = max(most, depth)
        elif letter in "]}":
            depth -= 1
    return most


nested = st.builds(
    lambda inner, depth, before: json.dumps([*before, inner]).join(("[" * depth, "]" * depth)),
    values,
    st.integers(55, 70),
    st.lists(st.text('[]{}"\\', max_size=30), max_size=3),
)


@given(nested)
def test_depth_is_refused_at_its_bound_and_not_before(text: str) -> None:
    if deepest(text) > 64:
        with pytest.raises(MalformedInput, match="nests"):
            parse_strict(text.encode())
    else:
        parse_strict(text.encode())


@given(st.text('[]{}"\\,:1', min_size=60, max_size=300))
def test_text_of_brackets_and_quotes_is_read_or_refused(text: str) -> None:
    try:
        parse_strict(text.encode())
    except MalformedInput:
        return


@pytest.mark.parametrize(
    "value",
    [
        *(float("nan"), float("inf"), 2**53, -(2**53), object(), b"a"),
        *({"a": "\ud800"}, {"\udfff": 1}, ["\ud800"], "\udfff", {1: 2}, {"a": {1: 2}}),
        _nested(100_000),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(MalformedInput):
        jcs(value)


def test_the_key_that_stands_twice_is_named() -> None:
    with pytest.raises(MalformedInput, match="the key 'b' stands twice"):
        parse_strict(b'{"a":1,"b":2,"c":3,"b":4}')


@pytest.mark.parametrize("text", ["[]" * 40 + "[", "[" * 63 + "[],[],[]", "]" * 70])
def test_brackets_that_do_not_match_are_no_json_rather_than_too_deep(text: str) -> None:
    with pytest.raises(MalformedInput, match="not JSON"):
        parse_strict(text.encode())


class Counted(msgspec.Struct):
    count: int


def test_a_struct_is_read_as_it_is_typed_and_never_beyond_the_depth() -> None:
    assert decode_json(b'{"count":3}', Counted) == Counted(3)
    with pytest.raises(msgspec.ValidationError):
        decode_json(b'{"count":"3"}', Counted)
    assert decode_json(b'{"count":"3"}', Counted, strict=False) == Counted(3)
    with pytest.raises(MalformedInput, match="nests"):
        decode_json(b'{"other":' + b"[" * 65, Counted)


def test_the_published_pairs_agree(shared: Path) -> None:
    pairs = sorted((shared / "trust" / "jcs").rglob("input/*.json")) or sorted(
        (shared / "trust" / "jcs").rglob("*input*.json")
    )
    assert pairs, "the vectors moved"
    for source in pairs:
        wanted = Path(str(source).replace("input", "output"))
        assert jcs(parse_strict(source.read_bytes())) == wanted.read_bytes(), source.name
