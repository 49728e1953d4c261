from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.trust.proof_bench import INVOICE, NODE, ProofBench

from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.adapters.log.cosigned_notes import MemoryCosignedNotes
from zhidao.trust.domain.note import Cosigner, Note, sign_note
from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyWitness
from zhidao.trust.domain.proof import (
    Proof,
    Replayed,
    Statement,
    named_digests,
    verify_log_part,
    verify_proof,
)
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list
from zhidao.trust.wire.log.note import decode_note, encode_note
from zhidao.trust.wire.proof_file.zdproof import decode_proof


@pytest.fixture
async def bench() -> ProofBench:
    return ProofBench()


@pytest.fixture
async def data(bench: ProofBench) -> bytes:
    return await bench.proof()


@pytest.fixture
def proof(data: bytes) -> Proof:
    return decode_proof(data)


def test_a_true_proof_holds_and_says_what_it_does_not_prove(
    bench: ProofBench, proof: Proof
) -> None:
    findings = verify_log_part(proof, bench.trust())
    assert (findings.holds, findings.sentence) == (True, "")
    assert [s.code for s in findings.proven] == ["log", "events", "speakers", "files"]
    assert "opened 4 of 4" in findings.proven[1].text
    assert [s.code for s in findings.not_proven] == ["time", "one_history", "unopened", "custody"]
    assert "carrier, exporter" in findings.not_proven[-1].text


async def test_a_history_opened_in_part_is_named() -> None:
    bench = ProofBench()
    proof = decode_proof(await bench.proof(leave_out=(1,)))
    findings = verify_log_part(proof, bench.trust())
    assert findings.holds
    assert "chain/7" in findings.not_proven[-1].text


@pytest.mark.parametrize("leave_out", [(0,), (0, 2)])
async def test_the_consignments_own_history_is_opened_without_a_gap(
    leave_out: tuple[int, ...],
) -> None:
    bench = ProofBench()
    await bench.road()
    await bench.relay()
    logged = [(i, e) for i, e in enumerate(bench.journal.written) if i not in leave_out]
    proof = decode_proof(await bench.writer.write("c-1", logged, []))
    assert verify_log_part(proof, bench.trust()).reason == "wrong_consignment"


async def test_a_proof_forged_with_fresh_keys_names_the_keys_that_count(data: bytes) -> None:
    real, forger = ProofBench(), ProofBench("forger")
    forged = decode_proof(await forger.proof())
    assert verify_log_part(forged, forger.trust()).holds
    findings = verify_log_part(forged, real.trust())
    assert findings.reason == "untrusted_root"
    assert real.node_key.public.fingerprint in findings.sentence
    assert forger.origin in findings.sentence


def test_a_log_under_the_trusted_name_with_another_key_is_untrusted(
    bench: ProofBench, proof: Proof
) -> None:
    other = SoftwareKey(Algorithm.ED25519, b"f" * 32)
    forged = replace(proof, note=sign_note(proof.note.text, [(bench.origin, other)]))
    assert verify_log_part(forged, bench.trust()).reason == "untrusted_root"


def test_a_signature_line_that_nobody_knows_is_refused(bench: ProofBench, proof: Proof) -> None:
    other = SoftwareKey(Algorithm.ED25519, b"f" * 32)
    extra = sign_note(proof.note.text, [("somebody", other)]).signatures
    padded = replace(proof, note=Note(proof.note.text, (*proof.note.signatures, *extra)))
    assert verify_log_part(padded, bench.trust()).reason == "unknown_signature"


def _trust_without(trust: TrustList, party: str) -> TrustList:
    return replace(trust, parties=tuple(p for p in trust.parties if p.party != party))


def test_a_party_that_the_list_does_not_know_is_refused(bench: ProofBench, proof: Proof) -> None:
    findings = verify_log_part(proof, _trust_without(bench.trust(), "carrier"))
    assert findings.reason == "unknown_speaker"
    assert "carrier" in findings.sentence


def test_a_party_under_another_partys_name_is_refused(bench: ProofBench, proof: Proof) -> None:
    trust = bench.trust()
    carrier, exporter = trust.parties
    swapped = replace(
        trust,
        parties=(replace(carrier, keys=exporter.keys), replace(exporter, keys=carrier.keys)),
    )
    assert verify_log_part(proof, swapped).reason == "unknown_speaker"


