"""What is presented: the documents as data, each with what its face says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final, Literal

import msgspec

from zhidao.finance.domain.credit.credit_terms import (
    DOCUMENTS_MAX,
    Count,
    CreditParty,
    CurrencyCode,
    Lines,
    Minor,
    Short,
    Text,
    Value,
)
from zhidao.finance.domain.credit.transport_forms import Form

_Some = Annotated[str, msgspec.Meta(max_length=200)]


RE_PRESENTATION_DAYS: Final = 30
"""Calendar days after the bank's request: eUCP article e12, held against commentaries on it."""


class Corruption(Value, frozen=True, kw_only=True):
    """A bank found a record corrupted and asked for it again; `again_on`: when it came."""

    asked_on: date
    again_on: date | None = None

    @property
    def last_on(self) -> date:
        """The last day for the record to come again."""
        return self.asked_on + timedelta(days=RE_PRESENTATION_DAYS)

    @property
    def is_mended(self) -> bool:
        """Whether it came again in time."""
        return self.again_on is not None and self.again_on <= self.last_on


class Notice(Value, frozen=True, kw_only=True):
    """The presenter's notice of completeness, and under which credit it was given."""

    credit: Short
    received_on: date


class Paper(Value, frozen=True, kw_only=True, tag_field="kind"):
    """What every document has. `correction`: a correction that nobody authenticated.

    `record`: an electronic record, not paper (eUCP, URDTT). Of a record only: `format`; `readable`
    by what reads its format; `authentic`: sender, source and wholeness can be verified; `external`:
    the address of another system where it stands, `reachable` when examined; `corruption`.
    `credit`: the credit's number if the document quotes one.
    """

    number: _Some = ""
    issuer: Short
    issued_on: date | None
    signed: bool
    originals: Annotated[int, msgspec.Meta(ge=0, le=20)] = 1
    copies: Annotated[int, msgspec.Meta(ge=0, le=50)] = 0
    correction: bool = False
    credit: _Some = ""
    text: Text = ""
    description: Text = ""
    record: bool = False
    readable: bool = True
    authentic: bool = True
    format: _Some = ""
    external: _Some = ""
    reachable: bool = True
    corruption: Corruption | None = None


class Draft(Paper, frozen=True, kw_only=True, tag="draft"):
    """A bill of exchange. `words_minor`: the amount in words, as a number."""

    drawee: Short
    amount_minor: Minor
    words_minor: Minor
    currency: CurrencyCode
    tenor_days: Annotated[int, msgspec.Meta(ge=0, le=720)]


class Invoice(Paper, frozen=True, kw_only=True, tag="invoice"):
    """A commercial invoice. `title`: what it calls itself.

    `lines`: the kinds of goods where there are several, each with its price; `quantity` and `unit`
    are then those of all, and `unit_price_minor` says nothing.
    """

    title: Short = "Commercial invoice"
    seller: CreditParty
    buyer: CreditParty
    currency: CurrencyCode
    quantity: Count
    unit: Short
    unit_price_minor: Minor
    amount_minor: Minor
    charges_minor: Minor = 0
    lines: Lines = msgspec.field(default_factory=list)
    free_of_charge: bool = False
    rule: Annotated[str, msgspec.Meta(max_length=3)] = ""
    place: _Some = ""


class Transport(Paper, frozen=True, kw_only=True, tag="transport"):
    """A transport document. Weights in grams. `clauses`: those that declare a defect.

    `form`: which it is; what it is called does not matter. `holder`: who controls an electronic
    one. `capacity`: as what the signer signed. `taken_on`: when the goods were dispatched, taken in
    charge, stamped in, flown or picked up, where it says so beside its date; `accepted`: for
    carriage. `conveyance`: train, flight, lorry. `original_for`: whose original it says to be.
    `covers_whole`: the whole carriage, whatever it is made of.
    """

    form: Form = "bill_of_lading"
    carrier: _Some
    capacity: Literal[
        "carrier",
        "master",
        "owner",
        "charterer",
        "railway stamp",
        "post",
        "agent for carrier",
        "agent for master",
        "agent for owner",
        "agent for charterer",
        "agent",
    ]
    principal: _Some = ""
    on_board_on: date | None = None
    taken_on: date | None = None
    accepted: bool = True
    vessel: _Some = ""
    conveyance: _Some = ""
    original_for: Literal["consignor", "consignee", "carrier", ""] = ""
    covers_whole: bool = True
    intended_vessel: bool = False
    loading: Short
    discharge: Short
    originals_issued: Annotated[int, msgspec.Meta(ge=0, le=20)]
    shipper: Short
    consignee: Short
    endorsed: bool = True
    notify: _Some = ""
    freight: Literal["prepaid", "collect", ""] = ""
    clauses: Annotated[list[Text], msgspec.Meta(max_length=50)] = msgspec.field(
        default_factory=list
    )
    charter_party: bool = False
    on_deck: bool = False
    has_terms: bool = True
    transhipment: bool = False
    in_containers: bool = True
    container: _Some = ""
    marks: _Some = ""
    packages: Count
    gross_g: Count
    holder: _Some = ""

    @property
    def shipped_on(self) -> date | None:
        """When the goods were shipped by its face: its date of issue, if it says no other."""
        return self.on_board_on or self.taken_on or self.issued_on


