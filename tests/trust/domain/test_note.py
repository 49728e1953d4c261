"""Names, kinds and heads of signed notes: what they may be, by the rules of C2SP."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.merkle import SIZE_MAX
from zhidao.trust.domain.note import (
    Checkpoint,
    Cosigner,
    Note,
    NoteKey,
    NoteKind,
    NoteSignature,
    check_key_name,
    sign_note,
)

LOG = SoftwareKey(Algorithm.ED25519, bytes([1] * 32))
WITNESS = Cosigner("witness.example", SoftwareKey(Algorithm.ED25519, bytes([2] * 32)))
LATTICE = Cosigner("lattice.example", SoftwareKey(Algorithm.ML_DSA_44, bytes([3] * 32)))
HEAD = Checkpoint("log.example", 3, bytes(32))
TEXT = "log.example\n3\n" + "A" * 43 + "=\n"


@pytest.mark.parametrize("name", ["a", "log.example/2026", "\u4e1c\u6e2f", "n" * 255])
def test_a_key_is_called_by_any_printable_word(name: str) -> None:
    assert check_key_name(name) == name
    assert NoteKey(name, LOG.public).name == name


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "\u3000", "a\x00", "\x7f", "n" * 256]
)
def test_no_name_breaks_a_line_or_a_key_or_is_longer_than_255_characters(name: str) -> None:
    with pytest.raises(MalformedInput, match="key name"):
        check_key_name(name)
    with pytest.raises(MalformedInput, match="key name"):
        NoteKey(name, LOG.public)


def test_three_types_of_signatures_are_known_and_only_cosignatures_tell_a_time() -> None:
    kinds = [NoteKind.of(byte) for byte in (b"\x01", b"\x04", b"\x06")]
    ed25519, ml_dsa_44 = Algorithm.ED25519, Algorithm.ML_DSA_44
    assert [kind.algorithm for kind in kinds] == [ed25519, ed25519, ml_dsa_44]
    assert [kind.timed for kind in kinds] == [False, True, True]
    for byte in (b"", b"\x02", b"\x05", b"\x01\x01"):
        with pytest.raises(MalformedInput) as refused:
            NoteKind.of(byte)
        assert refused.value.code == "unknown_algorithm"


def test_a_key_id_is_the_start_of_a_digest_over_name_type_and_key() -> None:
    for key, byte in ((NoteKey("log.example", LOG.public), 1), (WITNESS.note_key, 4)):
        named = f"{key.name}\n".encode() + bytes([byte]) + key.key.raw
        assert key.id == hashlib.sha256(named).digest()[:4]


def test_a_key_of_another_algorithm_than_its_type_is_none() -> None:
    for key, kind in (
        (LOG.public, NoteKind.COSIGNATURE_ML_DSA_44),
        (LATTICE.signer.public, NoteKind.PLAIN),
        (SoftwareKey(Algorithm.P256, bytes([4] * 32)).public, NoteKind.PLAIN),
    ):
        with pytest.raises(MalformedInput) as refused:
            NoteKey("a", key, kind)
        assert refused.value.code == "unknown_algorithm"


@pytest.mark.parametrize(
    "wrong",
    [
        *({"origin": ""}, {"origin": "a\nb"}, {"size": -1}, {"size": SIZE_MAX + 1}),
        *({"root": bytes(31)}, {"root": bytes(33)}),
        *({"extensions": ("",)}, {"extensions": ("a", "b\nc")}),
    ],
)
def test_a_head_is_an_origin_a_size_a_root_and_lines(wrong: dict[str, object]) -> None:
    assert replace(HEAD, size=0, extensions=("a", "b")).extensions == ("a", "b")
    assert replace(HEAD, size=SIZE_MAX).size == SIZE_MAX
    with pytest.raises(MalformedInput):
        replace(HEAD, **wrong)


def test_a_cosignature_counts_once_with_its_earliest_time_and_a_plain_line_never() -> None:
    note = sign_note(TEXT, [("log.example", LOG)])
    note = note.with_lines([WITNESS.cosign(TEXT, at_s) for at_s in (900, 700, 800)])
    note = note.with_lines([LATTICE.cosign(TEXT, 750)])
    keys = [NoteKey("log.example", LOG.public), WITNESS.note_key, LATTICE.note_key]
    assert note.signed_by(keys) == tuple(keys)
    times = {each.key.name: each.at_s for each in note.cosigned_by(keys)}
    assert times == {"witness.example": 700, "lattice.example": 750}
    assert note.with_lines([note.signatures[0]]) == note
    assert [line.name for line in note.unknown_to(keys[:2])] == ["lattice.example"]


def test_lines_of_strangers_are_passed_over_and_a_wrong_one_of_a_known_key_spoils_the_note() -> (
    None
):
    key = NoteKey("log.example", LOG.public)
    note = sign_note(TEXT, [("log.example", LOG)])
    stranger = NoteSignature("log.example", b"\x00\x00\x00\x00", b"anything")
    assert note.with_lines([stranger]).signed_by([key]) == (key,)
    for line in (
        NoteSignature(key.name, key.id, bytes(64)),
        NoteSignature(key.name, key.id, b""),
    ):
        with pytest.raises(Refused, match=r"signature of log\.example is wrong"):
            note.with_lines([line]).signed_by([key])
    short = NoteSignature("witness.example", WITNESS.note_key.id, b"\x00" * 7)
    with pytest.raises(Refused):
        Note(TEXT, (short,)).cosigned_by([WITNESS.note_key])
    assert not WITNESS.note_key.verifies(WITNESS.cosign(TEXT, 5).signature, "no head\n")
