"""The sheet of one document: every value that it says, once, in sections a person reads.

A sheet is made from what reading the machine form back gave, so the print cannot say more than the
machine form does; `texts` lets a test hold that it does not say less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from zhidao.core.money import Currency
from zhidao.trade.domain.documents.formalities import customs_value
from zhidao.trade.domain.documents.invoices import invoice_total, line_net, vat_rows
from zhidao.trade.domain.documents.mapping import DocumentForm
from zhidao.trade.domain.model.catalogue import CREDIT, EQUIPMENT, ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.printing import labels
from zhidao.trade.domain.printing.labels import Label

_INVOICES: Final = ("invoice_ubl", "invoice_cii")
_SIGNED_BY_AUTHORITY: Final = ("origin_rcep", "origin_form_e")
_CARRIAGE: Final = (
    "receiptLocation",
    "loadingBaseportLocation",
    "mainCarriageTransportMovement",
    "onCarriageTransportMovement",
    "unloadingBaseportLocation",
    "deliveryLocation",
    "railTransportMovement",
    "roadTransportMovement",
)
_TERMS: Final = "applicableTradeDeliveryTerms"


@dataclass(frozen=True, slots=True)
class Said:
    """A label and the value beside it; `also` is the value's name in both languages, if a code."""

    label: Label
    value: str
    also: Label = ("", "")


@dataclass(frozen=True, slots=True)
class Section:
    """Values that belong together."""

    title: Label
    said: tuple[Said, ...]
    is_party: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, a code's name, and smaller lines below."""

    text: str
    also: Label = ("", "")
    below: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table of members.

    `numeric`: columns whose cells stand at the right. `wide`: the column that takes what is left
    of the width, -1 for all.
    """

    title: Label
    columns: tuple[Label, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: int = -1


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document ready to be printed. `day` (ISO 8601) dates the file, `digest` is SHA-256, hex."""

    kind: str
    title: Label
    number: str
    day: str
    digest: str
    sections: tuple[Section, ...]
    tables: tuple[Table, ...]
    totals: tuple[Said, ...]
    statements: tuple[Label, ...]
    signatures: tuple[Label, ...]

    @property
    def texts(self) -> list[str]:
        """Every value on the sheet."""
        found = [self.number, *(s.value for part in self.sections for s in part.said)]
        for table in self.tables:
            for row in table.rows:
                found += [text for cell in row for text in (cell.text, *_values(cell.below))]
        return [*found, *_values(self.totals)]


def _values(said: tuple[Said, ...]) -> list[str]:
    return [one.value for one in said]


def sheet_of(
    form: DocumentForm, said: CanonicalConsignment, *, digest: str, day: str = ""
) -> Sheet:
    """The sheet of a document that said these things. `day`: for a document that has no date."""
    document = form.number_path.partition(".")[0]
    dated = said.get(f"{document}.issueDate", day)
    return Sheet(
        kind=form.kind,
        title=form.titles,
        number=said.get(form.number_path),
        day=dated,
        digest=digest,
        sections=tuple(_sections(form, said)),
        tables=tuple(_tables(form, said)),
        totals=tuple(_totals(form, said)),
        statements=labels.STATEMENTS.get(form.kind, ()),
        signatures=_signatures(form),
    )


def _signatures(form: DocumentForm) -> tuple[Label, ...]:
    signature = labels.WORDS["signature"]
    if form.kind in _SIGNED_BY_AUTHORITY:
        return signature, labels.WORDS["stamp"]
    if form.kind in ("rail_consignment_note", "road_consignment_note", "air_waybill"):
        roles = ("consignorParty", "carrierParty", "consigneeParty")
        return tuple(labels.ROLES[role] for role in roles)
    return (signature,)


def _sections(form: DocumentForm, said: CanonicalConsignment) -> Iterator[Section]:
    grouped: dict[str, list[str]] = {}
    # The document's own number and day stand at its head.
    own = (form.number_path, form.number_path.removesuffix(".id") + ".issueDate")
    for path in said.values:
        if "[" not in path and path not in own:
            grouped.setdefault(_section_of(path), []).append(path)
    for role, title in labels.ROLES.items():
        if role in grouped:
            rank = [f"{role}.{name}" for name in labels.OF_PARTY]
            paths = sorted(grouped.pop(role), key=rank.index)
            yield _section(_role_title(form, role, title), paths, said, is_party=True)
    for name in ("carriage", "terms", "references", "valuation", "credit", "other"):
        paths = grouped.get(name, [])
        if name == "carriage":
            paths = sorted(paths, key=_by_carriage)
        if paths:
            yield _section(labels.WORDS[name], paths, said)


def _section(
    title: Label, paths: list[str], said: CanonicalConsignment, *, is_party: bool = False
) -> Section:
    facts = (_said(path, said) for path in paths)
    return Section(title, tuple(fact for fact in facts if fact is not None), is_party)


def _role_title(form: DocumentForm, role: str, title: Label) -> Label:
    if form.kind in _INVOICES:
        return {"consignorParty": labels.SELLER, "consigneeParty": labels.BUYER}.get(role, title)
    return title


def _section_of(path: str) -> str:
    head = path.partition(".")[0]
    if head in labels.ROLES:
        return head
    if head in _CARRIAGE or path in ("freightPaymentCode", "carrierBookingDocument.id"):
        return "carriage"
    named = {_TERMS: "terms", "customsValuation": "valuation", CREDIT: "credit"}
    if head.endswith("Document"):
        return "references"
    return named.get(head, "other")


