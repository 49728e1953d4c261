"""An entry as the road needs it: the consignment of a version 2 file, and version 1 made 2.

The road carries a consignment over nodes: six parties with their names there, its containers, and
the papers that every consignment has. What only further documents need may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.core.money import Currency
from zhidao.trade.domain.consignment import (
    Address,
    ConsignmentEntry,
    DeliveryTerms,
    GoodsLine,
    InvoiceTerms,
    Packages,
    Place,
    TradeParty,
    Transport,
    Vat,
)
from zhidao.trade.domain.model.catalogue import EQUIPMENT, ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment, Origin, enter
from zhidao.trade.wire import canonical_entry
from zhidao.trade.wire.fields import number_text

# The road's roles by the parties of the canonical consignment.
_ROLES: Final = {
    "exporter": "consignorParty",
    "importer": "consigneeParty",
    "carrier": "carrierParty",
    "importer_bank": "issuingBankParty",
    "exporter_bank": "presentingBankParty",
    "customs": "customsParty",
}
_ADDRESSED: Final = ("consignorParty", "consigneeParty")
_ADDRESS: Final = ("streetName", "cityName", "countryId")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_MOVE: Final = "mainCarriageTransportMovement"
_TERMS: Final = "applicableTradeDeliveryTerms"
_LOADING: Final = "loadingBaseportLocation"
_UNLOADING: Final = "unloadingBaseportLocation"
_NEEDED: Final = (
    "id",
    *(f"{role}.{name}" for role in _ROLES.values() for name in ("nodeId", "name")),
    *(f"{role}.postalAddress.{name}" for role in _ADDRESSED for name in _ADDRESS),
    *(
        f"invoiceDocument.{name}"
        for name in ("id", "issueDate", "dueDate", "currencyCode", "payeeAccountId")
    ),
    "packingListDocument.id",
    "originStatementDocument.id",
    f"{_TERMS}.deliveryTypeCode",
    f"{_TERMS}.edition",
    *(f"{at}.{name}" for at in (f"{_TERMS}.relevantLocation",) for name in ("id", "name")),
    f"{_MOVE}.meansName",
    f"{_MOVE}.id",
    *(f"{at}.{name}" for at in (_LOADING, _UNLOADING) for name in ("id", "name")),
    f"{EQUIPMENT}[0].id",
)
_ITEM_NEEDED: Final = (
    *("id", "natureIdentificationCargo.description", "globalId", "typeCode", "originCountry.id"),
    *("originCriterionCode", "requestedQuantity", "requestedUnitCode", "unitPriceAmount"),
    *("taxCategoryCode", "taxRatePercent", "netWeight", "grossWeight", "packageQuantity"),
    "packageTypeCode",
)


def read(data: bytes) -> ConsignmentEntry:
    """The road's consignment of a version 2 file.

    Raises MalformedInput naming a wrong field, every missing one at once, goods in no container
    of it, or a consignment's number that cannot be a name.
    """
    return entry_of(canonical_entry.typed(data))


def entry_of(consignment: CanonicalConsignment) -> ConsignmentEntry:
    """The road's consignment of canonical values; raises as `read` does."""
    sizes = consignment.counts
    missing = lacking(consignment.values, items=sizes[ITEM], containers=sizes[EQUIPMENT])
    if missing:
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise MalformedInput(
            f"the road needs {len(missing)} more fields: {', '.join(missing[:10])}{more}",
            code="missing_fields",
            where=missing[0],
            remedy="add them to the entry; nodeId is a party's name on its node",
        )
    get = consignment.get
    if not _NAME.fullmatch(get("id")):
        raise MalformedInput(
            f"{get('id')!r} cannot name a consignment on a node",
            code="bad_consignment_name",
            where="id",
            remedy="give letters, digits and ._-, at most 64",
        )
    containers = consignment.each(EQUIPMENT, "id") if sizes[EQUIPMENT] > 1 else []
    _check_containers(containers, consignment.each(ITEM, "equipmentId"))
    _check_invoices(get("invoiceDocument.id"), consignment.each(ITEM, "invoiceId"))
    return ConsignmentEntry(
        id=get("id"),
        parties={role: _party(consignment, at) for role, at in _ROLES.items()},
        lines=tuple(
            _line(consignment, f"{ITEM}[{k}]", several=bool(containers)) for k in range(sizes[ITEM])
        ),
        invoice=InvoiceTerms(
            number=get("invoiceDocument.id"),
            issued_on=date.fromisoformat(get("invoiceDocument.issueDate")),
            due_on=date.fromisoformat(get("invoiceDocument.dueDate")),
            currency=Currency(get("invoiceDocument.currencyCode")),
            account=get("invoiceDocument.payeeAccountId"),
            exemption_code=get("invoiceDocument.exemptionReasonCode"),
            exemption_reason=get("invoiceDocument.exemptionReason"),
        ),
        packing_list=get("packingListDocument.id"),
        origin_statement=get("originStatementDocument.id"),
        terms=DeliveryTerms(
            get(f"{_TERMS}.deliveryTypeCode"),
            int(get(f"{_TERMS}.edition")),
            _place(consignment, f"{_TERMS}.relevantLocation"),
        ),
        transport=Transport(
            mode=get(f"{_MOVE}.modeCode", "sea"),
            means=get(f"{_MOVE}.meansName"),
            voyage=get(f"{_MOVE}.id"),
            loading=_place(consignment, _LOADING),
            discharge=_place(consignment, _UNLOADING),
        ),
        container=get(f"{EQUIPMENT}[0].id"),
        order=get("productionOrderDocument.id"),
        lot=get("productionOrderDocument.lotId"),
        simulated=get("simulatedIndicator") == "true",
        containers=tuple(containers),
    )


