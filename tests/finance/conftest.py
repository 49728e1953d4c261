"""A small world around the finance room: memory twins below, scripted rooms beside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import MemoryDealIndex, MemoryLedgerStore, MemoryPvpIndex
from zhidao.finance.domain.deals.deal import Deal
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.events import BankAdmitted, Conditions, DealOpened
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.deals.deals import Deals
from zhidao.finance.service.deals.settlement import Settlement
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven, Marks, Site
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.events import (
    Consignment,
    ConsignmentEntered,
    CrossCheckFinding,
    CustomsReleased,
    PapersChecked,
)
from zhidao.trust.events import Title

NOW = Utc.parse("2026-05-01T08:00:00Z")
PARTIES = (
    "node",
    "operator",
    "exporter",
    "importer",
    "carrier",
    "customs",
    "importer-bank",
    "exporter-bank",
)
SITE = Site(
    name="Khorgos gate",
    latitude_ndeg=44_200_000_000,
    longitude_ndeg=80_400_000_000,
    radius_mm=250_000,
)
CONDITIONS = Conditions(
    marks=["signed_by_terminal", "bound_to_goods", "recomputed", "corroborated", "inside"],
    site=SITE,
    not_before="2026-05-01T09:00:00Z",
    not_after="2026-05-01T12:00:00Z",
    risk_ppb=1_000,
    needs=["title_in_custody", "papers_agree", "customs_released"],
)
DEAL = DealOpened(
    deal="D-1",
    consignment="C-1",
    payer="importer",
    payee="exporter",
    payer_bank="importer-bank",
    payee_bank="exporter-bank",
    amount_minor=4_200_000,
    currency="CNY",
    terminal="T-1",
    title="ab" * 32,
    conditions=CONDITIONS,
)
MARKS = Marks(
    signed_by_terminal=True,
    bound_to_goods=True,
    recomputed=True,
    corroborated_by=["network"],
    disagreed_by=[],
    inside_risk_ppb=100,
)
NO_SCHEMA = "not checked"


def actor(party: str, role: Role = Role.PARTY) -> Actor:
    return Actor(PartyId(party), role)


class ScriptedTitles:
    """A title that moves as the trust room's would: signed bytes are deterministic, sent once."""

    def __init__(self) -> None:
        self.holder = "exporter"
        self.custody = ""
        self.sent: list[bytes] = []

    async def mint(
        self, actor: Actor, *, document: str, consignment: str, holder: str, readers: Sequence[str]
    ) -> Title:
        raise AssertionError("finance mints nothing")

    async def title(self, title: str) -> Title:
        if title != DEAL.title:
            raise NotFound("no such title")
        return Title(
            title=title,
            registry="0x1",
            chain_id=1,
            consignment="C-1",
            holder="0x2",
            beneficiary="0x2",
            holder_party="" if self.custody else self.holder,
            beneficiary_party=self.holder,
            custody=self.custody,
            active=True,
            transactions=[],
        )

    async def into_custody(
        self, actor: Actor, *, title: str, deal: str, signed: bytes = b""
    ) -> Title:
        self.signed = signed
        if self.custody not in ("", deal) or actor.party != self.holder:
            raise Refused("not yours")
        self.custody = deal
        return await self.title(title)

    async def sign_from_custody(self, *, title: str, deal: str, to_party: str) -> bytes:
        if self.custody != deal:
            raise Refused("not held", code="not_in_custody")
        return hashlib.sha256(f"{title} {deal}".encode()).digest() + to_party.encode()

    async def send(self, actor: Actor, *, raw: bytes, title: str, purpose: str) -> Title:
        if raw not in self.sent:
            assert self.custody, "a title leaves custody once"
            self.sent.append(raw)
            self.holder, self.custody = raw[32:].decode(), ""
        return await self.title(title)


class ScriptedArrivals:
    """Remembers what was expected, and refuses another wish for the same consignment.

    `rival`: somebody else's wish, which comes just after the next rehearsal.
    """

    def __init__(self) -> None:
        self.expected: list[dict[str, Any]] = []
        self.rival: dict[str, Any] | None = None
        self.useless: dict[str, str] = {}

    async def check_terminals(
        self, actor: Actor, *, consignment: str, terminals: Sequence[str], signed: bool
    ) -> None:
        """Refuses what a test calls useless: unknown ones, and without a key where one signs."""
        assert consignment
        for terminal in terminals:
            code = self.useless.get(terminal)
            if code == "terminal_unknown" or (signed and code):
                raise Refused(f"{terminal} proves nothing", code=code)

    async def expect(self, actor: Actor, *, readers: Sequence[str], **asked: Any) -> None:
        await self.rehearse(**asked)
        self.expected.append({**asked, "readers": readers})

    async def rehearse(self, **asked: Any) -> None:
        for known in self.expected:
            if known["consignment"] == asked["consignment"] and not asked.items() <= known.items():
                raise Conflict("awaited already, in another way", code="awaited_otherwise")
        if self.rival is not None:
            self.expected.append({**asked, **self.rival})
            self.rival = None


