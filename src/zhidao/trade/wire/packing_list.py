"""The packing list as JSON, in one canonical form.

Version 1 names one container for all of it; version 2 names the container of each line. Version 3
names several invoices, and containers in either way.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.codes import container_number
from zhidao.trade.domain.consignment import Packages
from zhidao.trade.domain.papers import PackedLine, PackingList
from zhidao.trade.wire.fields import (
    ContainerCode,
    Count,
    InvoiceNumbers,
    Name,
    Number,
    PackageCode,
    PlaceField,
    Reference,
    Text,
    UnitCode,
    invoice_numbers,
    named_invoices,
    number,
    number_text,
    read_struct,
)


class _Packages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    count: Count
    kind: PackageCode


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Reference
    description: Text
    quantity: Number
    unit: UnitCode
    net_kg: Number
    gross_kg: Number
    packages: _Packages
    container: ContainerCode | Literal[""] = ""


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Literal["zhidao.PackingList.v1", "zhidao.PackingList.v2", "zhidao.PackingList.v3"]
    number: Reference
    issued_on: date
    invoice: Reference | Literal[""] = ""
    invoices: InvoiceNumbers = []
    shipper: Name
    consignee: Name
    container: ContainerCode | Literal[""] = ""
    loading: PlaceField
    discharge: PlaceField
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1, max_length=500)]


def read(data: bytes) -> PackingList:
    """The list of a document. Raises MalformedInput for anything but exactly that form."""
    document = read_struct(data, _Document, what="packing list")
    _check_containers(document)
    several = document.type == "zhidao.PackingList.v3"
    return PackingList(
        number=document.number,
        issued_on=document.issued_on,
        invoices=invoice_numbers(document, document.type, several=several),
        shipper=document.shipper,
        consignee=document.consignee,
        container=container_number(document.container) if document.container else "",
        loading=document.loading.place(),
        discharge=document.discharge.place(),
        lines=tuple(
            PackedLine(
                id=line.id,
                description=line.description,
                quantity=number(line.quantity),
                unit=line.unit,
                net_kg=number(line.net_kg),
                gross_kg=number(line.gross_kg),
                packages=Packages(line.packages.count, line.packages.kind),
                container=container_number(line.container) if line.container else "",
            )
            for line in document.lines
        ),
    )


def _check_containers(document: _Document) -> None:
    """Either one container for the list, or one for each line."""
    third = document.type == "zhidao.PackingList.v3"
    first = bool(document.container) if third else document.type == "zhidao.PackingList.v1"
    if first is not bool(document.container):
        raise MalformedInput(
            f"{document.type} {'names its container' if first else 'names one for each line'}",
            where="$.container",
        )
    for index, line in enumerate(document.lines):
        if first is bool(line.container):
            raise MalformedInput(
                f"{document.type} names {'one container for all' if first else 'one for each'}",
                where=f"$.lines[{index}].container",
            )


def write(packing: PackingList) -> bytes:
    """The document of a packing list."""
    one = {"container": packing.container} if packing.container else {}
    return jcs(
        {
            "type": f"zhidao.PackingList.v{3 if len(packing.invoices) > 1 else 1 if one else 2}",
            "number": packing.number,
            "issued_on": packing.issued_on.isoformat(),
            **named_invoices(packing.invoices),
            "shipper": packing.shipper,
            "consignee": packing.consignee,
            **one,
            "loading": {"unlocode": packing.loading.unlocode, "name": packing.loading.name},
            "discharge": {"unlocode": packing.discharge.unlocode, "name": packing.discharge.name},
            "lines": [
                {
                    "id": line.id,
                    "description": line.description,
                    "quantity": number_text(line.quantity),
                    "unit": line.unit,
                    "net_kg": number_text(line.net_kg),
                    "gross_kg": number_text(line.gross_kg),
                    "packages": {"count": line.packages.count, "kind": line.packages.kind},
                    **({"container": line.container} if line.container else {}),
                }
                for line in packing.lines
            ],
        }
    )
