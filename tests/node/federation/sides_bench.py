"""Two nodes in memory that know each other by their lists: what one shares the other adopts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict
from zhidao.core.events import Fact, every, leaf_bytes
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Journal, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.events import Delivery, DocumentSent
from zhidao.node.federation.adoption import Adoption
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.shareable import SHAREABLE
from zhidao.node.federation.sharing import Sharing
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered, DocumentAdded
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.service.log.sequencer import Sequencer, origin_of
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.governance.trust_list import encode_trust_list

START = Utc.parse("2026-05-04T08:00:00Z")
ABROAD, HOME = PartyId("abroad"), PartyId("home")
EXPORTER, IMPORTER, CARRIER = map(PartyId, ("exporter", "importer", "carrier"))
ENTRY, PAPER = b"the entry", b"the invoice"


class Side:
    """One node: journals by room, a log over all of them, sharing and adoption."""

    def __init__(
        self,
        name: PartyId,
        parties: tuple[PartyId, ...],
        seed: bytes = b"",
        exchange: Journal | None = None,
    ) -> None:
        self.name = name
        self.clock = HandClock(START)
        self.randomness = SeededRandomness(name.encode() + seed)
        self.key = SoftwareKey(Algorithm.ED25519, self.randomness.token(32))
        self.keys = {p: SoftwareKey(Algorithm.ED25519, self.randomness.token(32)) for p in parties}
        self.ids = IdSource(self.clock, self.randomness)
        self.scribe = self.scribe_with(self.key)
        self.journals = {room: MemoryJournal() for room in (*SHAREABLE, "exchange")}
        self.archive = MemoryArchive()
        self.origin = origin_of(name, self.key)
        self.store = MemoryLogStore()
        self.log = Sequencer(
            origin=self.origin, key=self.key, store=self.store, copy=MemoryHeadCopy()
        )
        self.leaves: dict[UUID, int] = {}
        self.peers: list[Peer] = []
        self.post: list[dict[str, Any]] = []
        self.directory = PartyDirectory(
            lambda: self.peers,
            lambda p: p == name or p in self.keys,
            lambda p: [key.public for held, key in self.keys.items() if held == p],
        )
        records = Records(exchange or self.journals["exchange"], self.scribe)
        self.records = records
        self.sharing = Sharing(
            records=records,
            consigned=self,
            writer=ProofWriter(self.log.reader),
            archive=self.archive,
            outgoing=self,
            related=_Nothing(),
            directory=self.directory,
            ids=self.ids,
            logged=Wakeup(),
        )
        self.adoption = Adoption(
            records=records,
            journals=self.journals,
            archive=self.archive,
            directory=self.directory,
            own_list=self.own_list,
            sharing=self.sharing,
        )

    def scribe_with(self, key: SoftwareKey) -> Scribe:
        """The node's scribe, recording with a key."""
        return Scribe(
            node=self.name,
            key=key,
            ring=FixedKeyRing(dict(self.keys)),
            clock=self.clock,
            ids=self.ids,
            randomness=self.randomness,
        )

    def meet(self, other: Side) -> None:
        """Admits the other node by its own list, or renews it: what is new came now."""
        standing = next((peer for peer in self.peers if peer.node == other.name), None)
        keys = (other.key.public,)
        listed = encode_trust_list(other.list_now())
        url = f"https://{other.name}.example"
        number = 1 + max((n for peer in self.peers for _, n in peer.came), default=0)
        had = dict(standing.came) if standing else {}
        came = tuple((one, had.get(one, number)) for one in (other.name, *other.keys))
        peer = Peer(other.name, "", url, keys, b"", "", "list", b"", None, listed, came)
        self.peers = [*(each for each in self.peers if each.node != other.name), peer]

    def list_now(self) -> TrustList:
        node = TrustedNode(self.name, NoteKey(self.origin, self.key.public), (self.key.public,))
        parties = [TrustedParty(p, p.title(), p, (k.public,)) for p, k in self.keys.items()]
        return trust_list(f"list of {self.name}", START, [node], parties)

    async def own_list(self) -> TrustList:
        return self.list_now()

    async def say(self, party: PartyId, aggregate: str, *facts: Fact, room: str = "trade") -> None:
        after = len(await self.journals[room].load(aggregate, viewer=None))
        records = Records(self.journals[room], self.scribe)
        actor = Actor(party, Role.NODE if party == self.name else Role.PARTY)
        await records.record(
            actor, aggregate, facts, after=after, owner=EXPORTER, visible=[IMPORTER, CARRIER]
        )

    async def enter(self) -> None:
        entry, paper = await self.archive.put(ENTRY), await self.archive.put(PAPER)
        await self.say(EXPORTER, "consignment/c-1", entered(entry), added("invoice", paper))

    async def relay(self) -> None:
        if not self.leaves:
            await self.log.start()
        rows = [
            e for j in self.journals.values() for e in j.written if e.event.id not in self.leaves
        ]
        async with self.store.transaction() as transaction:
            done = await self.log.append(transaction, [leaf_bytes(e.event, e.salt) for e in rows])
        self.leaves |= {e.event.id: done.first + at for at, e in enumerate(rows)}
        await self.log.sign_checkpoint()

    async def stored(self, actor: Actor, consignment: str) -> list[Stored]:
        del actor, consignment
        # As any reading of a database: others come in between.
        await asyncio.sleep(0)
        return [
            Stored(e.event, e.salt, b"", self.leaves.get(e.event.id))
            for room in SHAREABLE
            for e in self.journals[room].written
        ]

    async def send(self, actor: Actor, **document: Any) -> None:  # type: ignore[override]
        del actor
        await self.keep(**document)
        self.post.append(document)

    async def keep(self, **document: Any) -> None:
        """What an outbox writes down of a document, once; other content under its id: Conflict."""
        content = await self.archive.put(document["content"])
        aggregate = f"outgoing/{document['document']}"
        fact = DocumentSent(
            document=str(document["document"]),
            recipient=document["recipient"],
            from_party=self.name,
            to_party=document["to_party"],
            consignment=document["consignment"],
            sequence=1,
            kind=document["kind"],
            media_type=document["media_type"],
            digest="00" * 32,
            content=content,
        )
        node = Actor(self.name, Role.NODE)
        try:
            await self.records.record(node, aggregate, [fact], after=0, owner=self.name)
        except Conflict as error:
            (told,) = every(await self.records.history(aggregate), DocumentSent)
            if told.content != content:
                raise Conflict("sent with other content", code="document_differs") from error

    async def hand_over(self, to: Side) -> Delivery:
        await self.relay()
        await self.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", to.name)
        return await to.got(self, self.post[-1]["content"])

    async def got(self, sender: Side, content: bytes) -> Delivery:
        digest = await self.archive.put(content)
        return Delivery(
            document=str(self.ids.new()),
            from_party=sender.name,
            to_party=self.name,
            consignment="c-1",
            sequence=1,
            kind="zhidao.facts",
            media_type="application/json",
            digest=digest,
            content=digest,
            state="accepted",
            outcome="",
            code="",
            reason="",
            sender=sender.name,
            received_at=str(START),
        )

    async def history(self, aggregate: str, room: str = "trade") -> list[tuple[int, str, str]]:
        entries = await self.journals[room].load(aggregate, viewer=None)
        return [(e.event.version, e.event.type, e.event.recorded_by.party) for e in entries]


