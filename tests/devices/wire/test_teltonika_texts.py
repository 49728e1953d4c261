"""Commands to Teltonika terminals and their answers: the maker's examples, and any bytes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.teltonika.packet import Packet, decode_frame
from zhidao.devices.wire.teltonika.texts import (
    CODEC_12,
    CODEC_13,
    CODEC_14,
    COMMAND,
    OTHER_IMEI,
    RESPONSE,
    TEXT_CODECS,
    Text,
    decode_texts,
    encode_texts,
)

INPUTS = (
    "00000000000000370C01060000002F4449313A31204449323A30204449333A302041494E313A302041494E323A"
    "313639323420444F313A3020444F323A3101000066E3"
)
# The maker's examples, as several programs of others quote them.
EXAMPLES = [
    ("000000000000000F0C010500000007676574696E666F0100004312", CODEC_12, Text(COMMAND, b"getinfo")),
    ("000000000000000D0C010500000005676574696F01000000CB", CODEC_12, Text(COMMAND, b"getio")),
    (
        INPUTS,
        CODEC_12,
        Text(RESPONSE, b"DI1:1 DI2:0 DI3:0 AIN1:0 AIN2:16924 DO1:0 DO2:1"),
    ),
    (
        "00000000000000170D01050000000F0000016C0A81C320676574696E666F0100006855",
        CODEC_13,
        Text(COMMAND, b"getinfo", at_ms=0x16C0A81C320),
    ),
    (
        "00000000000000160E01050000000E0352093081452251676574766572010000D2C1",
        CODEC_14,
        Text(COMMAND, b"getver", imei="352093081452251"),
    ),
]


@pytest.mark.parametrize(("frame", "codec", "text"), EXAMPLES)
def test_the_makers_examples_are_read_and_written(frame: str, codec: int, text: Text) -> None:
    raw = bytes.fromhex(frame)
    assert decode_texts(decode_frame(raw)) == (text,)
    assert encode_texts(codec, (text,)).encode() == raw


def test_a_refusal_for_another_imei_is_read() -> None:
    """The maker's example; the checksum that is quoted with it (32AC) is not that of its bytes."""
    packet = Packet(bytes.fromhex("0E011100000008035209308145246801"))
    (text,) = decode_texts(packet)
    assert text == Text(OTHER_IMEI, b"", imei="352093081452468")
    assert encode_texts(CODEC_14, (text,)) == packet


def test_frames_of_real_terminals(shared: Path) -> None:
    """All shared frames of codecs 12 and 13 with a right checksum are read."""
    file = shared / "connectivity" / "traccar" / "teltonika.jsonl"
    read = 0
    for line in file.read_text().splitlines():
        row = json.loads(line)
        fields = row["standard_fields"] or {}
        if fields.get("codec") not in ("0c", "0d") or not fields["checksum_ok"]:
            continue
        packet = decode_frame(bytes.fromhex(row["frame_hex"]))
        texts = decode_texts(packet)
        assert encode_texts(packet.codec, texts) == packet
        read += 1
    assert read == 5


@pytest.mark.parametrize("outside", [4, 8])
def test_a_time_outside_the_size_is_read_too(outside: int) -> None:
    at = 1_700_000_000 if outside == 4 else 1_700_000_000_000
    data = bytes((CODEC_13, 1, RESPONSE, 0, 0, 0, 2)) + at.to_bytes(outside, "big") + b"ok\1"
    (text,) = decode_texts(Packet(data))
    assert text == Text(RESPONSE, b"ok", at_ms=1_700_000_000_000)


def test_seconds_inside_the_size_are_read_too() -> None:
    data = bytes((CODEC_13, 1, RESPONSE, 0, 0, 0, 6)) + (1_700_000_000).to_bytes(4, "big") + b"ok\1"
    assert decode_texts(Packet(data)) == (Text(RESPONSE, b"ok", at_ms=1_700_000_000_000),)


@st.composite
def packets(draw: st.DrawFn) -> tuple[int, tuple[Text, ...]]:
    codec = draw(st.sampled_from(TEXT_CODECS))
    many = 1 if codec == CODEC_13 else 4
    one = st.builds(
        Text,
        st.sampled_from((COMMAND, RESPONSE, OTHER_IMEI)),
        st.binary(max_size=60),
        at_ms=st.integers(0, (1 << 48) - 1) if codec == CODEC_13 else st.just(0),
        imei=st.text("0123456789", min_size=15, max_size=15) if codec == CODEC_14 else st.just(""),
    )
    return codec, tuple(draw(st.lists(one, min_size=1, max_size=many)))


@given(packets())
def test_what_is_written_is_read_again(made: tuple[int, tuple[Text, ...]]) -> None:
    codec, texts = made
    assert decode_texts(encode_texts(codec, texts)) == texts


@given(st.sampled_from(TEXT_CODECS), st.binary(min_size=2, max_size=80))
def test_any_bytes_are_read_or_refused(codec: int, data: bytes) -> None:
    with suppress(MalformedInput):
        assert decode_texts(Packet(bytes((codec,)) + data))


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (CODEC_14, Text(COMMAND, b"x", imei="1234")),
        (CODEC_14, Text(COMMAND, b"x", imei="35209308145225A")),
        (CODEC_12, Text(256, b"x")),
        (CODEC_12, Text(COMMAND, bytes(1 << 14))),
        (8, Text(COMMAND, b"x")),
    ],
)
def test_what_a_codec_cannot_hold_is_refused(codec: int, text: Text) -> None:
    with pytest.raises(MalformedInput):
        encode_texts(codec, (text,))
