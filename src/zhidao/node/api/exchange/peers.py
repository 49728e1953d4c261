"""Routes of peers: this node's card, admission by a trust list, subscriptions, and the bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import Dependency, Parameter

from zhidao.core.access import CALLER, OPEN, Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.encoding import utf8
from zhidao.core.errors import MalformedInput, Refused
from zhidao.exchange.domain.peer import Peer, Wanted
from zhidao.exchange.events import Dispatch
from zhidao.exchange.service.bundle_exchange import MAY_SUBSCRIBE, ExchangeService
from zhidao.exchange.service.peers import MAY_ADMIT_PEER, Peers
from zhidao.exchange.wire.bundle import BUNDLE_TYPE
from zhidao.exchange.wire.card import CARD_BYTES_MAX, decode_card
from zhidao.node.http.access import ACCESS
from zhidao.node.http.openapi import BODY_BYTES
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.governance.trust_list import (
    TRUST_BYTES_MAX,
    decode_trust_list,
    encode_trust_list,
)

PEER_NODES: Final = access(Role.NODE, relation=Relation.PEER, of="this node; signed (RFC 9421)")

_Node = Annotated[str, Parameter(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}\Z", max_length=64)]
# msgspec, which reads what handlers get, has no words for keys.
_Peer = Annotated[Peer, Dependency(skip_validation=True)]
_Beginnings = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=64)]], msgspec.Meta(max_length=200)
]


_PEERS = Listing("peers", ("node",), ("node", "organisation", "url", "subscribed", "trust"))


class NewPeer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node to admit: its card, and the trust list (plain or governed) that names its keys.

    `url` and `certificate` (PEM) override what the card says. `replace`: the fingerprint of the
    peer of that name whose place it takes on purpose.
    """

    card: Annotated[str, msgspec.Meta(min_length=2, max_length=CARD_BYTES_MAX)]
    trust: Annotated[str, msgspec.Meta(min_length=2, max_length=TRUST_BYTES_MAX)]
    url: Annotated[str, msgspec.Meta(max_length=300)] = ""
    certificate: Annotated[str, msgspec.Meta(max_length=16_384)] = ""
    replace: Annotated[str, msgspec.Meta(max_length=64)] = ""


class PeerView(msgspec.Struct, kw_only=True):
    """An admitted peer. `subscribed`: whether it said what it wants; empty lists want all.

    `clashes`: ids of its parties that stand here already with other keys, as this node's own or an
    earlier peer's: here they mean those.
    """

    node: str
    organisation: str
    url: str
    keys: list[str]
    trust: str
    subscribed: bool
    kinds: list[str]
    consignments: list[str]
    clashes: list[str]


class Subscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node wants to hear of, by how kinds and consignments begin; empty: all."""

    kinds: _Beginnings
    consignments: _Beginnings


def routes(
    exchange: ExchangeService, peers: Peers, card: Callable[[], bytes], clock: Clock
) -> Router:
    """Public card and signed bundle under /exchange; admission under /v1/exchange."""

    @get("/exchange/card", media_type="application/json", opt={ACCESS: OPEN})
    async def own_card() -> Response[bytes]:
        """This node's signed card; a trust list says whose key signed it."""
        return Response(card(), media_type="application/json")

    @post(
        "/exchange/bundle",
        status_code=200,
        media_type=BUNDLE_TYPE,
        opt={ACCESS: PEER_NODES, BODY_BYTES: BUNDLE_TYPE},
    )
    async def bundle(request: Request[Any, Any, Any], peer: _Peer) -> Response[bytes]:
        """Takes envelopes and receipts that a peer signed (RFC 9421); answers with receipts."""
        kind = request.headers.get("content-type", "")
        if kind != BUNDLE_TYPE:
            raise MalformedInput(f"the body is {kind[:60]!r}, not {BUNDLE_TYPE}")
        answer = await exchange.take_bundle(peer, await request.body())
        return Response(answer, media_type=BUNDLE_TYPE)

    @get("/v1/exchange/peers", opt={LISTED: _PEERS, ACCESS: CALLER})
    async def list_peers(actor: Actor) -> list[PeerView]:
        """The peers of this node; names and addresses are no secret among its callers."""
        del actor
        return [_view(peer, peers.clashes(peer)) for peer in peers.every()]

    @post("/v1/exchange/peers", status_code=200, opt={ACCESS: MAY_ADMIT_PEER})
    async def add_peer(data: NewPeer, actor: Actor) -> PeerView:
        """Admits a node whose card's key the trust list gives it; again: renews what is known.

        Another node of an admitted peer's name is refused (`name_taken`) unless `replace` names
        a key of that peer.
        """
        MAY_ADMIT_PEER.admit(actor)
        said = utf8(data.card)
        trust = _trust(utf8(data.trust), clock)
        node = decode_card(said).node
        keys = [key for each in trust.nodes if each.party == node for key in each.keys]
        if not keys:
            raise Refused(
                f"the trust list {trust.name!r} does not name the node {node}",
                code="untrusted_card",
                remedy="get a trust list that names it, and compare its fingerprints",
            )
        peer = await peers.admit(
            actor,
            said,
            keys=keys,
            trust=trust.name,
            url=data.url,
            certificate=data.certificate,
            listed=encode_trust_list(trust),
            replaces=data.replace,
        )
        return _view(peer, peers.clashes(peer))

    @delete("/v1/exchange/peers/{node:str}", opt={ACCESS: MAY_ADMIT_PEER})
    async def remove_peer(node: _Node, actor: Actor) -> None:
        """Ends the exchange with a peer."""
        await peers.dismiss(actor, node)

    @put("/v1/exchange/peers/{node:str}/subscription", status_code=200, opt={ACCESS: MAY_SUBSCRIBE})
    async def subscribe(node: _Node, data: Subscription, actor: Actor) -> Dispatch:
        """Tells a peer what this node wants to hear of."""
        wanted = Wanted(tuple(data.kinds), tuple(data.consignments))
        return await exchange.subscribe(actor, node, wanted)

    handlers: list[Any] = [own_card, bundle, list_peers, add_peer, remove_peer, subscribe]
    return Router("/", route_handlers=handlers, tags=["exchange"])


def _trust(data: bytes, clock: Clock) -> TrustList:
    """The list, plain or governed. Raises Refused (`list_expired`) for one that admits nobody."""
    if b'"zhidao.governed-trust"' not in data[:200_000]:
        return decode_trust_list(data)
    # The update framework takes a tenth of a second to import, and most lists are plain.
    from zhidao.trust.service.witness.governing import believe
    from zhidao.trust.wire.governance.governance import decode_governed

    governed = believe(decode_governed(data))
    governed.check_admits(clock.now())
    return governed.trust


def _view(peer: Peer, clashes: Sequence[str]) -> PeerView:
    wanted = peer.wanted or Wanted()
    return PeerView(
        node=peer.node,
        organisation=peer.organisation,
        url=peer.url,
        keys=[key.multikey for key in peer.keys],
        trust=peer.trust,
        subscribed=peer.wanted is not None,
        kinds=list(wanted.kinds),
        consignments=list(wanted.consignments),
        clashes=list(clashes),
    )
