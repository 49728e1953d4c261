"""The `.tlog-proof` file: its form line by line, and one past each of its bounds."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import Note, sign_note
from zhidao.trust.wire.log.note import NOTE_BYTES_MAX, encode_note
from zhidao.trust.wire.log.tlog_proof import (
    PROOF_BYTES_MAX,
    TlogProof,
    decode_tlog_proof,
    encode_tlog_proof,
)

NOTE = sign_note(
    "log.example\n2\nAAAA\n", [("log.example", SoftwareKey(Algorithm.ED25519, b"k" * 32))]
)
HASH = b"\xfb" * 32
HEAD = b"c2sp.org/tlog-proof@v1\n"


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


def file(*lines: bytes, head: bytes = HEAD, note: bytes | None = None) -> bytes:
    return head + b"\n".join(lines) + b"\n\n" + (encode_note(NOTE) if note is None else note)


def test_a_file_is_header_index_path_and_note() -> None:
    proof = TlogProof(7, (HASH, bytes(32)), NOTE)
    data = file(b"index 7", b64(HASH), b64(bytes(32)))
    assert encode_tlog_proof(proof) == data
    assert decode_tlog_proof(data) == proof


def test_extra_data_stands_before_the_index() -> None:
    proof = TlogProof(0, (), NOTE, b"\xff\x00")
    data = file(b"extra /wA=", b"index 0")
    assert encode_tlog_proof(proof) == data
    assert decode_tlog_proof(data) == proof


@given(
    st.integers(0, 10**19 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=100),
)
def test_a_proof_reads_back_as_it_was(index: int, path: list[bytes], extra: bytes) -> None:
    proof = TlogProof(index, tuple(path), NOTE, extra)
    assert decode_tlog_proof(encode_tlog_proof(proof)) == proof


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: HEAD + data))
def test_any_bytes_are_a_proof_or_malformed(data: bytes) -> None:
    try:
        read = decode_tlog_proof(data)
    except MalformedInput:
        return
    assert encode_tlog_proof(read) == data


@pytest.mark.parametrize("index", [b"0", b"9", b"10", b"9999999999999999999"])
def test_an_index_has_19_digits_at_most(index: bytes) -> None:
    assert decode_tlog_proof(file(b"index " + index)).index == int(index)


@pytest.mark.parametrize("size", [1, 65_536])
def test_extra_data_have_1_to_65536_bytes(size: int) -> None:
    extra = bytes(size)
    assert decode_tlog_proof(file(b"extra " + b64(extra), b"index 1")).extra == extra


def test_a_path_has_63_hashes_at_most() -> None:
    assert len(decode_tlog_proof(file(b"index 1", *[b64(HASH)] * 63)).path) == 63


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "starts with c2sp.org/tlog-proof@v1"),
        (HEAD + b"index 1\n", "starts with"),
        (
            file(b"index 1", head=b"c2sp.org/tlog-proof@v2\n"),
            "a tlog-proof of version 2; this program understands 1",
        ),
        (file(b"index 1", head=b" c2sp.org/tlog-proof@v1\n"), "starts with"),
        (file(b"index 1", head=b""), "starts with"),
        (file(b"index 1", b"\xc3\xa4"), "ASCII"),
        (HEAD + b"\n" + encode_note(NOTE), "no line `index <number>`"),
        *(
            (file(line), "no line `index <number>`")
            for line in (
                *(b"index", b"index ", b"index -1", b"index 01", b"index 1 ", b" index 1"),
                *(b"index 1\r", b"index 1x", b"Index 1", b"index 10000000000000000000"),
            )
        ),
        (file(b"extra AAAA"), "no line `index <number>`"),
        (file(b"extra AAAA", b"extra AAAA", b"index 1"), "no line `index <number>`"),
        (file(b"index 1", b"extra AAAA"), ""),
        (file(b"extra ", b"index 1"), "extra data of 0 bytes; 1 to 65536 are read"),
        (file(b"extra " + b64(bytes(65_537)), b"index 1"), "extra data of 65537 bytes"),
        (file(b"extra AAA", b"index 1"), ""),
        (file(b"extra AB==", b"index 1"), ""),
        (file(b"index 1", *[b64(HASH)] * 64), "a path of 64 hashes; at most 63"),
        (file(b"index 1", b64(HASH[:-1])), "a hash of the path has a wrong length"),
        (file(b"index 1", b64(HASH + b"x")), "a hash of the path has a wrong length"),
        (file(b"index 1", b64(HASH)[:-1] + b"!"), ""),
        (file(b"index 1", note=b""), ""),
        (file(b"index 1", note=encode_note(NOTE)[:-1]), ""),
        (file(b"index 1", note=encode_note(NOTE) + b"\n"), ""),
    ],
)
def test_another_form_is_malformed(data: bytes, told: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        decode_tlog_proof(data)
    assert told in str(caught.value)


def test_a_file_has_room_for_a_note_and_128_kib() -> None:
    assert PROOF_BYTES_MAX == NOTE_BYTES_MAX + 131_072
    told = []
    for size in (PROOF_BYTES_MAX, PROOF_BYTES_MAX + 1):
        with pytest.raises(MalformedInput) as caught:
            decode_tlog_proof(b"x" * size)
        told.append(str(caught.value))
    assert "starts with" in told[0]
    assert f"of {PROOF_BYTES_MAX + 1} bytes; at most {PROOF_BYTES_MAX} are read" in told[1]


def test_nothing_extra_is_written_for_no_extra_data() -> None:
    assert b"extra" not in encode_tlog_proof(TlogProof(1, (), Note(NOTE.text, NOTE.signatures)))