def test_a_recording_node_whose_key_is_not_listed_is_refused(
    bench: ProofBench, proof: Proof
) -> None:
    trust = bench.trust()
    [node] = trust.nodes
    other = SoftwareKey(Algorithm.ED25519, b"f" * 32).public
    changed = replace(trust, nodes=(replace(node, keys=(other,)),))
    assert verify_log_part(proof, changed).reason == "unknown_speaker"


def _with_event(proof: Proof, at: int, **changes: object) -> Proof:
    events = list(proof.events)
    events[at] = replace(events[at], **changes)  # type: ignore[arg-type]
    return replace(proof, events=tuple(events))


def test_changed_parts_of_an_event_are_refused_by_name(bench: ProofBench, proof: Proof) -> None:
    trust = bench.trust()
    first = proof.events[0]
    cases = {
        "not_in_log": [
            _with_event(proof, 0, index=1),
            _with_event(proof, 0, salt=bytes(32)),
            _with_event(proof, 0, event=replace(first.event, version=2)),
            _with_event(proof, 0, event=replace(first.event, custodian=False)),
            _with_event(proof, 0, inclusion=first.inclusion[:-1]),
            _with_event(proof, 3, index=4),
        ],
        "wrong_salt": [_with_event(proof, 0, salt=b""), _with_event(proof, 1, salt=bytes(32))],
        "wrong_order": [
            replace(proof, events=proof.events[::-1]),
            replace(proof, events=(proof.events[0], *proof.events)),
        ],
        "wrong_consignment": [replace(proof, consignment="c-2")],
        "wrong_origin": [replace(proof, origin="another")],
        "leftover": [
            replace(proof, blobs={**proof.blobs, digest_of(b"more"): b"more"}),
            replace(proof, blobs={d: b for d, b in proof.blobs.items() if b != INVOICE}),
        ],
        "wrong_digest": [replace(proof, blobs=dict.fromkeys(proof.blobs, b"other"))],
    }
    for code, forgeries in cases.items():
        for forgery in forgeries:
            assert verify_log_part(forgery, trust).reason == code


async def test_a_wrong_signature_inside_a_true_leaf_is_refused() -> None:
    bench = ProofBench()
    await bench.road()
    entry = bench.journal.written[0]
    unsigned = replace(entry.event, assertion=bytes(64))
    record = bench.node_key.sign(unsigned.record_message())
    bench.journal.written[0] = replace(entry, event=replace(unsigned, record=record))
    await bench.relay()
    logged = list(enumerate(bench.journal.written))
    proof = decode_proof(await bench.writer.write("c-1", logged, []))
    assert verify_log_part(proof, bench.trust()).reason == "bad_signature"


def test_any_changed_byte_of_the_file_is_refused(bench: ProofBench, data: bytes) -> None:
    trust = bench.trust()
    for at in range(0, len(data), 5):
        for bit in (1, 32):
            changed = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            try:
                holds = verify_log_part(decode_proof(changed), trust).holds
            except MalformedInput:
                holds = False
            assert not holds, f"byte {at}"


def test_replays_add_sentences_or_refuse(bench: ProofBench, proof: Proof) -> None:
    told = Statement("title", "The title passed.")

    def agrees(proof: Proof, trust: TrustList) -> Replayed:
        return Replayed(proven=(told,))

    def contradicts(proof: Proof, trust: TrustList) -> Replayed:
        raise Refused("the title never moved", code="title_mismatch")

    good = verify_proof(proof, bench.trust(), [agrees])
    assert good.holds
    assert told in good.proven
    bad = verify_proof(proof, bench.trust(), [agrees, contradicts])
    assert (bad.reason, bad.proven) == ("title_mismatch", ())
    forged = replace(proof, consignment="c-2")
    assert verify_proof(forged, bench.trust(), [contradicts]).reason == "wrong_consignment"


async def test_the_writer_takes_only_named_files_and_logged_events(bench: ProofBench) -> None:
    await bench.road()
    await bench.relay()
    logged = list(enumerate(bench.journal.written))
    assert digest_of(INVOICE) in named_digests(entry.event for _, entry in logged)
    with pytest.raises(Refused) as refusal:
        await bench.writer.write("c-1", logged, [b"unnamed"])
    assert refusal.value.code == "leftover"
    with pytest.raises(Unavailable):
        await bench.writer.write("c-1", [(99, logged[0][1])], [])
    assert bench.log.origin.startswith(f"zhidao-log/{NODE}/")


