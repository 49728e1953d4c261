"""What the tests of trade share: a golden entry, the real rules, and a room over memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.trade.rules_in_process import RulesInProcess

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.industry.events import LotFinished
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.service.consignments import ConsignmentService
from zhidao.trade.service.delivery import Journey
from zhidao.trade.service.issuing import Issuing
from zhidao.trade.service.papers import PaperShelf
from zhidao.trade.service.validation import Validation
from zhidao.trust.service.credentials.credentials import CredentialService

DATA = Path(__file__).parent / "data"
PARTIES = ("exporter", "importer", "carrier", "importer-bank", "exporter-bank", "customs")
NODE = party_id("node")


@pytest.fixture
def entry_bytes() -> bytes:
    """The golden entry file."""
    return (DATA / "entry.json").read_bytes()


@pytest.fixture
def bill_bytes() -> bytes:
    """The carrier's bill that agrees with the golden entry."""
    return (DATA / "bill_of_lading.json").read_bytes()


@pytest.fixture
def short_bill_bytes(bill_bytes: bytes) -> bytes:
    """A bill over fewer packages and less weight than were packed."""
    plain = json.loads(bill_bytes)
    cargo = plain["consignmentItems"][0]["cargoItems"][0]
    cargo["outerPackaging"]["numberOfPackages"] = 12
    cargo["cargoGrossWeight"]["value"] = 1087.2
    return json.dumps(plain).encode()


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The real rules in this process; skips where no pack is installed."""
    try:
        return Judge(newest_pack(default_folder(), EN16931_UBL.package))
    except Unavailable as error:
        pytest.skip(str(error))


class OneLot:
    """The lots of a factory that has finished one."""

    def __init__(self, lot: LotFinished) -> None:
        self.finished = lot

    async def lot(self, actor: Actor, *, order: str, lot: str) -> LotFinished:
        if (order, lot) != (self.finished.order, self.finished.lot):
            raise NotFound("no lot of that name")
        return self.finished


@dataclass
class World:
    """The trade room over memory, with the keys of six parties."""

    consignments: ConsignmentService
    journey: Journey
    validation: Validation
    records: Records
    journal: MemoryJournal
    archive: MemoryArchive
    scribe: Scribe
    credentials: CredentialService
    lots: OneLot

    @staticmethod
    def actor(party: str) -> Actor:
        return Actor(party_id(party), Role.PARTY)


def lot_of(quality: str, *, within_limits: bool = True, pieces: int = 24) -> LotFinished:
    return LotFinished(
        order="PO-2026-117",
        lot="L-0417",
        gtin="06901234567892",
        serials=[f"SP40-{n:04d}" for n in range(pieces)],
        within_limits=within_limits,
        samples=48,
        quality=quality,
        epcis=quality,
        epcis_hashes=[],
        simulated=True,
    )


@pytest.fixture
async def world(judge: Judge) -> World:
    clock = HandClock(Utc.parse("2026-09-10T08:00:00Z"))
    randomness = SeededRandomness(7)
    keys = {party_id(p): SoftwareKey(Algorithm.ED25519, randomness.token(32)) for p in PARTIES}
    node_key = SoftwareKey(Algorithm.ED25519, randomness.token(32))
    ring = FixedKeyRing(keys)
    scribe = Scribe(
        node=NODE,
        key=node_key,
        ring=ring,
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    archive = MemoryArchive()
    journal = MemoryJournal()
    records = Records(journal, scribe)
    lots = OneLot(lot_of(await archive.put(b'{"samples":[]}')))
    credentials = CredentialService(
        records=Records(MemoryJournal(), scribe),
        archive=archive,
        ring=ring,
        node_key=node_key,
        clock=clock,
        known={},
    )
    validation = Validation(RulesInProcess(judge))
    consignments = ConsignmentService(
        records=records,
        archive=archive,
        issuing=Issuing(archive=archive, validation=validation, credentials=credentials, lots=lots),
        shelf=PaperShelf(archive=archive, lots=lots, node=NODE),
        clock=clock,
    )
    return World(
        consignments=consignments,
        journey=Journey(records),
        validation=validation,
        records=records,
        journal=journal,
        archive=archive,
        scribe=scribe,
        credentials=credentials,
        lots=lots,
    )
