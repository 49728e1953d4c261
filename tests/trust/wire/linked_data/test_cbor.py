from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trust.wire.linked_data.cbor import decode, encode

values = st.recursive(
    st.integers(0, 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(0, 300) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_written_is_read_back(value: object) -> None:
    with contextlib.suppress(MalformedInput):  # Deeper than disclosure proofs ever are.
        assert decode(encode(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        decode(data)


# RFC 8949 appendix A.
@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("a201020304", {1: 2, 3: 4}),
        ("d8404101", b"\1"),
    ],
)
def test_examples_of_the_specification(data: str, value: object) -> None:
    assert decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    ["", "1817", "190018", "5f4101ff", "f5", "fb3ff0000000000000", "a2010201ff", "a201020102",
     "4401", "9a00ffffff", "0000", "62c328", "d901004101"],
)  # fmt: skip
def test_other_spellings_are_refused(data: str) -> None:
    with pytest.raises(MalformedInput):
        decode(bytes.fromhex(data))