def _by_carriage(path: str) -> int:
    """Where a fact of the carriage stands: in the order of the road, not of the form."""
    head = path.partition(".")[0]
    return _CARRIAGE.index(head) if head in _CARRIAGE else len(_CARRIAGE)


def _said(path: str, said: CanonicalConsignment) -> Said | None:
    """A field's label and value; None for a place's code, which stands beside the place's name."""
    value = said.get(path)
    place = path.rpartition(".")[0]
    if place.endswith("Location") and not path.endswith(".stationId"):
        name = said.get(f"{place}.name")
        if path.endswith(".id") and name:
            return None
        code = said.get(f"{place}.id")
        return Said(labels.label_of(path), f"{name} ({code})" if name and code else value)
    if path.endswith(("Indicator", "Allowed")):
        return Said(labels.label_of(path), "", labels.YES if value == "true" else labels.NO)
    also = labels.FREIGHT.get(value, ("", "")) if path == "freightPaymentCode" else ("", "")
    return Said(labels.label_of(path), value, also)


# Fields of an item that stand in columns of their own; all others stand below the description.
_COLUMNS: Final = ("packageQuantity", "requestedQuantity", "netWeight", "grossWeight")
_COLUMNS_MORE: Final = ("grossVolume", "unitPriceAmount")
_CODE_BESIDE: Final = {
    "packageQuantity": ("packageTypeCode", labels.PACKAGE_NAMES),
    "requestedQuantity": ("requestedUnitCode", labels.UNIT_NAMES),
}
_GOODS: Final = "natureIdentificationCargo.description"


def _tables(form: DocumentForm, said: CanonicalConsignment) -> Iterator[Table]:
    if said.counts[ITEM]:
        yield _goods(form, said)
    if said.counts[EQUIPMENT]:
        names = [n for n in ("id", "affixedSealId", "wagonId") if any(said.each(EQUIPMENT, n))]
        yield Table(
            title=labels.WORDS["equipment"],
            columns=tuple(labels.label_of(f"{EQUIPMENT}[].{name}") for name in names),
            numeric=(False,) * len(names),
            rows=tuple(
                tuple(Cell(said.get(f"{EQUIPMENT}[{k}].{name}")) for name in names)
                for k in range(said.counts[EQUIPMENT])
            ),
        )


def _goods(form: DocumentForm, said: CanonicalConsignment) -> Table:
    columns = [name for name in (*_COLUMNS, *_COLUMNS_MORE) if any(said.each(ITEM, name))]
    priced = form.kind in _INVOICES
    # A bill of lading numbers no items.
    texts = ["id", _GOODS] if any(said.each(ITEM, "id")) else [_GOODS]
    heads = [labels.label_of(f"{ITEM}[].{name}") for name in (*texts, *columns)]
    amount = [labels.WORDS["amount"]] if priced else []
    return Table(
        title=labels.WORDS["goods"],
        columns=(*heads, *amount),
        numeric=(*(False for _ in texts), *(True for _ in (*columns, *amount))),
        wide=len(texts) - 1,
        rows=tuple(_item(said, k, columns, priced=priced) for k in range(said.counts[ITEM])),
    )


def _item(
    said: CanonicalConsignment, k: int, columns: list[str], *, priced: bool
) -> tuple[Cell, ...]:
    at = f"{ITEM}[{k}]."
    beside = {_CODE_BESIDE[name][0] for name in columns if name in _CODE_BESIDE}
    own = {"id", _GOODS, *columns, *beside}
    rest = [
        Said(labels.label_of(path), value)
        for path, value in said.values.items()
        if path.startswith(at) and path.removeprefix(at) not in own
    ]
    cells = [Cell(said.get(at + "id")), Cell(said.get(at + _GOODS), below=tuple(rest))]
    if not any(said.each(ITEM, "id")):
        del cells[0]
    for name in columns:
        code, names = _CODE_BESIDE.get(name, ("", {}))
        value = said.get(at + code) if code else ""
        below = (Said(("", ""), value, names.get(value, ("", ""))),) if value else ()
        cells.append(Cell(said.get(at + name), below=below))
    if priced:
        decimals = Currency(said.get("invoiceDocument.currencyCode", "EUR")).exponent
        cells.append(Cell(f"{line_net(said, k):.{decimals}f}"))
    return tuple(cells)


_SUMMED: Final = ("packageQuantity", "netWeight", "grossWeight", "grossVolume")


def _totals(form: DocumentForm, said: CanonicalConsignment) -> Iterator[Said]:
    for name in _SUMMED:
        if any(said.each(ITEM, name)):
            yield Said(labels.label_of(f"{ITEM}[].{name}"), f"{said.total(name):f}")
    if form.kind in _INVOICES:
        yield from _invoice_totals(said)
    if form.kind == "import_declaration":
        currency = said.get("customsValuation.currencyCode")
        yield Said(labels.WORDS["customsValue"], f"{currency} {customs_value(said):f}")


def _invoice_totals(said: CanonicalConsignment) -> Iterator[Said]:
    code = said.get("invoiceDocument.currencyCode", "EUR")
    decimals = Currency(code).exponent
    rows = vat_rows(said)
    net = sum((base for _, _, base, _ in rows), Decimal(0))
    yield Said(labels.WORDS["net"], f"{code} {net:.{decimals}f}")
    for category, rate, _, tax in rows:
        english, chinese = labels.WORDS["vat"]
        name = f"{category} {rate:f} %"
        yield Said((f"{english} {name}", f"{chinese} {name}"), f"{code} {tax:.{decimals}f}")
    yield Said(labels.WORDS["due"], f"{code} {invoice_total(said):.{decimals}f}")
