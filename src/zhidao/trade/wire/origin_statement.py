"""The origin statement as JSON, in one canonical form.

Version 1 names one invoice, version 2 several, all of one day.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from zhidao.core.canonical import jcs
from zhidao.trade.domain.papers import OriginLine, OriginStatement
from zhidao.trade.wire.fields import (
    CountryCode,
    HsCode,
    InvoiceNumbers,
    Name,
    Number,
    Reference,
    Text,
    UnitCode,
    invoice_numbers,
    named_invoices,
    number,
    number_text,
    read_struct,
)


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Reference
    description: Text
    hs: HsCode
    origin: CountryCode
    criterion: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,5}\Z", max_length=5)]
    quantity: Number
    unit: UnitCode
    net_kg: Number


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Literal["zhidao.OriginStatement.v1", "zhidao.OriginStatement.v2"]
    number: Reference
    issued_on: date
    exporter: Name
    consignee: Name
    invoice: Reference | Literal[""] = ""
    invoices: InvoiceNumbers = []
    invoice_on: date
    declaration: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1, max_length=500)]


def read(data: bytes) -> OriginStatement:
    """The statement of a document. Raises MalformedInput for anything but exactly that form."""
    document = read_struct(data, _Document, what="origin statement")
    several = document.type == "zhidao.OriginStatement.v2"
    return OriginStatement(
        number=document.number,
        issued_on=document.issued_on,
        exporter=document.exporter,
        consignee=document.consignee,
        invoices=invoice_numbers(document, document.type, several=several),
        invoice_on=document.invoice_on,
        declaration=document.declaration,
        lines=tuple(
            OriginLine(
                id=line.id,
                description=line.description,
                hs=line.hs,
                origin=line.origin,
                criterion=line.criterion,
                quantity=number(line.quantity),
                unit=line.unit,
                net_kg=number(line.net_kg),
            )
            for line in document.lines
        ),
    )


def write(statement: OriginStatement) -> bytes:
    """The document of a statement."""
    return jcs(
        {
            "type": f"zhidao.OriginStatement.v{2 if len(statement.invoices) > 1 else 1}",
            "number": statement.number,
            "issued_on": statement.issued_on.isoformat(),
            "exporter": statement.exporter,
            "consignee": statement.consignee,
            **named_invoices(statement.invoices),
            "invoice_on": statement.invoice_on.isoformat(),
            "declaration": statement.declaration,
            "lines": [
                {
                    "id": line.id,
                    "description": line.description,
                    "hs": line.hs,
                    "origin": line.origin,
                    "criterion": line.criterion,
                    "quantity": number_text(line.quantity),
                    "unit": line.unit,
                    "net_kg": number_text(line.net_kg),
                }
                for line in statement.lines
            ],
        }
    )