class ScriptedConsignments:
    """The consignment as trade sees it now."""

    def __init__(self) -> None:
        self.papers: PapersChecked | None = None
        self.customs: CustomsReleased | None = None

    async def consignment(self, actor: Actor, consignment: str) -> Consignment:
        entered = ConsignmentEntered(
            consignment=consignment,
            exporter="exporter",
            importer="importer",
            carrier="carrier",
            importer_bank="importer-bank",
            exporter_bank="exporter-bank",
            customs="customs",
            goods="pumps",
            container="MSKU1234565",
            order="O-1",
            lot="L-1",
            amount_minor=4_200_000,
            currency="CNY",
            entry="00" * 32,
            simulated=True,
            promised=[],
        )
        return Consignment(
            entered=entered,
            documents=[],
            papers=self.papers,
            delivered=None,
            customs=self.customs,
            state="entered",
        )


class NoSchemas:
    """No pack is installed."""

    async def check(self, message: str, document: bytes) -> str:
        return NO_SCHEMA


Wrap = Callable[[Any], Any]


@dataclass
class Durable:
    """What survives a crash."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    index: MemoryDealIndex = field(default_factory=MemoryDealIndex)
    pvp_index: MemoryPvpIndex = field(default_factory=MemoryPvpIndex)
    titles: ScriptedTitles = field(default_factory=ScriptedTitles)
    arrivals: ScriptedArrivals = field(default_factory=ScriptedArrivals)
    consignments: ScriptedConsignments = field(default_factory=ScriptedConsignments)

    def __post_init__(self) -> None:
        self.store = MemoryLedgerStore(self.journal)
        self.clock = HandClock(NOW)
        self.scenario = HandClock(NOW)
        self.randomness = SeededRandomness(7)
        keys = {
            PartyId(party): SoftwareKey(Algorithm.ED25519, hashlib.sha256(party.encode()).digest())
            for party in PARTIES
        }
        self.scribe = Scribe(
            node=PartyId("node"),
            key=keys[PartyId("node")],
            ring=FixedKeyRing(keys),
            clock=self.clock,
            ids=IdSource(self.clock, self.randomness),
            randomness=self.randomness,
        )


class World:
    """The room's services over what is durable; `wrap` puts something around each neighbour."""

    def __init__(self, durable: Durable, wrap: Wrap = lambda inner: inner) -> None:
        self.durable = durable
        self.records = Records(wrap(durable.journal), durable.scribe)
        self.ledger = Ledger(
            wrap(durable.store), scribe=durable.scribe, clock=durable.clock, holder="node"
        )
        self.accounts = Accounts(self.records, durable.scribe, self.ledger)
        self.lines = CreditLines(
            records=self.records,
            ledger=self.ledger,
            accounts=self.accounts,
            approvals=Approvals(records=self.records, clock=durable.clock, limits=Limits.parse("")),
        )
        settlement = Settlement(
            records=self.records,
            ledger=self.ledger,
            accounts=self.accounts,
            lines=self.lines,
            titles=wrap(durable.titles),
            archive=wrap(durable.archive),
            schemas=NoSchemas(),
            scenario_clock=durable.scenario,
        )
        self.deals = Deals(
            records=self.records,
            accounts=self.accounts,
            settlement=settlement,
            index=wrap(durable.index),
            titles=wrap(durable.titles),
            arrivals=wrap(durable.arrivals),
            consignments=wrap(durable.consignments),
            scenario_clock=durable.scenario,
            holds=None,
        )
        self.told = 0

    async def fill(self, funds_minor: int = 10_000_000, line_minor: int = 10_000_000) -> World:
        """Banks, accounts, the importer's money, and what its bank may owe."""
        for bank, bic in (("importer-bank", "ALMAKZKA"), ("exporter-bank", "XIANCNBJ")):
            admitted = BankAdmitted(
                bank=bank, name=f"The {bank}", bic=bic, town="Almaty", country="KZ"
            )
            await self.accounts.admit(actor("operator", Role.OPERATOR), admitted)
        for bank, holder in (("importer-bank", "importer"), ("exporter-bank", "exporter")):
            await self.accounts.open(
                actor(bank),
                holder=holder,
                currency="CNY",
                name=f"{holder} 公司",
                town="Xi'an",
                country="CN",
            )
        await self.accounts.deposit(
            actor("importer-bank"),
            deposit="first",
            holder="importer",
            amount=Money(funds_minor, Currency("CNY")),
        )
        await self.let_owe(line_minor)
        return self

    async def let_owe(self, limit_minor: int) -> None:
        """How much the exporter's bank lets the importer's owe it."""
        await self.lines.set(
            actor("exporter-bank"), peer="importer-bank", currency="CNY", limit_minor=limit_minor
        )

    async def opened(self, **changes: Any) -> Deal:
        """The deal, opened and with its title in custody."""
        await self.deals.open(actor("importer-bank"), _with(DEAL, **changes))
        await self.deals.reserve_title(actor("exporter"), "D-1")
        await self.go_on()
        return await self.state()

    async def tell(self, fact: Fact) -> SignedEvent:
        """Hands the room an event of another room, as the bus would."""
        self.told += 1
        event = self.event(fact)
        await self.deals.handle(event)
        await self.go_on()
        return event

    async def go_on(self) -> None:
        """Lets the follower do its work."""
        while self.deals.has_steps:
            await self.deals.step()

    def event(self, fact: Fact) -> SignedEvent:
        return self.durable.scribe.write(
            fact,
            by=PartyId("node"),
            aggregate="other/1",
            version=1,
            owner=PartyId("node"),
            visible=(),
            occurred_at=None,
        ).event

    async def papers_agree(self) -> None:
        checked = PapersChecked(
            consignment="C-1", agree=True, checks=12, documents=["a", "b"], findings=[]
        )
        self.durable.consignments.papers = checked
        await self.tell(checked)

    async def papers_conflict(self) -> None:
        finding = CrossCheckFinding(
            rule="gross-weight",
            verdict="conflict",
            sentence="The weights differ.",
            left="invoice:weight = 10",
            right="bill_of_lading:weight = 9",
        )
        checked = PapersChecked(
            consignment="C-1", agree=False, checks=12, documents=["a", "b"], findings=[finding]
        )
        self.durable.consignments.papers = checked
        await self.tell(checked)

    async def customs_release(self) -> None:
        released = CustomsReleased(consignment="C-1", declaration="DE-1", decision="released")
        self.durable.consignments.customs = released
        await self.tell(released)

    async def state(self) -> Deal:
        return await self.deals.deal(actor("importer-bank"), "D-1")

    async def balances(self) -> dict[str, int]:
        found = await self.accounts.statements(actor("auditor", Role.AUDITOR), limit=50)
        return {
            f"{s.opened.bank} {s.opened.purpose} {s.opened.holder}": s.sums.balance for s in found
        }


