"""An invitation of a node leaves its trace: that it was made, and that it was taken back."""

from __future__ import annotations

from typing import Any

import httpx
from litestar import Litestar
from litestar.di import Provide

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.service.peer_invitations import KeptLink
from zhidao.exchange.wire.peer_link import PeerLink
from zhidao.node.api.exchange import peer_links
from zhidao.node.http.problems import HANDLERS
from zhidao.node.security.administration import Act

KEPT = KeptLink(bytes(32), Utc.parse("2026-12-01T00:00:00Z"))


class Invitations:
    """One link, which can be taken back once."""

    def __init__(self) -> None:
        self.open = True

    async def make(self, actor: Actor) -> tuple[KeptLink, PeerLink]:
        del actor
        key = SoftwareKey(Algorithm.ED25519, bytes([1] * 32)).public
        return KEPT, PeerLink("https://node.example", "code", key)

    async def withdraw(self, actor: Actor, name: str) -> bool:
        del actor, name
        was, self.open = self.open, False
        return was


class Administration:
    """Keeps what is noted."""

    node = party_id("corridor")

    def __init__(self) -> None:
        self.acts: list[tuple[Act, str, dict[str, str]]] = []

    async def note(
        self, actor: Actor, act: Act, *, subject: str, party: str, values: Any = None
    ) -> None:
        assert (actor.person, party) == ("olga", "corridor")
        self.acts.append((act, subject, dict(values or {})))


async def test_a_link_that_is_made_or_taken_back_leaves_its_trace() -> None:
    acts = Administration()
    routes = peer_links.routes(Invitations(), Utc.parse, acts)  # type: ignore[arg-type]

    async def actor() -> Actor:
        return Actor(party_id("corridor"), Role.OPERATOR, "olga")

    app = Litestar(
        [routes],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        made = await client.post("/v1/exchange/invitations")
        assert made.status_code == 201, made.text
        for _ in range(2):
            gone = await client.delete(f"/v1/exchange/invitations/{KEPT.name}")
            assert gone.status_code == 204
    assert acts.acts == [
        (Act.PEER_INVITED, KEPT.name, {"expires_at": str(KEPT.expires_at)}),
        (Act.PEER_INVITATION_WITHDRAWN, KEPT.name, {}),
    ]
    # The code of the link stands nowhere but in the link.
    assert "code" not in str(acts.acts)
