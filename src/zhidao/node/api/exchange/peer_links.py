"""Routes of invitations of nodes by a one-time link: made here, looked at and taken elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import Parameter

from zhidao.core.access import OPEN
from zhidao.core.actor import Actor
from zhidao.core.encoding import utf8
from zhidao.exchange.service.peer_invitations import KeptLink, PeerInvitations
from zhidao.exchange.service.peers import MAY_ADMIT_PEER
from zhidao.exchange.wire.invitation import INVITATION_BYTES_MAX, decode_invitation
from zhidao.exchange.wire.peer_link import LINK_CHARACTERS_MAX
from zhidao.node.http.access import ACCESS
from zhidao.node.security.administration import Act, Administration

_JSON: Final = "application/json"
_Name = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z")]


class PeerLinkMade(msgspec.Struct):
    """A link, told this once. It counts once, until `expires_at`; `name` is to take it back."""

    name: str
    link: str
    expires_at: str


class PeerLinkView(msgspec.Struct):
    """A link of this node. `state`: open, used, withdrawn or expired.

    `node` and what follows are of the node that took it; `invitation` is what admits it here.
    """

    name: str
    state: str
    expires_at: str
    node: str = ""
    organisation: str = ""
    url: str = ""
    fingerprint: str = ""
    invitation: str = ""


class PeerLinkGiven(msgspec.Struct, forbid_unknown_fields=True):
    """Another node's link."""

    link: Annotated[str, msgspec.Meta(min_length=1, max_length=LINK_CHARACTERS_MAX)]


class PeerLinkAsked(msgspec.Struct, forbid_unknown_fields=True):
    """The code of a link, and the asking node's own invitation if it takes it."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    invitation: Annotated[str, msgspec.Meta(max_length=INVITATION_BYTES_MAX)] = ""


def routes(
    invitations: PeerInvitations, now: Callable[[], Any], administration: Administration
) -> Router:
    """Under /v1/exchange/invitations for the operator, under /exchange for the other node."""

    @post("/v1/exchange/invitations", status_code=201, opt={ACCESS: MAY_ADMIT_PEER})
    async def make_peer_link(actor: Actor) -> PeerLinkMade:
        """Makes a one-time link for another node's operator. It admits nobody by itself."""
        kept, link = await invitations.make(actor)
        # Whoever holds the link was told it by this answer, so its trace is there before.
        values = {"expires_at": str(kept.expires_at)}
        await administration.note(
            actor, Act.PEER_INVITED, subject=kept.name, party=administration.node, values=values
        )
        return PeerLinkMade(kept.name, str(link), str(kept.expires_at))

    @get("/v1/exchange/invitations", opt={ACCESS: MAY_ADMIT_PEER})
    async def list_peer_links(actor: Actor) -> list[PeerLinkView]:
        """The links of this node and who took them."""
        return [
            _view(each, expired=each.expires_at < now()) for each in await invitations.every(actor)
        ]

    @delete("/v1/exchange/invitations/{name:str}", opt={ACCESS: MAY_ADMIT_PEER})
    async def withdraw_peer_link(name: _Name, actor: Actor) -> None:
        """Takes a link back before it is taken."""
        if await invitations.withdraw(actor, name):
            await administration.note(
                actor, Act.PEER_INVITATION_WITHDRAWN, subject=name, party=administration.node
            )

    @post(
        "/v1/exchange/invitations/look",
        status_code=200,
        media_type=_JSON,
        opt={ACCESS: MAY_ADMIT_PEER},
    )
    async def look_at_peer_link(data: PeerLinkGiven, actor: Actor) -> Response[bytes]:
        """The invitation behind another node's link, to compare its fingerprint."""
        return Response(await invitations.look(actor, data.link), media_type=_JSON)

    @post(
        "/v1/exchange/invitations/take",
        status_code=200,
        media_type=_JSON,
        opt={ACCESS: MAY_ADMIT_PEER},
    )
    async def take_peer_link(data: PeerLinkGiven, actor: Actor) -> Response[bytes]:
        """Uses another node's link up: that node gets this one's invitation for it."""
        return Response(await invitations.take(actor, data.link), media_type=_JSON)

    @post("/exchange/invitation", status_code=200, media_type=_JSON, opt={ACCESS: OPEN})
    async def asked_by_link(data: PeerLinkAsked) -> Response[bytes]:
        """This node's invitation, for another node that holds the code of a link."""
        answer = await invitations.asked(data.code, utf8(data.invitation))
        return Response(answer, media_type=_JSON)

    handlers: list[Any] = [
        *(make_peer_link, list_peer_links, withdraw_peer_link),
        *(look_at_peer_link, take_peer_link, asked_by_link),
    ]
    return Router("/", route_handlers=handlers, tags=["exchange"])


def _view(link: KeptLink, *, expired: bool) -> PeerLinkView:
    state = "expired" if expired and link.state == "open" else link.state.value
    view = PeerLinkView(link.name, state, str(link.expires_at))
    if link.taken:
        card = decode_invitation(link.taken).card
        view.node, view.organisation, view.url = str(card.node), card.organisation, card.url
        view.fingerprint, view.invitation = card.key.fingerprint, link.taken.decode()
    return view
