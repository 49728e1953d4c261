"""A world of recalls: parties, a lot with what was made of it, and consignments that hold it.

Run as a program it opens a recall on a database, for who would kill it midway:
`python -m tests.industry.service.recalling URL`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from tests.industry.domain.test_trace import GTIN, made, packed
from tests.industry.service.test_epcis import document

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Journal, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.lot_journal import LotJournal
from zhidao.industry.adapters.memory_events import MemoryEventStore
from zhidao.industry.adapters.postgres_events import PostgresEventStore
from zhidao.industry.adapters.recall_book import MemoryRecallBook, PostgresRecallBook
from zhidao.industry.service.epcis import EpcisService
from zhidao.industry.service.ports import AffectedConsignment, EventStore, RecallBook
from zhidao.industry.service.recalls import RecallService
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database
from zhidao.store.memory import MemoryArchive, MemoryJournal

NOW: Final = Utc.parse("2026-06-01T00:00:00Z")
MAKER: Final = Actor(PartyId("exporter"), Role.PARTY, person="li")
READER: Final = Actor(PartyId("importer"), Role.PARTY)
STRANGER: Final = Actor(PartyId("carrier"), Role.PARTY)
AUTHORITY: Final = Actor(PartyId("customs"), Role.PARTY)
LOT: Final = f"{GTIN}/10/L-1"
SERIALS: Final = [f"{GTIN}/21/S{n}" for n in range(4)]
EVENTS: Final = (
    made(0, *SERIALS, ilmd={"cbvmda:lotNumber": "L-1"}),
    packed(5, "urn:case", SERIALS[0], SERIALS[1]),
)


def other(actor: Actor, person: str) -> Actor:
    return replace(actor, person=person)


class Holds:
    """Consignments as the node finds them by the lots that their entries name."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[str, str]] = []

    async def holding(self, lots: Sequence[tuple[str, str]]) -> list[AffectedConsignment]:
        self.asked = list(lots)
        if ("PO-1", "L-1") not in lots:
            return []
        return [
            AffectedConsignment(f"C-{n:05d}", READER.party, (MAKER.party,), ("PO-1/L-1",))
            for n in range(self.count)
        ]


class Recalling:
    """The services on whichever store and book."""

    def __init__(
        self, store: EventStore, book: RecallBook, journal: Journal, archive: Any, holds: Holds
    ) -> None:
        clock, randomness = HandClock(NOW), SeededRandomness(1)
        key = SoftwareKey(Algorithm.ED25519, bytes(32))
        parties = (MAKER.party, READER.party, STRANGER.party, AUTHORITY.party)
        self.scribe = Scribe(
            node=PartyId("node"),
            key=key,
            ring=FixedKeyRing(dict.fromkeys(parties, key)),
            clock=clock,
            ids=IdSource(clock, randomness),
            randomness=randomness,
        )
        self.clock, self.holds, self.book, self.journal = clock, holds, book, journal
        self.epcis = EpcisService(store, self.scribe, archive, clock)

        async def is_authority(party: PartyId) -> bool:
            return party == AUTHORITY.party

        records = Records(journal, self.scribe)
        self.recalls = RecallService(
            book, records, self.scribe, archive, clock, self.epcis, is_authority
        )
        self.recalls.consignments = holds

    async def capture(self, *events: Any, by: Actor = MAKER, readers: Sequence[Actor] = ()) -> None:
        readers_of = [each.party for each in readers]
        context = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]
        context.append({"cbvmda": "urn:epcglobal:cbv:mda:"})  # type: ignore[arg-type]
        told = document(*events, **{"@context": context})
        await self.epcis.capture(by, told, readers=readers_of, proceed=False)


def in_memory(count: int = 2) -> Recalling:
    journal = MemoryJournal()
    pieces = [("09506000134352", f"S{n}", "order/PO-1", "L-1") for n in range(4)]
    book = MemoryRecallBook(journal, pieces)
    return Recalling(MemoryEventStore(journal), book, journal, MemoryArchive(), Holds(count))


async def on_postgres(database: Database, count: int = 2) -> Recalling:
    journal = LotJournal(database, lambda: None)
    store = PostgresEventStore(database, journal)
    async with database.session() as session:
        await session.execute(
            "insert into industry.piece (gtin, serial, aggregate, lot)"
            " select '09506000134352', 'S' || n, 'order/PO-1', 'L-1' from generate_series(0, 3) n"
            " on conflict do nothing"
        )
    book = PostgresRecallBook(database, journal)
    return Recalling(store, book, journal, PostgresArchive(database), Holds(count))


async def _open(url: str, count: int) -> None:
    database = await Database.open(url)
    world = await on_postgres(database, count)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await world.recalls.open(MAKER, lot=LOT, level=1, reason="")
    await database.close()


if __name__ == "__main__":
    asyncio.run(_open(sys.argv[1], int(sys.argv[2])))
