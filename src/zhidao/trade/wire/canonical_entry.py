"""The entry of a document set as JSON: the consignment's fields, nested, each typed once."""

from __future__ import annotations

import hashlib
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_tag
from zhidao.trade.domain.documents.asked import require
from zhidao.trade.domain.documents.mapping import DocumentForm, Row, Syntax
from zhidao.trade.domain.model.catalogue import FIELDS
from zhidao.trade.domain.model.consignment import (
    CanonicalConsignment,
    Origin,
    completed,
    enter,
)
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.wire.leaves import decode, encode

TYPE: Final = "zhidao.ConsignmentEntry.v2"
# With an order for each item, so that the lots of several orders travel together.
TYPE_OF_ORDERS: Final = "zhidao.ConsignmentEntry.v3"
# With an invoice for each item, so that several invoices travel together.
TYPE_OF_INVOICES: Final = "zhidao.ConsignmentEntry.v4"
# With what papers by need ask: legs, kinds of load, wagons, an agreement claimed, air waybills.
TYPE_OF_NEEDS: Final = "zhidao.ConsignmentEntry.v5"
TYPES: Final = (TYPE, TYPE_OF_ORDERS, TYPE_OF_INVOICES, TYPE_OF_NEEDS)
# Fields of later types, with the type from which on they are known.
_LATER: Final = {
    ".productionOrderId": TYPE_OF_ORDERS,
    ".invoiceId": TYPE_OF_INVOICES,
    **dict.fromkeys(
        (
            *("].wagonId", "airWaybillDocument.id", "airWaybillDocument.issueDate"),
            *("originAgreementCode", "loadTypeCode"),
            *(f"{leg}CarriageTransportMovement.modeCode" for leg in ("pre", "on")),
        ),
        TYPE_OF_NEEDS,
    ),
}
_FORM: Final = DocumentForm(
    kind="entry",
    titles=("Consignment entry", "托运录入"),
    syntax=Syntax.JSON,
    number_path="id",
    parts=tuple(Row(path, path) for path in FIELDS),
)


def read(
    data: bytes, *, presented: bool = False, codes: KnownCodes = SHORT_CODES
) -> CanonicalConsignment:
    """The consignment of an entry file that makes every paper it needs.

    `presented`: with the letter to a bank. Raises MalformedInput naming the field for an unknown
    field, a wrong value, or every missing one at once.
    """
    consignment = typed(data, codes)
    require(consignment, presented=presented)
    return consignment


def typed(data: bytes, codes: KnownCodes = SHORT_CODES) -> CanonicalConsignment:
    """The consignment of an entry file as far as it was typed, and what follows from it.

    Raises as `read` does, but for what is missing.
    """
    leaves = decode(data, _FORM)
    told = leaves.pop("type", None)
    if told not in TYPES:
        check_tag(str(told), TYPES, form="an entry", where="type")
        old = "consignment" in leaves and "parties.exporter.id" in leaves
        raise MalformedInput(
            f"not an entry of type {TYPE}{', but one of version 1' if old else ''}",
            code="old_entry" if old else "wrong_type",
            where="type",
            remedy="make it version 2: zhidao trade migrate OLD.json -o NEW.json" if old else "",
        )
    values = {}
    for place, value in leaves.items():
        asked = _type_for(place)
        if TYPES.index(asked) > TYPES.index(str(told)):
            raise MalformedInput(
                f"{told} has no such field",
                code="later_field",
                where=place,
                remedy=f"name the type {asked}",
            )
        if not isinstance(value, str):
            raise MalformedInput(
                "every value of an entry is a text", where=place, remedy='write "12.5", not 12.5'
            )
        values[place] = value
    digest = hashlib.sha256(data).hexdigest()
    return completed(enter(values, digest=digest, origin=Origin.ENTRY), codes)


def write(consignment: CanonicalConsignment) -> bytes:
    """The entry file of a consignment in its one canonical form."""
    ordered = sorted(consignment.values.items(), key=lambda pair: _order(pair[0]))
    told = max((_type_for(path) for path in consignment.values), key=TYPES.index, default=TYPE)
    return encode({"type": told, **dict(ordered)}, _FORM)


def _type_for(place: str) -> str:
    """The first type that knows a field."""
    return next((told for end, told in _LATER.items() if place.endswith(end)), TYPE)


def _order(path: str) -> tuple[str, int, str]:
    head, bracket, tail = path.partition("[")
    index, _, rest = tail.partition("]")
    return (head, int(index) if bracket else -1, rest)
