"""The entry of a consignment as the road reads it: version 2, or version 1, which is here.

Version 2 is `canonical_entry.py`, the form that the guided page fills too. Version 1 is read for
ever, since consignments stand that were opened by it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.core.money import Currency
from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE, container_number
from zhidao.trade.domain.consignment import (
    Address,
    ConsignmentEntry,
    DeliveryTerms,
    GoodsLine,
    InvoiceTerms,
    Packages,
    TradeParty,
    Transport,
    Vat,
)
from zhidao.trade.domain.invoice import EXEMPT_CATEGORIES
from zhidao.trade.domain.model.consignment import CanonicalConsignment, completed
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.wire import canonical_entry, consignment_entry
from zhidao.trade.wire.fields import (
    ContainerCode,
    Count,
    CountryCode,
    HsCode,
    Name,
    Number,
    PackageCode,
    PlaceField,
    Reference,
    Short,
    ShortOrNone,
    Text,
    UnitCode,
    number,
    number_text,
    parse_paper,
    read_struct,
)

ROLES: Final = ("exporter", "importer", "carrier", "importer_bank", "exporter_bank", "customs")
LINES_MAX: Final = 500
_PartyName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}\Z", max_length=64)]
ConsignmentId = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", max_length=64)
]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class AddressField(_Strict, frozen=True, kw_only=True):
    """A postal address."""

    street: Name
    city: Name
    postcode: ShortOrNone = ""
    country: CountryCode


class PartyField(_Strict, frozen=True, kw_only=True):
    """A party: `id` is its name on this node; registration and VAT numbers where it has them."""

    id: _PartyName
    name: Name
    address: AddressField
    registration: ShortOrNone = ""
    vat: ShortOrNone = ""

    def party(self) -> TradeParty:
        """The party's value."""
        return TradeParty(
            id=party_id(self.id),
            name=self.name,
            address=Address(
                street=self.address.street,
                city=self.address.city,
                postcode=self.address.postcode,
                country=self.address.country,
            ),
            registration=self.registration,
            vat=self.vat,
        )


class PartiesField(_Strict, frozen=True, kw_only=True):
    """The six parties of a consignment; all of them may read it."""

    exporter: PartyField
    importer: PartyField
    carrier: PartyField
    importer_bank: PartyField
    exporter_bank: PartyField
    customs: PartyField


class PackagesField(_Strict, frozen=True, kw_only=True):
    """Outermost packages; `kind` is a UN/ECE Rec. 21 code such as CT."""

    count: Count
    kind: PackageCode


class VatField(_Strict, frozen=True, kw_only=True):
    """VAT category (UNTDID 5305) and rate in per cent."""

    category: Literal["S", "Z", "E", "AE", "K", "G", "O"]
    percent: Number


class LineField(_Strict, frozen=True, kw_only=True):
    """A line of goods; weights of the whole line in kilograms."""

    id: Reference
    description: Text
    gtin: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{8}|[0-9]{12,14})\Z", max_length=14)]
    hs: HsCode
    origin: CountryCode
    origin_criterion: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,5}\Z", max_length=5)]
    quantity: Number
    unit: UnitCode
    unit_price: Number
    vat: VatField
    net_kg: Number
    gross_kg: Number
    packages: PackagesField
    lot: ShortOrNone = ""


class InvoiceField(_Strict, frozen=True, kw_only=True):
    """The invoice's own facts; an exemption reason where no VAT is charged."""

    number: Reference
    issued_on: date
    due_on: date
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z", max_length=3)]
    account: Short
    exemption_code: ShortOrNone = ""
    exemption_reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


class TermsField(_Strict, frozen=True, kw_only=True):
    """An Incoterms rule, its edition and the named place."""

    rule: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z", max_length=3)]
    edition: Literal[2020]
    place: PlaceField


class TransportField(_Strict, frozen=True, kw_only=True):
    """How the goods go."""

    mode: Literal["sea", "rail", "road", "air"]
    means: Name
    voyage: Short
    loading: PlaceField
    discharge: PlaceField


