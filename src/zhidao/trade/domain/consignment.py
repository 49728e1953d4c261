"""A consignment as its one entry states it; every paper of ours is projected from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from zhidao.core.ids import PartyId
from zhidao.core.money import Currency


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` is an ISO 3166-1 alpha-2 code."""

    street: str
    city: str
    postcode: str
    country: str


@dataclass(frozen=True, slots=True)
class TradeParty:
    """A party of the consignment: its name on this node and in the papers.

    `registration` is its legal registration number, `vat` its VAT identifier; each may be ``.
    """

    id: PartyId
    name: str
    address: Address
    registration: str
    vat: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place by UN/LOCODE and name."""

    unlocode: str
    name: str


@dataclass(frozen=True, slots=True)
class DeliveryTerms:
    """An Incoterms rule with edition and named place."""

    rule: str
    edition: int
    place: Place

    def __str__(self) -> str:
        return f"{self.rule} {self.place.name} ({self.place.unlocode}) Incoterms {self.edition}"


@dataclass(frozen=True, slots=True)
class Transport:
    """How the goods go: `mode` sea, rail, road or air; the means and voyage by their names."""

    mode: str
    means: str
    voyage: str
    loading: Place
    discharge: Place


@dataclass(frozen=True, slots=True)
class Vat:
    """A VAT category (UNTDID 5305: S, Z, E, AE, K, G, O) with its rate in per cent."""

    category: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Packages:
    """Outermost packages: how many, and their kind (UN/ECE Rec. 21)."""

    count: int
    kind: str


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """One line of goods. `unit` is a UN/ECE Rec. 20 code, `unit_price` in the invoice's currency.

    `hs` is the six-digit Harmonized System code, `origin` the country (ISO 3166-1 alpha-2),
    `lot` the production lot or ``. `container`: which of several it is in; `` where there is one.
    `order`: the order that its lot was made for, where that is not the entry's own.
    `invoice`: the invoice that asks for it, where that is not the entry's own.
    """

    id: str
    description: str
    gtin: str
    hs: str
    origin: str
    origin_criterion: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    vat: Vat
    net_kg: Decimal
    gross_kg: Decimal
    packages: Packages
    lot: str
    container: str = ""
    order: str = ""
    invoice: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceTerms:
    """What the invoice says beside the goods. `account` is the payee's account number or IBAN."""

    number: str
    issued_on: date
    due_on: date
    currency: Currency
    account: str
    exemption_code: str
    exemption_reason: str


@dataclass(frozen=True, slots=True)
class ConsignmentEntry:
    """Everything the exporter types, once. `order` and `lot` name the production, or are ``.

    `containers`: all of them where there are several, of which `container` is the first; else none.
    """

    id: str
    parties: Mapping[str, TradeParty]
    lines: tuple[GoodsLine, ...]
    invoice: InvoiceTerms
    packing_list: str
    origin_statement: str
    terms: DeliveryTerms
    transport: Transport
    container: str
    order: str
    lot: str
    simulated: bool
    containers: tuple[str, ...] = ()

    @property
    def every_container(self) -> tuple[str, ...]:
        """All containers, the only one among them."""
        return self.containers or (self.container,)

    @property
    def invoices(self) -> tuple[str, ...]:
        """The numbers of all invoices in the order of their lines, the only one among them."""
        return tuple(dict.fromkeys(line.invoice or self.invoice.number for line in self.lines))

    @property
    def lots(self) -> tuple[tuple[str, str], ...]:
        """Order and number of each lot, the entry's own first; none where nothing was ordered."""
        own = [(self.order, self.lot)] if self.lot else []
        more = [(line.order, line.lot) for line in self.lines if line.order and line.lot]
        return tuple(dict.fromkeys([*own, *more]))

    @property
    def exporter(self) -> TradeParty:
        """Who sells and ships."""
        return self.parties["exporter"]

    @property
    def importer(self) -> TradeParty:
        """Who buys and receives."""
        return self.parties["importer"]

    @property
    def goods(self) -> str:
        """The descriptions of all lines as one text of at most 200 characters."""
        text = "; ".join(line.description for line in self.lines)
        return text if len(text) <= 200 else text[:199] + "…"
