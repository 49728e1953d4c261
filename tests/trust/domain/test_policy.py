from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import Checkpoint, Cosigner, NoteKey, sign_note
from zhidao.trust.wire.log.note import checkpoint_text, decode_lines, encode_lines, parse_vkey, vkey
from zhidao.trust.wire.log.policy import encode_policy, parse_policy

LOG = SoftwareKey(Algorithm.ED25519, b"l" * 32)
COSIGNERS = [
    Cosigner(f"w{number}.example", SoftwareKey(Algorithm.ED25519, bytes([number]) * 32))
    for number in range(5)
]
PQ = Cosigner("pq.example", SoftwareKey(Algorithm.ML_DSA_44, b"p" * 32))
TEXT = checkpoint_text(Checkpoint("log.example", 7, b"r" * 32))
NOTE = sign_note(TEXT, [("log.example", LOG)])
POLICY = "\n".join(
    (
        "# three of five, and one of them across the border",
        f"log {vkey(NoteKey('log.example', LOG.public))} https://log.example/log",
        *(f"witness w{n} {vkey(c.note_key)}" for n, c in enumerate(COSIGNERS)),
        f"witness pq {vkey(PQ.note_key)} https://pq.example/witness",
        "group near 2 w0 w1 w2",
        "group\tfar  any w3 w4 pq",
        "group both all near far",
        "quorum both\n",
    )
).encode()


def test_a_quorum_is_complete_when_its_last_needed_witness_signed() -> None:
    policy = parse_policy(POLICY)
    lines = [COSIGNERS[0].cosign(TEXT, 100), COSIGNERS[2].cosign(TEXT, 140)]
    note = NOTE.with_lines(lines)
    with pytest.raises(Refused) as refusal:
        policy.judge(note)
    assert refusal.value.code == "quorum_not_met"
    assert "w3" in refusal.value.where
    witnessed = policy.judge(note.with_lines([PQ.cosign(TEXT, 120), COSIGNERS[4].cosign(TEXT, 90)]))
    assert (witnessed.by, witnessed.at_s) == (("pq", "w0", "w2", "w4"), 140)


def test_a_wrong_cosignature_makes_the_note_worth_nothing() -> None:
    line = PQ.cosign(TEXT, 100)
    later = (101).to_bytes(8, "big") + line.signature[8:]
    forged = NOTE.with_lines([type(line)(line.name, line.key_id, later)])
    with pytest.raises(Refused) as refusal:
        parse_policy(POLICY).judge(forged)
    assert refusal.value.code == "bad_signature"


@pytest.mark.parametrize("cosigner", [COSIGNERS[0], PQ], ids=["ed25519", "ml-dsa-44"])
def test_a_cosignature_is_over_name_time_and_head(cosigner: Cosigner) -> None:
    key = cosigner.note_key
    [line] = decode_lines(encode_lines([cosigner.cosign(TEXT, 1_700_000_000)]))
    assert key.verifies(line.signature, TEXT)
    assert parse_vkey(vkey(key)) == key
    assert not key.verifies(line.signature, TEXT.replace("7", "8"))
    assert not key.verifies(line.signature[:-1], TEXT)
    assert not key.verifies(bytes(8) + line.signature[8:], TEXT)
    assert not key.verifies(line.signature, "no checkpoint\n")


def test_a_policy_is_written_in_one_form() -> None:
    policy = parse_policy(POLICY)
    assert parse_policy(encode_policy(policy)) == policy
    assert parse_policy(b"quorum none\n").needs_witnesses is False


@pytest.mark.parametrize(
    "change",
    [
        (b"quorum both", b"quorum nobody"),
        (b"quorum both", b""),
        (b"group near 2", b"group near 4"),
        (b"group near 2", b"group near 0"),
        (b"group near 2 w0", b"group near 2 w9"),
        (b"any w3 w4", b"any w0 w4"),
        (b"witness w1 ", b"witness w0 "),
        (b"log ", b"logg "),
        (b"# three", b"\x01 three"),
        (b"quorum both", b"quorum both\nquorum both"),
        (b"group near", b"group none"),
        (b"w2\n", b"w2 \xff\n"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(change: tuple[bytes, bytes]) -> None:
    before, after = change
    assert before in POLICY
    with pytest.raises(MalformedInput):
        parse_policy(POLICY.replace(before, after, 1))


@given(st.lists(st.sampled_from([*POLICY.split(), b"\n", b" ", b"group", b"all"]), max_size=40))
def test_any_words_are_a_policy_or_malformed(words: list[bytes]) -> None:
    try:
        policy = parse_policy(b" ".join(words))
    except MalformedInput:
        return
    assert parse_policy(encode_policy(policy)) == policy


def test_a_cosignature_of_the_future_vouches_for_no_time() -> None:
    policy = parse_policy(POLICY)
    now_s = 1_700_000_000
    lines = [cosigner.cosign(TEXT, now_s) for cosigner in (COSIGNERS[0], COSIGNERS[3])]
    near = NOTE.with_lines([*lines, COSIGNERS[2].cosign(TEXT, now_s + 300)])
    assert policy.judge(near, now_s=now_s).at_s == now_s + 300
    for ahead_s in (301, 10 * 366 * 86_400):
        note = NOTE.with_lines([*lines, COSIGNERS[2].cosign(TEXT, now_s + ahead_s)])
        # Whoever has no clock judges by what the witnesses say.
        assert policy.judge(note).at_s == now_s + ahead_s
        with pytest.raises(Refused, match="w2 dated") as refusal:
            policy.judge(note, now_s=now_s)
        assert refusal.value.code == "future_cosignature"
