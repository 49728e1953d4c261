"""The rules between papers, one function a row; numbers are those of the project's check table.

Rows come from the practice of documentary credits and customs (topics UCP 600 articles 14, 18, 20,
27; ISBP 821). Article numbers were not checked against the published rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from zhidao.trade.domain.codes import KILOGRAMS, SELLER_PAYS_CARRIAGE
from zhidao.trade.domain.comparison import (
    Answer,
    CheckResult,
    Statement,
    described,
    near,
    result,
    same,
    same_name,
)
from zhidao.trade.domain.invoice import InvoiceLine, terms_of
from zhidao.trade.domain.invoice_rows import (
    ENTRY,
    INVOICE,
    each_invoice_once,
    field_of,
    listed,
    total_amount,
)
from zhidao.trade.domain.papers import (
    BillOfLading,
    Cargo,
    FinishedLot,
    OriginStatement,
    PackedLine,
    PackingList,
    Papers,
)

PACKING: Final = "packing_list"
ORIGIN: Final = "origin_statement"
BILL: Final = "bill_of_lading"
LOT: Final = "quality_record"


def compare(papers: Papers) -> list[CheckResult]:
    """Every row's answers about these papers, in the order of the table."""
    return [answer for check in CHECKS for answer in check(papers)]


def missing_papers(papers: Papers) -> Iterator[CheckResult]:
    """ZD-00: without invoice and transport document nothing can be said of the set."""
    asked = papers.entry.invoices
    there = {invoice.number for invoice in papers.invoices}
    absent = [f"{INVOICE} {n}" for n in asked if n not in there] if len(asked) > 1 else []
    if not papers.invoices:
        absent = [INVOICE]
    if papers.bill is None:
        absent.append(BILL)
    for name in absent:
        yield CheckResult(
            "ZD-00",
            Answer.UNDECIDED,
            f"the {name} is not there, so the papers cannot be compared",
            f"{ENTRY}:consignment = {papers.entry.id}",
            f"{name}: absent",
        )


def goods_description(papers: Papers) -> Iterator[CheckResult]:
    """XD-02: the other papers name the invoice's goods, at least in general terms."""
    bill = papers.bill
    if papers.invoices and bill:
        codes = {code for cargo in bill.cargo for code in cargo.hs}
        yield described(
            "XD-02",
            "descriptions of the goods",
            Statement(INVOICE, "lines.description", _joined(papers)),
            Statement(BILL, "descriptionOfGoods", "; ".join(c.description for c in bill.cargo)),
            codes_meet=bool(codes & {line.hs for line in papers.lines}) if codes else None,
        )
    if papers.invoices and papers.packing:
        for line in papers.packing.lines:
            theirs = _invoice_description(papers, line.id)
            yield described(
                "XD-02",
                f"descriptions of line {line.id}",
                Statement(INVOICE, f"line {line.id} description", theirs),
                Statement(PACKING, f"line {line.id} description", line.description),
                codes_meet=None,
            )


def quantities(papers: Papers) -> Iterator[CheckResult]:
    """XD-06: each line has the same quantity on every paper, and the lot has as many pieces."""
    if not papers.invoices:
        return
    ours = {line.id: (line.quantity, line.unit) for line in papers.lines}
    others: list[tuple[str, dict[str, tuple[Decimal, str]]]] = []
    if papers.packing:
        others.append((PACKING, {x.id: (x.quantity, x.unit) for x in papers.packing.lines}))
    if papers.origin:
        others.append((ORIGIN, {x.id: (x.quantity, x.unit) for x in papers.origin.lines}))
    for name, theirs in others:
        for line in sorted(ours.keys() | theirs.keys()):
            yield same(
                "XD-06",
                f"quantities of line {line}",
                Statement(INVOICE, f"line {line} quantity", _quantity(ours.get(line))),
                Statement(name, f"line {line} quantity", _quantity(theirs.get(line))),
            )


_SHOWN: Final = {True: "yes", False: "no", None: "not shown"}


