"""The papers beside the invoice: packing list, origin statement, bill of lading, finished lot."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE
from zhidao.trade.domain.consignment import ConsignmentEntry, Packages, Place
from zhidao.trade.domain.invoice import Invoice, InvoiceLine

ORIGIN_DECLARATION = (
    "The exporter of the goods covered by this document declares that, except where otherwise "
    "clearly indicated, these goods originate in the country named beside each of them."
)


@dataclass(frozen=True, slots=True)
class PackedLine:
    """What a packing list says of one line."""

    id: str
    description: str
    quantity: Decimal
    unit: str
    net_kg: Decimal
    gross_kg: Decimal
    packages: Packages
    container: str = ""


@dataclass(frozen=True, slots=True)
class PackingList:
    """What is packed where, with the places between which it goes.

    `container` is the only one; of several it is `` and each line says in which it is.
    """

    number: str
    issued_on: date
    invoices: tuple[str, ...]
    shipper: str
    consignee: str
    container: str
    loading: Place
    discharge: Place
    lines: tuple[PackedLine, ...]

    @property
    def containers(self) -> tuple[str, ...]:
        """All containers, the only one among them."""
        several = dict.fromkeys(line.container for line in self.lines if line.container)
        return (self.container,) if self.container else tuple(several)

    @property
    def gross_kg(self) -> Decimal:
        """Gross weight of all lines."""
        return sum((line.gross_kg for line in self.lines), Decimal(0))

    @property
    def net_kg(self) -> Decimal:
        """Net weight of all lines."""
        return sum((line.net_kg for line in self.lines), Decimal(0))

    @property
    def packages(self) -> int:
        """Outermost packages of all lines."""
        return sum(line.packages.count for line in self.lines)


@dataclass(frozen=True, slots=True)
class OriginLine:
    """Goods of one origin, with the criterion that made them originate there."""

    id: str
    description: str
    hs: str
    origin: str
    criterion: str
    quantity: Decimal
    unit: str
    net_kg: Decimal


@dataclass(frozen=True, slots=True)
class OriginStatement:
    """The exporter's own statement of the goods' origin."""

    number: str
    issued_on: date
    exporter: str
    consignee: str
    invoices: tuple[str, ...]
    invoice_on: date
    declaration: str
    lines: tuple[OriginLine, ...]


@dataclass(frozen=True, slots=True)
class Cargo:
    """One cargo item of a bill of lading; weight as stated, in `weight_unit` (Rec. 20).

    `place`: where the document has it, `` for one that was not read.
    """

    description: str
    hs: tuple[str, ...]
    container: str
    weight: Decimal
    weight_unit: str
    packages: Packages
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class BillOfLading:
    """What the carrier says that it took. `freight` is PRE, COL or ``; clauses make it unclean."""

    number: str
    to_order: bool
    freight: str
    shipper: str
    consignee: str
    notify: tuple[str, ...]
    loading: str
    discharge: str
    on_board: date
    containers: tuple[str, ...]
    means: str
    voyage: str
    clauses: tuple[str, ...]
    cargo: tuple[Cargo, ...]
    # SCAC or SMDG liner code; `` where the document names none.
    carrier_code: str = ""

    @property
    def packages(self) -> int:
        """Outermost packages of all cargo."""
        return sum(item.packages.count for item in self.cargo)


@dataclass(frozen=True, slots=True)
class FinishedLot:
    """What production says of the lot.

    `within_limits`: None where nothing was measured, or what was does not show it.
    """

    order: str
    lot: str
    gtin: str
    count: int
    within_limits: bool | None
    measured: bool = True


@dataclass(frozen=True, slots=True)
class Papers:
    """All papers of one consignment that are there to be compared."""

    entry: ConsignmentEntry
    invoices: tuple[Invoice, ...]
    packing: PackingList | None
    origin: OriginStatement | None
    bill: BillOfLading | None
    lots: tuple[FinishedLot, ...] = ()
    # Those of the entry's own record; none where it was not asked.
    containers: tuple[str, ...] = ()
    # Those of the record where there are several, with what each asks for.
    billed: tuple[tuple[str, int], ...] = ()

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """The lines of all invoices."""
        return tuple(line for invoice in self.invoices for line in invoice.lines)


def packing_list_of(entry: ConsignmentEntry) -> PackingList:
    """The packing list of a consignment."""
    return PackingList(
        number=entry.packing_list,
        issued_on=entry.invoice.issued_on,
        invoices=entry.invoices,
        shipper=entry.exporter.name,
        consignee=entry.importer.name,
        container="" if entry.containers else entry.container,
        loading=entry.transport.loading,
        discharge=entry.transport.discharge,
        lines=tuple(
            PackedLine(
                id=line.id,
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                net_kg=line.net_kg,
                gross_kg=line.gross_kg,
                packages=line.packages,
                container=line.container,
            )
            for line in entry.lines
        ),
    )


def bill_of_lading_of(
    entry: ConsignmentEntry, *, number: str, carrier_code: str, on_board: date
) -> BillOfLading:
    """The bill that a carrier would give for a consignment that it took as it was entered."""
    cargo = tuple(
        Cargo(
            description=line.description,
            hs=(line.hs,),
            container=line.container or entry.container,
            weight=line.gross_kg,
            weight_unit="KGM",
            packages=line.packages,
        )
        for line in entry.lines
    )
    return BillOfLading(
        number=number,
        to_order=False,
        freight="PRE" if SELLER_PAYS_CARRIAGE[entry.terms.rule] else "COL",
        shipper=entry.exporter.name,
        consignee=entry.importer.name,
        notify=(),
        loading=entry.transport.loading.unlocode,
        discharge=entry.transport.discharge.unlocode,
        on_board=on_board,
        containers=entry.every_container,
        means=entry.transport.means,
        voyage=entry.transport.voyage,
        clauses=(),
        cargo=cargo,
        carrier_code=carrier_code,
    )


def origin_statement_of(entry: ConsignmentEntry) -> OriginStatement:
    """The origin statement of a consignment."""
    return OriginStatement(
        number=entry.origin_statement,
        issued_on=entry.invoice.issued_on,
        exporter=entry.exporter.name,
        consignee=entry.importer.name,
        invoices=entry.invoices,
        invoice_on=entry.invoice.issued_on,
        declaration=ORIGIN_DECLARATION,
        lines=tuple(
            OriginLine(
                id=line.id,
                description=line.description,
                hs=line.hs,
                origin=line.origin,
                criterion=line.origin_criterion,
                quantity=line.quantity,
                unit=line.unit,
                net_kg=line.net_kg,
            )
            for line in entry.lines
        ),
    )
