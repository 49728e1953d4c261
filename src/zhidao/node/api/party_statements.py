"""Routes of statements: what parties say with keys of their own."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.events import SignedEvent
from zhidao.core.ids import parse_id, party_id
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.node.events import Stated
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.identity.party_statements import MAY_STATE, Statement, Statements

_PARTY: Final = r"^[a-z0-9][a-z0-9.-]{0,63}\Z"
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
Party = Annotated[str, msgspec.Meta(pattern=_PARTY)]
Value = Annotated[str, msgspec.Meta(max_length=256)]


class NewStatement(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A statement and its signature.

    `assertion` is the signature (base64url) of `key`, a Multikey registered for the caller's
    party, over the RFC 8785 form of {aggregate, asserted_by, id, occurred_at, open, owner,
    payload, type, v, visible}: aggregate `statement/<party>/<statement>`, asserted_by {party,
    key}, open false, owner the party, payload {kind, consignment, text, values}, type
    `node.Stated.v1`, v 1, visible the readers in order. `id` is a UUID of version 7.
    """

    id: Annotated[str, msgspec.Meta(min_length=36, max_length=36)]
    statement: Annotated[str, msgspec.Meta(pattern=_NAME)]
    key: Annotated[str, msgspec.Meta(min_length=8, max_length=4096)]
    kind: Annotated[str, msgspec.Meta(pattern=_NAME)]
    occurred_at: Annotated[str, msgspec.Meta(min_length=20, max_length=40)]
    assertion: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
    consignment: Annotated[str, msgspec.Meta(max_length=64)] = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    values: Annotated[dict[Value, Value], msgspec.Meta(max_length=32)] = {}
    readers: Annotated[list[Annotated[Party, KNOWN]], msgspec.Meta(max_length=32)] = []


class RecordedStatement(msgspec.Struct, kw_only=True):
    """The signed event as recorded, whole (base64url of its canonical bytes), and its name."""

    id: str
    aggregate: str
    recorded_at: str
    event: str


def routes(statements: Statements) -> Router:
    """Routes under /v1/statements."""

    @post("/", opt={ACCESS: MAY_STATE})
    async def state(data: NewStatement, actor: Actor) -> RecordedStatement:
        """Records what the caller's party signed with its own key; again: the same answer."""
        statement = Statement(
            id=parse_id(data.id),
            name=data.statement,
            key=PublicKey.from_multikey(data.key),
            fact=Stated(
                kind=data.kind,
                consignment=data.consignment,
                text=data.text,
                values=data.values,
            ),
            occurred_at=Utc.parse(data.occurred_at),
            readers=tuple(sorted({party_id(reader) for reader in data.readers} - {actor.party})),
            assertion=parse_base64url(data.assertion),
        )
        return _view(await statements.state(actor, statement))

    @get("/{party:str}/{statement:str}", opt={ACCESS: READ})
    async def one(
        party: Annotated[str, Parameter(pattern=_PARTY)],
        statement: Annotated[str, Parameter(pattern=_NAME)],
        actor: Actor,
    ) -> RecordedStatement:
        """A statement; 404 for whoever may not see it."""
        return _view(await statements.one(actor, party_id(party), statement))

    return Router("/v1/statements", route_handlers=[state, one], tags=["statements"])


def _view(event: SignedEvent) -> RecordedStatement:
    return RecordedStatement(
        id=str(event.id),
        aggregate=event.aggregate,
        recorded_at=str(event.recorded_at),
        event=base64url(event.encode()),
    )
