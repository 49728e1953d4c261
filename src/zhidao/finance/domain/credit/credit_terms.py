"""What a documentary credit asks, with the field tags of its MT 700. Amounts are minor units."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from zhidao.core.errors import MalformedInput
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.finance.domain.credit.transport_forms import Form

Text = Annotated[str, msgspec.Meta(max_length=2_000)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Minor = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MINOR_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
Kind = Literal[
    "draft",
    "invoice",
    "transport",
    "insurance",
    "packing_list",
    "origin",
    "inspection",
    "beneficiary_statement",
    "payment_obligation",
]
Rules = Literal["", "UCP 600", "eUCP 2.1", "URDTT 1.0"]
DOCUMENTS_MAX: Final = 50
LINES_MAX: Final = 100
_LINES: Final = "goods.lines"
ARTICLE_48_DAYS: Final = 21
"""UCP 600 article 14(c): calendar days after shipment when field 48 is silent."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all values here: strict, unchangeable, read straight from JSON."""


class CreditParty(Value, frozen=True, kw_only=True):
    """A name and the country of its address (ISO 3166-1 alpha-2)."""

    name: Short
    country: Country


class DocumentRequirement(Value, frozen=True, kw_only=True):
    """One document of field 46A. `issuer`: who must issue it; `says`: what its text must hold.

    `formats`: those in which a record of it may come; none named: any (eUCP article e5).
    """

    kind: Kind
    originals: Annotated[int, msgspec.Meta(ge=0, le=9)] = 1
    copies: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    issuer: Annotated[str, msgspec.Meta(max_length=200)] = ""
    says: Annotated[list[Short], msgspec.Meta(max_length=10)] = msgspec.field(default_factory=list)
    formats: Annotated[list[Short], msgspec.Meta(max_length=10)] = msgspec.field(
        default_factory=list
    )


class Line(Value, frozen=True, kw_only=True):
    """One kind of goods among several, in the unit of all. A price of 0 in a credit: none fixed."""

    description: Short
    quantity: Count
    unit_price_minor: Minor


Lines = Annotated[list[Line], msgspec.Meta(max_length=LINES_MAX)]


class Goods(Value, frozen=True, kw_only=True):
    """Field 45A. `about`: the credit says about or approximately of quantity (article 30(a)).

    `by_pieces`: quantity in packing units or pieces, so that article 30(b) gives no tolerance.
    `lines`: the kinds where there are several; `quantity` is then that of all, the price each
    kind's own.
    """

    description: Text
    quantity: Count
    unit: Short
    unit_price_minor: Minor
    lines: Lines = msgspec.field(default_factory=list)
    about: bool = False
    by_pieces: bool = False
    origin: Annotated[str, msgspec.Meta(max_length=2)] = ""
    rule: Annotated[str, msgspec.Meta(max_length=3)] = ""
    place: Annotated[str, msgspec.Meta(max_length=100)] = ""

    def check(self) -> None:
        """Raises MalformedInput where lines are not the whole, or not told apart."""
        if self.lines and sum(line.quantity for line in self.lines) != self.quantity:
            raise MalformedInput("the quantity is not that of the lines together", where=_LINES)
        if len({line.description for line in self.lines}) != len(self.lines):
            raise MalformedInput("two lines have one description", where=_LINES)


class Shipment(Value, frozen=True, kw_only=True):
    """Fields 43P, 43T, 44C, 44E, 44F, and how the transport document must be made out.

    `document`: which one field 46A asks for, by the way the goods go.
    """

    document: Form = "bill_of_lading"
    loading: Short
    discharge: Short
    latest_on: date
    partial_allowed: bool = False
    transhipment_allowed: bool = False
    consignee: Annotated[str, msgspec.Meta(max_length=200)] = "to order"
    notify: Annotated[str, msgspec.Meta(max_length=200)] = ""
    freight: Literal["prepaid", "collect", ""] = ""


class Cover(Value, frozen=True, kw_only=True):
    """What insurance the credit asks; `percent` of the invoice (article 28(f)(ii): 110)."""

    percent: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 110
    risks: Annotated[list[Short], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    irrespective_of_percentage: bool = False


class Credit(Value, frozen=True, kw_only=True):
    """An irrevocable credit. `version` rises with each amendment in force.

    `rules`: what it is subject to; left out, UCP 600, with eUCP where `electronic`. Under URDTT
    nothing is paper. `record_place`: the address where records are presented (eUCP article e6).

    `tolerance_plus`, `tolerance_minus` (39A) in per cent; `about` of the amount (article 30(a)).
    `conditions`: field 47A as far as no document is named for them: disregarded (article 14(h)).
    """

    number: Short
    issued_on: date
    expires_on: date
    expiry_place: Short
    applicant: CreditParty
    beneficiary: CreditParty
    issuing_bank: Short
    amount_minor: Minor
    currency: CurrencyCode
    available_by: Literal["sight", "acceptance", "deferred", "negotiation"]
    goods: Goods
    shipment: Shipment
    requirements: Annotated[list[DocumentRequirement], msgspec.Meta(min_length=1, max_length=20)]
    tolerance_plus: Percent = 0
    tolerance_minus: Percent = 0
    about: bool = False
    tenor_days: Annotated[int, msgspec.Meta(ge=0, le=720)] = 0
    drawee: Annotated[str, msgspec.Meta(max_length=200)] = ""
    cover: Cover | None = None
    presentation_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = ARTICLE_48_DAYS
    confirming_bank: Annotated[str, msgspec.Meta(max_length=200)] = ""
    electronic: bool = False
    rules: Rules = ""
    record_place: Annotated[str, msgspec.Meta(max_length=200)] = ""
    conditions: Annotated[list[Text], msgspec.Meta(max_length=50)] = msgspec.field(
        default_factory=list
    )
    version: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1

    @property
    def regime(self) -> str:
        """`UCP 600`, `eUCP 2.1` or `URDTT 1.0`."""
        return self.rules or ("eUCP 2.1" if self.electronic else "UCP 600")

    @property
    def takes_records(self) -> bool:
        """Whether an electronic record may be presented at all."""
        return self.regime != "UCP 600"

    def requires(self, kind: str) -> DocumentRequirement | None:
        """The requirement of a kind of document, or None."""
        return next((one for one in self.requirements if one.kind == kind), None)

    @property
    def amount_most_minor(self) -> int:
        """The most that may be drawn, rounded down: 39A, or ten per cent if about."""
        return self.amount_minor * (100 + (10 if self.about else self.tolerance_plus)) // 100

    @property
    def amount_least_minor(self) -> int:
        """The least that a whole drawing may be, rounded up; five per cent by article 30(c)."""
        below = 10 if self.about else self.tolerance_minus or 5
        return -(-self.amount_minor * (100 - below) // 100)
