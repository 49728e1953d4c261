"""What a verdict says, word for word, and what each refusal of a proof is called and tells."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from tests.trust.domain.test_proof import QUORUM, W1, W2
from tests.trust.proof_bench import CARRIER, INVOICE, NODE, ProofBench, Published

from zhidao.core.ambient import SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.note import sign_note
from zhidao.trust.domain.proof import (
    WITNESSED,
    Findings,
    Proof,
    Replayed,
    Statement,
    named_digests,
    reachable,
    verify_log_part,
    verify_proof,
)
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.proof_file.zdproof import decode_proof

LOG = "zhidao-log/operator/2746add072252d92"
KEY = "2746-add0-7225-2d92-43a0-2161-5d5e-26eb"
NO_WITNESS = "no witness has cosigned the log."
STRANGERS = "the trust list vouches for no witness that cosigned it (customs, bank)."
KEPT = Statement(
    "custody",
    "That carrier, exporter spoke themselves: the node keeps their keys for them and could have "
    "signed in their place.",
)


def proven(files: int, opened: int = 4, voices: str = "carrier (2), exporter (1), operator (1)"):
    return (
        Statement(
            "log",
            f"The log {LOG} of operator signed a head of 4 leaves; its key {KEY} stands in the "
            "trust list Corridor test.",
        ),
        Statement(
            "events",
            f"{opened} events are in that log as they were written: opened {opened} of 4.",
        ),
        Statement("speakers", f"Each was signed with a key of whoever is named: {voices}."),
        Statement("files", f"{files} enclosed files are the very ones that the events name."),
    )


def unwitnessed(why: str) -> tuple[Statement, ...]:
    return (
        Statement("time", f"When anything was written down is the node's word: {why}"),
        Statement("one_history", f"That the node showed everybody the same log: {why}"),
    )


def unopened(count: int) -> Statement:
    return Statement("unopened", f"What the other {count} leaves of the log say.")


async def logged(bench: ProofBench, *blobs: bytes, leave_out: tuple[int, ...] = ()) -> Proof:
    """A proof over what the bench wrote so far."""
    await bench.relay()
    entries = [each for each in enumerate(bench.journal.written) if each[0] not in leave_out]
    return decode_proof(await bench.writer.write("c-1", entries, blobs))


def same_journal(bench: ProofBench) -> ProofBench:
    """Another log over what the bench wrote."""
    again = ProofBench()
    again.journal.written.extend(bench.journal.written)
    return again


@pytest.fixture
async def bench() -> ProofBench:
    bench = ProofBench()
    await bench.road()
    return bench


async def test_a_proof_without_witnesses_says_so_word_for_word(bench: ProofBench) -> None:
    proof = await logged(bench, INVOICE)
    found = verify_log_part(proof, bench.trust())
    said = (*unwitnessed(NO_WITNESS), unopened(0), KEPT)
    assert found == Findings("", "", proven(1), said, frozenset())
    assert verify_proof(proof, bench.trust(), []) == found


async def test_what_is_opened_in_part_is_told_by_name(bench: ProofBench) -> None:
    proof = await logged(bench, leave_out=(1,))
    voices = "carrier (2), exporter (1)"
    gap = Statement("gaps", "The whole history of chain/7: only opened in part.")
    assert verify_log_part(proof, bench.trust()) == Findings(
        "",
        "",
        proven(0, 3, voices),
        (*unwitnessed(NO_WITNESS), unopened(1), KEPT, gap),
        frozenset(),
    )
    # An end that is not opened is seen in no version, and the leaves are counted.
    cut = verify_log_part(await logged(same_journal(bench), leave_out=(3,)), bench.trust())
    assert [each.code for each in cut.not_proven] == [
        *("time", "one_history", "unopened", "custody"),
    ]
    assert cut.not_proven[2] == unopened(1)


async def cosigned(bench: ProofBench) -> Proof:
    proof = await logged(bench)
    lines = [W1.cosign(proof.note.text, 1_800_000_000), W2.cosign(proof.note.text, 1_800_000_060)]
    return replace(proof, note=proof.note.with_lines(lines), policy=QUORUM)


async def test_a_quorum_proves_time_and_history_word_for_word(bench: ProofBench) -> None:
    found = verify_log_part(await cosigned(bench), replace(bench.trust(), policy=QUORUM))
    by_whom = (
        Statement(
            "witnessed_time",
            "All of it was written by 2027-01-15T08:01:00Z at the latest: bank, customs cosigned "
            "the head of 4 leaves by then.",
        ),
        Statement(
            "witnessed_history",
            "The node showed one and the same log to bank, customs, which are a quorum of the "
            "trust list's policy.",
        ),
    )
    said = (unopened(0), KEPT)
    assert WITNESSED == "witnessed"
    assert found == Findings("", "", (*proven(0), *by_whom), said, frozenset(("witnessed",)))


async def test_witnesses_of_the_proof_alone_are_named_as_strangers(bench: ProofBench) -> None:
    proof = await cosigned(bench)
    found = verify_log_part(proof, bench.trust())
    assert found.not_proven == (*unwitnessed(STRANGERS), unopened(0), KEPT)
    assert found.shown == frozenset()
    asked = replace(proof, note=replace(proof.note, signatures=proof.note.signatures[:1]))
    assert verify_log_part(asked, bench.trust()).not_proven[:2] == unwitnessed(NO_WITNESS)


@pytest.mark.parametrize(("ahead_s", "reason"), [(300, ""), (301, "future_cosignature")])
async def test_no_witness_cosigned_after_the_readers_own_clock(ahead_s, reason) -> None:
    """By five minutes at most, which clocks may differ by; in whole seconds of Unix time."""
    bench = ProofBench()
    await bench.road()
    proof, trust = await cosigned(bench), replace(bench.trust(), policy=QUORUM)
    now = Utc.from_unix_ns((1_800_000_060 - ahead_s) * 1_000_000_000)
    assert verify_log_part(proof, trust, now=now).reason == reason
    assert verify_proof(proof, trust, [], now=now).reason == reason
    assert verify_log_part(proof, trust).reason == ""


async def test_a_refusal_tells_both_sides(bench: ProofBench) -> None:
    proof, trust = await logged(bench), bench.trust()
    other = SoftwareKey(Algorithm.ED25519, b"f" * 32)
    forged = replace(proof, note=sign_note(proof.note.text, [(LOG, other), ("second", other)]))
    [first, second] = (line.key_id.hex() for line in forged.note.signatures)
    signed = f"{LOG} (key id {first}), second (key id {second})"
    assert verify_log_part(forged, trust) == Findings(
        "untrusted_root",
        f"the log's head is signed by {signed}; the trust list knows {LOG} ({KEY})",
    )
    [node] = ProofBench("second").trust().nodes
    two = replace(trust, nodes=(*trust.nodes, replace(node, party=party_id("zhidao"))))
    assert verify_log_part(forged, two).sentence.endswith(
        "; the trust list knows " + ", ".join(f"{k.name} ({k.key.fingerprint})" for k in two.logs)
    )
    assert verify_log_part(forged, replace(trust, nodes=())).sentence == (
        f"the log's head is signed by {signed}; the trust list knows no log"
    )
    assert verify_log_part(replace(proof, origin="x"), trust) == Findings(
        "wrong_origin", f"the checkpoint is of {LOG}, the file says x"
    )
    line = sign_note(proof.note.text, [("somebody", other)]).signatures
    padded = replace(proof, note=replace(proof.note, signatures=(*proof.note.signatures, *line)))
    assert verify_log_part(padded, trust) == Findings(
        "unknown_signature", "a signature line of somebody is by no key of the trust list"
    )


async def test_a_refused_event_is_told_with_its_id_and_why(bench: ProofBench) -> None:
    proof, trust = await logged(bench), bench.trust()
    first, *rest = proof.events
    where = f"event {first.event.id}"

    def with_first(**changes: object) -> Findings:
        opened = replace(first, **changes)  # type: ignore[arg-type]
        return verify_log_part(replace(proof, events=(opened, *rest)), trust)

    for salt in (b"", first.salt[:-1], first.salt + b"x"):
        found = with_first(salt=salt)
        assert found.reason == "wrong_salt"
        assert found.sentence == f"the salt has a wrong length ({where})"
    found = with_first(index=1)
    assert found.reason == "not_in_log"
    assert found.sentence == f"test.Entered.v1 is not in the log at 1 ({where})"


async def test_versions_of_an_aggregate_rise_in_the_order_of_the_log(bench: ProofBench) -> None:
    written = bench.journal.written
    # The other aggregate's events in the wrong order, each well signed and in the log.
    written[1], written[3] = written[3], written[1]
    found = verify_log_part(await logged(bench), bench.trust())
    assert found == Findings("wrong_order", "chain/7 has version 1 after 2")


async def test_a_version_that_is_logged_twice_is_refused(bench: ProofBench) -> None:
    scribe_event = bench.journal.written[3]
    bench.journal.written.append(scribe_event)
    found = verify_log_part(await logged(bench), bench.trust())
    assert found == Findings("wrong_order", "chain/7 has version 2 after 2")


async def test_an_event_opened_twice_or_out_of_place_is_refused(bench: ProofBench) -> None:
    proof, trust = await logged(bench), bench.trust()
    one, two, three, four = proof.events
    for events in ((one, one, two, three, four), (two, one, three, four), (one, three, two, four)):
        assert verify_log_part(replace(proof, events=events), trust) == Findings(
            "wrong_order", "events stand in the order of the log, each once"
        )


async def test_a_proof_of_no_consignment_may_open_any_part(bench: ProofBench) -> None:
    proof, trust = await logged(bench, leave_out=(0,)), bench.trust()
    assert verify_log_part(proof, trust).sentence == (
        "the history of consignment/c-1 is not opened from its beginning without a gap"
    )
    found = verify_log_part(proof, trust, of_consignment=False)
    assert found.holds
    assert found.not_proven[-1].text == (
        "The whole history of consignment/c-1: only opened in part."
    )
    other = replace(await logged(same_journal(bench)), consignment="c-2")
    assert verify_log_part(other, trust).reason == "wrong_consignment"
    assert verify_log_part(other, trust, of_consignment=False).holds


async def test_who_speaks_well_for_himself_still_records_for_nobody() -> None:
    """The recorder's key is in the list as a party's, which is no node's."""
    bench = ProofBench()
    randomness = SeededRandomness(b"another")
    scribe = Scribe(
        node=CARRIER,
        key=bench.keys[CARRIER],
        ring=FixedKeyRing(dict(bench.keys)),
        clock=bench.clock,
        ids=IdSource(bench.clock, randomness),
        randomness=randomness,
    )
    bench.records = Records(bench.journal, scribe)
    await bench.record(CARRIER, "consignment/c-1", Published(text="sealed"), 0)
    found = verify_log_part(await logged(bench), bench.trust())
    assert found.reason == "unknown_speaker"
    key = bench.keys[CARRIER].public.fingerprint
    [event] = [entry.event for entry in bench.journal.written]
    assert found.sentence == f"the trust list gives carrier no key {key} (event {event.id})"
    assert isinstance(event.id, UUID)