def _check_containers(containers: list[str], items: list[str]) -> None:
    """Several containers differ, each has goods in it, and all goods are in one of them."""
    if not containers:
        return
    for k, container in enumerate(containers):
        if containers.index(container) < k:
            raise MalformedInput(
                f"the container {container} stands twice",
                code="container_twice",
                where=f"{EQUIPMENT}[{k}].id",
                remedy="name each container once; goods of several items may be in one",
            )
        if container not in items:
            raise MalformedInput(
                f"nothing is in container {container}",
                code="empty_container",
                where=f"{EQUIPMENT}[{k}].id",
                remedy="say of each item in which container it is, or leave the container out",
            )
    for k, container in enumerate(items):
        if container not in containers:
            raise MalformedInput(
                f"{container or 'no container'} is not among the containers",
                code="no_such_container",
                where=f"{ITEM}[{k}].equipmentId",
                remedy="give one of: " + " ".join(containers[:10]),
            )


def _check_invoices(own: str, items: list[str]) -> None:
    """The entry's own invoice asks for something, and others stand beside their items alone."""
    if all(number not in ("", own) for number in items):
        raise MalformedInput(
            f"no item is on the invoice {own}",
            code="empty_invoice",
            where="invoiceDocument.id",
            remedy="give the entry the number of one of the invoices of its items",
        )


def migrated(entry: ConsignmentEntry) -> bytes:
    """The version 2 file of what a version 1 file said; the road reads the same from both.

    Raises MalformedInput where a version 2 field is narrower than what stood there.
    """
    values = {path: text for path, text in _values(entry) if text}
    return canonical_entry.write(enter(values, digest="", origin=Origin.ENTRY))


def said(entry: ConsignmentEntry) -> CanonicalConsignment:
    """What an entry says, by the paths of version 2, even where its forms are narrower."""
    return CanonicalConsignment({path: text for path, text in _values(entry) if text}, {})


def place_of(first: str) -> str:
    """Where version 2 has what stands at a place of version 1, for the places that are checked."""
    head, bracket, rest = first.partition("[")
    index, _, name = rest.partition("].")
    return f"{ITEM}[{index}].{_PLACES[name]}" if bracket else _PLACES.get(head, head)


_PLACES: Final = {
    "id": "id",
    "lot": "lotId",
    "quantity": "requestedQuantity",
    "vat.percent": "taxRatePercent",
    "gross_kg": "grossWeight",
    "$.terms.rule": f"{_TERMS}.deliveryTypeCode",
    "$.invoice.due_on": "invoiceDocument.dueDate",
    "$.invoice.exemption_reason": "invoiceDocument.exemptionReason",
    "$.parties.importer.id": "consigneeParty.nodeId",
    "$.lot": "productionOrderDocument.lotId",
}


def needed(*, items: int, containers: int = 1) -> list[str]:
    """The fields that a road with so many items and containers asks for; one of each at least."""
    of_items = (f"{ITEM}[{k}].{name}" for k in range(max(1, items)) for name in _ITEM_NEEDED)
    further = [f"{EQUIPMENT}[{k}].id" for k in range(1, containers)]
    where = [f"{ITEM}[{k}].equipmentId" for k in range(max(1, items))] if further else []
    return [*_NEEDED, *further, *of_items, *where]


def lacking(values: Mapping[str, str], *, items: int, containers: int = 1) -> list[str]:
    """The fields that a road asks for and an entry of so many items and containers has not."""
    return [path for path in needed(items=items, containers=containers) if not values.get(path)]


def _party(consignment: CanonicalConsignment, at: str) -> TradeParty:
    get = consignment.get
    return TradeParty(
        id=party_id(get(f"{at}.nodeId")),
        name=get(f"{at}.name"),
        address=Address(
            street=get(f"{at}.postalAddress.streetName"),
            city=get(f"{at}.postalAddress.cityName"),
            postcode=get(f"{at}.postalAddress.postcodeCode"),
            country=get(f"{at}.postalAddress.countryId"),
        ),
        registration=get(f"{at}.legalRegistrationId"),
        vat=get(f"{at}.taxRegistrationId"),
    )


