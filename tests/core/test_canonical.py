from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.canonical import Unsigned, jcs, jcs_reference, parse_strict
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


def test_what_has_no_canonical_form_is_refused() -> None:
    for value in (float("nan"), 2**53, {"a": "\ud800"}):
        with pytest.raises(MalformedInput):
            jcs(value)


def test_the_published_pairs_agree(shared: Path) -> None:
    pairs = sorted((shared / "trust" / "jcs").rglob("input/*.json")) or sorted(
        (shared / "trust" / "jcs").rglob("*input*.json")
    )
    assert pairs, "the vectors moved"
    for source in pairs:
        wanted = Path(str(source).replace("input", "output"))
        assert jcs(parse_strict(source.read_bytes())) == wanted.read_bytes(), source.name