async def test_files_are_what_their_digests_say_and_named(bench: ProofBench) -> None:
    proof, trust = await logged(bench, INVOICE), bench.trust()
    digest = digest_of(INVOICE)
    found = verify_log_part(replace(proof, blobs={digest: b"other"}), trust)
    assert found == Findings("wrong_digest", f"the file {digest[:16]}… has other bytes")
    extra = digest_of(b"more")
    found = verify_log_part(replace(proof, blobs={**proof.blobs, extra: b"more"}), trust)
    assert found == Findings("leftover", f"nothing proven names the file {extra[:16]}…")


async def naming(data: bytes, *named: bytes) -> set[str]:
    """What is reachable of files named by a file that an event names."""
    bench = ProofBench()
    await bench.record(CARRIER, "consignment/c-1", Published(text=f"see {digest_of(data)}."), 0)
    proof = await logged(bench)
    blobs = {digest_of(blob): blob for blob in (data, *named)}
    return reachable(replace(proof, blobs=blobs)) - {digest_of(data)}


RAW = b"raw window"
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("begin", "names"),
    [(b'{"a":"', True), (b'["', True), (b'"', False), (b" {", False), (b"PK", False), (b"", False)],
)
async def test_an_enclosed_json_file_names_others_and_no_other_file_does(begin, names) -> None:
    data = begin + digest_of(RAW).encode() + b'"'
    assert await naming(data, RAW) == ({digest_of(RAW)} if names else set())


