"""A decision of a peer counts by the peer's log, and by witnesses where a policy asks for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from tests.trust.proof_bench import NODE, ProofBench, Published, key

from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.node.adapters.pvp_post import LoggedDecisions
from zhidao.store.reading import Stored
from zhidao.trust.adapters.log.cosigned_notes import MemoryCosignedNotes
from zhidao.trust.domain.note import Cosigner, NoteKey
from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyLog, PolicyWitness
from zhidao.trust.wire.log.note import decode_note, encode_note

WITNESSES = [Cosigner(name, key(name, "w")) for name in ("w1.example", "w2.example", "w3.example")]
AT_S = 1_800_000_000


@dataclass
class Decider:
    """A node's log with one decision in it."""

    bench: ProofBench
    cosigned: MemoryCosignedNotes

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        entries = [entry for entry in self.bench.journal.written if entry.event.id == event_id]
        for entry in entries:
            index = self.bench.journal.written.index(entry)
            return Stored(entry.event, entry.salt, b"", index)
        return None

    @property
    def decision(self) -> SignedEvent:
        return self.bench.journal.written[1].event

    async def cosign(self, *witnesses: Cosigner) -> None:
        note = decode_note(await self.bench.log.reader.checkpoint())
        lines = [each.cosign(note.text, AT_S) for each in witnesses]
        await self.cosigned.keep(4, encode_note(note.with_lines(lines)))

    def prover(self, *policies: Policy) -> LoggedDecisions:
        """What this node, or a peer of it, asks by these policies."""
        peer: Any = SimpleNamespace(keys=(self.bench.node_key.public,))
        return LoggedDecisions(
            self.bench.log.reader,
            self,
            lambda _: peer,
            policies=policies,
            cosigned=self.cosigned,
        )

    def policy(self, quorum: int = 2, *, logs: bool = True) -> Policy:
        log = NoteKey(self.bench.origin, self.bench.node_key.public)
        other = NoteKey("other.example", key("other", "w").public)
        names = tuple(each.name for each in WITNESSES)
        return Policy(
            (PolicyLog(log if logs else other),),
            tuple(PolicyWitness(each.name, each.note_key) for each in WITNESSES),
            (PolicyGroup("some", quorum, names),),
            "some" if quorum else "none",
        )


@pytest.fixture
async def decider() -> Decider:
    bench = ProofBench()
    await bench.road()
    await bench.relay()
    assert isinstance(bench.journal.written[1].event.payload["text"], str)
    assert Published.OPEN
    return Decider(bench, MemoryCosignedNotes())


async def test_without_a_policy_the_peers_log_is_enough(decider: Decider) -> None:
    proof = await decider.prover().prove(decider.decision)
    assert proof is not None
    await decider.prover().check(decider.decision, proof, node=NODE)
    await decider.prover(decider.policy(logs=False)).check(decider.decision, proof, node=NODE)


async def test_where_a_policy_knows_the_log_a_quorum_must_have_seen_it(decider: Decider) -> None:
    alone = await decider.prover().prove(decider.decision)
    assert alone is not None
    strict = decider.prover(decider.policy())
    with pytest.raises(Refused) as refused:
        await strict.check(decider.decision, alone, node=NODE)
    assert refused.value.code == "quorum_not_met"
    # The decider itself tells nobody before its witnesses have answered.
    assert await strict.prove(decider.decision) is None
    await decider.cosign(WITNESSES[0])
    assert await strict.prove(decider.decision) is None
    await decider.cosign(*WITNESSES[:2])
    seen = await strict.prove(decider.decision)
    assert seen is not None
    await strict.check(decider.decision, seen, node=NODE)


async def test_who_is_no_witness_or_saw_another_head_does_not_count(decider: Decider) -> None:
    strict = decider.prover(decider.policy())
    false = Cosigner("w2.example", key("false", "w"))
    await decider.cosign(WITNESSES[0], false)
    assert await strict.prove(decider.decision) is None
    note = decode_note(await decider.bench.log.reader.checkpoint())
    text = note.text.replace("\n4\n", "\n5\n")
    lines = [each.cosign(text, AT_S) for each in WITNESSES]
    await decider.cosigned.keep(4, encode_note(note.with_lines(lines)))
    assert await strict.prove(decider.decision) is None


async def test_one_policy_of_several_is_enough_and_one_without_witnesses_asks_nothing(
    decider: Decider,
) -> None:
    await decider.cosign(*WITNESSES[:2])
    both = decider.prover(decider.policy(3), decider.policy(2))
    proof = await both.prove(decider.decision)
    assert proof is not None
    await both.check(decider.decision, proof, node=NODE)
    with pytest.raises(Refused):
        await decider.prover(decider.policy(3)).check(decider.decision, proof, node=NODE)


async def test_a_quorum_does_not_make_up_for_what_is_not_in_the_log(decider: Decider) -> None:
    await decider.cosign(*WITNESSES)
    strict = decider.prover(decider.policy())
    proof = await strict.prove(decider.decision)
    assert proof is not None
    forged = replace(decider.decision, payload={"text": "pay me"})
    with pytest.raises(Refused) as refused:
        await strict.check(forged, proof, node=NODE)
    assert refused.value.code == "pvp_unlogged"
    closed = decider.bench.journal.written[0].event
    with pytest.raises(Refused):
        await strict.check(closed, proof, node=NODE)
