from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.merkle import SIZE_MAX
from zhidao.trust.domain.note import Checkpoint, Note, NoteKey, NoteSignature, sign_note
from zhidao.trust.wire.log.note import (
    NOTE_BYTES_MAX,
    checkpoint_text,
    decode_lines,
    decode_note,
    encode_lines,
    encode_note,
    parse_checkpoint,
    parse_vkey,
    vkey,
)

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
OTHER = SoftwareKey(Algorithm.ED25519, b"o" * 32)
ROOT = bytes(range(32))
TEXT = checkpoint_text(Checkpoint("zhidao-log/node/00", 7, ROOT))

names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1).filter(
    lambda name: "+" not in name and len(name) < 200 and name.isprintable()
)
texts = st.text(st.characters(codec="utf-8", min_codepoint=0x20), max_size=60).map(
    lambda text: text + "x\n"
)


@given(
    texts,
    st.lists(
        st.tuples(names, st.binary(min_size=4, max_size=4), st.binary(min_size=1)),
        min_size=1,
        max_size=5,
    ),
)
def test_a_note_reads_back_as_it_was(text: str, lines: list[tuple[str, bytes, bytes]]) -> None:
    note = Note(text, tuple(NoteSignature(*line) for line in lines))
    assert decode_note(encode_note(note)) == note


@given(st.binary() | st.text().map(lambda t: (t + "\n\n\u2014 " + t + "\n").encode()))
def test_any_bytes_are_a_note_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        assert encode_note(decode_note(data)) == data


@given(st.text() | st.from_regex(r"[a-z]{1,3}\n[0-9]{1,20}\n[A-Za-z0-9+/]{43}=\n", fullmatch=True))
def test_any_text_is_a_checkpoint_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedInput):
        assert checkpoint_text(parse_checkpoint(text)) == text


@given(st.integers(0, SIZE_MAX), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back_as_it_was(size: int, root: bytes) -> None:
    root = root if size else hashlib.sha256(b"").digest()
    checkpoint = Checkpoint("log.example/7", size, root, ("more",))
    assert parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint


@given(st.text())
def test_any_text_is_a_verifier_key_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedInput):
        assert vkey(parse_vkey(text)) == text


def test_a_verifier_key_reads_back_as_it_was() -> None:
    key = NoteKey("log.example/7", KEY.public)
    assert parse_vkey(vkey(key)) == key
    other = vkey(key).replace(key.id.hex(), "00000000")
    with pytest.raises(MalformedInput, match="key id"):
        parse_vkey(other)


# The example key and signature printed in the tests of golang.org/x/mod/sumdb/note.
def test_the_verifier_key_of_another_implementation_is_understood() -> None:
    theirs = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    data = text + (
        "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
        "qdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert decode_note(data.encode()).signed_by([theirs]) == (theirs,)


def test_a_note_holds_for_the_keys_that_signed_it_and_no_others() -> None:
    note = decode_note(encode_note(sign_note(TEXT, [("a", KEY), ("b", OTHER)])))
    mine, theirs = NoteKey("a", KEY.public), NoteKey("b", OTHER.public)
    assert note.signed_by([mine, theirs]) == (mine, theirs)
    assert note.signed_by([NoteKey("a", OTHER.public)]) == ()
    assert [line.name for line in note.unknown_to([mine])] == ["b"]


def test_a_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    note = sign_note(TEXT, [("a", KEY)])
    changed = Note(TEXT.replace("7", "8"), note.signatures)
    with pytest.raises(Refused, match="signature of a") as refusal:
        changed.signed_by([NoteKey("a", KEY.public)])
    assert refusal.value.code == "bad_signature"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data + b"\n",
        lambda data: data + b"x",
        lambda data: data[:-1],
        lambda data: data.replace(b"\n\n", b"\n"),
        lambda data: data.replace("\u2014 a".encode(), b"- a"),
        lambda data: data.replace(b"=\n", b"\n"),
        lambda data: data.replace(b"\n7\n", b"\n7\t\n"),
        lambda data: data.replace(b"\n7\n", b"\r\n7\n"),
        lambda data: b"\xff" + data,
        lambda data: data + data.rpartition(b"\n\n")[2] * 64,
    ],
)
def test_a_damaged_note_is_malformed(damage) -> None:
    with pytest.raises(MalformedInput):
        decode_note(damage(encode_note(sign_note(TEXT, [("a", KEY)]))))


@pytest.mark.parametrize("size", ["07", "+7", "-1", "7 ", "", "7.0", "\u0667", "1" * 20])
def test_a_tree_size_has_one_spelling(size: str) -> None:
    with pytest.raises(MalformedInput):
        parse_checkpoint(TEXT.replace("\n7\n", f"\n{size}\n"))


def test_a_root_of_another_length_is_malformed() -> None:
    with pytest.raises(MalformedInput, match="32 bytes"):
        parse_checkpoint("log\n0\nAAAA\n")


def test_only_ed25519_keys_sign_notes() -> None:
    with pytest.raises(MalformedInput, match="Ed25519"):
        NoteKey("a", SoftwareKey(Algorithm.P256, b"k" * 32).public)


def test_a_tree_without_leaves_has_the_empty_trees_root_only() -> None:
    empty = Checkpoint("log.example", 0, hashlib.sha256(b"").digest())
    assert parse_checkpoint(checkpoint_text(empty)) == empty
    with pytest.raises(MalformedInput, match="without leaves"):
        parse_checkpoint(checkpoint_text(Checkpoint("log.example", 0, b"r" * 32)))


