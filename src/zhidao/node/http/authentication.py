"""Finds the actor behind a request: from its headers, before anything of its body is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from litestar import Request

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Unauthenticated
from zhidao.core.judging import ON_BEHALF_OF
from zhidao.exchange.domain.peer import Peer
from zhidao.node.http.head_requests import asked_method
from zhidao.node.http.problems import needs_credential
from zhidao.node.security.gate import BY_COOKIE, Gate
from zhidao.node.security.http_signatures import Message, Signed, parse_signature
from zhidao.node.security.peer_gate import PeerGate
from zhidao.node.security.standing import of_session

SESSION_COOKIE: Final = "zhidao_session"
CSRF_COOKIE: Final = "zhidao_csrf"
DEVICE_COOKIE: Final = "zhidao_device"
# Only here do other nodes speak for themselves.
PEER_PATH: Final = "/exchange/bundle"
# Where the answer stands in the connection's scope: nobody is asked twice in one request.
_MET: Final = "zhidao.met"
# In the scope of a request whose signature was held against its body and used up.
_ACCEPTED: Final = "zhidao.accepted"


@dataclass(frozen=True, slots=True)
class Met:
    """Who the headers say is asking. `signed` still has to be held against the body.

    `peer`: the node that asks, on the one path that is for nodes.
    """

    actor: Actor
    signed: tuple[Message, Signed] | None = None
    peer: Peer | None = None


class Looks(Protocol):
    """Notes who looks at others' data; a look that cannot be noted is refused."""

    async def look(self, actor: Actor, named: Mapping[str, Any], route: str) -> None:
        """Called before the answer, with the names in a path and the path as its route has it."""
        ...


class Authenticator:
    """Finds the actor by signature, by token, by session, never by anything else."""

    def __init__(
        self, gate: Gate, readings: Looks | None = None, peers: PeerGate | None = None
    ) -> None:
        self._gate = gate
        self._readings = readings
        self._peers = peers

    async def meet(self, scope: Any) -> Met:
        """Who the headers say is asking.

        Raises Unauthenticated or, without the CSRF token, Forbidden.
        """
        known = scope.get(_MET)
        if known is None:
            known = scope[_MET] = await self._meet(scope)
            ON_BEHALF_OF.set(str(known.actor.party))
        assert isinstance(known, Met)
        return known

    async def actor(self, connection: Request[Any, Any, Any]) -> Actor:
        """The actor, whose body is the signed one, and whose look at others' data is noted.

        Raises as `meet`, and Unauthenticated if a signature does not hold for the body.
        """
        met = await self.meet(connection.scope)
        if met.signed:
            body = await connection.body() if has_body(connection.scope) else b""
            await self.accept(connection.scope, body)
        if self._readings:
            route = str(connection.scope.get("path_template", ""))
            await self._readings.look(met.actor, connection.path_params, route)
        return met.actor

    async def accept(self, scope: Any, body: bytes) -> None:
        """Holds a caller's signature, if there is one, against the body and uses it up, once.

        Raises Unauthenticated, MalformedInput, Unavailable.
        """
        met = await self.meet(scope)
        if met.signed and met.peer is None and _ACCEPTED not in scope:
            await self._gate.accept_signature(*met.signed, body)
            scope[_ACCEPTED] = True

    async def peer(self, connection: Request[Any, Any, Any]) -> Peer:
        """The node that signed this request with its body. Raises as `meet`."""
        met = await self.meet(connection.scope)
        assert self._peers is not None
        assert met.signed is not None
        assert met.peer is not None, "asked on the path of nodes only"
        self._peers.check_body(*met.signed, await connection.body())
        return met.peer

    async def _meet(self, scope: Any) -> Met:
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        if scope["path"] == PEER_PATH:
            return self._by_peer(scope, headers)
        if "signature-input" in headers:
            return await self._by_signature(scope, headers)
        if authorization := headers.get("authorization", [""])[0]:
            return Met(await self._gate.by_token(authorization))
        request: Request[Any, Any, Any] = Request(scope)
        if session := request.cookies.get(SESSION_COOKIE):
            csrf = headers.get("x-csrf-token", [""])[0]
            actor = await self._gate.by_session(session, method=scope["method"], csrf=csrf)
            return Met(actor)
        raise needs_credential()

    def _by_peer(self, scope: Any, headers: dict[str, list[str]]) -> Met:
        if self._peers is None or "signature-input" not in headers:
            raise Unauthenticated(
                "a node signs what it sends to another node",
                code="no_signature",
                remedy="sign the request by RFC 9421 with the node's key",
            )
        message, signed = _signed(scope, headers)
        peer = self._peers.meet(message, signed)
        return Met(Actor(peer.node, Role.PARTY), (message, signed), peer)

    async def _by_signature(self, scope: Any, headers: dict[str, list[str]]) -> Met:
        message, signed = _signed(scope, headers)
        actor = await self._gate.meet_signature(message, signed, has_body=has_body(scope))
        return Met(actor, (message, signed))


def held_by(connection: Request[Any, Any, Any], actor: Actor) -> str:
    """By which token or session somebody asks, as `Standing` looks it up."""
    if actor.credential in BY_COOKIE:
        return of_session(connection.cookies.get(SESSION_COOKIE, ""))
    return actor.credential


def _signed(scope: Any, headers: dict[str, list[str]]) -> tuple[Message, Signed]:
    signed = parse_signature(
        ", ".join(headers["signature-input"]), ", ".join(headers.get("signature", ()))
    )
    message = Message(
        method=asked_method(scope),
        scheme=str(scope["scheme"]),
        authority=headers.get("host", [""])[0],
        path=scope["raw_path"].decode("latin-1").partition("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
    )
    return message, signed


def has_body(scope: Any) -> bool:
    """Whether the headers promise a body (RFC 9112 section 6.3)."""
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ")):
            return True
    return False
