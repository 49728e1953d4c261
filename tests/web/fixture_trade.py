"""The real routes of entry and window over memory, with declarations that wait for customs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.trade.rules_in_process import RulesInProcess

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.industry.events import LotFinished
from zhidao.node.api.trade import codes as trade_codes
from zhidao.node.api.trade import consignments as trade
from zhidao.node.api.trade import entry as trade_entry
from zhidao.node.api.trade import origin as trade_origin
from zhidao.node.api.trade import window as trade_window
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.adapters.listing_file import ListingFile
from zhidao.trade.adapters.lodged_numbers import MemoryLodgedNumbers
from zhidao.trade.adapters.memory_drafts import MemoryDrafts
from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
from zhidao.trade.adapters.printing.entry_printing import print_document
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.model.known_codes import SHORT_CODES
from zhidao.trade.domain.verdict import Verdict
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.consignments import ConsignmentService
from zhidao.trade.service.document_set import make_set
from zhidao.trade.service.issuing import Issuing
from zhidao.trade.service.papers import PaperShelf
from zhidao.trade.service.presenting import PresentationService
from zhidao.trade.service.releases import Releases
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire import canonical_entry
from zhidao.trust.service.credentials.credentials import CredentialService

ENTRY = Path(__file__).parents[1] / "trade" / "data" / "set_entry.json"
_PARTIES = ("exporter", "importer", "customs", "health", "importer-bank")


class NoLots:
    """A factory that has finished nothing."""

    async def lot(self, actor: Actor, *, order: str, lot: str) -> LotFinished:
        raise NotFound("no lot of that name")


class NoRules:
    """What judges invoices on a machine without a pack."""

    async def judge(self, document: bytes) -> Verdict:
        raise Unavailable("no rule pack is installed", code="no_rule_pack")


def _road(
    records: Records, archive: MemoryArchive, ring: FixedKeyRing, scribe: Scribe, clock: HandClock
) -> tuple[ConsignmentService, Validation]:
    """The consignments of the road, judged by the machine's own pack."""
    try:
        rules: Any = RulesInProcess(Judge(newest_pack(default_folder(), EN16931_UBL.package)))
    except Unavailable:
        rules = NoRules()
    validation, lots = Validation(rules), NoLots()
    credentials = CredentialService(
        records=records,
        archive=archive,
        ring=ring,
        node_key=SoftwareKey(Algorithm.ED25519, bytes(range(32))),
        clock=clock,
        known={},
    )
    service = ConsignmentService(
        records=records,
        archive=archive,
        issuing=Issuing(archive=archive, validation=validation, credentials=credentials, lots=lots),
        shelf=PaperShelf(archive=archive, lots=lots, node=party_id("node")),
    )
    return service, validation


class Trade:
    """The routes, and what fills them before the first question."""

    def __init__(self) -> None:
        clock, dice = HandClock(Utc.parse("2026-09-12T08:00:00Z")), SeededRandomness(7)
        made = {party_id(p): SoftwareKey(Algorithm.ED25519, dice.token(32)) for p in _PARTIES}
        ring = FixedKeyRing(made)
        scribe = Scribe(
            node=party_id("node"),
            key=SoftwareKey(Algorithm.ED25519, dice.token(32)),
            ring=ring,
            clock=clock,
            ids=IdSource(clock, dice),
            randomness=dice,
        )
        journal = MemoryJournal()
        records, archive = Records(journal, scribe), MemoryArchive()
        self._clearance = Clearance(
            records=records,
            archive=archive,
            rules=REFERENCE,
            listings=ListingFile(None),
            numbers=MemoryLodgedNumbers(journal),
        )
        presentations = PresentationService(
            records=records, archive=archive, ring=ring, clock=clock
        )
        consignments, validation = _road(records, archive, ring, scribe, clock)
        releases = Releases(consignments, self._clearance)
        self.routers: list[Any] = [
            trade.routes(consignments, validation, releases),
            trade_entry.routes(MemoryDrafts(), clock, print_document),
            trade_codes.routes(SHORT_CODES),
            trade_origin.routes(SHORT_CODES),
            trade_window.routes(self._clearance, releases, presentations),
        ]

    async def fill(self) -> None:
        """Lodges a declaration of each kind with customs; one also asks an agency."""
        consignment = canonical_entry.read(ENTRY.read_bytes())
        for kind, party in (("export_declaration", "exporter"), ("import_declaration", "importer")):
            lodged = await self._clearance.submit(
                Actor(party_id(party), Role.PARTY),
                make_set(consignment, [FORMS[kind]])[0].data,
                kind=kind,
                customs=party_id("customs"),
                agencies=[party_id("health")] if kind.startswith("import") else [],
            )
            await self._clearance.assess(lodged.submitted.declaration)