SIGNED = sign_note(TEXT, [("zhidao-log/node/00", KEY)])
LINE = encode_lines(SIGNED.signatures)


def line_of(name: str, data: bytes) -> bytes:
    return f"\u2014 {name} {base64.b64encode(data).decode()}\n".encode()


def malformed(data: bytes) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        decode_note(data)
    return caught.value


def test_a_note_is_text_an_empty_line_and_lines_with_a_dash() -> None:
    """C2SP signed-note: an em dash, the key's name, and its id with the signature in base64."""
    [line] = SIGNED.signatures
    assert line_of(line.name, line.key_id + line.signature) == LINE
    assert encode_note(SIGNED) == TEXT.encode() + b"\n" + LINE
    assert decode_lines(LINE + LINE) == (line, line)
    assert decode_note(b"a\n\nb\n\n" + LINE).text == "a\n\nb\n"


def test_a_note_has_64_signatures_at_most() -> None:
    assert len(decode_note(b"x\n\n" + LINE * 64).signatures) == 64
    assert "a note of 65 signatures; at most 64" in str(malformed(b"x\n\n" + LINE * 65))


def test_a_note_has_256_kib_at_most() -> None:
    text = b"x" * (262_144 - len(LINE) - 2)
    assert len(text + b"\n\n" + LINE) == NOTE_BYTES_MAX == 262_144
    assert decode_note(text + b"\n\n" + LINE).text == text.decode() + "\n"
    told = str(malformed(text + b"x\n\n" + LINE))
    assert "a note of 262145 bytes; at most 262144 are read" in told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "text, an empty line and signature lines"),
        (b"x\n" + LINE, "text, an empty line and signature lines"),
        (b"\n\n" + LINE, "text, an empty line and signature lines"),
        (b"x\n\n" + LINE[:-1], "text, an empty line and signature lines"),
        (b"x\n\n", "text, an empty line and signature lines"),
        (b"x\n\n\n", ""),
        (b"x\n\n" + LINE + b"\n", ""),
        (b"x\n\n" + LINE.removeprefix("\u2014 ".encode()), "not a signature line"),
        (b"x\n\n" + LINE.replace("\u2014 ".encode(), b"- "), "not a signature line"),
        ("x\n\n\u2014 name\n".encode(), "not a signature line: '— name'"),
        (b"x\n\n" + b"y" * 60 + b"\n", f"not a signature line: {'y' * 48!r}"),
        (b"x\n\n" + line_of("name", b"1234"), "holds a key id and a signature"),
        (b"x\n\n" + line_of("name", b""), "holds a key id and a signature"),
        (b"x\n\n" + line_of("na+me", b"12345"), ""),
        (b"x\n\n" + line_of("", b"12345"), ""),
        (b"x\x00\n\n" + LINE, "no control characters"),
        (b"x\t\n\n" + LINE, "no control characters"),
        (b"x\r\n\n" + LINE, "no control characters"),
        (b"x\x1f\n\n" + LINE, "no control characters"),
        (b"x\n\n" + LINE.replace(b" ", b"  ", 1), ""),
    ],
)
def test_another_note_is_told_what_is_wrong_with_it(data: bytes, told: str) -> None:
    assert told in str(malformed(data))


def test_other_text_than_utf_8_is_told_with_its_place() -> None:
    assert malformed(b"abc\xff\n\n" + LINE).where == "byte 3"


def test_a_signature_of_one_byte_is_one_and_a_space_is_no_control_character() -> None:
    [line] = decode_note(b"a b\n\n" + line_of("name", b"12345")).signatures
    assert line == NoteSignature("name", b"1234", b"5")


@pytest.mark.parametrize("data", [b"", b"x\n", LINE + b"x\n", LINE[:-1], b"y\n\n" + LINE + b"z"])
def test_a_witness_answers_with_lines_and_nothing_else(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode_lines(data)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "at least three lines and ends in a newline"),
        ("o\n1\n", "at least three lines and ends in a newline"),
        ("o\n1\nAAAA", "at least three lines and ends in a newline"),
        (f"o\n1\n{base64.b64encode(ROOT).decode()}\nx", "ends in a newline"),
        ("o\n01\nAAAA\n", "not a tree size: '01'"),
        (f"o\n{'1' * 30}\nAAAA\n", f"not a tree size: {'1' * 24!r}"),
        (f"o\n0\n{base64.b64encode(ROOT).decode()}\n", "has one root only, and this is another"),
    ],
)
def test_another_checkpoint_is_told_what_is_wrong_with_it(text: str, told: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        parse_checkpoint(text)
    assert told in str(caught.value)


def test_a_checkpoint_may_say_more_in_lines_behind_its_root() -> None:
    root = base64.b64encode(ROOT).decode()
    found = parse_checkpoint(f"o\n1\n{root}\nmore\nand more\n")
    assert found == Checkpoint("o", 1, ROOT, ("more", "and more"))
    assert checkpoint_text(found) == f"o\n1\n{root}\nmore\nand more\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("+", "-", 1), "not a verifier key"),
        (lambda text: text + "\n", "not a verifier key"),
        (lambda text: text.upper(), "not a verifier key"),
        (lambda text: "x" + text, "is not its key's"),
        (lambda text: "y" * 60, f"not a verifier key: {'y' * 48!r}"),
    ],
)
def test_another_verifier_key_is_told_what_is_wrong_with_it(change, told: str) -> None:
    good = vkey(NoteKey("log.example", KEY.public))
    assert parse_vkey(good).key == KEY.public
    with pytest.raises(MalformedInput) as caught:
        parse_vkey(change(good))
    assert told in str(caught.value)
