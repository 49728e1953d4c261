"""The commercial invoice: sums by EN 16931's own arithmetic, exact decimals throughout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.money import Currency, Money
from zhidao.trade.domain.consignment import Address, ConsignmentEntry, Vat

# EN 16931 BR-DEC-09 to BR-DEC-24: amounts bear two decimals at most.
_DECIMALS_MAX: Final = 2
_DIGITS: Final = 60
# EN 16931: these categories need a reason why no VAT is charged (BR-E-10, BR-AE-10, BR-IC-10,
# BR-G-10, BR-O-10); S and Z must have none (BR-S-10, BR-Z-10).
EXEMPT_CATEGORIES: Final = frozenset({"E", "AE", "K", "G", "O"})


@dataclass(frozen=True, slots=True)
class InvoiceParty:
    """Seller or buyer as the invoice names it."""

    name: str
    address: Address
    registration: str
    vat: str


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line with its net amount (EN 16931 BT-131)."""

    id: str
    description: str
    gtin: str
    hs: str
    origin: str
    lot: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    vat: Vat
    net: Decimal


@dataclass(frozen=True, slots=True)
class VatSum:
    """One row of the VAT breakdown (EN 16931 BG-23)."""

    vat: Vat
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """A commercial invoice; amounts in `currency` with its decimals, at most two."""

    number: str
    issued_on: date
    due_on: date
    currency: Currency
    order: str
    seller: InvoiceParty
    buyer: InvoiceParty
    account: str
    terms: str
    container: str
    exemption_code: str
    exemption_reason: str
    lines: tuple[InvoiceLine, ...]
    vat: tuple[VatSum, ...]

    @property
    def net(self) -> Decimal:
        """Sum of the lines' net amounts (BT-106)."""
        return sum((line.net for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """Total VAT (BT-110)."""
        return sum((row.tax for row in self.vat), Decimal(0))

    @property
    def payable(self) -> Money:
        """The amount due (BT-115)."""
        return Money.parse(f"{self.net + self.tax:f}", self.currency.code)


def invoices_of(entry: ConsignmentEntry) -> tuple[Invoice, ...]:
    """Every invoice of a consignment, each over its own lines.

    Raises Refused if the currency has more than two decimals.
    """
    return tuple(_invoice(entry, number) for number in entry.invoices)


def total_of(invoices: Sequence[Invoice]) -> Money:
    """What invoices of one currency ask for together."""
    total = sum((invoice.net + invoice.tax for invoice in invoices), Decimal(0))
    return Money.parse(f"{total:f}", invoices[0].currency.code)


def _invoice(entry: ConsignmentEntry, number: str) -> Invoice:
    currency = entry.invoice.currency
    if currency.exponent > _DECIMALS_MAX:
        raise Refused(
            f"EN 16931 knows no amounts with {currency.exponent} decimals ({currency})",
            where="invoice.currency",
            remedy="invoice in a currency with at most two decimals",
        )
    lines = tuple(
        InvoiceLine(
            id=line.id,
            description=line.description,
            gtin=line.gtin,
            hs=line.hs,
            origin=line.origin,
            lot=line.lot,
            quantity=line.quantity,
            unit=line.unit,
            unit_price=line.unit_price,
            vat=line.vat,
            net=rounded(line.quantity, line.unit_price, decimals=currency.exponent),
        )
        for line in entry.lines
        if (line.invoice or entry.invoice.number) == number
    )
    return Invoice(
        number=number,
        issued_on=entry.invoice.issued_on,
        due_on=entry.invoice.due_on,
        currency=currency,
        order=_order(entry, number),
        seller=_party(entry, "exporter"),
        buyer=_party(entry, "importer"),
        account=entry.invoice.account,
        terms=str(entry.terms),
        # EN 16931 BT-18 names one object; of several containers the packing list tells.
        container="" if entry.containers else entry.container,
        exemption_code=entry.invoice.exemption_code,
        exemption_reason=entry.invoice.exemption_reason,
        lines=lines,
        vat=tuple(vat_sums(lines, decimals=currency.exponent)),
    )


def _order(entry: ConsignmentEntry, number: str) -> str:
    """The order that an invoice names: the entry's; of several invoices that of its lines."""
    if len(entry.invoices) == 1:
        return entry.order
    own = entry.invoice.number
    lines = (line for line in entry.lines if (line.invoice or own) == number)
    orders = {line.order or entry.order for line in lines}
    return orders.pop() if len(orders) == 1 else ""


def rounded(left: Decimal, right: Decimal, *, decimals: int) -> Decimal:
    """The product of two decimals, rounded half up to so many decimals."""
    with localcontext() as context:
        # Inputs have at most 18 digits each, so the product is exact before it is rounded.
        context.prec = _DIGITS
        return (left * right).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def vat_sums(lines: Iterable[InvoiceLine], *, decimals: int) -> list[VatSum]:
    """The VAT breakdown by category and rate (BR-CO-17), in the order of first appearance."""
    taxable: dict[Vat, Decimal] = {}
    for line in lines:
        taxable[line.vat] = taxable.get(line.vat, Decimal(0)) + line.net
    return [
        VatSum(vat, base, rounded(base, vat.percent.scaleb(-2), decimals=decimals))
        for vat, base in taxable.items()
    ]


def _party(entry: ConsignmentEntry, role: str) -> InvoiceParty:
    party = entry.parties[role]
    return InvoiceParty(party.name, party.address, party.registration, party.vat)


def terms_of(text: str) -> str:
    """The Incoterms rule (three letters) of an invoice's terms text, or `` if it names none."""
    rule = text[:3]
    return rule if text[3:4] in (" ", "") and rule.isupper() and len(rule) == 3 else ""