GOLDEN = Path(__file__).resolve().parents[2] / "golden"
W1 = Cosigner("w1.example", SoftwareKey(Algorithm.ED25519, b"1" * 32))
W2 = Cosigner("w2.example", SoftwareKey(Algorithm.ED25519, b"2" * 32))
QUORUM = Policy(
    (),
    (PolicyWitness("customs", W1.note_key), PolicyWitness("bank", W2.note_key)),
    (PolicyGroup("both", 2, ("customs", "bank")),),
    "both",
)


async def _cosigned(bench: ProofBench) -> bytes:
    await bench.proof()
    note = decode_note(await bench.log.reader.checkpoint())
    lines = [W1.cosign(note.text, 1_800_000_000), W2.cosign(note.text, 1_800_000_060)]
    notes = MemoryCosignedNotes()
    await notes.keep(4, encode_note(note.with_lines(lines)))
    bench.writer.witnessed_by(notes, {"middle": QUORUM})
    return await bench.writer.write("c-1", list(enumerate(bench.journal.written)), [])


async def test_a_cosigned_proof_says_who_witnessed_time_and_history() -> None:
    bench = ProofBench()
    proof = decode_proof(await _cosigned(bench))
    assert proof.policy == QUORUM
    findings = verify_log_part(proof, replace(bench.trust(), policy=QUORUM))
    assert findings.holds
    told = {each.code: each.text for each in findings.proven}
    assert "2027-01-15T08:01:00Z" in told["witnessed_time"]
    assert "bank, customs" in told["witnessed_history"]
    assert not {"time", "one_history"} & {each.code for each in findings.not_proven}


async def test_witnesses_that_only_the_proof_names_prove_nothing() -> None:
    bench = ProofBench()
    proof = decode_proof(await _cosigned(bench))
    findings = verify_log_part(proof, bench.trust())
    assert findings.holds
    assert "vouches for no witness" in findings.not_proven[0].text
    assert [each.code for each in findings.not_proven[:2]] == ["time", "one_history"]


async def test_a_list_that_asks_for_witnesses_refuses_a_proof_without_them() -> None:
    bench = ProofBench()
    proof = decode_proof(await bench.proof())
    asking = replace(bench.trust(), policy=QUORUM)
    assert verify_log_part(proof, asking).reason == "quorum_not_met"
    cosigned = decode_proof(await _cosigned(ProofBench()))
    fewer = replace(cosigned.note, signatures=cosigned.note.signatures[:-1])
    assert verify_log_part(replace(cosigned, note=fewer), asking).reason == "quorum_not_met"
    line = cosigned.note.signatures[-1]
    later = replace(line, signature=b"\0" * 7 + b"\1" + line.signature[8:])
    forged = replace(cosigned.note, signatures=(*cosigned.note.signatures[:-1], later))
    for trust in (asking, bench.trust()):
        found = verify_log_part(replace(cosigned, note=forged), trust)
        assert found.reason == "bad_signature"


async def test_a_list_with_a_policy_reads_back_as_it_was() -> None:
    trust = replace(ProofBench().trust(), policy=QUORUM)
    data = encode_trust_list(trust)
    assert decode_trust_list(data) == trust
    for change in ((b'"v":2', b'"v":1'), (b'"v":2', b'"v":3'), (b"quorum both", b"quorum none")):
        with pytest.raises(MalformedInput):
            decode_trust_list(data.replace(*change).replace(b"quorum none", b"quorum nobody"))


def test_version_2_stays_readable() -> None:
    proof = decode_proof((GOLDEN / "cosigned-v2.zdproof").read_bytes())
    findings = verify_log_part(proof, replace(ProofBench().trust(), policy=QUORUM))
    assert findings.holds
    assert {"witnessed_time", "witnessed_history"} <= {each.code for each in findings.proven}
    assert decode_trust_list((GOLDEN / "trust-v2.json").read_bytes()).policy is not None


async def test_a_proof_is_made_under_the_policy_of_the_corridor_that_is_asked_for() -> None:
    bench = ProofBench()
    await _cosigned(bench)
    logged = list(enumerate(bench.journal.written))
    proof = decode_proof(await bench.writer.write("c-1", logged, [], corridor="middle"))
    assert proof.policy == QUORUM
    with pytest.raises(Refused) as caught:
        await bench.writer.write("c-1", logged, [], corridor="northern")
    assert caught.value.code == "unknown_corridor"
    bench.writer.witnessed_by(MemoryCosignedNotes(), {"middle": QUORUM})
    with pytest.raises(Unavailable) as waiting:
        await bench.writer.write("c-1", logged, [], corridor="middle")
    assert waiting.value.code == "quorum_not_met"
    assert decode_proof(await bench.writer.write("c-1", logged, [])).policy is None