def lot_evidence(papers: Papers) -> Iterator[CheckResult]:
    """ZD-01: the invoiced pieces of the lot were made, all of them, and within the limits.

    Of a lot that was typed nothing is said of limits.
    """
    for lot in papers.lots:
        if papers.invoices:
            yield from _one_lot(papers.lines, lot)


def _one_lot(invoiced: Sequence[InvoiceLine], lot: FinishedLot) -> Iterator[CheckResult]:
    lines = [line for line in invoiced if line.lot == lot.lot]
    count = sum((line.quantity for line in lines), Decimal(0))
    yield same(
        "ZD-01",
        "pieces of the lot",
        Statement(INVOICE, f"quantity of lot {lot.lot}", f"{count.normalize():f}"),
        Statement(LOT, "serial numbers", str(lot.count)),
    )
    for line in lines:
        yield same(
            "ZD-01",
            "article numbers",
            Statement(INVOICE, f"line {line.id} GTIN", line.gtin.zfill(14)),
            Statement(LOT, "GTIN", lot.gtin.zfill(14)),
        )
    if not lot.measured:
        return
    answers = {True: Answer.AGREE, False: Answer.CONFLICT, None: Answer.UNDECIDED}
    yield result(
        "ZD-01",
        answers[lot.within_limits],
        "the limits of the order and the measured values",
        Statement(INVOICE, "lot", lot.lot),
        Statement(LOT, "within_limits", _SHOWN[lot.within_limits]),
    )


def consignee(papers: Papers) -> Iterator[CheckResult]:
    """XD-10: the bill is consigned to the importer, or made out to order."""
    bill = papers.bill
    if bill is None:
        return
    ours = Statement(ENTRY, "importer", papers.entry.importer.name)
    if bill.to_order:
        named = Statement(BILL, "consignee", f"to order {bill.consignee}".strip())
        yield result("XD-10", Answer.AGREE, "importer and consignee", ours, named)
    else:
        yield same_name(
            "XD-10",
            "importer and consignee",
            ours,
            Statement(BILL, "consignee", bill.consignee),
        )


def buyer_and_seller(papers: Papers) -> Iterator[CheckResult]:
    """XD-08, XD-09, XD-12: seller and buyer are the same on invoice, origin statement and entry."""
    entry, origin = papers.entry, papers.origin
    pairs: list[tuple[str, str, str, str, str]] = []
    for invoice in papers.invoices:
        seller, buyer = (field_of(papers, invoice, role) for role in ("seller", "buyer"))
        pairs.append(("XD-08", INVOICE, seller, entry.exporter.name, invoice.seller.name))
        pairs.append(("XD-09", INVOICE, buyer, entry.importer.name, invoice.buyer.name))
    if origin:
        pairs.append(("XD-08", ORIGIN, "exporter", entry.exporter.name, origin.exporter))
        pairs.append(("XD-12", ORIGIN, "consignee", entry.importer.name, origin.consignee))
    for rule, paper, field, ours, theirs in pairs:
        yield same_name(
            rule,
            f"names of the {field}",
            Statement(ENTRY, field, ours),
            Statement(paper, field, theirs),
        )


def origin_of_goods(papers: Papers) -> Iterator[CheckResult]:
    """XD-13, XD-14, XD-15: the origin statement is about the invoice's goods, codes, countries."""
    if papers.origin is None:
        return
    theirs = {line.id: line for line in papers.origin.lines}
    for line in papers.lines:
        other = theirs.get(line.id)
        if other is None:
            yield CheckResult(
                "XD-13",
                Answer.CONFLICT,
                f"line {line.id} of the invoice has no origin stated",
                str(Statement(INVOICE, f"line {line.id} description", line.description)),
                f"{ORIGIN}:line {line.id} = absent",
            )
            continue
        yield described(
            "XD-13",
            f"descriptions of line {line.id}",
            Statement(INVOICE, f"line {line.id} description", line.description),
            Statement(ORIGIN, f"line {line.id} description", other.description),
            codes_meet=None,
        )
        yield same(
            "XD-14",
            f"HS codes of line {line.id}",
            Statement(INVOICE, f"line {line.id} HS", line.hs),
            Statement(ORIGIN, f"line {line.id} HS", other.hs),
        )
        yield same(
            "XD-15",
            f"countries of origin of line {line.id}",
            Statement(INVOICE, f"line {line.id} origin", line.origin),
            Statement(ORIGIN, f"line {line.id} origin", other.origin),
        )


