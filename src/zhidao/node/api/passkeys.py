"""Routes of passkeys: shown to sign in, added, listed and removed."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, OPEN
from zhidao.core.actor import Actor
from zhidao.node.api.callers import (
    PasskeyAsk,
    Password,
    Secret,
    SessionView,
    origin_of,
    session_answer,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import SESSION_COOKIE
from zhidao.node.identity.organisation import Organisation
from zhidao.node.security.passkeys.authenticators import Assertion, Attestation
from zhidao.node.security.passkeys.passkeys import Passkeys
from zhidao.node.security.passkeys.records import Passkey

_Name = Annotated[str, Parameter(min_length=1, max_length=64)]
_PasskeyId = Annotated[str, Parameter(pattern=r"^[0-9a-f]{16}\Z")]
# All in base64url; the specification gives an identifier 1023 bytes.
_Credential = Annotated[str, msgspec.Meta(min_length=1, max_length=1400)]
_Part = Annotated[str, msgspec.Meta(max_length=8192)]
_Label = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class ShownPasskey(msgspec.Struct, forbid_unknown_fields=True):
    """What `navigator.credentials.get` gave, its parts in base64url."""

    ticket: Secret
    id: _Credential
    client_data: _Part
    authenticator_data: _Part
    signature: _Part
    user_handle: _Part = ""


class PasskeyWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The own password, before a passkey is made."""

    password: Password


class MadePasskey(msgspec.Struct, forbid_unknown_fields=True):
    """What `navigator.credentials.create` gave, its parts in base64url, and its name."""

    ticket: Secret
    label: _Label
    id: _Credential
    client_data: _Part
    attestation: Annotated[str, msgspec.Meta(max_length=16_384)]


class PasskeyView(msgspec.Struct):
    """A passkey. `host`: the node's name at which it works; `used_at`: empty if never."""

    passkey: str
    label: str
    host: str
    created_at: str
    used_at: str


def routes(passkeys: Passkeys, organisation: Organisation, *, demo: bool) -> Router:
    """Routes under /v1."""

    @post("/session/passkey/begin", status_code=200, opt={ACCESS: OPEN})
    async def begin_by_passkey(request: Request[Any, Any, Any]) -> PasskeyAsk:
        """Asks for a passkey of whoever it is, without a name or password before."""
        asked = await passkeys.begin_alone(origin_of(request))
        return PasskeyAsk(asked.ticket, asked.options)

    @post("/session/passkey", status_code=200, opt={ACCESS: OPEN})
    async def sign_in_by_passkey(
        data: ShownPasskey, request: Request[Any, Any, Any]
    ) -> Response[SessionView]:
        """Signs in by what an authenticator answered, once."""
        answer = Assertion(
            data.id, data.client_data, data.authenticator_data, data.signature, data.user_handle
        )
        signed_in = await passkeys.sign_in(data.ticket, answer, origin_of(request))
        return session_answer(signed_in, demo=demo, organisation=organisation.name)

    @post("/session/passkeys/begin", status_code=200, opt={ACCESS: CALLER})
    async def begin_passkey(
        data: PasskeyWanted, actor: Actor, request: Request[Any, Any, Any]
    ) -> PasskeyAsk:
        """What a browser makes a passkey of one's own with; asks for the own password."""
        asked = await passkeys.begin_adding(
            actor,
            data.password,
            session=request.cookies.get(SESSION_COOKIE, ""),
            origin=origin_of(request),
            organisation=organisation.name,
        )
        return PasskeyAsk(asked.ticket, asked.options)

    @post("/session/passkeys", status_code=201, opt={ACCESS: CALLER})
    async def add_passkey(
        data: MadePasskey, actor: Actor, request: Request[Any, Any, Any]
    ) -> PasskeyView:
        """Keeps a passkey of one's own, which is asked for at each sign-in from now on."""
        made = Attestation(data.id, data.client_data, data.attestation)
        session = request.cookies.get(SESSION_COOKIE, "")
        return _view(
            await passkeys.add(actor, data.ticket, made, label=data.label, session=session)
        )

    @get("/people/{name:str}/passkeys", opt={ACCESS: CALLER})
    async def list_passkeys(name: _Name, actor: Actor) -> list[PasskeyView]:
        """The passkeys of a person, oldest first: for admins, and for oneself."""
        return [_view(each) for each in await passkeys.every(actor, name)]

    @delete("/people/{name:str}/passkeys/{passkey:str}", status_code=204, opt={ACCESS: CALLER})
    async def remove_passkey(name: _Name, passkey: _PasskeyId, actor: Actor) -> None:
        """Takes a passkey away: an own one, or, by an admin, one of the own party's people."""
        await passkeys.remove(actor, name, passkey)

    handlers = [
        *(begin_by_passkey, sign_in_by_passkey, begin_passkey, add_passkey),
        *(list_passkeys, remove_passkey),
    ]
    return Router("/v1", route_handlers=handlers, tags=["callers"])


def _view(passkey: Passkey) -> PasskeyView:
    used_at = str(passkey.used_at) if passkey.used_at else ""
    return PasskeyView(passkey.id, passkey.label, passkey.host, str(passkey.created_at), used_at)