def _with(opened: DealOpened, **changes: Any) -> DealOpened:
    import msgspec

    return msgspec.structs.replace(opened, **changes)


def proven(**changes: Any) -> ArrivalProven:
    import msgspec

    fact = ArrivalProven(
        consignment="C-1",
        terminal="T-1",
        site=SITE,
        observed_at="2026-05-01T10:00:00Z",
        latitude_ndeg=44_200_000_100,
        longitude_ndeg=80_400_000_100,
        height_mm=700_000,
        protection_mm=9_000,
        satellites=14,
        epochs=30,
        marks=MARKS,
        window="aa" * 32,
        navigation="bb" * 32,
        evidence="cc" * 32,
        simulated=True,
    )
    return msgspec.structs.replace(fact, **changes)


def not_proven(reason: str, *, signed: bool = True) -> ArrivalNotProven:
    import msgspec

    return ArrivalNotProven(
        consignment="C-1",
        terminal="T-1",
        reason=reason,
        sentence=f"Because of {reason}.",
        observed_at="2026-05-01T10:00:00Z",
        latitude_ndeg=0,
        longitude_ndeg=0,
        protection_mm=0,
        marks=msgspec.structs.replace(MARKS, signed_by_terminal=signed),
        window="aa" * 32,
        evidence="",
        simulated=True,
    )


class Facts:
    """Makers of other rooms' facts, for tests."""

    proven = staticmethod(proven)
    not_proven = staticmethod(not_proven)
    marks = MARKS
    conditions = CONDITIONS
    deal = DEAL
    site = SITE
    actor = staticmethod(actor)


@pytest.fixture
def durable() -> Durable:
    return Durable()


@pytest.fixture
async def world(durable: Durable) -> World:
    return await World(durable).fill()


@pytest.fixture
def facts() -> type[Facts]:
    return Facts


@pytest.fixture
def make_world() -> Callable[..., World]:
    return World


@pytest.fixture
def make_durable() -> Callable[[], Durable]:
    return Durable