def weights(papers: Papers) -> Iterator[CheckResult]:
    """XD-16, XD-17: gross weight of the bill against the packing list; net never above gross."""
    packing, bill = papers.packing, papers.bill
    if packing and bill:
        carried = sum((c.weight * KILOGRAMS[c.weight_unit] for c in bill.cargo), Decimal(0))
        yield near(
            "XD-16",
            "gross weights",
            Statement(PACKING, "gross weight", f"{packing.gross_kg.normalize():f} kg"),
            Statement(BILL, "cargoGrossWeight", f"{carried.normalize():f} kg"),
            one=packing.gross_kg,
            two=carried,
        )
    if packing and papers.origin:
        stated = sum((line.net_kg for line in papers.origin.lines), Decimal(0))
        yield near(
            "XD-17",
            "net weights",
            Statement(PACKING, "net weight", f"{packing.net_kg.normalize():f} kg"),
            Statement(ORIGIN, "net weight", f"{stated.normalize():f} kg"),
            one=packing.net_kg,
            two=stated,
        )


def packages(papers: Papers) -> Iterator[CheckResult]:
    """XD-18: the carrier took as many packages, of the same kinds, as were packed."""
    packing, bill = papers.packing, papers.bill
    if packing is None or bill is None:
        return
    yield same(
        "XD-18",
        "numbers of packages",
        Statement(PACKING, "packages", str(packing.packages)),
        Statement(BILL, "numberOfPackages", str(bill.packages)),
    )
    yield same(
        "XD-18",
        "kinds of packages",
        Statement(PACKING, "kind", _kinds([line.packages.kind for line in packing.lines])),
        Statement(BILL, "packageCode", _kinds([cargo.packages.kind for cargo in bill.cargo])),
    )


def containers(papers: Papers) -> Iterator[CheckResult]:
    """XD-20: the same containers on record, bill, packing list and invoice.

    Of several containers each one's packages and weight are the same on packing list and bill too.
    """
    if len(papers.containers) > 1 or papers.entry.containers:
        yield same(
            "XD-20",
            "containers of the entry",
            Statement("record", "containers", " ".join(sorted(papers.containers))),
            Statement(ENTRY, "containers", " ".join(sorted(papers.entry.every_container))),
        )
    if papers.bill is None:
        return
    carried = Statement(BILL, "equipmentReference", " ".join(sorted(papers.bill.containers)))
    if papers.packing:
        packed = Statement(PACKING, "container", " ".join(sorted(papers.packing.containers)))
        yield same("XD-20", "container numbers", packed, carried)
        if not papers.packing.container:
            yield from _each_container(papers.packing, papers.bill)
    for invoice in papers.invoices:
        if invoice.container:
            field = field_of(papers, invoice, "container")
            yield same(
                "XD-20", "container numbers", Statement(INVOICE, field, invoice.container), carried
            )


def _each_container(packing: PackingList, bill: BillOfLading) -> Iterator[CheckResult]:
    for container in sorted({*packing.containers, *bill.containers}):
        packed = [line for line in packing.lines if line.container == container]
        carried = [cargo for cargo in bill.cargo if cargo.container == container]
        yield same(
            "XD-18",
            f"numbers of packages in {container}",
            Statement(PACKING, f"packages in {container}", str(_count(packed))),
            Statement(BILL, f"numberOfPackages in {container}", str(_count(carried))),
        )
        ours = sum((line.gross_kg for line in packed), Decimal(0))
        theirs = sum((c.weight * KILOGRAMS[c.weight_unit] for c in carried), Decimal(0))
        yield near(
            "XD-16",
            f"gross weights in {container}",
            Statement(PACKING, f"gross weight in {container}", f"{ours.normalize():f} kg"),
            Statement(BILL, f"cargoGrossWeight in {container}", f"{theirs.normalize():f} kg"),
            one=ours,
            two=theirs,
        )


def _count(rows: Sequence[PackedLine | Cargo]) -> int:
    return sum(row.packages.count for row in rows)


