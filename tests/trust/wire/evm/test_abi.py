from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trust.wire.evm import abi

VALUES = {
    "address": st.binary(min_size=20, max_size=20),
    "bool": st.booleans(),
    "uint256": st.integers(min_value=0, max_value=2**256 - 1),
    "uint64": st.integers(min_value=0, max_value=2**64 - 1),
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes": st.binary(max_size=100),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
}
ARGUMENTS = st.lists(st.sampled_from(sorted(VALUES)), max_size=6).flatmap(
    lambda kinds: st.tuples(st.just(kinds), st.tuples(*(VALUES[kind] for kind in kinds)))
)


@given(ARGUMENTS)
def test_arguments_are_read_back_as_written(arguments):
    kinds, values = arguments
    assert abi.decode(kinds, abi.encode(kinds, values)) == values


@given(st.lists(st.sampled_from(sorted(VALUES)), max_size=4), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_never_spelled_twice(kinds, data: bytes):
    try:
        values = abi.decode(kinds, data)
    except MalformedInput:
        return
    assert abi.encode(kinds, values) == data


def test_the_example_of_the_specification_is_written_as_printed_there():
    # Solidity documentation, Contract ABI Specification, "Examples": sam(bytes,bool,uint256[])
    # without its array, and the selector of baz(uint32,bool).
    assert abi.selector("baz(uint32,bool)").hex() == "cdcd77c0"
    call = abi.encode_call("baz(uint32,bool)", (69, True))
    assert call.hex() == "cdcd77c0" + "45".rjust(64, "0") + "1".rjust(64, "0")
    dynamic = abi.encode(("bytes", "bool"), (b"dave", True))
    assert dynamic.hex() == (
        "40".rjust(64, "0") + "1".rjust(64, "0") + "4".rjust(64, "0") + "64617665".ljust(64, "0")
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("address", b"short"),
        ("uint8", 256),
        ("uint256", -1),
        ("uint256", True),
        ("bool", 1),
        ("bytes4", b"12345"),
        ("bytes", "text"),
        ("string", "\ud800"),
        ("bytes33", b"1" * 33),
        ("int256", 1),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(kind: str, value):
    with pytest.raises(MalformedInput):
        abi.encode((kind,), (value,))


@pytest.mark.parametrize(
    ("kinds", "data"),
    [
        (("address",), b"\x01" + bytes(31)),
        (("bool",), bytes(31) + b"\x02"),
        (("uint64",), b"\x01" + bytes(31)),
        (("bytes4",), bytes(31) + b"\x01"),
        (("bytes",), bytes(31) + b"\x40" + bytes(64)),
        (("bytes",), bytes(31) + b"\x20" + bytes(31) + b"\x01" + b"a" + b"\x01" * 31),
        (("bytes",), bytes(31) + b"\x20" + b"\xff" * 32),
        (("uint256",), bytes(33)),
        (("string",), bytes(31) + b"\x20" + bytes(31) + b"\x01" + b"\xff" + bytes(31)),
    ],
)
def test_dirty_padding_moved_offsets_and_tails_are_refused(kinds, data: bytes):
    with pytest.raises(MalformedInput):
        abi.decode(kinds, data)
