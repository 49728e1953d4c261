"""Corridors written down for tests: real facts, signed and numbered, as far as a test tells them."""

from __future__ import annotations

from typing import Any

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.events import Fact
from zhidao.core.ids import IdSource, PartyId, party_id
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.devices.events import (
    SealChecked,
    Sealed,
    SubmissionRefused,
    TerminalRegistered,
    WindowReceived,
)
from zhidao.finance.events import (
    Conditions,
    DealOpened,
    Decided,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.industry.events import LotFinished
from zhidao.insight.domain.opened import LogHead, OpenedLog, open_log
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    Marks,
    Site,
)
from zhidao.trade.events import (
    ConsignmentEntered,
    CrossCheckFinding,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trust.events import TitleAsked, TitleMoved

NODE = party_id("corridor")
PARTIES = tuple(map(party_id, ("exporter", "carrier", "importer-bank", "customs")))
BEGINNING = Utc.parse("2026-03-01T08:00:00Z")
SITE = Site(name="yard", latitude_ndeg=1, longitude_ndeg=1, radius_mm=90_000)
TERMINAL, PHONE = "T-1", "+8613800000001"


class SampleLog:
    """Writes facts one after another, `step_s` apart, each a leaf of one log."""

    def __init__(self, *, step_s: int = 10, name: str = "log") -> None:
        self._clock = HandClock(BEGINNING)
        self._step_s = step_s
        self._name = name
        randomness = SeededRandomness(7)
        keys = {p: SoftwareKey(Algorithm.ED25519, f"{p:>32}".encode()[-32:]) for p in PARTIES}
        self._scribe = Scribe(
            node=NODE,
            key=SoftwareKey(Algorithm.ED25519, b"n" * 32),
            ring=FixedKeyRing(dict(keys)),
            clock=self._clock,
            ids=IdSource(self._clock, randomness),
            randomness=randomness,
        )
        self._versions: dict[str, int] = {}
        self.leaves: list[tuple[int, int, Any]] = []
        self.size = 0

    def closed(self, leaves: int) -> None:
        """Leaves of the log that nobody opens to the report."""
        self.size += leaves

    @property
    def now(self) -> Utc:
        """When the last event was written down."""
        return self._clock.now()

    def tell(
        self,
        by: PartyId,
        aggregate: str,
        fact: Fact,
        *,
        after_s: int | None = None,
        happened: Utc | None = None,
    ) -> int:
        """One event, that happened as it was written down or then; returns its leaf's index."""
        self._clock.advance(self._step_s if after_s is None else after_s)
        version = self._versions.get(aggregate, 0) + 1
        self._versions[aggregate] = version
        entry = self._scribe.write(
            fact,
            by=by,
            aggregate=aggregate,
            version=version,
            owner=by,
            visible=(),
            occurred_at=happened,
        )
        index, self.size = self.size, self.size + 1
        self.leaves.append((0, index, entry.event))
        return index

    def log(self) -> OpenedLog:
        """What was told, opened."""
        head = LogHead(self._name, self.size, "00" * 32, "0000-1111", "own_key")
        return open_log([head], self.leaves)


def marks(**changes: Any) -> Marks:
    """All marks of a good arrival, some changed."""
    good: dict[str, Any] = {
        "signed_by_terminal": True,
        "bound_to_goods": True,
        "recomputed": True,
        "corroborated_by": ["network"],
        "disagreed_by": [],
        "inside_risk_ppb": 10_000,
    }
    return Marks(**(good | changes))


def register(book: SampleLog) -> None:
    """The terminal that all consignments of a test may use."""
    fact = TerminalRegistered(terminal=TERMINAL, phone=PHONE, key="zKey")
    book.tell(NODE, f"terminal/{TERMINAL}", fact)


def prepare(book: SampleLog, name: str, *, agree: bool = True, simulated: bool = True) -> None:
    """From the lot to the sealed container."""
    exporter, carrier, bank, customs = PARTIES
    title, deal = name * 4, f"deal-{name}"
    book.tell(
        exporter,
        f"order/PO-{name}",
        LotFinished(
            order=f"PO-{name}",
            lot=f"L-{name}",
            gtin="06901234000016",
            serials=["1"],
            within_limits=True,
            samples=3,
            quality="",
            epcis="",
            epcis_hashes=[],
            simulated=simulated,
        ),
    )
    book.tell(
        exporter,
        f"consignment/{name}",
        ConsignmentEntered(
            consignment=name,
            exporter="exporter",
            importer="importer",
            carrier="carrier",
            importer_bank="importer-bank",
            exporter_bank="exporter-bank",
            customs="customs",
            goods="pumps",
            container="CSQU3054383",
            order=f"PO-{name}",
            lot=f"L-{name}",
            amount_minor=100,
            currency="CNY",
            entry="",
            simulated=simulated,
            promised=[],
        ),
    )
    for kind in ("invoice", "origin_statement"):
        book.tell(
            exporter,
            f"consignment/{name}",
            DocumentAdded(
                consignment=name,
                kind=kind,
                number="1",
                digest="",
                media_type="application/xml",
                valid=True,
                rules=[],
                credential="ab" if kind == "invoice" else "",
            ),
        )
    findings = (
        []
        if agree
        else [
            CrossCheckFinding(
                rule="ZD-7", verdict="conflict", sentence="12 is not 13", left="a", right="b"
            )
        ]
    )
    book.tell(
        exporter,
        f"consignment/{name}",
        PapersChecked(consignment=name, agree=agree, checks=9, documents=[], findings=findings),
    )
    asked = TitleAsked(title=title, consignment=name, holder="exporter", readers=[])
    book.tell(carrier, f"title/{title}", asked)
    book.tell(NODE, f"title/{title}", _moved(title, "mint"))
    conditions = Conditions(marks=[], site=SITE, not_before="", not_after="", risk_ppb=1, needs=[])
    book.tell(
        bank,
        f"deal/{deal}",
        DealOpened(
            deal=deal,
            consignment=name,
            payer="a",
            payee="b",
            payer_bank="c",
            payee_bank="d",
            amount_minor=100,
            currency="CNY",
            terminal=TERMINAL,
            title=title,
            conditions=conditions,
        ),
    )
    reserved = MoneyReserved(deal=deal, transfer="t", amount_minor=100, currency="CNY")
    book.tell(bank, f"deal/{deal}", reserved)
    book.tell(exporter, f"deal/{deal}", TitleReserved(deal=deal, title=title))
    expected = ArrivalExpected(
        consignment=name, terminal=TERMINAL, site=SITE, not_before="", not_after="", risk_ppb=1
    )
    book.tell(bank, f"arrival/{name}", expected)
    seal = f"S-{name}"
    book.tell(
        carrier,
        f"seal/{seal}",
        Sealed(seal=seal, container="C", consignment=name, terminal=TERMINAL, terminal_key="z"),
    )
    book.tell(
        customs,
        f"seal/{seal}",
        SealChecked(seal=seal, container="C", terminal=TERMINAL, intact=True, place="border"),
    )


def arrive(book: SampleLog, name: str, *, simulated: bool = True) -> None:
    """Signals, the network's answer, a proven arrival, and what follows to the payment."""
    _window(book, simulated=simulated)
    _network(book, "match", simulated=simulated)
    book.tell(
        NODE,
        f"arrival/{name}",
        ArrivalProven(
            consignment=name,
            terminal=TERMINAL,
            site=SITE,
            observed_at="",
            latitude_ndeg=1,
            longitude_ndeg=1,
            height_mm=1,
            protection_mm=1,
            satellites=9,
            epochs=9,
            marks=marks(),
            window="",
            navigation="",
            evidence="",
            simulated=simulated,
        ),
    )
    delivered = Delivered(consignment=name, arrival="", observed_at="", place="yard")
    book.tell(NODE, f"consignment/{name}", delivered)
    released = CustomsReleased(consignment=name, declaration="D", decision="released")
    book.tell(PARTIES[3], f"consignment/{name}", released)
    settle(book, name, "release", "conditions_met")


def fail(book: SampleLog, name: str, *, settled: bool = True) -> None:
    """Signals that the network contradicts, and an abort."""
    _window(book)
    _network(book, "mismatch")
    book.tell(
        NODE,
        f"arrival/{name}",
        ArrivalNotProven(
            consignment=name,
            terminal=TERMINAL,
            reason="network_disagrees",
            sentence="12 km apart",
            observed_at="",
            latitude_ndeg=1,
            longitude_ndeg=1,
            protection_mm=1,
            marks=marks(corroborated_by=[], disagreed_by=["network"]),
            window="",
            evidence="",
            simulated=True,
        ),
    )
    settle(book, name, "abort", "network_disagrees", settled=settled)


def settle(book: SampleLog, name: str, outcome: str, reason: str, *, settled: bool = True) -> None:
    """The decision and, unless told otherwise, its settlement."""
    deal = f"deal-{name}"
    book.tell(
        NODE,
        f"deal/{deal}",
        Decided(
            deal=deal,
            outcome=outcome,
            reason=reason,
            sentence="so it was decided",
            title=name * 4,
            title_transaction="",
            transfer="t",
        ),
    )
    if settled:
        book.tell(
            NODE,
            f"deal/{deal}",
            Settled(
                deal=deal,
                paid=outcome == "release",
                reason=reason,
                pacs008="",
                camt054="",
                schema="",
            ),
        )


def refuse(book: SampleLog, reason: str) -> None:
    """Something that the terminal sent and the node did not take."""
    fact = SubmissionRefused(terminal=TERMINAL, reason=reason, sentence="not this one")
    book.tell(NODE, f"terminal/{TERMINAL}", fact)


def corridor(*, paid: int = 2, refused: int = 1, closed: int = 4, step_s: int = 10) -> OpenedLog:
    """Consignments a0, a1, … paid and r0, … refused, with leaves between that stay closed."""
    book = SampleLog(step_s=step_s)
    register(book)
    for number in range(paid):
        prepare(book, f"a{number}")
        book.closed(closed)
        arrive(book, f"a{number}")
    for number in range(refused):
        prepare(book, f"r{number}", agree=False)
        refuse(book, "replayed_nonce")
        fail(book, f"r{number}")
    return book.log()


def _window(book: SampleLog, *, simulated: bool = True) -> None:
    book.tell(
        NODE,
        f"terminal/{TERMINAL}",
        WindowReceived(
            terminal=TERMINAL,
            key="z",
            digest="",
            size_bytes=1,
            chunk_digests=[],
            nonce="",
            simulated=simulated,
        ),
    )


def _network(book: SampleLog, verdict: str, *, simulated: bool = True) -> None:
    check = f"{book.size:032x}"
    book.tell(
        NODE,
        f"network-check/{check}",
        NetworkChecked(
            check=check,
            phone=PHONE,
            verdict=verdict,
            reason="it lies so far from the middle",
            observed_at="",
            fix_latitude_ndeg=1,
            fix_longitude_ndeg=1,
            fix_bound_mm=1,
            network_latitude_ndeg=1,
            network_longitude_ndeg=1,
            network_radius_mm=1,
            network="scenario",
            simulated=simulated,
        ),
    )


def _moved(title: str, action: str) -> TitleMoved:
    return TitleMoved(
        title=title,
        registry="0x",
        chain_id=1,
        action=action,
        transaction="",
        holder="",
        beneficiary="",
        holder_party="",
        beneficiary_party="",
    )
