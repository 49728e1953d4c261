from __future__ import annotations

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trust.wire.evm import rlp

ITEMS = st.recursive(
    st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=20
)


@given(ITEMS)
def test_what_is_written_is_read_back_and_agrees_with_another_codec(item):
    data = rlp.encode(item)
    assert rlp.decode(data) == item
    assert data == oracle.encode(item)


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_and_never_spelled_twice(data: bytes):
    try:
        item = rlp.decode(data)
    except MalformedInput:
        return
    assert rlp.encode(item) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8100",
        "817f",
        "b800",
        "b837" + "00" * 55,
        "b9003800",
        "c1",
        "c281",
        "8180ff",
        "f800",
        "c7" + "bf" + "ff" * 6,
        "c0" * 2,
    ],
)
def test_second_spellings_and_cut_items_are_refused(text: str):
    with pytest.raises(MalformedInput):
        rlp.decode(bytes.fromhex(text))


def test_deep_nesting_is_refused():
    with pytest.raises(MalformedInput, match="deeper"):
        rlp.decode(b"\xc1" * 40 + b"\xc0")


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_integers_keep_their_value(number: int):
    assert rlp.decode_integer(rlp.encode_integer(number), name="n") == number


@pytest.mark.parametrize("item", [[], b"\x00\x01", b"\x01" * 33])
def test_integers_in_another_form_are_refused(item):
    with pytest.raises(MalformedInput):
        rlp.decode_integer(item, name="n")
