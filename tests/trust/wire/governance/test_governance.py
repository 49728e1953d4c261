from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trust.proof_bench import ProofBench

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.governance import Standing, version_leaf
from zhidao.trust.domain.merkle import leaf_hash
from zhidao.trust.domain.note import Checkpoint, Cosigner, NoteKey, sign_note
from zhidao.trust.domain.policy import Policy, PolicyLog, PolicyWitness
from zhidao.trust.service.witness.governing import believe
from zhidao.trust.wire.governance.governance import (
    GovernedFile,
    decode_governed,
    encode_governed,
    missing_signatures,
    propose,
    sign_governed,
    verify_governed,
)
from zhidao.trust.wire.governance.trust_list import encode_trust_list
from zhidao.trust.wire.log.note import checkpoint_text
from zhidao.trust.wire.log.tlog_proof import TlogProof, encode_tlog_proof

GOLDEN = Path(__file__).resolve().parents[3] / "golden"
KEYS = [SoftwareKey(Algorithm.ED25519, bytes([n + 1]) * 32) for n in range(5)]
LOG = SoftwareKey(Algorithm.ED25519, b"l" * 32)
WITNESS = Cosigner("w.example", SoftwareKey(Algorithm.ED25519, b"w" * 32))
POLICY = Policy(
    (PolicyLog(NoteKey("log.example", LOG.public)),),
    (PolicyWitness("customs", WITNESS.note_key),),
    (),
    "customs",
)
TRUST = replace(ProofBench().trust(), policy=POLICY)
LIST = encode_trust_list(TRUST)
EXPIRES = Utc.parse("2027-03-24T10:00:00Z")


def proposed(
    *, after: GovernedFile | None = None, governors: tuple[int, ...] = (0, 1, 2)
) -> GovernedFile:
    return propose(
        LIST,
        governors=[KEYS[n].public for n in governors],
        threshold=2,
        expires=EXPIRES,
        after=after,
    )


def signed(file: GovernedFile, *by: int) -> GovernedFile:
    for number in by:
        file = sign_governed(file, KEYS[number])
    return file


FIRST = signed(proposed(), 0, 1)


def refusal(file: GovernedFile, **more: str) -> str:
    with pytest.raises(Refused) as refused:
        verify_governed(file, **more)
    return refused.value.code


def test_two_of_three_governors_make_a_version_and_one_does_not() -> None:
    assert missing_signatures(proposed()) == 2
    assert refusal(proposed()) == "threshold_not_met"
    assert refusal(signed(proposed(), 2)) == "threshold_not_met"
    assert refusal(signed(proposed(), 2, 2)) == "threshold_not_met"
    found = verify_governed(FIRST, pinned=FIRST.root_fingerprint)
    assert (found.version, found.threshold, len(found.governors)) == (1, 2, 3)
    assert found.signers == tuple(sorted(KEYS[n].public.fingerprint for n in (0, 1)))
    assert found.trust == TRUST
    assert decode_governed(encode_governed(FIRST)) == FIRST
    with pytest.raises(Refused) as stranger:
        sign_governed(proposed(), KEYS[4])
    assert stranger.value.code == "not_a_governor"


def test_governors_rotate_only_with_the_consent_of_those_before() -> None:
    next_one = proposed(after=FIRST, governors=(2, 3, 4))
    assert refusal(signed(next_one, 3, 4)) == "threshold_not_met"
    assert refusal(signed(next_one, 0, 1)) == "threshold_not_met"
    rotated = signed(next_one, 0, 2, 3)
    found = verify_governed(rotated, pinned=FIRST.root_fingerprint)
    assert (found.version, found.root_version) == (2, 2)
    third = signed(proposed(after=rotated, governors=(2, 3, 4)), 3, 4)
    assert verify_governed(third).root_version == 2
    fourth = proposed(after=third, governors=(2, 3, 4))
    assert refusal(signed(fourth, 0)) == "threshold_not_met"