class EntryDocument(_Strict, frozen=True, kw_only=True):
    """The entry file: one consignment, from which every other paper is made."""

    consignment: ConsignmentId
    parties: PartiesField
    invoice: InvoiceField
    packing_list: Reference
    origin_statement: Reference
    lines: Annotated[list[LineField], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    terms: TermsField
    transport: TransportField
    container: ContainerCode
    order: ShortOrNone = ""
    lot: ShortOrNone = ""
    simulated: bool = False


def read(data: bytes) -> ConsignmentEntry:
    """The consignment of an entry file of either version.

    Raises MalformedInput, naming the field by its path, for everything that is not exactly an
    entry: unknown fields, wrong types and codes, sums that cannot be.
    """
    if not is_second_version(data):
        entry = read_first(data)
        _check(entry)
        return entry
    entry = consignment_entry.read(data)
    try:
        _check(entry)
    except MalformedInput as error:
        raise MalformedInput(
            str(error.args[0]),
            code=error.code,
            where=consignment_entry.place_of(error.where),
            remedy=error.remedy,
        ) from error
    return entry


def canonical(data: bytes, codes: KnownCodes = SHORT_CODES) -> CanonicalConsignment:
    """The canonical values of an entry file of either version, those that nobody types too.

    Raises MalformedInput as `read` does, but for what the road asks besides.
    """
    if is_second_version(data):
        return canonical_entry.typed(data, codes)
    return completed(consignment_entry.said(read_first(data)), codes)


def is_second_version(data: bytes) -> bool:
    """Whether a file names its type, as entries do since version 2."""
    plain = parse_paper(data)
    return isinstance(plain, dict) and "type" in plain


def read_first(data: bytes) -> ConsignmentEntry:
    """The consignment of a version 1 file, its sums not yet checked."""
    return _value(read_struct(data, EntryDocument, what="entry"))


def write(entry: ConsignmentEntry) -> bytes:
    """The version 1 file of a consignment in its one canonical form."""
    return jcs(
        {
            "consignment": entry.id,
            "parties": {role: _party_plain(entry.parties[role]) for role in ROLES},
            "invoice": {
                "number": entry.invoice.number,
                "issued_on": entry.invoice.issued_on.isoformat(),
                "due_on": entry.invoice.due_on.isoformat(),
                "currency": entry.invoice.currency.code,
                "account": entry.invoice.account,
                "exemption_code": entry.invoice.exemption_code,
                "exemption_reason": entry.invoice.exemption_reason,
            },
            "packing_list": entry.packing_list,
            "origin_statement": entry.origin_statement,
            "lines": [_line_plain(line) for line in entry.lines],
            "terms": {
                "rule": entry.terms.rule,
                "edition": entry.terms.edition,
                "place": {"unlocode": entry.terms.place.unlocode, "name": entry.terms.place.name},
            },
            "transport": {
                "mode": entry.transport.mode,
                "means": entry.transport.means,
                "voyage": entry.transport.voyage,
                "loading": {
                    "unlocode": entry.transport.loading.unlocode,
                    "name": entry.transport.loading.name,
                },
                "discharge": {
                    "unlocode": entry.transport.discharge.unlocode,
                    "name": entry.transport.discharge.name,
                },
            },
            "container": entry.container,
            "order": entry.order,
            "lot": entry.lot,
            "simulated": entry.simulated,
        }
    )


def _value(document: EntryDocument) -> ConsignmentEntry:
    invoice = document.invoice
    return ConsignmentEntry(
        id=document.consignment,
        parties={role: getattr(document.parties, role).party() for role in ROLES},
        lines=tuple(_line(line) for line in document.lines),
        invoice=InvoiceTerms(
            number=invoice.number,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            currency=Currency(invoice.currency),
            account=invoice.account,
            exemption_code=invoice.exemption_code,
            exemption_reason=invoice.exemption_reason,
        ),
        packing_list=document.packing_list,
        origin_statement=document.origin_statement,
        terms=DeliveryTerms(
            document.terms.rule, document.terms.edition, document.terms.place.place()
        ),
        transport=Transport(
            mode=document.transport.mode,
            means=document.transport.means,
            voyage=document.transport.voyage,
            loading=document.transport.loading.place(),
            discharge=document.transport.discharge.place(),
        ),
        container=container_number(document.container),
        order=document.order,
        lot=document.lot,
        simulated=document.simulated,
    )


def _line(line: LineField) -> GoodsLine:
    return GoodsLine(
        id=line.id,
        description=line.description,
        gtin=line.gtin,
        hs=line.hs,
        origin=line.origin,
        origin_criterion=line.origin_criterion,
        quantity=number(line.quantity),
        unit=line.unit,
        unit_price=number(line.unit_price),
        vat=Vat(line.vat.category, number(line.vat.percent)),
        net_kg=number(line.net_kg),
        gross_kg=number(line.gross_kg),
        packages=Packages(line.packages.count, line.packages.kind),
        lot=line.lot,
    )


def _check(entry: ConsignmentEntry) -> None:
    _check_lines(entry)
    _check_orders(entry)
    _check_heads(entry)


def _check_lines(entry: ConsignmentEntry) -> None:
    seen: set[str] = set()
    for index, line in enumerate(entry.lines):
        where = f"$.lines[{index}]"
        if line.id in seen:
            raise MalformedInput(
                f"the line number {line.id!r} stands twice", code="line_twice", where=where + ".id"
            )
        seen.add(line.id)
        if not line.quantity:
            raise MalformedInput("a line of no goods", code="no_goods", where=where + ".quantity")
        if line.vat.percent and line.vat.category != "S":
            raise MalformedInput(
                f"VAT category {line.vat.category} has no rate but 0",
                code="rate_without_vat",
                where=where + ".vat.percent",
                remedy="give 0, or category S with the rate",
            )
        if line.gross_kg < line.net_kg:
            raise MalformedInput(
                f"gross weight {line.gross_kg} kg is below net weight {line.net_kg} kg",
                code="gross_below_net",
                where=where + ".gross_kg",
                remedy="net weight is without packaging",
            )


def _check_orders(entry: ConsignmentEntry) -> None:
    for k, line in enumerate(entry.lines):
        if line.order and not line.lot:
            raise MalformedInput(
                f"line {line.id} names an order and no lot",
                code="order_without_lot",
                where=f"$.lines[{k}].lot",
                remedy="give both or none",
            )


def _check_heads(entry: ConsignmentEntry) -> None:
    if entry.terms.rule not in SELLER_PAYS_CARRIAGE:
        raise MalformedInput(
            f"not an Incoterms 2020 rule: {entry.terms.rule}",
            code="no_incoterm",
            where="$.terms.rule",
            remedy="give one of " + " ".join(SELLER_PAYS_CARRIAGE),
        )
    if entry.invoice.due_on < entry.invoice.issued_on:
        raise MalformedInput(
            "the invoice is due before it is issued",
            code="due_before_issued",
            where="$.invoice.due_on",
        )
    reason = entry.invoice.exemption_code or entry.invoice.exemption_reason
    if reason and not any(line.vat.category in EXEMPT_CATEGORIES for line in entry.lines):
        raise MalformedInput(
            "a reason for charging no VAT, but no line without VAT",
            code="idle_exemption",
            where="$.invoice.exemption_reason",
            remedy="remove the reason, or correct the lines' VAT categories",
        )
    if entry.exporter.id == entry.importer.id:
        raise MalformedInput(
            "exporter and importer are one party",
            code="one_party_twice",
            where="$.parties.importer.id",
        )
    if bool(entry.order) != bool(entry.lot):
        raise MalformedInput(
            "order and lot go together",
            code="order_without_lot",
            where="$.lot",
            remedy="give both or none",
        )


def _party_plain(party: TradeParty) -> Json:
    return {
        "id": party.id,
        "name": party.name,
        "address": {
            "street": party.address.street,
            "city": party.address.city,
            "postcode": party.address.postcode,
            "country": party.address.country,
        },
        "registration": party.registration,
        "vat": party.vat,
    }


def _line_plain(line: GoodsLine) -> Json:
    return {
        "id": line.id,
        "description": line.description,
        "gtin": line.gtin,
        "hs": line.hs,
        "origin": line.origin,
        "origin_criterion": line.origin_criterion,
        "quantity": number_text(line.quantity),
        "unit": line.unit,
        "unit_price": number_text(line.unit_price),
        "vat": {"category": line.vat.category, "percent": number_text(line.vat.percent)},
        "net_kg": number_text(line.net_kg),
        "gross_kg": number_text(line.gross_kg),
        "packages": {"count": line.packages.count, "kind": line.packages.kind},
        "lot": line.lot,
    }
