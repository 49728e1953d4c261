"""Five roads made of real signed events in a real small log, for looking at the pages."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.encoding import base64url
from zhidao.core.events import Fact, leaf_bytes
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.devices.events import SealChecked, Sealed, SubmissionRefused, WindowReceived
from zhidao.finance.events import (
    ConditionMet,
    Conditions,
    DealOpened,
    Decided,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.industry.events import LotFinished
from zhidao.node.identity.parties import RegisteredParty
from zhidao.node.shipment_timeline import view
from zhidao.node.shipment_timeline.build import build_timeline
from zhidao.node.shipment_timeline.followed import Report
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    Marks,
    Site,
)
from zhidao.store.reading import Stored
from zhidao.trade.events import (
    ConsignmentEntered,
    CrossCheckFinding,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trust.events import ChainTransaction, CredentialIssued, TitleMoved

ORIGIN = "khorgos.example/log"
NAMES = {
    "exporter": ("Shaanxi Qinling Instruments", "exporter", "CN"),
    "carrier": ("Silk Steppe Carriers", "carrier", "KZ"),
    "importer": ("Tashkent Medical Supply", "importer", "UZ"),
    "importer-bank": ("Bank of the Oasis", "importer_bank", "UZ"),
    "exporter-bank": ("Chang'an Commercial Bank", "exporter_bank", "CN"),
    "customs": ("Customs at Khorgos", "customs", "KZ"),
    "operator": ("Khorgos Corridor Authority", "operator", "KZ"),
}
ROUTE = [
    [108.94, 34.34], [105.7, 34.6], [103.83, 36.06], [98.5, 39.7], [94.66, 40.14],
    [89.2, 42.95], [87.6, 43.82], [84.9, 44.42], [82.07, 44.9], [80.41, 44.21],
    [78.4, 43.7], [76.95, 43.25], [73.5, 43.0], [71.37, 42.9], [69.6, 42.32], [69.24, 41.31],
]  # fmt: skip
SITE = Site(
    name="Chukursay terminal",
    latitude_ndeg=41_338_900_000,
    longitude_ndeg=69_196_200_000,
    radius_mm=150_000,
)


class _Ring:
    def __init__(self) -> None:
        self.keys = {
            party: SoftwareKey(Algorithm.ED25519, hashlib.sha256(party.encode()).digest())
            for party in NAMES
        }
        # One party signs with another algorithm, so that the browser shows both.
        self.keys["customs"] = SoftwareKey(Algorithm.P256, hashlib.sha256(b"customs").digest())

    def signer(self, party: PartyId) -> SoftwareKey | None:
        return self.keys.get(party)


@dataclass
class World:
    """All events, their log, and the roads that they make."""

    clock: HandClock = field(default_factory=lambda: HandClock(Utc.parse("2026-03-02T01:10:00Z")))
    stored: list[Stored] = field(default_factory=list)
    of: dict[str, list[Stored]] = field(default_factory=dict)
    tracks: dict[str, list[Report]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        randomness = SeededRandomness(7)
        self.log_key = SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"log").digest())
        self.scribe = Scribe(
            node=PartyId("operator"),
            key=_Ring().keys["operator"],
            ring=_Ring(),
            clock=self.clock,
            ids=IdSource(self.clock, randomness),
            randomness=randomness,
        )
        self.parties = [
            RegisteredParty(party=p, name=n, trade_role=r, country=c, keys=[], custodial=True)
            for p, (n, r, c) in NAMES.items()
        ]

    def say(self, consignment: str, by: str, aggregate: str, fact: Fact, minutes: int = 7) -> str:
        """Adds a signed event to a consignment's road; returns its id."""
        self.clock.advance(minutes * 60 + 13)
        # What was observed happened by the time of the play, two days behind the node's clock.
        observed = getattr(fact, "observed_at", "")
        entry: Entry = self.scribe.write(
            fact,
            by=PartyId(by),
            aggregate=aggregate,
            version=1 + len(self.stored),
            owner=PartyId(by),
            visible=[PartyId(p) for p in NAMES],
            occurred_at=Utc.parse(observed) if observed else None,
        )
        leaf = leaf_bytes(entry.event, entry.salt)
        stored = Stored(entry.event, entry.salt, leaf, len(self.stored))
        self.stored.append(stored)
        self.of.setdefault(consignment, []).append(stored)
        return str(entry.event.id)

    def timeline(self, consignment: str) -> view.TimelineView:
        """The road as the node itself builds it."""
        return build_timeline(
            self.of[consignment],
            parties=self.parties,
            tracks={"": self.tracks.get(consignment, [])},
        )

    def proof(self, event_id: str) -> dict[str, Any] | None:
        """What GET /v1/events/{id}/proof answers."""
        for stored in self.stored:
            if str(stored.event.id) != event_id:
                continue
            hashes = [hashlib.sha256(b"\0" + each.leaf).digest() for each in self.stored]
            index = stored.leaf_index or 0
            return {
                "event": base64url(stored.event.encode()),
                "salt": "" if stored.event.open else base64url(stored.salt),
                "leaf": base64url(stored.leaf),
                "index": index,
                "size": len(hashes),
                "inclusion": [base64url(each) for each in _path(index, hashes)],
                "checkpoint": self.checkpoint(hashes),
                "log_key": self.log_key.public.multikey,
                "origin": ORIGIN,
            }
        return None

    def head(self) -> str:
        """The newest head of the log."""
        return self.checkpoint([hashlib.sha256(b"\0" + each.leaf).digest() for each in self.stored])

    def checkpoint(self, hashes: list[bytes]) -> str:
        """A C2SP signed note over the whole log."""
        root = base64.b64encode(_root(hashes)).decode()
        text = f"{ORIGIN}\n{len(hashes)}\n{root}\n"
        name = ORIGIN.encode()
        key = hashlib.sha256(name + b"\n\x01" + self.log_key.public.raw).digest()[:4]
        signature = base64.b64encode(key + self.log_key.sign(text.encode())).decode()
        other = base64.b64encode(b"\x01\x02\x03\x04" + bytes(64)).decode()
        return f"{text}\n— {ORIGIN} {signature}\n— witness.example/w1 {other}\n"

    @property
    def root(self) -> str:
        """The log's root as base64."""
        return base64.b64encode(
            _root([hashlib.sha256(b"\0" + s.leaf).digest() for s in self.stored])
        ).decode()