@dataclass
class _Nothing:
    links: list[Any] = field(default_factory=list)

    async def relate(self, links: Any) -> None:
        self.links += links

    async def of(self, subject: str) -> list[tuple[str, str]]:
        del subject
        return []

    async def of_each(self, subjects: Any) -> dict[str, list[tuple[str, str]]]:
        return {subject: await self.of(subject) for subject in subjects}

    async def subjects_of(self, room: str, aggregate: str) -> list[str]:
        del room, aggregate
        return []


def sides() -> tuple[Side, Side]:
    """The exporter's node and the one of importer and carrier."""
    one, two = Side(ABROAD, (EXPORTER,)), Side(HOME, (IMPORTER, CARRIER))
    one.meet(two)
    two.meet(one)
    return one, two


def entered(entry: str, consignment: str = "c-1") -> ConsignmentEntered:
    return ConsignmentEntered(
        consignment=consignment,
        exporter=EXPORTER,
        importer=IMPORTER,
        carrier=CARRIER,
        importer_bank=IMPORTER,
        exporter_bank=EXPORTER,
        customs=IMPORTER,
        goods="pumps",
        container="CSQU3054383",
        order="",
        lot="",
        amount_minor=1,
        currency="CNY",
        entry=entry,
        simulated=True,
        promised=[],
    )


def added(kind: str, digest: str, consignment: str = "c-1") -> DocumentAdded:
    return DocumentAdded(
        consignment=consignment,
        kind=kind,
        number="1",
        digest=digest,
        media_type="application/xml",
        valid=True,
        rules=[],
        credential="",
    )