class Insurance(Paper, frozen=True, kw_only=True, tag="insurance"):
    """An insurance document. `effective_on`: from when it covers, if it says so."""

    form: Literal["policy", "certificate", "declaration", "cover note"]
    capacity: Literal["insurer", "underwriter", "agent", "proxy", "broker"]
    originals_issued: Annotated[int, msgspec.Meta(ge=0, le=20)]
    currency: CurrencyCode
    amount_minor: Minor
    effective_on: date | None = None
    risks: Annotated[list[Short], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    excess: bool = False
    covers_from: Short
    covers_to: Short
    vessel: _Some = ""
    assured: Short
    endorsed: bool = True


class PackingList(Paper, frozen=True, kw_only=True, tag="packing_list"):
    """A packing list. Weights in grams."""

    quantity: Count
    packages: Count
    net_g: Count
    gross_g: Count
    container: _Some = ""
    marks: _Some = ""


class Origin(Paper, frozen=True, kw_only=True, tag="origin"):
    """A certificate of origin. `invoice`: the number of the invoice that it relates to."""

    origin: Annotated[str, msgspec.Meta(max_length=2)]
    consignee: _Some = ""
    exporter: _Some = ""
    invoice: _Some = ""
    gross_g: Count = 0


class Inspection(Paper, frozen=True, kw_only=True, tag="inspection"):
    """An inspection or quality certificate."""

    inspected_on: date | None = None
    passed: bool
    quantity: Count = 0
    container: _Some = ""


class BeneficiaryStatement(Paper, frozen=True, kw_only=True, tag="beneficiary_statement"):
    """A statement by the beneficiary."""


class PaymentObligation(Paper, frozen=True, kw_only=True, tag="payment_obligation"):
    """A payment obligation as data: the obligor (`issuer`) owes the beneficiary an amount."""

    beneficiary: Short
    amount_minor: Minor
    currency: CurrencyCode
    tenor_days: Annotated[int, msgspec.Meta(ge=0, le=720)]
    conditional: bool = False


AnyPaper = (
    Draft
    | Invoice
    | Transport
    | Insurance
    | PackingList
    | Origin
    | Inspection
    | BeneficiaryStatement
    | PaymentObligation
)


class DocumentConflict(Value, frozen=True, kw_only=True):
    """A conflict that the trade room found between its own documents."""

    rule: Short
    left: Text
    right: Text


class Presentation(Value, frozen=True, kw_only=True):
    """What came to the counter. `complete`: whether there is a notice of completeness (eUCP e6).

    `notice`: that notice, where it is known. `record_place`: the address where records came in.
    `findings`: of the trade room's cross-check of the same consignment, if one was made.
    """

    presented_on: date
    place: Short
    claimed_minor: Minor
    documents: Annotated[list[AnyPaper], msgspec.Meta(max_length=DOCUMENTS_MAX)]
    complete: bool = True
    notice: Notice | None = None
    record_place: _Some = ""
    bank: _Some = ""
    findings: Annotated[list[DocumentConflict], msgspec.Meta(max_length=200)] = msgspec.field(
        default_factory=list
    )

    @property
    def counts_from(self) -> date:
        """The day on which it was made: with records, not before the notice of completeness."""
        if self.notice is None or not any(paper.record for paper in self.documents):
            return self.presented_on
        return max(self.presented_on, self.notice.received_on)

    @property
    def pauses(self) -> list[tuple[date, date]]:
        """When no time to examine ran: from each request for a record until it came, or was lost.

        The day of the request counts, the day when the record came does not.
        """
        found = [paper.corruption for paper in self.documents if paper.corruption is not None]
        return [(one.asked_on, min(one.again_on or one.last_on, one.last_on)) for one in found]