def _split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def _root(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = _split(len(hashes))
    return hashlib.sha256(b"\1" + _root(hashes[:k]) + _root(hashes[k:])).digest()


def _path(index: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = _split(len(hashes))
    if index < k:
        return [*_path(index, hashes[:k]), _root(hashes[k:])]
    return [*_path(index - k, hashes[k:]), _root(hashes[:k])]


def world() -> World:
    """Five roads: paid, moving, waiting for customs, refused, and in conflict."""
    made = World()
    _road(made, "C-2038", "Pulse oximeters, 420 cartons", 18_432_050, until="paid")
    _road(made, "C-2041", "Ceramic valves, 96 crates", 9_640_000, until="gate")
    _road(made, "C-2042", "Infusion pumps, 64 cartons", 27_115_500, until="arrival")
    _road(made, "C-2039", "Dental alloys, 12 drums", 5_080_075, until="refused")
    _road(made, "C-2043", "Microscope parts, 31 crates", 7_300_000, until="conflict")
    made.tracks["C-2041"] = _track(ROUTE[:7], (84.9, 44.42), "2026-03-03T06:20:04Z")
    for name in ("C-2038", "C-2042", "C-2039"):
        made.tracks[name] = _track(ROUTE, (69.1963, 41.3389), "2026-03-05T11:02:30Z")
    made.tracks["C-2043"] = _track([], (108.94, 34.34), "2026-03-02T09:00:00Z")
    return made


def _track(way: Sequence[Sequence[float]], last: tuple[float, float], at: str) -> list[Report]:
    return [*((lon, lat, at) for lon, lat in way), (*last, at)]


def _digest(*parts: str) -> str:
    return base64url(hashlib.sha256("/".join(parts).encode()).digest())


def _road(made: World, c: str, goods: str, amount: int, *, until: str) -> None:
    order, lot, terminal, deal = f"O-{c[2:]}", f"L-{c[2:]}-01", f"T-{c[2:]}", f"D-{c[2:]}"
    title = hashlib.sha256(c.encode()).hexdigest()
    _industry_and_papers(made, c, goods, amount, order, lot, conflict=until == "conflict")
    if until == "conflict":
        return
    _titles(made, c, title, "mint", "exporter")
    _deal(made, c, deal, amount, terminal, title)
    _seal(made, c, terminal)
    if until == "gate":
        return
    proven = _arrive(made, c, terminal, honest=until != "refused")
    if until == "refused":
        _end(made, c, deal, title, amount, paid=False, reason="network_disagrees")
        return
    made.say(c, "carrier", f"consignment/{c}", Delivered(
        consignment=c, arrival=proven, observed_at="2026-03-05T11:02:30Z", place=SITE.name,
    ))  # fmt: skip
    if until == "arrival":
        return
    made.say(c, "customs", f"consignment/{c}", CustomsReleased(
        consignment=c, declaration="KZ-50401-020326-0017742", decision="released",
    ))  # fmt: skip
    _end(made, c, deal, title, amount, paid=True, reason="")


def _industry_and_papers(
    made: World, c: str, goods: str, amount: int, order: str, lot: str, *, conflict: bool
) -> None:
    made.say(c, "exporter", f"order/{order}", LotFinished(
        order=order, lot=lot, gtin="06901234567892", serials=[f"{lot}-{n}" for n in range(4)],
        within_limits=True, samples=240, quality=_digest(c, "quality"), epcis=_digest(c, "epcis"),
        epcis_hashes=[], simulated=True,
    ))  # fmt: skip
    made.say(c, "exporter", f"consignment/{c}", ConsignmentEntered(
        consignment=c, exporter="exporter", importer="importer", carrier="carrier",
        importer_bank="importer-bank", exporter_bank="exporter-bank", customs="customs",
        goods=goods, container="MSCU6639870", order=order, lot=lot, amount_minor=amount,
        currency="USD", entry=_digest(c, "entry"), simulated=True, promised=[],
    ))  # fmt: skip
    for kind, number in (
        ("invoice", f"INV-{c[2:]}"), ("origin_statement", f"ORI-{c[2:]}"),
        ("bill_of_lading", f"BL-{c[2:]}"), ("packing_list", f"PL-{c[2:]}"),
    ):  # fmt: skip
        by = "carrier" if kind == "bill_of_lading" else "exporter"
        made.say(c, by, f"consignment/{c}", DocumentAdded(
            consignment=c, kind=kind, number=number, digest=_digest(c, kind),
            media_type="application/xml" if kind == "invoice" else "application/json", valid=True,
            rules=["UBL 2.1 XSD", "EN 16931 1.3.14.2"] if kind == "invoice" else [],
            credential=_digest(c, kind, "vc") if kind in {"invoice", "origin_statement"} else "",
        ), 2)  # fmt: skip
    made.say(c, "exporter", f"credential/{_digest(c, 'invoice', 'vc')}", CredentialIssued(
        digest=_digest(c, "invoice", "vc"), issuer="did:key:z6Mk", subject=c, kind="invoice",
        document=_digest(c, "invoice"), cryptosuite="eddsa-jcs-2022",
    ), 1)  # fmt: skip
    findings = [
        CrossCheckFinding(rule="XD-16", verdict="conflict",
                sentence="gross weights do not agree; the difference is 630",
                left="packing_list:gross weight = 4180 kg", right="bill_of_lading:cargoGrossWeight = 4810 kg"),
        CrossCheckFinding(rule="XD-18", verdict="conflict", sentence="numbers of packages do not agree",
                left="packing_list:packages = 30", right="bill_of_lading:numberOfPackages = 31"),
        CrossCheckFinding(rule="XD-06", verdict="undecided",
                sentence="quantities of line 2 need a person's judgement",
                left="invoice:line 2 quantity = 12 C62", right="packing_list:line 2 quantity = absent"),
        CrossCheckFinding(rule="BR-CO-15", verdict="conflict",
                sentence="Invoice total amount with VAT (BT-112) = Invoice total amount without VAT (BT-109) + Invoice total VAT amount (BT-110).",
                left="invoice:net = 73000.00", right="invoice:net = 73010.00"),
        CrossCheckFinding(rule="BR-AE-05", verdict="conflict",
                sentence="In an Invoice line where the VAT category code is Reverse charge the VAT rate shall be 0 (zero).",
                left="invoice:line 1 description = Microscope parts", right="invoice: absent"),
    ] if conflict else []  # fmt: skip
    made.say(c, "importer-bank", f"consignment/{c}", PapersChecked(
        consignment=c, agree=not conflict, checks=17,
        documents=[_digest(c, "invoice"), _digest(c, "bill_of_lading")], findings=findings,
    ))  # fmt: skip


def _titles(made: World, c: str, title: str, action: str, holder: str) -> None:
    made.say(c, "carrier", "chain/4711", ChainTransaction(
        chain_id=4711, raw="02f8" + hashlib.sha256(f"{c}{action}".encode()).hexdigest() * 3,
        hash="0x" + hashlib.sha256(action.encode()).hexdigest(), purpose=action, title=title,
    ), 1)  # fmt: skip
    made.say(c, "operator", f"title/{title}", TitleMoved(
        title=title, registry="0x5fbdb2315678afecb367f032d93f642f64180aa3", chain_id=4711,
        action=action, transaction="0x" + hashlib.sha256(action.encode()).hexdigest(),
        holder="0x" + "11" * 20, beneficiary="0x" + "11" * 20, holder_party=holder,
        beneficiary_party=holder,
    ), 1)  # fmt: skip


def _deal(made: World, c: str, deal: str, amount: int, terminal: str, title: str) -> None:
    made.say(c, "importer-bank", f"deal/{deal}", DealOpened(
        deal=deal, consignment=c, payer="importer", payee="exporter", payer_bank="importer-bank",
        payee_bank="exporter-bank", amount_minor=amount, currency="USD", terminal=terminal,
        title=title,
        conditions=Conditions(
            marks=["signed_by_terminal", "bound_to_goods", "recomputed", "corroborated", "inside"],
            site=SITE, not_before="2026-03-04T00:00:00Z", not_after="2026-03-09T00:00:00Z",
            risk_ppb=1_000, needs=["papers_agree", "title_in_custody", "customs_released"],
        ),
    ))  # fmt: skip
    made.say(c, "importer-bank", f"deal/{deal}", MoneyReserved(
        deal=deal, transfer="8f" * 16, amount_minor=amount, currency="USD",
    ), 0)  # fmt: skip
    made.say(c, "operator", f"arrival/{c}", ArrivalExpected(
        consignment=c, terminal=terminal, site=SITE, not_before="2026-03-04T00:00:00Z",
        not_after="2026-03-09T00:00:00Z", risk_ppb=1_000,
    ), 0)  # fmt: skip
    _titles(made, c, title, "transfer", "operator")
    made.say(c, "exporter", f"deal/{deal}", TitleReserved(deal=deal, title=title), 1)
    for name in ("papers_agree", "title_in_custody"):
        made.say(c, "importer-bank", f"deal/{deal}", ConditionMet(
            deal=deal, name=name, because="",
        ), 0)  # fmt: skip


def _seal(made: World, c: str, terminal: str) -> None:
    made.say(c, "carrier", "seal/S-88120", Sealed(
        seal="S-88120", container="MSCU6639870", consignment=c, terminal=terminal,
        terminal_key="z6MkterminalKey",
    ))  # fmt: skip
    made.say(c, "customs", "seal/S-88120", SealChecked(
        seal="S-88120", container="MSCU6639870", terminal=terminal, intact=True, place="Khorgos",
    ), 300)  # fmt: skip


def _arrive(made: World, c: str, terminal: str, *, honest: bool) -> str:
    window = _digest(c, "window")
    made.say(c, "carrier", f"terminal/{terminal}", WindowReceived(
        terminal=terminal, key="z6MkterminalKey", digest=window, size_bytes=148_212,
        chunk_digests=[], nonce="ab" * 16, simulated=True,
    ), 900)  # fmt: skip
    made.say(c, "operator", f"network-check/{c}", NetworkChecked(
        check=f"N-{c[2:]}", phone="+998901234567", verdict="match" if honest else "mismatch",
        reason="", observed_at="2026-03-05T11:02:30Z", fix_latitude_ndeg=41_338_960_000,
        fix_longitude_ndeg=69_196_250_000, fix_bound_mm=17_300,
        network_latitude_ndeg=41_341_000_000 if honest else 41_000_000_000,
        network_longitude_ndeg=69_191_000_000, network_radius_mm=900_000,
        network="scenario", simulated=True,
    ), 1)  # fmt: skip
    marks = Marks(
        signed_by_terminal=True, bound_to_goods=True, recomputed=True,
        corroborated_by=["network"] if honest else [], disagreed_by=[] if honest else ["network"],
        inside_risk_ppb=1_000 if honest else 0,
    )  # fmt: skip
    common: dict[str, Any] = {
        "consignment": c, "terminal": terminal, "observed_at": "2026-03-05T11:02:30Z",
        "latitude_ndeg": 41_338_960_000, "longitude_ndeg": 69_196_250_000,
        "protection_mm": 17_300, "marks": marks, "window": window, "evidence": _digest(c, "ev"),
        "simulated": True,
    }  # fmt: skip
    if honest:
        return made.say(c, "operator", f"arrival/{c}", ArrivalProven(
            **common, site=SITE, height_mm=455_200, satellites=19, epochs=121,
            navigation=_digest("nav"),
        ), 1)  # fmt: skip
    made.say(c, "operator", f"terminal/{terminal}", SubmissionRefused(
        terminal=terminal, reason="bad_checksum", sentence="a frame's check code is wrong",
    ), 1)  # fmt: skip
    return made.say(c, "operator", f"arrival/{c}", ArrivalNotProven(
        **common, reason="network_disagrees",
        sentence="the network places the device 37 km from the fix",
    ), 1)  # fmt: skip


def _end(
    made: World, c: str, deal: str, title: str, amount: int, *, paid: bool, reason: str
) -> None:
    if paid:
        for name in ("arrival", "customs_released"):
            made.say(c, "importer-bank", f"deal/{deal}", ConditionMet(
                deal=deal, name=name, because="",
            ), 0)  # fmt: skip
    made.say(c, "importer-bank", f"deal/{deal}", Decided(
        deal=deal, outcome="release" if paid else "abort", reason=reason,
        sentence="" if paid else "the network contradicts the fix", title=title,
        title_transaction="", transfer="8f" * 16,
    ), 1)  # fmt: skip
    _titles(made, c, title, "transfer", "importer" if paid else "exporter")
    made.say(c, "operator", f"deal/{deal}", Settled(
        deal=deal, paid=paid, reason=reason, pacs008=_digest(c, "pacs") if paid else "",
        camt054=_digest(c, "camt") if paid else "", schema="",
    ), 1)  # fmt: skip
