from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import Checkpoint, Cosigner, NoteKey, NoteKind, sign_note
from zhidao.trust.domain.policy import (
    Policy,
    PolicyGroup,
    PolicyLog,
    PolicyWitness,
    Witnessed,
)
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


def log(number: int, kind: NoteKind = NoteKind.PLAIN, url: str = "") -> PolicyLog:
    algorithm = Algorithm.ML_DSA_44 if kind is NoteKind.COSIGNATURE_ML_DSA_44 else Algorithm.ED25519
    key = SoftwareKey(algorithm, number.to_bytes(32, "big")).public
    return PolicyLog(NoteKey(f"log{number}", key, kind), url)


def witness(number: int, name: str = "") -> PolicyWitness:
    key = SoftwareKey(Algorithm.ED25519, (10_000 + number).to_bytes(32, "big"))
    return PolicyWitness(name or f"w{number}", Cosigner(f"w{number}.example", key).note_key)


def group(name: str, threshold: int, *members: str) -> PolicyGroup:
    return PolicyGroup(name, threshold, members)


def policy(*, logs=(), witnesses=(), groups=(), quorum: str = "none") -> Policy:
    return Policy(tuple(logs), tuple(witnesses), tuple(groups), quorum)


def test_a_policy_has_256_logs_and_512_names_at_most() -> None:
    logs = [log(n) for n in range(257)]
    assert len(policy(logs=logs[:256]).logs) == 256
    witnesses = [witness(n) for n in range(512)]
    groups = [group(f"g{n}", 1, f"w{n}") for n in range(256)]
    assert policy(witnesses=witnesses).quorum == "none"
    assert policy(witnesses=witnesses[:256], groups=groups, quorum="g1").needs_witnesses
    for wrong in (
        {"logs": logs},
        {"witnesses": [*witnesses, witness(512)]},
        {"witnesses": witnesses[:257], "groups": groups},
    ):
        with pytest.raises(MalformedInput, match="more than 256 logs or 512 names"):
            policy(**wrong)


@pytest.mark.parametrize(
    ("given_policy", "told"),
    [
        ({"logs": [log(1), log(2), log(1)]}, "lists a log twice"),
        ({"witnesses": [witness(1), witness(1, "other")]}, "lists a witness twice"),
        ({"witnesses": [witness(1, "w"), witness(2, "w")]}, "two witnesses of the policy bear one"),
        (
            {"witnesses": [PolicyWitness("w", log(1).key)]},
            "a witness's key is of a cosignature type",
        ),
        ({"logs": [PolicyLog(witness(1).key)]}, "a log's key is of type 01 or 06"),
        (
            {"witnesses": [witness(1)], "groups": [group("w1", 1, "w1")]},
            "the policy defines 'w1' twice",
        ),
        (
            {
                "witnesses": [witness(1), witness(2)],
                "groups": [group("g", 1, "w1"), group("g", 1, "w2")],
            },
            "the policy defines 'g' twice",
        ),
        ({"groups": [group("g", 1)]}, "group 'g' cannot reach its threshold"),
        (
            {"witnesses": [witness(1)], "groups": [group("g", 2, "w1")]},
            "group 'g' cannot reach its threshold",
        ),
        (
            {"witnesses": [witness(1)], "groups": [group("g", 0, "w1")]},
            "group 'g' cannot reach its threshold",
        ),
        (
            {"witnesses": [witness(1)], "groups": [group("g", 1, "w1", "w1")]},
            "group 'g' names 'w1', unknown or counted already",
        ),
        (
            {"witnesses": [witness(1)], "groups": [group("g", 1, "h"), group("h", 1, "w1")]},
            "group 'g' names 'h', unknown or counted already",
        ),
        ({"witnesses": [witness(1, "none")]}, "the policy defines no quorum 'none'"),
        ({"witnesses": [witness(1)], "quorum": "w2"}, "the policy defines no quorum 'w2'"),
    ],
)
def test_what_a_policy_says_against_itself_is_told(given_policy, told: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        policy(**given_policy)
    assert told in str(caught.value)


def test_a_log_may_have_a_plain_key_or_an_ml_dsa_one() -> None:
    both = policy(logs=[log(1), log(2, NoteKind.COSIGNATURE_ML_DSA_44)])
    assert [each.url for each in both.logs] == ["", ""]
    assert witness(1).url == ""
    assert both.log_keys("log2") == (log(2, NoteKind.COSIGNATURE_ML_DSA_44).key,)
    assert both.log_keys("log3") == ()


def test_a_quorum_is_met_by_one_witness_or_by_enough_members_of_its_group() -> None:
    w1, w2, w3 = (witness(n) for n in (1, 2, 3))
    one = policy(witnesses=[w1, w2], quorum="w1")
    assert one.keys == (w1.key, w2.key)
    assert one.is_met_by({w1.key})
    assert not one.is_met_by({w2.key})
    assert policy(witnesses=[w1]).is_met_by(set())
    nested = policy(
        witnesses=[w1, w2, w3],
        groups=[group("g", 2, "w1", "w2"), group("h", 1, "g", "w3")],
        quorum="h",
    )
    met = {
        n: nested.is_met_by({w.key for bit, w in enumerate((w1, w2, w3)) if n >> bit & 1})
        for n in range(8)
    }
    assert met == {0: False, 1: False, 2: False, 3: True, 4: True, 5: True, 6: True, 7: True}


def test_the_first_cosignature_that_completes_a_quorum_gives_its_time() -> None:
    asked = policy(
        witnesses=[PolicyWitness(f"w{n}", c.note_key) for n, c in enumerate(COSIGNERS[:3])],
        groups=[group("any", 1, "w0", "w1", "w2")],
        quorum="any",
    )
    alone = NOTE.with_lines([COSIGNERS[1].cosign(TEXT, 50)])
    assert asked.judge(alone) == Witnessed(("w1",), 50)
    later = alone.with_lines([COSIGNERS[0].cosign(TEXT, 70), COSIGNERS[2].cosign(TEXT, 40)])
    assert asked.judge(later) == Witnessed(("w0", "w1", "w2"), 40)
    with pytest.raises(Refused) as caught:
        asked.judge(NOTE)
    assert str(caught.value).startswith("0 of 3 witnesses cosigned, which is no quorum")
    assert caught.value.where == "missing: w0, w1, w2"


def test_a_policy_without_a_quorum_asks_nobody_and_still_checks_who_signed() -> None:
    asked = policy(witnesses=[PolicyWitness("w0", COSIGNERS[0].note_key)])
    assert asked.judge(NOTE) == Witnessed((), 0)
    signed = NOTE.with_lines([COSIGNERS[0].cosign(TEXT, 1_000)])
    assert asked.judge(signed) == Witnessed((), 0)
    assert asked.judge(signed, now_s=700) == Witnessed((), 0)
    with pytest.raises(Refused) as caught:
        asked.judge(signed, now_s=699)
    assert caught.value.code == "future_cosignature"
    assert "w0 dated its cosignature 301 s ahead" in str(caught.value)
    assert caught.value.remedy == "compare this machine's clock with that of the witness"