def _place(consignment: CanonicalConsignment, at: str) -> Place:
    return Place(consignment.get(f"{at}.id"), consignment.get(f"{at}.name"))


def _line(consignment: CanonicalConsignment, at: str, *, several: bool) -> GoodsLine:
    def get(name: str) -> str:
        return consignment.get(f"{at}.{name}")

    return GoodsLine(
        id=get("id"),
        description=get("natureIdentificationCargo.description"),
        gtin=get("globalId"),
        hs=get("typeCode"),
        origin=get("originCountry.id"),
        origin_criterion=get("originCriterionCode"),
        quantity=Decimal(get("requestedQuantity")),
        unit=get("requestedUnitCode"),
        unit_price=Decimal(get("unitPriceAmount")),
        vat=Vat(get("taxCategoryCode"), Decimal(get("taxRatePercent"))),
        net_kg=Decimal(get("netWeight")),
        gross_kg=Decimal(get("grossWeight")),
        packages=Packages(int(get("packageQuantity")), get("packageTypeCode")),
        lot=get("lotId"),
        container=get("equipmentId") if several else "",
        order=get("productionOrderId"),
        invoice=get("invoiceId"),
    )


def _values(entry: ConsignmentEntry) -> Iterator[tuple[str, str]]:
    """What an entry says, by the paths of version 2."""
    yield "id", entry.id
    for role, at in _ROLES.items():
        party = entry.parties[role]
        yield f"{at}.nodeId", party.id
        yield f"{at}.name", party.name
        if role in ("exporter", "importer", "carrier"):
            yield f"{at}.postalAddress.streetName", party.address.street
            yield f"{at}.postalAddress.cityName", party.address.city
            yield f"{at}.postalAddress.countryId", party.address.country
        if role in ("exporter", "importer"):
            yield f"{at}.postalAddress.postcodeCode", party.address.postcode
            yield f"{at}.legalRegistrationId", party.registration
            yield f"{at}.taxRegistrationId", party.vat
    invoice = entry.invoice
    yield "invoiceDocument.id", invoice.number
    yield "invoiceDocument.issueDate", invoice.issued_on.isoformat()
    yield "invoiceDocument.dueDate", invoice.due_on.isoformat()
    yield "invoiceDocument.currencyCode", invoice.currency.code
    yield "invoiceDocument.payeeAccountId", invoice.account
    yield "invoiceDocument.exemptionReasonCode", invoice.exemption_code
    yield "invoiceDocument.exemptionReason", invoice.exemption_reason
    yield "packingListDocument.id", entry.packing_list
    yield "originStatementDocument.id", entry.origin_statement
    yield f"{_TERMS}.deliveryTypeCode", entry.terms.rule
    yield f"{_TERMS}.edition", str(entry.terms.edition)
    for at, place in (
        (f"{_TERMS}.relevantLocation", entry.terms.place),
        (_LOADING, entry.transport.loading),
        (_UNLOADING, entry.transport.discharge),
    ):
        yield f"{at}.id", place.unlocode
        yield f"{at}.name", place.name
    yield f"{_MOVE}.modeCode", entry.transport.mode
    yield f"{_MOVE}.meansName", entry.transport.means
    yield f"{_MOVE}.id", entry.transport.voyage
    yield f"{EQUIPMENT}[0].id", entry.container
    yield "productionOrderDocument.id", entry.order
    yield "productionOrderDocument.lotId", entry.lot
    yield "simulatedIndicator", "true" if entry.simulated else "false"
    for k, line in enumerate(entry.lines):
        yield from ((f"{ITEM}[{k}].{name}", text) for name, text in _line_values(line, entry))


def _line_values(line: GoodsLine, entry: ConsignmentEntry) -> Iterator[tuple[str, str]]:
    yield "id", line.id
    yield "natureIdentificationCargo.description", line.description
    yield "globalId", line.gtin
    yield "typeCode", line.hs
    yield "originCountry.id", line.origin
    yield "originCriterionCode", line.origin_criterion
    yield "requestedQuantity", number_text(line.quantity)
    yield "requestedUnitCode", line.unit
    yield "unitPriceAmount", number_text(line.unit_price)
    yield "taxCategoryCode", line.vat.category
    yield "taxRatePercent", number_text(line.vat.percent)
    yield "netWeight", number_text(line.net_kg)
    yield "grossWeight", number_text(line.gross_kg)
    yield "packageQuantity", str(line.packages.count)
    yield "packageTypeCode", line.packages.kind
    yield "equipmentId", entry.container
    yield "lotId", line.lot
