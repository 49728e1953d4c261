"""Signed chunks: each field is covered, and a window is only whole when all of it is there."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.devices.wire.chunk import (
    CHUNKS_MAX,
    KIND_CHUNK,
    KIND_NONCE,
    PAYLOAD_BYTES_MAX,
    WINDOW_BYTES_MAX,
    Chunk,
    NonceGrant,
    decode_chunk,
    sign_chunks,
    verify_chunk,
    window_of,
)

KEYS = {a: SoftwareKey(a, bytes([7] * a.secret_bytes)) for a in Algorithm}
NONCE, WINDOW = bytes(range(16)), bytes(range(16, 32))


def _chunks(data: bytes, algorithm: Algorithm = Algorithm.ED25519, size: int = 100):
    return sign_chunks(
        data, window=WINDOW, nonce=NONCE, simulated=True, key=KEYS[algorithm], payload_bytes=size
    )


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_window_comes_back_under_every_algorithm(algorithm: Algorithm):
    chunks = _chunks(b"observations" * 30, algorithm)
    contents = [chunk.encode() for chunk in chunks]
    assert [decode_chunk(content) for content in contents] == chunks
    got = window_of(contents, key=KEYS[algorithm].public, nonce=NONCE)
    assert got == b"observations" * 30


@settings(max_examples=60)
@given(st.integers(0, 8 * 200 - 1))
def test_no_bit_of_a_chunk_can_change(bit: int):
    content = bytearray(_chunks(bytes(75))[0].encode())
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    with pytest.raises((MalformedInput, Refused)):
        verify_chunk(decode_chunk(bytes(content)), KEYS[Algorithm.ED25519].public)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_chunk_or_malformed(data: bytes):
    try:
        chunk = decode_chunk(data)
    except MalformedInput:
        return
    assert chunk.encode() == data


def test_another_key_is_named_as_unknown():
    stranger = SoftwareKey(Algorithm.ED25519, bytes([8] * 32))
    with pytest.raises(Refused) as caught:
        verify_chunk(_chunks(b"x")[0], stranger.public)
    assert caught.value.code == "unknown_key"


def test_a_missing_or_foreign_chunk_makes_no_window():
    chunks = [chunk.encode() for chunk in _chunks(bytes(250))]
    key = KEYS[Algorithm.ED25519].public
    for wrong in (chunks[:2], chunks[::-1], [], [chunks[0], chunks[0], chunks[2]]):
        with pytest.raises(Refused):
            window_of(wrong, key=key, nonce=NONCE)
    with pytest.raises(Refused):
        window_of(chunks, key=key, nonce=bytes(16))


def test_unknown_flags_and_versions_are_malformed():
    content = bytearray(_chunks(b"x")[0].encode())
    for place in (0, 41):
        changed = bytes(content[:place]) + b"\x80" + bytes(content[place + 1 :])
        with pytest.raises(MalformedInput):
            decode_chunk(changed)
    assert (
        replace(_chunks(b"x")[0], simulated=False).signed_bytes() != _chunks(b"x")[0].signed_bytes()
    )


def test_a_nonce_grant_comes_back():
    grant = NonceGrant(NONCE, 900)
    assert NonceGrant.decode(grant.encode()) == grant
    with pytest.raises(MalformedInput):
        NonceGrant.decode(grant.encode() + b"x")


def test_the_bytes_are_those_that_the_format_says():
    key = KEYS[Algorithm.ED25519]
    (chunk,) = _chunks(b"abc")
    key_id = hashlib.sha256(b"\xed\x01" + key.public.raw).digest()[:8]
    head = b"".join(
        (
            *(b"\x01", WINDOW, b"\0\0\0\x01", b"\0\0\0\x01", NONCE, b"\x01"),
            *(b"\0\0\0\x03", b"abc", b"\x01", key_id),
        )
    )
    assert chunk.encode() == head + key.sign(b"zhidao devices chunk v1\n" + head)
    assert NonceGrant(NONCE, 900).encode() == b"\x01" + NONCE + b"\0\0\x03\x84"
    assert (KIND_CHUNK, KIND_NONCE) == (0xF0, 0xF1)


def test_whether_it_is_simulated_and_nothing_beyond_the_signature_is_read():
    for simulated in (True, False):
        (chunk,) = sign_chunks(
            *(b"x",), window=WINDOW, nonce=NONCE, simulated=simulated, key=KEYS[Algorithm.ED25519]
        )
        assert decode_chunk(chunk.encode()).simulated is simulated
        with pytest.raises(MalformedInput):
            decode_chunk(chunk.encode() + b"x")


def test_a_chunk_that_another_key_signed_makes_no_window():
    chunks = [chunk.encode() for chunk in _chunks(b"x")]
    with pytest.raises(Refused) as caught:
        window_of(chunks, key=SoftwareKey(Algorithm.ED25519, bytes([8] * 32)).public, nonce=NONCE)
    assert caught.value.code == "unknown_key"


@pytest.mark.bound("devices.wire.chunk.WINDOW_BYTES_MAX")
@pytest.mark.bound("devices.wire.chunk.CHUNKS_MAX")
def test_a_window_has_at_most_eight_mebibytes_in_at_most_2048_chunks():
    assert WINDOW_BYTES_MAX == 8 * 2**20
    assert len(_chunks(bytes(WINDOW_BYTES_MAX), size=2**20)) == 8
    assert len(_chunks(bytes(2048), size=1)) == 2048
    for data, size in ((bytes(WINDOW_BYTES_MAX + 1), 2**20), (bytes(2049), 1), (b"", 1)):
        with pytest.raises(Refused, match="a window has"):
            _chunks(data, size=size)


def _told(**fields: object) -> bytes:
    return replace(_chunks(b"x")[0], **fields).encode()


def test_chunks_are_counted_from_one_to_their_total_and_to_2048():
    for sequence, total in ((1, 1), (CHUNKS_MAX, CHUNKS_MAX), (1, 2048)):
        read: Chunk = decode_chunk(_told(sequence=sequence, total=total))
        assert (read.sequence, read.total) == (sequence, total)
    for sequence, total in ((0, 1), (2, 1), (1, 2049)):
        with pytest.raises(MalformedInput, match="at most 2048"):
            decode_chunk(_told(sequence=sequence, total=total))


@pytest.mark.bound("devices.wire.chunk.PAYLOAD_BYTES_MAX")
def test_a_payload_has_at_most_32_kibibytes():
    most = bytes(32 * 1024)
    assert len(most) == PAYLOAD_BYTES_MAX
    assert decode_chunk(_told(payload=most)).payload == most
    with pytest.raises(MalformedInput, match="32768 at most"):
        decode_chunk(_told(payload=most + b"x"))
