"""A whole road in memory: real titles, real signals from synthesis, real messages, one log.

Every fact is signed by whoever says it and by the node, so a test can let honest keys tell lies:
`changes` replaces fields of facts, `files` replaces bytes before they are named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs
from zhidao.core.encoding import base64url
from zhidao.core.events import Fact, SignedEvent, leaf_bytes
from zhidao.core.geo import Geodetic
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Gpst, Utc
from zhidao.devices.events import SealChecked, Sealed, TerminalRegistered, WindowReceived
from zhidao.devices.wire.chunk import sign_chunks
from zhidao.finance.domain.naming import AccountCode, account_id, transfer_id, uetr
from zhidao.finance.domain.payments.payment import Payment, Person
from zhidao.finance.events import (
    BankAdmitted,
    ConditionMet,
    Conditions,
    DealOpened,
    Decided,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.finance.wire.iso20022.messages import camt054, pacs008
from zhidao.industry.domain.quality import GOOD, Bound, Reading, judge, sift
from zhidao.industry.events import Limit, LotFinished, OrderOpened
from zhidao.industry.wire.epcis import lot_document
from zhidao.industry.wire.quality_record import encode_record
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, Carried, Marks, Site
from zhidao.positioning.service.awaited import wishes_of
from zhidao.positioning.service.evaluation import evaluate
from zhidao.positioning.wire.position_evidence import PositionEvidence, Question
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.domain.consignment import ConsignmentEntry
from zhidao.trade.domain.invoice import Invoice, invoices_of, total_of
from zhidao.trade.domain.papers import origin_statement_of, packing_list_of
from zhidao.trade.events import (
    ConsignmentEntered,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    NamedInvoice,
    PapersChecked,
)
from zhidao.trade.wire import entry as entry_file
from zhidao.trade.wire import origin_statement, packing_list, ubl_invoice
from zhidao.trust.adapters.chain.chain_accounts import KeptAccounts, SecretAccount
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.domain.chain_rules import chain_id_of
from zhidao.trust.domain.evm import Address, address_text
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.proof import Proof, reachable
from zhidao.trust.domain.title_tag import Bill, Registered, open_tag
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.events import (
    AccountNamed,
    ChainTransaction,
    CustodyOpened,
    TitleAsked,
    TitleMoved,
    TitleRegistered,
    TitleTagOpened,
)
from zhidao.trust.service.credentials.credentials import CredentialService
from zhidao.trust.service.credentials.status_lists import StatusLists
from zhidao.trust.service.log.sequencer import Sequencer, origin_of
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.evm.title_contract import (
    MINTER_ROLE,
    Registry,
    grant_call,
    mint_call,
    registry_code,
    transfer_call,
)
from zhidao.trust.wire.evm.transaction import Draft, decode, sign
from zhidao.trust.wire.proof_file.zdproof import decode_proof

NODE = PartyId("corridor")
PARTIES = tuple(
    PartyId(name)
    for name in ("exporter", "carrier", "importer", "importer-bank", "exporter-bank", "customs")
)
CONSIGNMENT = "zd-2026-0001"
DEAL = "deal-1"
TERMINAL = "T-1"
STARTED = Utc.parse("2026-11-24T10:00:00Z")
SEEN = Utc.parse("2026-11-21T06:00:00Z")
PLACE = Geodetic(44.2, 80.4, 700.0)
NONCE = bytes(range(16))
_PAPERS = Path(__file__).parents[1] / "trade" / "data"
BANKS = {"importer-bank": "VESTDK22", "exporter-bank": "TAIHCNSH"}


@dataclass(frozen=True)
class Signals:
    """A window of raw signals, the orbits to it, and the place where it was received."""

    window: bytes
    navigation: bytes
    site: Site


@cache
def signals(seed: int = 11) -> Signals:
    gpst_ns = Gpst.from_utc(SEEN).ns + np.arange(5) * 30 * 10**9
    point = PLACE.to_ecef()
    navigation = constellation(SEEN, SEEN.plus_ns(3600 * 10**9), seed=5, systems="CEG")
    receiver = Receiver(gpst_ns, np.tile((point.x_m, point.y_m, point.z_m), (5, 1)), systems="CEG")
    seen = synthesize(receiver, navigation, seed=seed)
    return Signals(
        write_observations(seen),
        write_navigation(navigation),
        Site(
            name="Yard",
            latitude_ndeg=PLACE.latitude_ndeg,
            longitude_ndeg=PLACE.longitude_ndeg,
            radius_mm=80_000,
        ),
    )


@dataclass(frozen=True)
class Ride:
    """A container, the terminal and the seal on it, and whether its arrival is proven."""

    container: str
    terminal: str
    seal: str
    arrives: bool = True


ONE = Ride("CSQU3054383", TERMINAL, "S-1")


@cache
def _evidence(*, tight: bool, terminal: str, risk_ppb: int) -> bytes:
    """What the window gives, by the usual settings or by ones that bound too tightly."""
    found = signals()
    question = Question(
        consignment=CONSIGNMENT,
        terminal=terminal,
        site=found.site,
        not_before=str(SEEN),
        not_after=str(SEEN.plus_ns(3600 * 10**9)),
        risk_ppb=risk_ppb,
    )
    settings = Settings.of_arrivals()
    if tight:
        settings = replace(settings, multipath_slant_mm=100, orbit_mm_min=100)
    return evaluate(question, found.window, found.navigation, settings)


def _key(name: str, seed: str, algorithm: Algorithm = Algorithm.ED25519) -> SoftwareKey:
    text = f"{seed}/{algorithm.label}/{name}"
    return SoftwareKey(algorithm, bytes.fromhex(digest_of(text.encode())))


class _Older(Fact, frozen=True, kw_only=True):
    """An entry as it was written before entries promised anything."""

    TYPE: ClassVar[str] = "trade.ConsignmentEntered.v1"
    consignment: str
    exporter: str
    importer: str
    carrier: str
    importer_bank: str
    exporter_bank: str
    customs: str
    goods: str
    container: str
    order: str
    lot: str
    amount_minor: int
    currency: str
    entry: str
    simulated: bool
    loading: str
    discharge: str


class Corridor:
    """A node, its parties and one consignment; `proof()` writes the file."""

    bill_number = "SMLSHA0417"
    promised: ClassVar[list[str] | None] = ["arrival", "title", "payment", "papers"]
    rides: tuple[Ride, ...] = (ONE,)
    invoices_kept = 0

    def __init__(
        self,
        seed: str = "honest",
        *,
        changes: dict[type[Fact], dict[str, Any]] | None = None,
        files: dict[str, Callable[[bytes], bytes]] | None = None,
        said_by: dict[type[Fact], str] | None = None,
        paid: bool = True,
        receiver: str = "",
        chain_id: int = 0,
        tight: bool = False,
    ) -> None:
        self.changes, self.touched, self.said_by = changes or {}, files or {}, said_by or {}
        self.paid, self.tight = paid, tight
        self.receiver = receiver or ("importer" if paid else "exporter")
        self.node_key = _key(NODE, seed)
        self.keys = {party: _key(party, seed) for party in PARTIES}
        self.chain_keys = {party: _key(party, seed, Algorithm.SECP256K1) for party in PARTIES}
        self.terminal_key = _key(TERMINAL, seed)
        self.accounts = KeptAccounts(FixedKeyRing(dict(self.chain_keys)), seed.encode().ljust(32))
        self.chain_id = chain_id or chain_id_of(self.node_key.public)
        self.clock = HandClock(STARTED)
        randomness = SeededRandomness(seed.encode())
        self.scribe = Scribe(
            node=NODE,
            key=self.node_key,
            ring=FixedKeyRing(dict(self.keys)),
            clock=self.clock,
            ids=IdSource(self.clock, randomness),
            randomness=randomness,
        )
        self.origin = origin_of(NODE, self.node_key)
        self.entries: list[Entry] = []
        self.files: dict[str, bytes] = {}

    def say(self, by: str, aggregate: str, fact: Fact, **more: Any) -> SignedEvent:
        """Signs a fact and logs it."""
        self.clock.advance(10)
        changed = msgspec.structs.replace(fact, **self.changes.get(type(fact), {}))
        if isinstance(fact, ConsignmentEntered) and self.promised is None:
            changed = _Older(**{k: v for k, v in changed.payload().items() if k != "promised"})
        version = 1 + sum(entry.event.aggregate == aggregate for entry in self.entries)
        entry = self.scribe.write(
            changed,
            by=PartyId(self.said_by.get(type(fact), by)),
            aggregate=aggregate,
            version=version,
            owner=PartyId(by),
            visible=_readers(aggregate),
            occurred_at=more.get("occurred_at"),
        )
        self.entries.append(entry)
        return entry.event

    def keep(self, name: str, data: bytes) -> str:
        """Encloses bytes and gives their digest."""
        data = self.touched.get(name, lambda same: same)(data)
        self.files[digest_of(data)] = data
        return digest_of(data)

    async def proof(self, *, leave_out: Callable[[SignedEvent], bool] = lambda _: False) -> bytes:
        """Walks the road, signs the log's head and writes the file."""
        if not self.entries:
            await self._walk()
        store = MemoryLogStore()
        log = Sequencer(origin=self.origin, key=self.node_key, store=store, copy=MemoryHeadCopy())
        await log.start()
        async with store.transaction() as transaction:
            await log.append(transaction, [leaf_bytes(e.event, e.salt) for e in self.entries])
        await log.sign_checkpoint()
        logged = [
            (index, entry) for index, entry in enumerate(self.entries) if not leave_out(entry.event)
        ]
        writer = ProofWriter(log.reader)
        bare = decode_proof(await writer.write(CONSIGNMENT, logged, []))
        named = _named(bare, self.files)
        return await writer.write(CONSIGNMENT, logged, named)

    def trust(self) -> TrustList:
        """The honest list of this node and its parties."""
        node = TrustedNode(
            NODE, NoteKey(self.origin, self.node_key.public), (self.node_key.public,)
        )
        parties = [
            TrustedParty(
                party,
                party.title(),
                party,
                (self.keys[party].public, self.chain_keys[party].public),
            )
            for party in PARTIES
        ]
        return trust_list("Corridor test", STARTED, [node], parties)

    async def _walk(self) -> None:
        self._produce()
        await self._write_papers()
        self._mint()
        self._promise()
        self._travel()
        self._release()
        self._settle()

    def _produce(self) -> None:
        limit = Limit(name="Flow", low="45", high="51", unit="MQH")
        serials = [f"S{number:02d}" for number in range(24)]
        gtin = "06901234567892"
        order = OrderOpened(order="PO-2026-117", gtin=gtin, quantity=24, limits=[limit])
        self.say("exporter", "order/PO-2026-117", order)
        bounds = [Bound("Flow", Decimal(45), Decimal(51), "MQH")]
        readings = [
            Reading("Flow", Decimal(f"4{n}.5"), "Double", GOOD, STARTED.plus_ns(n), STARTED)
            for n in (6, 7, 8)
        ]
        judged = judge(sift(readings, begun_at=STARTED, ended_at=STARTED).samples, bounds)
        document, hashes = lot_document(
            gtin=gtin, lot="L-0417", serials=serials, finished_at=STARTED, judgements=judged
        )
        record = encode_record(
            order="PO-2026-117",
            lot="L-0417",
            begun_at=STARTED,
            ended_at=STARTED,
            readings=readings,
            judgements=judged,
        )
        self.quality = self.keep("quality", record)
        lot = LotFinished(
            order="PO-2026-117",
            lot="L-0417",
            gtin=gtin,
            serials=serials,
            within_limits=True,
            samples=3,
            quality=self.quality,
            epcis=self.keep("epcis", document),
            epcis_hashes=hashes,
            simulated=True,
        )
        self.say("exporter", "order/PO-2026-117", lot)

    async def _write_papers(self) -> None:
        source = self.entry_file()
        entry = entry_file.read(source)
        invoices = invoices_of(entry)
        self.amount = total_of(invoices)
        entered = ConsignmentEntered(
            consignment=CONSIGNMENT,
            **{role: party.id for role, party in entry.parties.items()},
            goods=entry.goods,
            container=entry.container,
            order=entry.order,
            lot=entry.lot,
            amount_minor=self.amount.minor,
            currency=self.amount.currency.code,
            entry=self.keep("entry", source),
            simulated=True,
            promised=self.promised,
            containers=list(entry.containers),
            invoices=self.billed(invoices),
        )
        self.say("exporter", f"consignment/{CONSIGNMENT}", entered)
        for invoice in self.papers_of(invoices):
            await self._invoice(invoice)
        packed = packing_list.write(packing_list_of(entry))
        await self._paper("packing_list", "PL-2026-0417", packed, "own form", credential=False)
        origin = origin_statement.write(origin_statement_of(entry))
        await self._paper("origin_statement", "OS-2026-0417", origin, "own form")
        self._add("quality_record", "L-0417", self.quality, "limits", "")
        self.title = self.keep("bill_of_lading", self.bill_file(entry))
        self._add("bill_of_lading", "SMLSHA0417", self.title, "DCSA", "", by="carrier")

    def billed(self, invoices: tuple[Invoice, ...]) -> list[NamedInvoice]:
        """What the record says of several invoices."""
        several = [
            NamedInvoice(number=each.number, amount_minor=each.payable.minor) for each in invoices
        ]
        return several if len(several) > 1 else []

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        """The invoices that are added."""
        return invoices

    async def _invoice(self, invoice: Invoice, number: str = "") -> None:
        rule = "UBL-2.1 XSD and EN16931-UBL sha256:00"
        name = "invoice" if not self.invoices_kept else f"invoice {self.invoices_kept + 1}"
        self.invoices_kept += 1
        await self._paper(
            "invoice", number or invoice.number, ubl_invoice.write(invoice), rule, name=name
        )

    def entry_file(self) -> bytes:
        """The entry as its exporter typed it."""
        return (_PAPERS / "entry.json").read_bytes()

    def bill_file(self, entry: ConsignmentEntry) -> bytes:
        """The carrier's bill of it."""
        del entry
        return jcs(json.loads((_PAPERS / "bill_of_lading.json").read_bytes()))

    def carried(self) -> list[Carried]:
        """What the deal names of several containers."""
        return []

    def wishes(self, one: ArrivalExpected) -> list[ArrivalExpected]:
        """What is awaited of each terminal."""
        return wishes_of(one, self.carried())

    async def _paper(
        self,
        kind: str,
        number: str,
        data: bytes,
        rule: str,
        *,
        credential: bool = True,
        name: str = "",
    ) -> None:
        digest = self.keep(name or kind, data)
        issued = await self._credential(kind, number, digest) if credential else b""
        secured = self.keep(f"{kind}_credential", issued) if issued else ""
        self._add(kind, number, digest, rule, secured)

    async def _credential(self, kind: str, number: str, digest: str) -> bytes:
        records = Records(MemoryJournal(), self.scribe)
        service = CredentialService(
            records=records,
            statuses=StatusLists(
                records,
                self.clock,
                SeededRandomness(number.encode()),
                base="https://node.example/v1/trust/status",
            ),
            archive=MemoryArchive(),
            ring=FixedKeyRing(dict(self.keys)),
            node_key=self.node_key,
            clock=self.clock,
            known={},
        )
        subject = {
            "id": f"urn:zhidao:consignment:{CONSIGNMENT}",
            "documentKind": kind,
            "documentNumber": number,
            "digestSHA256": digest,
        }
        actor = Actor(PartyId("exporter"), Role.PARTY)
        issued = await service.issue(actor, kind=kind, subject=subject, document=digest, readers=[])
        return jcs(issued)

    def _add(
        self, kind: str, number: str, digest: str, rule: str, credential: str, by: str = "exporter"
    ) -> None:
        fact = DocumentAdded(
            consignment=CONSIGNMENT,
            kind=kind,
            number=number,
            digest=digest,
            media_type="application/json",
            valid=True,
            rules=[rule],
            credential=credential,
        )
        self.say(by, f"consignment/{CONSIGNMENT}", fact)

    def _transact(
        self,
        by: str,
        account: SecretAccount,
        nonce: int,
        to: Address | None,
        data: bytes,
        purpose: str,
    ) -> str:
        raw = self._signed(account, nonce, to, data)
        return self._log_raw(by, raw, purpose)

    def _signed(self, account: SecretAccount, nonce: int, to: Address | None, data: bytes) -> bytes:
        gas = 9_000_000 if to is None else 600_000
        draft = Draft(chain_id=self.chain_id, nonce=nonce, to=to, data=data, gas=gas)
        return sign(draft, account.sign_digest)

    def _log_raw(self, by: str, raw: bytes, purpose: str) -> str:
        name = "0x" + decode(raw).hash.hex()
        fact = ChainTransaction(
            chain_id=self.chain_id,
            raw=raw.hex(),
            hash=name,
            purpose=purpose,
            title=self.title if purpose in ("mint", "custody", "decision") else "",
        )
        self.say(by, f"chain/{self.chain_id}", fact)
        return name

    def _moved(self, action: str, transaction: str, holder: Address, party: str) -> None:
        fact = TitleMoved(
            title=self.title,
            registry=address_text(self.registry.token),
            chain_id=self.chain_id,
            action=action,
            transaction=transaction,
            holder=address_text(holder),
            beneficiary=address_text(holder),
            holder_party=party,
            beneficiary_party=party,
        )
        self.say(NODE, f"title/{self.title}", fact)

    def _mint(self) -> None:
        asked = TitleAsked(
            title=self.title, consignment=CONSIGNMENT, holder="exporter", readers=list(PARTIES)
        )
        self.say("carrier", f"title/{self.title}", asked)
        registrar = self.accounts.registrar()
        carrier, exporter = (self.accounts.of_party(PartyId(p)) for p in ("carrier", "exporter"))
        named = AccountNamed(
            account=address_text(exporter.address), party="exporter", chain_id=self.chain_id
        )
        self.say("exporter", f"account/{address_text(exporter.address)}", named)
        self.registry = Registry.of(registrar.address)
        contracts = load_title_contracts()
        code = registry_code(contracts.token_code, self.registry.factory)
        self._transact(NODE, registrar, 0, None, contracts.factory_code, "deploy factory")
        self._transact(NODE, registrar, 1, None, code, "deploy registry")
        grant = grant_call(MINTER_ROLE, carrier.address)
        self._transact(NODE, registrar, 2, self.registry.token, grant, "let mint")
        self._register()
        mint = mint_call(bytes.fromhex(self.title), exporter.address)
        name = self._transact("carrier", carrier, 0, self.registry.token, mint, "mint")
        self._moved("mint", name, exporter.address, "exporter")

    def _register(self) -> None:
        bill = Bill("SMLM", self.bill_number)
        issuer = self.title_key
        tag, opening = open_tag(bill, issuer)
        leaf = self.leaf_of(tag, self.title, issuer)
        opened = TitleTagOpened(
            tag=tag,
            title=self.title,
            carrier_code=bill.carrier_code,
            number=bill.number,
            issuer=issuer.public.multikey,
            opening=base64url(opening),
        )
        self.say("carrier", f"titletag/{tag}", leaf)
        self.say("carrier", f"registration/{self.title}", opened)

    @property
    def title_key(self) -> SoftwareKey:
        """By which the carrier makes its titles' tags."""
        return self.keys[PartyId("carrier")]

    def leaf_of(self, tag: str, title: str, issuer: SoftwareKey) -> TitleRegistered:
        """The leaf of a title under a tag, claimed by a key."""
        place = (address_text(self.registry.token), self.chain_id)
        claim = issuer.sign(Registered(tag, title, *place).claim)
        return TitleRegistered(
            tag=tag,
            title=title,
            registry=place[0],
            chain_id=place[1],
            issuer=issuer.public.multikey,
            claim=base64url(claim),
        )

    def _promise(self) -> None:
        for bank, bic in BANKS.items():
            admitted = BankAdmitted(bank=bank, name=bank, bic=bic, town="Town", country="DK")
            self.say(NODE, f"bank/{bank}", admitted)
        site = signals().site
        conditions = Conditions(
            marks=["signed_by_terminal", "bound_to_goods", "recomputed", "corroborated", "inside"],
            site=site,
            not_before=str(SEEN),
            not_after=str(SEEN.plus_ns(3600 * 10**9)),
            risk_ppb=100_000,
            needs=["papers_agree", "title_in_custody", "customs_released"],
        )
        opened = DealOpened(
            deal=DEAL,
            consignment=CONSIGNMENT,
            payer="importer",
            payee="exporter",
            payer_bank="importer-bank",
            payee_bank="exporter-bank",
            amount_minor=self.amount.minor,
            currency=self.amount.currency.code,
            terminal="" if self.carried() else TERMINAL,
            title=self.title,
            conditions=conditions,
            carried=self.carried(),
        )
        event = self.say("importer-bank", f"deal/{DEAL}", opened)
        self.pending = transfer_id(DEAL, "reserve", at=event.recorded_at)
        expected = ArrivalExpected(
            consignment=CONSIGNMENT,
            terminal=opened.terminal,
            site=site,
            not_before=conditions.not_before,
            not_after=conditions.not_after,
            risk_ppb=conditions.risk_ppb,
        )
        self.asked = {wish.terminal: wish for wish in self.wishes(expected)}
        for wish in self.wishes(expected):
            self.say("importer-bank", f"arrival/{CONSIGNMENT}", wish)
        reserved = MoneyReserved(
            deal=DEAL,
            transfer=str(self.pending),
            amount_minor=self.amount.minor,
            currency=self.amount.currency.code,
        )
        self.say("importer-bank", f"deal/{DEAL}", reserved)
        self._into_custody()
        self._met("title_in_custody")
        checked = PapersChecked(
            consignment=CONSIGNMENT,
            agree=True,
            checks=30,
            documents=[
                DocumentAdded.of(e.event).digest
                for e in self.entries
                if e.event.type == DocumentAdded.TYPE
            ],
            findings=[],
        )
        self.say("exporter", f"consignment/{CONSIGNMENT}", checked)
        self._met("papers_agree")

    def _met(self, name: str) -> None:
        self.say(NODE, f"deal/{DEAL}", ConditionMet(deal=DEAL, name=name, because="so"))

    def _into_custody(self) -> None:
        custody = self.accounts.custody(deal=DEAL, title=self.title)
        exporter = self.accounts.of_party(PartyId("exporter"))
        fact = CustodyOpened(
            title=self.title,
            deal=DEAL,
            account=address_text(custody.address),
            from_party="exporter",
        )
        self.say("exporter", f"title/{self.title}", fact)
        escrow = self.registry.escrow(bytes.fromhex(self.title))
        call = transfer_call(custody.address)
        name = self._transact("exporter", exporter, 0, escrow, call, "custody")
        self._moved("transfer", name, custody.address, NODE)
        reserved = TitleReserved(deal=DEAL, title=self.title)
        self.say("exporter", f"deal/{DEAL}", reserved)

    def _travel(self) -> None:
        key = self.terminal_key.public.multikey
        for terminal in dict.fromkeys(ride.terminal for ride in self.rides):
            registered = TerminalRegistered(
                terminal=terminal, phone="+77010000001", key=key, surroundings="open_sky"
            )
            self.say(NODE, f"terminal/{terminal}", registered)
        for ride in self.rides:
            self._seal(ride, key)
        for ride in self.rides:
            if ride.arrives:
                self._see(ride, key)

    def _seal(self, ride: Ride, key: str) -> None:
        sealed = Sealed(
            seal=ride.seal,
            container=ride.container,
            consignment=CONSIGNMENT,
            terminal=ride.terminal,
            terminal_key=key,
        )
        self.say("carrier", f"seal/{ride.seal}", sealed)
        looked = SealChecked(
            seal=ride.seal,
            container=ride.container,
            terminal=ride.terminal,
            intact=True,
            place="gate",
        )
        self.say("customs", f"seal/{ride.seal}", looked)

    def _see(self, ride: Ride, key: str) -> None:
        found = signals()
        chunks = sign_chunks(
            found.window, window=b"w" * 16, nonce=NONCE, simulated=True, key=self.terminal_key
        )
        received = WindowReceived(
            terminal=ride.terminal,
            key=key,
            digest=self.keep("window", found.window),
            size_bytes=len(found.window),
            chunk_digests=[self.keep("chunk", chunk.encode()) for chunk in chunks],
            nonce=NONCE.hex(),
            simulated=True,
        )
        self.say(NODE, f"terminal/{ride.terminal}", received)
        self._arrive(found, received.digest, ride)

    def _arrive(self, found: Signals, window: str, ride: Ride) -> None:
        asked = self.asked[ride.terminal]
        evidence = _evidence(tight=self.tight, terminal=ride.terminal, risk_ppb=asked.risk_ppb)
        result = PositionEvidence.decode(evidence).result
        assert result.decision == "inside", result.sentence
        seen = NetworkChecked(
            check=ride.seal.removeprefix("S-"),
            phone="+77010000001",
            verdict="match",
            reason="inside its circle",
            observed_at=result.observed_at,
            fix_latitude_ndeg=result.latitude_ndeg,
            fix_longitude_ndeg=result.longitude_ndeg,
            fix_bound_mm=result.protection_mm,
            network_latitude_ndeg=found.site.latitude_ndeg,
            network_longitude_ndeg=found.site.longitude_ndeg,
            network_radius_mm=900_000,
            network="a network",
            simulated=True,
        )
        self.say(NODE, f"network-check/{seen.check}", seen)
        arrived = ArrivalProven(
            consignment=CONSIGNMENT,
            terminal=ride.terminal,
            site=found.site,
            observed_at=result.observed_at,
            latitude_ndeg=result.latitude_ndeg,
            longitude_ndeg=result.longitude_ndeg,
            height_mm=result.height_mm,
            protection_mm=result.protection_mm,
            satellites=result.satellites,
            epochs=result.stretch_epochs,
            marks=Marks(
                signed_by_terminal=True,
                bound_to_goods=True,
                recomputed=True,
                corroborated_by=["a network"],
                disagreed_by=[],
                inside_risk_ppb=asked.risk_ppb,
            ),
            window=window,
            navigation=self.keep("navigation", found.navigation),
            evidence=self.keep("evidence", evidence),
            simulated=True,
            surroundings="open_sky",
            open_questions=result.open,
            container=asked.container,
        )
        event = self.say(
            NODE,
            f"arrival/{CONSIGNMENT}",
            arrived,
            occurred_at=Utc.parse(result.observed_at),
        )
        if not asked.container or ride == self.rides[-1]:
            delivered = Delivered(
                consignment=CONSIGNMENT,
                arrival=str(event.id),
                observed_at=result.observed_at,
                place="Yard",
            )
            self.say(NODE, f"consignment/{CONSIGNMENT}", delivered)
        self._met(f"arrival:{asked.container}" if asked.container else "arrival")

    def _release(self) -> None:
        released = CustomsReleased(consignment=CONSIGNMENT, declaration="KZ-1", decision="released")
        self.say("customs", f"consignment/{CONSIGNMENT}", released)
        self._met("customs_released")

    def _settle(self) -> None:
        custody = self.accounts.custody(deal=DEAL, title=self.title)
        account = self.accounts.of_party(PartyId(self.receiver))
        escrow = self.registry.escrow(bytes.fromhex(self.title))
        raw = self._signed(custody, 0, escrow, transfer_call(account.address))
        decided = Decided(
            deal=DEAL,
            outcome="release" if self.paid else "abort",
            reason="conditions_met" if self.paid else "too_late",
            sentence="All hold." if self.paid else "Too late.",
            title=self.title,
            title_transaction=raw.hex(),
            transfer=str(self.pending),
        )
        # Scenario time: what was not paid in time is refused long after.
        at = SEEN.plus_ns((60 if self.paid else 10 * 86_400) * 10**9)
        event = self.say(NODE, f"deal/{DEAL}", decided, occurred_at=at)
        name = self._log_raw(NODE, raw, "decision")
        self._moved("transfer", name, account.address, self.receiver)
        payment = self._payment(event.occurred_at)
        settled = Settled(
            deal=DEAL,
            paid=self.paid,
            reason=decided.reason,
            pacs008=self.keep("pacs008", pacs008.encode(payment)) if self.paid else "",
            camt054=self.keep("camt054", camt054.encode(payment)) if self.paid else "",
            schema="not checked",
        )
        self.say(NODE, f"deal/{DEAL}", settled)

    def _payment(self, at: Utc) -> Payment:
        created = at.to_datetime().replace(microsecond=0, tzinfo=UTC)
        currency = self.amount.currency.code
        name = transfer_id(DEAL, "payment", at=at)
        return Payment(
            message=name.hex,
            instruction=self.pending.hex,
            end_to_end=DEAL,
            uetr=uetr(name),
            created=created,
            settled_on=created.date(),
            amount=Money(self.amount.minor, Currency(currency)),
            payer=Person("Nordvand Pumper ApS", "Esbjerg", "DK"),
            payer_account=_account("importer-bank", "importer", currency),
            payer_bank=BANKS["importer-bank"],
            payee=Person("Suzhou Precision Pumps", "Suzhou", "CN"),
            payee_account=_account("exporter-bank", "exporter", currency),
            payee_bank=BANKS["exporter-bank"],
            remittance=f"consignment {CONSIGNMENT}",
        )


def _readers(aggregate: str) -> tuple[PartyId, ...]:
    """As the rooms do it: deals and arrivals are the traders' and their banks'."""
    if aggregate.startswith(("deal/", "arrival/")):
        return tuple(party for party in PARTIES if party not in ("carrier", "customs"))
    if aggregate.startswith(("account/", "bank/", "chain/", "network-check/")):
        return ()
    return PARTIES


def _account(bank: str, holder: str, currency: str) -> str:
    code = AccountCode.CUSTOMER
    return account_id(bank=bank, code=code, holder=holder, currency=currency).hex


def _named(bare: Proof, files: dict[str, bytes]) -> list[bytes]:
    """The files that the opened events name, directly or through another file."""
    within = reachable(replace(bare, blobs=files))
    return [data for digest, data in files.items() if digest in within]
