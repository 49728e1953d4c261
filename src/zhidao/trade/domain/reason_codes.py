"""What a check's sentence says, as codes with one value: for whoever tells it in another language.

The sentence itself stays English; `comparison` makes it of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final


class Topic(StrEnum):
    """What two statements are about; some of one line."""

    GOODS_OF_CREDIT = auto()
    GOODS_OF_LINE = auto()
    LINES = auto()
    QUANTITIES_OF_LINE = auto()
    UNITS_OF_LINE = auto()
    HS_CODES_OF_LINE = auto()
    ORIGINS_OF_LINE = auto()
    GROSS_WEIGHTS = auto()
    NET_WEIGHTS = auto()
    VOLUMES = auto()
    NET_AND_GROSS_OF_LINE = auto()
    PACKAGE_NUMBERS = auto()
    PACKAGE_KINDS = auto()
    MARKS_OF_LINE = auto()
    CONTAINER_NUMBERS = auto()
    SEAL_NUMBERS = auto()
    CONTAINER_NUMBER = auto()
    CURRENCIES = auto()
    AMOUNTS_OF_CREDIT = auto()
    DRAWN_AMOUNT = auto()
    AMOUNTS_OF_INVOICES = auto()
    DELIVERY_TERMS = auto()
    SHIPMENT_DAY = auto()
    PRESENTATION_PERIOD = auto()
    EXPIRY_DAY = auto()
    ISSUE_DAY = auto()
    COVER_START = auto()
    INSURED_AMOUNT = auto()
    COVER_CURRENCY = auto()
    FREIGHT = auto()
    INVOICE_NUMBERS = auto()
    INVOICE_DAYS = auto()
    CUSTOMS_VALUE = auto()
    NAMES = auto()
    COUNTRIES = auto()
    SELLER_AND_SHIPPER = auto()
    CONSIGNEE_TO_ORDER = auto()
    CONSIGNEES = auto()
    PORTS_OF_LOADING = auto()
    PORTS_OF_UNLOADING = auto()
    CLEAN = auto()
    ELECTRONIC_BILL = auto()
    ORIGINALS = auto()
    TRANSHIPMENT = auto()
    CRITERIA_OF_LINE = auto()
    ROUTE = auto()
    VOYAGE = auto()


class Note(StrEnum):
    """What is said beside the answer."""

    MAY_BE_ROUNDING = auto()
    DIFFERENCE = auto()
    HS_DIFFERS = auto()
    NOT_SAID = auto()
    SHIPPED_LATE = auto()
    LATE = auto()
    EXPIRED = auto()
    ISSUED_LATER = auto()
    OTHER_EDITION = auto()
    NO_CORRELATION = auto()
    WRONG_NUMBER = auto()
    IN_CONTAINERS = auto()
    OUTSIDE = auto()


_TOPICS: Final = {
    Topic.GOODS_OF_CREDIT: "goods of credit and invoice",
    Topic.GOODS_OF_LINE: "goods of line {of}",
    Topic.LINES: "lines {of}",
    Topic.QUANTITIES_OF_LINE: "quantities of line {of}",
    Topic.UNITS_OF_LINE: "units of line {of}",
    Topic.HS_CODES_OF_LINE: "HS codes of line {of}",
    Topic.ORIGINS_OF_LINE: "countries of origin of line {of}",
    Topic.GROSS_WEIGHTS: "gross weights",
    Topic.NET_WEIGHTS: "net weights",
    Topic.VOLUMES: "volumes",
    Topic.NET_AND_GROSS_OF_LINE: "net and gross weight of line {of}",
    Topic.PACKAGE_NUMBERS: "numbers of packages",
    Topic.PACKAGE_KINDS: "kinds of packages",
    Topic.MARKS_OF_LINE: "shipping marks of line {of}",
    Topic.CONTAINER_NUMBERS: "container numbers",
    Topic.SEAL_NUMBERS: "seal numbers",
    Topic.CONTAINER_NUMBER: "container number",
    Topic.CURRENCIES: "currencies",
    Topic.AMOUNTS_OF_CREDIT: "amounts of credit and invoice",
    Topic.DRAWN_AMOUNT: "invoiced and drawn amount",
    Topic.AMOUNTS_OF_INVOICES: "amounts of both invoices",
    Topic.DELIVERY_TERMS: "delivery terms",
    Topic.SHIPMENT_DAY: "latest day and day of shipment",
    Topic.PRESENTATION_PERIOD: "period of presentation",
    Topic.EXPIRY_DAY: "day of expiry",
    Topic.ISSUE_DAY: "day of issue and presentation",
    Topic.COVER_START: "cover and shipment",
    Topic.INSURED_AMOUNT: "insured amount and value",
    Topic.COVER_CURRENCY: "currencies of invoice and cover",
    Topic.FREIGHT: "freight payment",
    Topic.INVOICE_NUMBERS: "numbers of the invoice",
    Topic.INVOICE_DAYS: "days of the invoice",
    Topic.CUSTOMS_VALUE: "rebuilt and declared customs value",
    Topic.NAMES: "names",
    Topic.COUNTRIES: "countries",
    Topic.SELLER_AND_SHIPPER: "seller and shipper",
    Topic.CONSIGNEE_TO_ORDER: "consignee to order and named",
    Topic.CONSIGNEES: "consignees",
    Topic.PORTS_OF_LOADING: "ports of loading",
    Topic.PORTS_OF_UNLOADING: "ports of unloading",
    Topic.CLEAN: "clean status and clauses",
    Topic.ELECTRONIC_BILL: "electronic bill and its sole control",
    Topic.ORIGINALS: "numbers of originals",
    Topic.TRANSHIPMENT: "transhipment",
    Topic.CRITERIA_OF_LINE: "criteria of line {of}",
    Topic.ROUTE: "route of certificate and track",
    Topic.VOYAGE: "vessel and voyage",
}
_NOTES: Final = {
    Note.MAY_BE_ROUNDING: "the difference of {of} may be rounding",
    Note.DIFFERENCE: "the difference is {of}",
    Note.HS_DIFFERS: "the HS codes differ",
    Note.NOT_SAID: "the invoice does not say: {of}",
    Note.SHIPPED_LATE: "shipped too late",
    Note.LATE: "too late",
    Note.EXPIRED: "expired",
    Note.ISSUED_LATER: "issued after the presentation",
    Note.OTHER_EDITION: "in the other edition: HS {of}",
    Note.NO_CORRELATION: "the other edition's code is not known: {of}",
    Note.WRONG_NUMBER: "not a right number: {of}",
    Note.IN_CONTAINERS: "the goods are in containers, see UCP 600 article 20(c)",
    Note.OUTSIDE: "outside of the agreement: {of}",
}


@dataclass(frozen=True, slots=True)
class About:
    """A topic with the line that it is of."""

    topic: Topic
    of: str = ""

    def __str__(self) -> str:
        return _TOPICS[self.topic].format(of=self.of)


@dataclass(frozen=True, slots=True)
class Noted:
    """A note with its value."""

    note: Note
    of: str = ""

    def __str__(self) -> str:
        return _NOTES[self.note].format(of=self.of)
