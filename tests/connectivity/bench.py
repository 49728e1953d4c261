"""A connectivity room in memory."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.connectivity.adapters.memory import (
    MemoryNetwork,
    MemoryObservations,
    MemoryQuestions,
)
from zhidao.connectivity.service.network import NetworkChecks
from zhidao.connectivity.service.questions import Questions
from zhidao.connectivity.service.short_messages import ShortMessages
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryJournal


@dataclass
class Bench:
    journal: MemoryJournal
    network: MemoryNetwork
    checks: NetworkChecks
    observations: MemoryObservations
    messages: ShortMessages
    questions: Questions


def bench() -> Bench:
    """A room whose clock stands."""
    clock, randomness = HandClock(Utc.parse("2026-11-24T08:00:00Z")), SeededRandomness(1)
    keys = {
        party_id(n): SoftwareKey(Algorithm.ED25519, bytes([i]) * 32)
        for i, n in enumerate(("operator", "carrier"), 1)
    }
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing(keys),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    journal = MemoryJournal()
    records = Records(journal, scribe)
    questions = Questions(
        MemoryQuestions(journal), scribe, ids=IdSource(clock, randomness), clock=clock
    )
    network, observations = MemoryNetwork(), MemoryObservations(journal)
    return Bench(
        journal,
        network,
        NetworkChecks(network, records, questions),
        observations,
        ShortMessages(observations, records, scribe),
        questions,
    )
