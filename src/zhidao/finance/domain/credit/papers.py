"""What is presented: the documents as data, each with what its face says."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from zhidao.finance.domain.credit.terms import (
    DOCUMENTS_MAX,
    Count,
    CurrencyCode,
    Minor,
    Party,
    Short,
    Text,
    Value,
)

_Some = Annotated[str, msgspec.Meta(max_length=200)]


class Paper(Value, frozen=True, kw_only=True, tag_field="kind"):
    """What every document has. `correction`: a correction that nobody authenticated.

    `record`: an electronic record, not paper (eUCP); `readable`, `authentic` speak of it.
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


class Draft(Paper, frozen=True, kw_only=True, tag="draft"):
    """A bill of exchange. `words_minor`: the amount in words, as a number."""

    drawee: Short
    amount_minor: Minor
    words_minor: Minor
    currency: CurrencyCode
    tenor_days: Annotated[int, msgspec.Meta(ge=0, le=720)]


class Invoice(Paper, frozen=True, kw_only=True, tag="invoice"):
    """A commercial invoice. `title`: what it calls itself."""

    title: Short = "Commercial invoice"
    seller: Party
    buyer: Party
    currency: CurrencyCode
    quantity: Count
    unit: Short
    unit_price_minor: Minor
    amount_minor: Minor
    charges_minor: Minor = 0
    free_of_charge: bool = False
    rule: Annotated[str, msgspec.Meta(max_length=3)] = ""
    place: _Some = ""


class Transport(Paper, frozen=True, kw_only=True, tag="transport"):
    """A bill of lading. Weights in grams. `clauses`: those that declare a defect.

    `holder`: who controls an electronic one. `capacity`: as what the signer signed.
    """

    carrier: _Some
    capacity: Literal["carrier", "master", "agent for carrier", "agent for master", "agent"]
    principal: _Some = ""
    on_board_on: date | None
    vessel: Short
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


AnyPaper = (
    Draft
    | Invoice
    | Transport
    | Insurance
    | PackingList
    | Origin
    | Inspection
    | BeneficiaryStatement
)


class Finding(Value, frozen=True, kw_only=True):
    """A conflict that the trade room found between its own documents."""

    rule: Short
    left: Text
    right: Text


class Presentation(Value, frozen=True, kw_only=True):
    """What came to the counter. `complete`: the notice of completeness (eUCP article e7).

    `findings`: of the trade room's cross-check of the same consignment, if one was made.
    """

    presented_on: date
    place: Short
    claimed_minor: Minor
    documents: Annotated[list[AnyPaper], msgspec.Meta(max_length=DOCUMENTS_MAX)]
    complete: bool = True
    bank: _Some = ""
    findings: Annotated[list[Finding], msgspec.Meta(max_length=200)] = msgspec.field(
        default_factory=list
    )