def ports(papers: Papers) -> Iterator[CheckResult]:
    """XD-22: loaded and discharged where the packing list says."""
    packing, bill = papers.packing, papers.bill
    if packing and bill:
        for what, planned, stated in (
            ("loading", packing.loading.unlocode, bill.loading),
            ("discharge", packing.discharge.unlocode, bill.discharge),
        ):
            yield same(
                "XD-22",
                f"places of {what}",
                Statement(PACKING, what, planned),
                Statement(BILL, f"port of {what}", stated),
            )


def clean_bill(papers: Papers) -> Iterator[CheckResult]:
    """XD-28: a clause on the bill is read by a person before anybody calls it clean."""
    if papers.bill:
        clauses = papers.bill.clauses
        yield result(
            "XD-28",
            Answer.UNDECIDED if clauses else Answer.AGREE,
            "clean status and clauses",
            Statement(ENTRY, "asked", "clean"),
            Statement(BILL, "carrierClauses", "; ".join(clauses)[:500] or "none"),
        )


def freight(papers: Papers) -> Iterator[CheckResult]:
    """XD-30: freight is prepaid where the delivery terms let the seller pay the carriage."""
    bill = papers.bill
    if bill is None or not bill.freight:
        return
    stated = [terms_of(invoice.terms) for invoice in papers.invoices]
    for rule in dict.fromkeys(stated or [papers.entry.terms.rule]):
        if rule in SELLER_PAYS_CARRIAGE:
            wanted = "PRE" if SELLER_PAYS_CARRIAGE[rule] else "COL"
            yield same(
                "XD-30",
                "delivery terms and freight payment",
                Statement(INVOICE, f"freight under {rule}", wanted),
                Statement(BILL, "freightPaymentTermCode", bill.freight),
            )


def references(papers: Papers) -> Iterator[CheckResult]:
    """XD-32: the other papers name this invoice, by number and by day."""
    if not papers.invoices:
        return
    ours = Statement(INVOICE, "number", listed(i.number for i in papers.invoices))
    named: list[tuple[str, PackingList | OriginStatement | None]] = [
        (PACKING, papers.packing),
        (ORIGIN, papers.origin),
    ]
    for name, paper in named:
        if paper:
            stated = Statement(name, "invoice", listed(paper.invoices))
            yield same("XD-32", "numbers of the invoice", ours, stated)
    for invoice in papers.invoices if papers.origin else ():
        assert papers.origin is not None
        yield same(
            "XD-32",
            "days of the invoice",
            Statement(
                INVOICE, field_of(papers, invoice, "issued_on"), invoice.issued_on.isoformat()
            ),
            Statement(ORIGIN, "invoice_on", papers.origin.invoice_on.isoformat()),
        )


def voyage(papers: Papers) -> Iterator[CheckResult]:
    """XD-36: the bill's vessel and voyage are those that the entry names."""
    bill: BillOfLading | None = papers.bill
    if bill and bill.means:
        transport = papers.entry.transport
        yield same_name(
            "XD-36",
            "vessel and voyage",
            Statement(ENTRY, "means and voyage", f"{transport.means} {transport.voyage}"),
            Statement(BILL, "vessel and voyage", f"{bill.means} {bill.voyage}"),
        )


def _joined(papers: Papers) -> str:
    return "; ".join(line.description for line in papers.lines)


def _invoice_description(papers: Papers, line: str) -> str:
    return next((x.description for x in papers.lines if x.id == line), "absent")


def _quantity(value: tuple[Decimal, str] | None) -> str:
    return f"{value[0].normalize():f} {value[1]}" if value else "absent"


def _kinds(kinds: list[str]) -> str:
    return " ".join(sorted(set(kinds)))


CHECKS: Final[tuple[Callable[[Papers], Iterator[CheckResult]], ...]] = (
    missing_papers,
    goods_description,
    total_amount,
    each_invoice_once,
    quantities,
    lot_evidence,
    buyer_and_seller,
    consignee,
    origin_of_goods,
    weights,
    packages,
    containers,
    ports,
    clean_bill,
    freight,
    references,
    voyage,
)