@pytest.mark.parametrize(("size", "names"), [(MIB - 1, True), (MIB, True), (MIB + 1, False)])
async def test_a_file_of_up_to_a_mebibyte_is_searched_for_names(size, names) -> None:
    data = b'["' + digest_of(RAW).encode() + b'"]'
    padded = data + b" " * (size - len(data))
    assert await naming(padded, RAW) == ({digest_of(RAW)} if names else set())


async def test_names_are_followed_through_files_and_round_in_a_ring() -> None:
    last = b'{"x":1}'
    middle = b'["%s"]' % digest_of(last).encode()
    first = b'["%s","%s"]' % (digest_of(middle).encode(), b"0" * 64)
    found = await naming(first, middle, last)
    assert found == {digest_of(middle), digest_of(last), "0" * 64}
    # A file that is not enclosed names nothing.
    assert await naming(first, last) == {digest_of(middle), "0" * 64}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(("0" * 64, 1), ("0" * 63, 0), ("0" * 65, 0), ("A" * 64, 0), ("g" + "0" * 64 + "g", 1)),
        ("0" * 64 + " " + "1" * 64, 2),
    ],
)
async def test_a_digest_is_64_digits_with_none_beside_them(text: str, count: int) -> None:
    bench = ProofBench()
    await bench.record(CARRIER, "consignment/c-1", Published(text=text), 0)
    assert len(named_digests(entry.event for entry in bench.journal.written)) == count


async def test_replays_add_what_they_show_and_the_first_refusal_is_the_verdict(
    bench: ProofBench,
) -> None:
    proof, trust = await logged(bench), bench.trust()

    def title(asked: Proof, by: TrustList) -> Replayed:
        assert (asked, by) == (proof, trust)
        return Replayed((Statement("title", "a"),), (Statement("holder", "b"),), frozenset("t"))

    def position(_asked: Proof, _by: TrustList) -> Replayed:
        return Replayed((Statement("position", "c"),), (), frozenset("p"))

    def broken(_asked: Proof, _by: TrustList) -> Replayed:
        raise MalformedInput("no such title", code="bad_title")

    plain = verify_log_part(proof, trust)
    assert verify_proof(proof, trust, [title, position]) == Findings(
        "",
        "",
        (*plain.proven, Statement("title", "a"), Statement("position", "c")),
        (*plain.not_proven, Statement("holder", "b")),
        frozenset("tp"),
    )
    assert verify_proof(proof, trust, [title, broken, position]) == Findings(
        "bad_title", "no such title"
    )
    assert NODE == "operator"