def test_a_list_is_neither_turned_back_nor_forked_nor_begun_anew() -> None:
    before = verify_governed(FIRST)
    second = signed(proposed(after=FIRST), 0, 1)
    newer = verify_governed(second)
    for older, code in ((FIRST, "rolled_back"),):
        with pytest.raises(Refused) as refused:
            believe(older, before=newer)
        assert refused.value.code == code
    other = encode_trust_list(replace(TRUST, name="Other"))
    fork = signed(
        propose(other, governors=[k.public for k in KEYS[:3]], threshold=2, expires=EXPIRES),
        0,
        1,
    )
    with pytest.raises(Refused) as forked:
        believe(fork, before=before)
    assert forked.value.code == "forked_list"
    stranger = signed(proposed(governors=(2, 3, 4)), 3, 4)
    assert refusal(stranger, pinned=FIRST.root_fingerprint) == "untrusted_root"


def test_a_list_expires_warns_before_and_speaks_for_older_facts_after() -> None:
    found = verify_governed(FIRST)
    assert found.standing(Utc.parse("2027-01-01T00:00:00Z")) is Standing.CURRENT
    assert found.standing(Utc.parse("2027-03-01T00:00:00Z")) is Standing.EXPIRING
    late = Utc.parse("2027-04-01T00:00:00Z")
    assert found.standing(late) is Standing.EXPIRED
    found.check_admits(Utc.parse("2027-03-01T00:00:00Z"))
    found.check_speaks(Utc.parse("2027-03-01T00:00:00Z"))
    for check in (
        lambda: found.check_admits(late),
        lambda: found.check_speaks(late),
        lambda: found.check_speaks(None),
    ):
        with pytest.raises(Refused) as refused:
            check()
        assert refused.value.code == "list_expired"


def test_what_no_single_party_may_do_cannot_be_proposed() -> None:
    one, two = KEYS[0].public, KEYS[1].public
    for governors, threshold in (([one, two], 1), ([one, one], 2), ([one, two], 3)):
        with pytest.raises(Refused) as refused:
            propose(LIST, governors=governors, threshold=threshold, expires=EXPIRES)
        assert refused.value.code == "bad_threshold"
    with pytest.raises(Refused) as short:
        propose(LIST, governors=[one, two], threshold=2, expires=Utc.parse("2026-12-31T00:00:00Z"))
    assert short.value.code == "short_lifetime"


def test_a_version_is_fresh_when_a_quorum_saw_its_leaf() -> None:
    found = verify_governed(FIRST)
    leaf = version_leaf(TRUST.name, 1, found.digest)
    text = checkpoint_text(Checkpoint("log.example", 1, leaf_hash(leaf)))
    note = sign_note(text, [("log.example", LOG)])
    cosigned = note.with_lines([WITNESS.cosign(text, 1_795_000_000)])
    seen = replace(FIRST, seen=encode_tlog_proof(TlogProof(0, (), cosigned)))
    fresh = believe(seen).fresh
    assert fresh is not None
    assert (fresh.by, fresh.at_s) == (("customs",), 1_795_000_000)
    assert believe(FIRST).fresh is None
    for bad, code in (
        (TlogProof(0, (), note), "quorum_not_met"),
        (TlogProof(1, (), cosigned), "bad_inclusion"),
    ):
        with pytest.raises(Refused) as refused:
            believe(replace(FIRST, seen=encode_tlog_proof(bad)))
        assert refused.value.code == code


@pytest.mark.parametrize("at", range(0, len(encode_governed(FIRST)), 97))
def test_no_changed_byte_is_believed(at: int) -> None:
    data = bytearray(encode_governed(FIRST))
    data[at] ^= 1
    with pytest.raises((MalformedInput, Refused)):
        verify_governed(decode_governed(bytes(data)), pinned=FIRST.root_fingerprint)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_governed_list_or_malformed(data: bytes) -> None:
    with suppress(MalformedInput):
        decode_governed(data)


def test_version_1_stays_readable() -> None:
    file = decode_governed((GOLDEN / "governed-v1.zdtrust").read_bytes())
    found = verify_governed(file, pinned=FIRST.root_fingerprint)
    assert (found.version, found.digest) == (1, FIRST.digest)
