"""A bundle's bytes item by item, and one past each of its bounds."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.exchange.wire.bundle import (
    BUNDLE_TYPE,
    ITEM_OVERHEAD_BYTES,
    Item,
    decode_bundle,
    encode_bundle,
)

V1, V2 = b"zhidao.bundle.v1\n", b"zhidao.bundle.v2\n"
MIB = 1024 * 1024


def item(kind: str, data: bytes) -> bytes:
    return kind.encode() + len(data).to_bytes(4, "big") + data


def malformed(data: bytes, **bounds: int) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        decode_bundle(data, **bounds)
    return caught.value


def test_a_bundle_is_a_tag_and_items_with_their_lengths() -> None:
    items = [Item("E", b"abc"), Item("R", b""), Item("O", b"\xff" * 300)]
    data = V1 + b"E\0\0\0\x03abc" + b"R\0\0\0\0" + b"O\0\0\x01\x2c" + b"\xff" * 300
    assert encode_bundle(items) == data
    assert list(decode_bundle(data)) == items
    assert encode_bundle([]) == V1
    assert list(decode_bundle(V1)) == list(decode_bundle(V2)) == []
    assert BUNDLE_TYPE == "application/vnd.zhidao.bundle"
    assert len(item("E", b"")) == ITEM_OVERHEAD_BYTES


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_proof_anywhere_makes_it_a_bundle_of_version_2(place: int) -> None:
    items = [Item("E", b"e"), Item("R", b"r")]
    items.insert(place, Item("P", b"p"))
    data = V2 + b"".join(item(each.kind, each.data) for each in items)
    assert encode_bundle(items) == data
    assert list(decode_bundle(data)) == items
    refused = malformed(V1 + data[len(V1) :])
    assert refused.where == f"byte {len(V1) + 6 * place}"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a bundle of version 1 or 2"),
        (V1[:-1], "not a bundle of version 1 or 2"),
        (b"zhidao.bundle.v3\n", "a bundle of version 3; this program understands 1, 2"),
        (b" " + V1, "not a bundle of version 1 or 2"),
        *(
            (V1 + item("E", b"ab") + bad, "the bundle is cut off or damaged (byte 24)")
            for bad in (
                *(b"E", b"E\0", b"E\0\0\0", b"E\0\0\0\1", b"E\0\0\0\2x"),
                *(b"X\0\0\0\0", b"e\0\0\0\0", b"P\0\0\0\0", b"\0", b"E\xff\xff\xff\xff"),
            )
        ),
    ],
)
def test_what_is_cut_off_or_damaged_is_told_with_its_place(data: bytes, told: str) -> None:
    assert told in str(malformed(data))


def test_a_request_has_64_items_at_most_and_a_file_as_many_as_asked() -> None:
    data = V1 + item("E", b"") * 64
    assert len(decode_bundle(data)) == 64
    assert "a bundle of more than 64 items" in str(malformed(data + item("E", b"")))
    assert len(decode_bundle(data, items_max=100)) == 64
    assert len(decode_bundle(data, items_max=64)) == 64
    assert "a bundle of more than 63 items" in str(malformed(data, items_max=63))
    assert list(decode_bundle(V1, items_max=0)) == []


def test_a_request_has_six_mebibytes_at_most_and_a_file_as_many_as_asked() -> None:
    room = 6 * MIB - len(V1) - ITEM_OVERHEAD_BYTES
    data = V1 + item("E", bytes(room))
    assert len(data) == 6_291_456
    assert len(decode_bundle(data)[0].data) == room
    over = V1 + item("E", bytes(room + 1))
    assert "a bundle of 6291457 bytes; at most 6291456" in str(malformed(over))
    assert len(decode_bundle(over, bytes_max=len(over))) == 1
    assert f"at most {len(over) - 1}" in str(malformed(over, bytes_max=len(over) - 1))
