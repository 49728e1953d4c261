"""A small node in memory that logs events and writes proofs, for tests of proofs."""

from __future__ import annotations

from typing import ClassVar

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.events import Fact, leaf_bytes
from zhidao.core.ids import IdSource, PartyId, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryJournal
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.service.log.sequencer import Sequencer, origin_of
from zhidao.trust.service.witness.proving import ProofWriter

NODE, EXPORTER, CARRIER = map(party_id, ("operator", "exporter", "carrier"))
CREATED = Utc.parse("2026-11-24T10:00:00Z")
INVOICE = b'{"window":"%s"}' % digest_of(b"raw window").encode()
WINDOW = b"raw window"


class Entered(Fact, frozen=True, kw_only=True):
    """A consignment was entered, with the digest of a document."""

    TYPE: ClassVar[str] = "test.Entered.v1"
    consignment: str
    document: str


class Published(Fact, frozen=True, kw_only=True):
    """Something for everybody."""

    TYPE: ClassVar[str] = "test.Published.v1"
    OPEN: ClassVar[bool] = True
    text: str


def key(name: str, seed: str) -> SoftwareKey:
    return SoftwareKey(Algorithm.ED25519, bytes.fromhex(digest_of(f"{seed}/{name}".encode())))


class ProofBench:
    def __init__(self, seed: str = "golden") -> None:
        self.node_key = key(NODE, seed)
        self.keys = {party: key(party, seed) for party in (EXPORTER, CARRIER)}
        self.clock = HandClock(CREATED)
        randomness = SeededRandomness(seed.encode())
        self.journal = MemoryJournal()
        scribe = Scribe(
            node=NODE,
            key=self.node_key,
            ring=FixedKeyRing(dict(self.keys)),
            clock=self.clock,
            ids=IdSource(self.clock, randomness),
            randomness=randomness,
        )
        self.records = Records(self.journal, scribe)
        self.origin = origin_of(NODE, self.node_key)
        self.store = MemoryLogStore()
        self.log = Sequencer(
            origin=self.origin, key=self.node_key, store=self.store, copy=MemoryHeadCopy()
        )
        self.writer = ProofWriter(self.log.reader)

    async def record(self, party: PartyId, aggregate: str, fact: Fact, after: int) -> None:
        self.clock.advance(60)
        await self.records.record(
            Actor(party, Role.PARTY), aggregate, [fact], after=after, owner=party
        )

    async def road(self) -> None:
        entered = Entered(consignment="c-1", document=digest_of(INVOICE))
        await self.record(EXPORTER, "consignment/c-1", entered, 0)
        await self.record(NODE, "chain/7", Published(text="deploy"), 0)
        await self.record(CARRIER, "consignment/c-1", Published(text="sealed"), 1)
        await self.record(CARRIER, "chain/7", Published(text="mint"), 1)

    async def relay(self) -> None:
        await self.log.start()
        leaves = [leaf_bytes(entry.event, entry.salt) for entry in self.journal.written]
        async with self.store.transaction() as transaction:
            await self.log.append(transaction, leaves)
        await self.log.sign_checkpoint()

    async def proof(self, *, leave_out: tuple[int, ...] = ()) -> bytes:
        await self.road()
        await self.relay()
        logged = [
            (index, entry)
            for index, entry in enumerate(self.journal.written)
            if index not in leave_out
        ]
        return await self.writer.write("c-1", logged, [INVOICE, WINDOW])

    def trust(self) -> TrustList:
        node = TrustedNode(
            NODE, NoteKey(self.origin, self.node_key.public), (self.node_key.public,)
        )
        parties = [
            TrustedParty(party, party.title(), party, (signer.public,))
            for party, signer in self.keys.items()
        ]
        return trust_list("Corridor test", CREATED, [node], parties)
