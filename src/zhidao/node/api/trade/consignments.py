"""Routes of trade: the entry, documents, checks, customs and the validation of invoices."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_base64
from zhidao.node.http.access import ACCESS
from zhidao.node.http.openapi import BODY_BYTES, BODY_FORMS, BODY_KINDS, FURTHER_KINDS
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.trade.domain.comparison import CheckResult
from zhidao.trade.domain.verdict import Verdict
from zhidao.trade.events import Consignment, CustomsReleased, DocumentAdded, PapersChecked
from zhidao.trade.service.consignments import (
    MAY_ADD_BILL,
    MAY_CHECK,
    MAY_ENTER,
    MAY_RELEASE,
    ConsignmentService,
)
from zhidao.trade.service.releases import Releases
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire.entry import EntryDocument
from zhidao.trade.wire.entry_schema import entry_schema
from zhidao.trade.wire.fields import PAPER_BYTES_MAX

_CONSIGNMENT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
_Id = Annotated[str, Parameter(pattern=_CONSIGNMENT, max_length=64)]
_Digest = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z", max_length=64)]
_After = Annotated[str, Parameter(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z", max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]


EntryFile = Annotated[
    dict[str, Any],
    msgspec.Meta(
        max_length=200,
        description="An entry file: `type` and the fields that GET /v1/trade/entries/fields lists, "
        "nested; each party of a node with its nodeId.",
    ),
]


_CONSIGNMENTS = Listing(
    "consignments",
    ("entered.consignment",),
    (
        *("entered.consignment", "state", "entered.exporter", "entered.importer"),
        *("entered.carrier", "entered.goods", "entered.container", "entered.currency"),
        *("entered.amount_minor", "entered.loading", "entered.discharge", "entered.simulated"),
    ),
    rows="consignments",
    further="next",
)


class NewDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The carrier's bill of lading: a DCSA transport document in JSON, as base64."""

    kind: Literal["bill_of_lading"]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    media_type: Literal["application/json"]
    content: Annotated[str, msgspec.Meta(min_length=4, max_length=PAPER_BYTES_MAX * 4 // 3 + 4)]


class WantedBill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What only the carrier knows of its bill; the rest is the goods as they were entered."""

    number: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,20}\Z", max_length=20)]
    carrier_code: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2,4}\Z", max_length=4)]
    on_board: date


class CustomsDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release by customs, with the number of its declaration.

    Where that one was lodged here and waits, it is released too; `reason`: as its channel asks.
    """

    declaration: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}\Z", max_length=64)
    ]
    decision: Literal["released"]
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class ConsignmentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some consignments by name; `next` is what to give as `after` for more, or empty."""

    consignments: list[Consignment]
    next: str


def routes(consignments: ConsignmentService, validation: Validation, releases: Releases) -> Router:
    """Routes under /v1/trade."""

    @post(
        "/consignments",
        opt={ACCESS: MAY_ENTER, BODY_FORMS: (entry_schema,), BODY_KINDS: (EntryDocument,)},
    )
    async def enter(request: Request[Any, Any, Any], data: EntryFile, actor: Actor) -> Consignment:
        """Opens a consignment from one entry; invoice, packing list and origin statement follow.

        The entry is of version 2, as the guided page makes it; version 1 is still taken.
        """
        del data  # It has shown that it is an object; the bytes are read strictly, and kept.
        return await consignments.enter(actor, await request.body())

    @get("/consignments", opt={LISTED: _CONSIGNMENTS, ACCESS: LIST})
    async def listed(actor: Actor, after: _After = "", limit: _Limit = 50) -> ConsignmentPage:
        """The consignments that the caller may see, by name."""
        found = await consignments.consignments(actor, limit=limit, after=after)
        full = len(found) == limit
        return ConsignmentPage(
            consignments=found, next=found[-1].entered.consignment if full else ""
        )

    @get("/consignments/{consignment:str}", opt={ACCESS: READ})
    async def one(consignment: _Id, actor: Actor) -> Consignment:
        """The consignment as it stands."""
        return await consignments.consignment(actor, consignment)

    @post("/consignments/{consignment:str}/documents", opt={ACCESS: MAY_ADD_BILL})
    async def add(consignment: _Id, data: NewDocument, actor: Actor) -> DocumentAdded:
        """Adds the carrier's bill of lading."""
        return await consignments.add_bill_of_lading(
            actor, consignment, number=data.number, data=parse_base64(data.content)
        )

    @post(
        "/consignments/{consignment:str}/proposed-bill",
        status_code=200,
        media_type="application/json",
        opt={ACCESS: MAY_ADD_BILL},
    )
    async def proposed(consignment: _Id, data: WantedBill, actor: Actor) -> Response[bytes]:
        """The bill of lading that the carrier may read, change and add; keeps nothing."""
        bill = await consignments.proposed_bill(
            actor,
            consignment,
            number=data.number,
            carrier_code=data.carrier_code,
            on_board=data.on_board,
        )
        return Response(bill, media_type="application/json")

    @get(
        "/consignments/{consignment:str}/documents/{digest:str}",
        media_type="application/octet-stream",
        opt={
            ACCESS: READ,
            FURTHER_KINDS: ("application/json", "application/xml", "application/vc"),
        },
    )
    async def document(consignment: _Id, digest: _Digest, actor: Actor) -> Response[bytes]:
        """The bytes of a document or of its credential, by their SHA-256."""
        data, media_type = await consignments.document(actor, consignment, digest)
        headers = {
            "Content-Disposition": f'attachment; filename="{digest[:16]}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        return Response(data, media_type=media_type, headers=headers)

    @post("/consignments/{consignment:str}/check", status_code=200, opt={ACCESS: MAY_CHECK})
    async def check(consignment: _Id, actor: Actor) -> PapersChecked:
        """Holds the papers against each other and records the answer."""
        return await consignments.check(actor, consignment)

    @get("/consignments/{consignment:str}/check", opt={ACCESS: READ})
    async def answers(consignment: _Id, actor: Actor) -> list[CheckResult]:
        """Every rule's answer about the papers, agreeing ones too."""
        return await consignments.answers(actor, consignment)

    @post("/consignments/{consignment:str}/customs-release", opt={ACCESS: MAY_RELEASE})
    async def release(consignment: _Id, data: CustomsDecision, actor: Actor) -> CustomsReleased:
        """Records that customs let the goods go."""
        return await releases.release(
            actor,
            consignment,
            declaration=data.declaration,
            decision=data.decision,
            reason=data.reason,
        )

    @post(
        "/invoices/validate",
        status_code=200,
        opt={ACCESS: CALLER, BODY_BYTES: "application/xml"},
    )
    async def validate(body: bytes, actor: Actor) -> Verdict:
        """Judges a UBL 2.1 invoice (the raw XML) by XSD and EN 16931; stores nothing."""
        del actor  # Anybody who is signed in may ask.
        return await validation.verdict(body)

    handlers = [enter, listed, one, add, proposed, document, check, answers, release, validate]
    return Router("/v1/trade", route_handlers=handlers, tags=["trade"])
