"""Routes of outbox and inbox: send, see, decide, send again, carry by hand, leave with all."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import Parameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_base64
from zhidao.core.ids import IdSource, PartyId, parse_id
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX
from zhidao.exchange.events import Delivery, Dispatch, DocumentLook
from zhidao.exchange.service.bundle_exchange import MAY_CARRY, MAY_READ_DOCUMENT, ExchangeService
from zhidao.exchange.service.inbox import MAY_DECIDE, Inbox
from zhidao.exchange.service.outbox import MAY_RESEND, MAY_SEND_DOCUMENT, MAY_WITHDRAW, Outbox
from zhidao.exchange.wire.bundle import BUNDLE_TYPE, RECEIPT, Item, encode_bundle
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import held_by
from zhidao.node.http.openapi import BODY_BYTES
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.node.runtime.live import Live

_Node = Annotated[str, Parameter(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}\Z", max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=200)]
_Consignment = Annotated[str, Parameter(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z")]
_SentState = Literal["", "waiting", "received", "accepted", "decided", "dead"]
_GotState = Literal["", "held", "accepted", "decided"]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", max_length=64)]


def _behind(name: str) -> dict[str, Any]:
    sender, _, document = name.partition("/")
    return {"after_sender": sender, "after": UUID(document)}


_ASKED = (("state", "in_state"), ("consignment", "consignment"))
_OUTBOX = Listing(
    "outbox",
    ("document",),
    (
        *("document", "state", "kind", "consignment", "from_party", "to_party", "recipient"),
        *("created_at", "attempts", "outcome", "code", "reason"),
    ),
    behind=lambda name: {"after": UUID(name)},
    asked=_ASKED,
)


_INBOX = Listing(
    "inbox",
    ("sender", "document"),
    (
        *("document", "state", "kind", "consignment", "from_party", "to_party", "sender"),
        *("received_at", "outcome", "code", "reason"),
    ),
    behind=_behind,
    asked=_ASKED,
)


class NewDispatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document for a party at another node. `content`: base64.

    `document`: its id (a UUID) by which sending again is recognised; empty: the node makes one.
    """

    recipient: _Name
    to_party: _Name
    consignment: _Name
    kind: _Name
    media_type: Annotated[str, msgspec.Meta(min_length=3, max_length=129)]
    content: Annotated[str, msgspec.Meta(max_length=CONTENT_BYTES_MAX * 4 // 3 + 4)]
    document: Annotated[str, msgspec.Meta(max_length=36)] = ""


class NewDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word about a received document; a refusal has a code, and a reason for people."""

    outcome: Literal["accepted", "refused"]
    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{0,64}\Z", max_length=64)] = ""
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class NewWithdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a document is taken back."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes serve."""

    exchange: ExchangeService
    outbox: Outbox
    inbox: Inbox
    live: Live
    ids: IdSource


def routes(parts: Parts) -> Router:
    """Routes under /v1/exchange."""

    @post("/outbox", opt={ACCESS: MAY_SEND_DOCUMENT})
    async def send(data: NewDispatch, actor: Actor) -> Dispatch:
        """Seals a document for a party at a peer and keeps it until its receipts are here."""
        return await parts.exchange.send(
            actor,
            document=parse_id(data.document) if data.document else parts.ids.new(),
            recipient=data.recipient,
            to_party=data.to_party,
            consignment=data.consignment,
            kind=data.kind,
            media_type=data.media_type,
            content=parse_base64(data.content),
        )

    @get("/outbox", opt={LISTED: _OUTBOX, ACCESS: READ})
    async def outbox_list(
        actor: Actor,
        in_state: _SentState = "",
        consignment: _Consignment = "",
        after: UUID | None = None,
        limit: _Limit = 50,
    ) -> list[Dispatch]:
        """What the caller's party sent, newest first; `dead` ones wait for a person."""
        return await parts.outbox.listed(
            actor, state=in_state, consignment=consignment, limit=limit, after=after
        )

    @post("/outbox/{document:uuid}/resend", status_code=200, opt={ACCESS: MAY_RESEND})
    async def resend(document: UUID, actor: Actor) -> Dispatch:
        """Takes a dead letter up again, or tries a waiting one at once."""
        return await parts.outbox.resend(actor, document)

    @post("/outbox/{document:uuid}/withdrawal", status_code=202, opt={ACCESS: MAY_WITHDRAW})
    async def withdraw(document: UUID, data: NewWithdrawal, actor: Actor) -> Dispatch:
        """Takes back a document that nobody has decided about; the answer is the withdrawal.

        Its recipient decides whether it came in time; the outbox tells.
        """
        return await parts.outbox.withdraw(actor, document, data.reason)

    @get("/outbox/{document:uuid}/receipts", media_type=BUNDLE_TYPE, opt={ACCESS: READ})
    async def receipts(document: UUID, actor: Actor) -> Response[bytes]:
        """The recipient's signed receipts for a document, as a bundle."""
        found = await parts.outbox.receipts(actor, document)
        return Response(
            encode_bundle([Item(RECEIPT, each) for each in found]), media_type=BUNDLE_TYPE
        )

    @get("/inbox", opt={LISTED: _INBOX, ACCESS: READ})
    async def inbox_list(
        actor: Actor,
        in_state: _GotState = "",
        consignment: _Consignment = "",
        after_sender: Annotated[str, Parameter(pattern=r"^[a-z0-9.-]{0,64}\Z")] = "",
        after: UUID | None = None,
        limit: _Limit = 50,
    ) -> list[Delivery]:
        """What came for the caller's party, newest first."""
        mark = (PartyId(after_sender), after) if after else None
        return await parts.inbox.listed(
            actor, state=in_state, consignment=consignment, limit=limit, after=mark
        )

    @get("/inbox/{sender:str}/{document:uuid}", opt={ACCESS: READ})
    async def inbox_one(sender: _Node, document: UUID, actor: Actor) -> Delivery:
        """A received document as it stands."""
        return await parts.exchange.one(actor, sender, document)

    @get(
        "/inbox/{sender:str}/{document:uuid}/content",
        media_type="application/octet-stream",
        opt={ACCESS: MAY_READ_DOCUMENT},
    )
    async def inbox_content(sender: _Node, document: UUID, actor: Actor) -> Response[bytes]:
        """The content of a received document; its media type stands in the document's entry."""
        data, _ = await parts.exchange.content(actor, sender, document)
        headers = {
            "Content-Disposition": f'attachment; filename="{document}"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(data, media_type="application/octet-stream", headers=headers)

    @get("/inbox/{sender:str}/{document:uuid}/look", opt={ACCESS: MAY_READ_DOCUMENT})
    async def inbox_look(sender: _Node, document: UUID, actor: Actor) -> DocumentLook:
        """What a received document is by its bytes: name, number, and what rules say of it."""
        return await parts.exchange.look(actor, sender, document)

    @get("/outbox/{document:uuid}/look", opt={ACCESS: MAY_READ_DOCUMENT})
    async def outbox_look(document: UUID, actor: Actor) -> DocumentLook:
        """What a sent document is by its bytes: name, number, and what rules say of it."""
        return await parts.exchange.look_at_sent(actor, document)

    @post("/inbox/{sender:str}/{document:uuid}/decision", status_code=200, opt={ACCESS: MAY_DECIDE})
    async def decide(sender: _Node, document: UUID, data: NewDecision, actor: Actor) -> Delivery:
        """Accepts or refuses a document; the signed receipt with the reason goes to its sender."""
        return await parts.exchange.decide(
            actor,
            sender=sender,
            document=document,
            outcome=data.outcome,
            code=data.code,
            reason=data.reason,
        )

    @get("/stream", media_type="text/event-stream", opt={ACCESS: LIST})
    async def arrivals(request: Request[Any, Any, Any], actor: Actor) -> ServerSentEvent:
        """Server-sent events `arrived` and `beat` for the caller's party."""
        parts.live.admit(actor.party)

        async def may_see(party: str) -> bool:
            return actor.viewer in (None, party)

        async def messages() -> AsyncGenerator[ServerSentEventMessage, None]:
            listening = parts.live.listen(actor.party, may_see, holder=held_by(request, actor))
            async for event, data in listening:
                yield ServerSentEventMessage(event=event, data=data)

        return ServerSentEvent(messages())

    @get("/pack/{node:str}", media_type=BUNDLE_TYPE, opt={ACCESS: MAY_CARRY})
    async def pack(node: _Node, actor: Actor) -> Response[bytes]:
        """All that waits for a peer as one file, to be carried there by hand."""
        return Response(await parts.exchange.pack(actor, node), media_type=BUNDLE_TYPE)

    @post(
        "/unpack",
        status_code=200,
        media_type=BUNDLE_TYPE,
        opt={ACCESS: MAY_CARRY, BODY_BYTES: BUNDLE_TYPE},
    )
    async def unpack(request: Request[Any, Any, Any], actor: Actor) -> Response[bytes]:
        """Takes a carried file; answers with the receipts to carry back."""
        answer = await parts.exchange.unpack(actor, await request.body())
        return Response(answer, media_type=BUNDLE_TYPE)

    @get("/export", media_type=BUNDLE_TYPE, opt={ACCESS: MAY_READ_DOCUMENT})
    async def export(actor: Actor, consignment: _Consignment = "") -> Response[bytes]:
        """All exchanges of the caller's party with content and receipts, verifiable offline."""
        headers = {"Content-Disposition": 'attachment; filename="exchange.zdbundle"'}
        data = await parts.exchange.export(actor, consignment)
        return Response(data, media_type=BUNDLE_TYPE, headers=headers)

    handlers: list[Any] = [
        *(
            send,
            outbox_list,
            resend,
            withdraw,
            receipts,
            inbox_list,
            inbox_one,
            inbox_content,
            inbox_look,
            outbox_look,
            decide,
        ),
        *(arrivals, pack, unpack, export),
    ]
    return Router("/v1/exchange", route_handlers=handlers, tags=["exchange"])
