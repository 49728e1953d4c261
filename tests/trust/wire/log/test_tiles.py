from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trust.wire.log.tiles import (
    ENTRY_BYTES_MAX,
    TileName,
    decode_bundle,
    encode_bundle,
    parse_tile_path,
    width_at,
)

names = st.builds(
    TileName,
    level=st.none() | st.integers(0, 63),
    index=st.integers(0, 2**62 - 1) | st.integers(0, 2000),
    width=st.integers(1, 256),
)


@given(names)
def test_a_tile_is_found_by_its_own_path(name: TileName) -> None:
    assert parse_tile_path(name.path) == name


@given(
    st.text()
    | st.from_regex(
        r"([0-9]{1,2}|entries)/(x[0-9]{3}/){0,2}[0-9]{3}(\.p/[0-9]{1,3})?", fullmatch=True
    )
)
def test_any_text_is_a_path_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedInput):
        assert parse_tile_path(text).path == text


# The examples of tlog-tiles: index 1234067, and a tree of 70,000 leaves.
def test_the_examples_of_the_specification_hold() -> None:
    assert TileName(0, 1_234_067).path == "0/x001/x234/067"
    assert [width_at(level=0, index=i, size=70_000) for i in (272, 273, 274)] == [256, 112, 0]
    assert [width_at(level=1, index=i, size=70_000) for i in (0, 1, 2)] == [256, 17, 0]
    assert [width_at(level=2, index=0, size=70_000)] == [1]
    assert width_at(level=1, index=0, size=256) == 1


@pytest.mark.parametrize(
    "path",
    ["0/1", "00/001", "0/x000/001", "0/001.p/256", "0/001.p/0", "0/001/002", "64/000", "0/001\n"],
)
def test_another_spelling_of_a_path_is_malformed(path: str) -> None:
    with pytest.raises(MalformedInput):
        parse_tile_path(path)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_a_bundle_reads_back_as_it_was(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == tuple(entries)


@given(st.binary())
def test_any_bytes_are_a_bundle_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        assert encode_bundle(decode_bundle(data)) == data


def test_the_largest_entry_fits() -> None:
    assert decode_bundle(encode_bundle([bytes(ENTRY_BYTES_MAX)])) == (bytes(ENTRY_BYTES_MAX),)
