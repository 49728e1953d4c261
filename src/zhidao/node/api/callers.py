"""Routes of sessions, tokens, people and parties."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import Parameter

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, Unauthenticated
from zhidao.core.ids import PartyId, party_id
from zhidao.core.keys import PublicKey
from zhidao.node.api.doorkeeper import CSRF_COOKIE, SESSION_COOKIE
from zhidao.node.organisation import Organisation
from zhidao.node.parties import Parties, Party
from zhidao.node.security.gate import SESSION_SECONDS, Gate, SignedIn

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Words = Annotated[str, msgspec.Meta(max_length=120)]
_TokenId = Annotated[str, Parameter(pattern=r"^[0-9a-f]{16}$")]


class SessionView(msgspec.Struct, kw_only=True):
    """Who is signed in at this browser, and how the node stands."""

    signed_in: bool
    name: str
    role: str
    party: str
    first_start: bool
    demo: bool
    organisation: str


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A name with its password."""

    name: Name
    password: Password


class FirstAdmin(msgspec.Struct, forbid_unknown_fields=True):
    """What makes the first admin: the code from the console, a name, a password."""

    code: Secret
    name: Name
    password: Password
    organisation: Words = ""


class LinkCode(msgspec.Struct, forbid_unknown_fields=True):
    """A one-time code from a link."""

    code: Secret


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """What a token is for. `key`: a Multikey that may sign requests (RFC 9421), or empty."""

    party: Name
    role: Role
    label: Words = ""
    key: Annotated[str, msgspec.Meta(max_length=4096)] = ""


class TokenText(msgspec.Struct):
    """The token, shown this once."""

    token: str


class TokenView(msgspec.Struct):
    """A token without its secret."""

    id: str
    party: str
    role: str
    label: str
    created_at: str
    revoked: bool


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who may sign in."""

    name: Name
    password: Password
    party: Name
    role: Role


class NewParty(msgspec.Struct, forbid_unknown_fields=True):
    """A party whose keys this node keeps as custodian."""

    party: Name
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    trade_role: Words
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]


def routes(
    gate: Gate, parties: Parties, *, demo: bool, organisation: Organisation, node: PartyId
) -> Router:
    """Routes under /v1."""

    @get("/session", security=[{}])
    async def who(request: Request[Any, Any, Any]) -> SessionView:
        """Tells who is signed in; works for strangers too."""
        try:
            session = await gate.session(request.cookies.get(SESSION_COOKIE, ""))
        except Unauthenticated:
            name = role = party = ""
        else:
            name, role, party = session.name, session.role.value, session.party
        return SessionView(
            signed_in=bool(role),
            name=name,
            role=role,
            party=party,
            # Somebody who is in already is not sent to the first page.
            first_start=not role and await gate.first_start(),
            demo=demo,
            organisation=organisation.name,
        )

    @post("/session", status_code=200, security=[{}])
    async def sign_in(data: SignIn) -> Response[SessionView]:
        """Signs in with name and password."""
        return await _answer(await gate.sign_in(data.name, data.password))

    @post("/session/link", status_code=200, security=[{}])
    async def enter(data: LinkCode) -> Response[SessionView]:
        """Signs in by a one-time link."""
        return await _answer(await gate.enter(data.code))

    @post("/first-admin", status_code=200, security=[{}])
    async def first_admin(data: FirstAdmin) -> Response[SessionView]:
        """Makes the first admin of a new node, and keeps what its organisation is called."""

        async def name_organisation(admin: Actor) -> None:
            await organisation.call(admin, data.organisation)

        return await _answer(
            await gate.first_admin(
                code=data.code,
                name=data.name,
                password=data.password,
                party=node,
                before=name_organisation,
            )
        )

    @delete("/session", status_code=204, security=[{"session": []}])
    async def sign_out(request: Request[Any, Any, Any], actor: Actor) -> None:
        """Signs out."""
        del actor  # Asked for, so that a stranger or another site cannot sign anybody out.
        if SESSION_COOKIE not in request.cookies:
            raise Unauthenticated("this browser is not signed in; a token is withdrawn, not left")
        await gate.sign_out(request.cookies[SESSION_COOKIE])

    @post("/tokens")
    async def make_token(data: NewToken, actor: Actor) -> TokenText:
        """Makes a token for a party and role; admins only."""
        if data.key:
            PublicKey.from_multikey(data.key)
        text = await gate.make_token(
            actor, party=party_id(data.party), role=data.role, label=data.label, key=data.key
        )
        return TokenText(text)

    @get("/tokens")
    async def list_tokens(actor: Actor) -> list[TokenView]:
        """All tokens; admins only."""
        return [
            TokenView(t.id, t.party, t.role.value, t.label, str(t.created_at), t.revoked)
            for t in await gate.tokens(actor)
        ]

    @delete("/tokens/{token_id:str}", status_code=204)
    async def revoke_token(token_id: _TokenId, actor: Actor) -> None:
        """Withdraws a token at once; admins only."""
        await gate.revoke_token(actor, token_id)

    @post("/people", status_code=204)
    async def add_person(data: NewPerson, actor: Actor) -> None:
        """Makes somebody who may sign in; admins only."""
        await gate.add_person(
            actor,
            name=data.name,
            password=data.password,
            party=party_id(data.party),
            role=data.role,
        )

    @post("/parties")
    async def add_party(data: NewParty, actor: Actor) -> Party:
        """Makes a party and its custodial keys; admins only. Again: the same party."""
        if not data.country.isalpha():
            raise MalformedInput("a country is two capital letters (ISO 3166-1)")
        return await parties.add(
            actor,
            party=party_id(data.party),
            name=data.name,
            trade_role=data.trade_role,
            country=data.country,
        )

    @get("/parties")
    async def list_parties(actor: Actor) -> list[Party]:
        """The parties of this node with their public keys."""
        return await parties.every(actor)

    async def _answer(signed_in: SignedIn) -> Response[SessionView]:
        session = signed_in.session
        view = SessionView(
            signed_in=True,
            name=session.name,
            role=session.role.value,
            party=session.party,
            first_start=False,
            demo=demo,
            organisation=organisation.name,
        )
        return Response(
            view,
            cookies=[
                _cookie(SESSION_COOKIE, signed_in.secret, hidden=True),
                _cookie(CSRF_COOKIE, signed_in.csrf, hidden=False),
            ],
        )

    handlers = [
        *(who, sign_in, enter, first_admin, sign_out, make_token, list_tokens, revoke_token),
        *(add_person, add_party, list_parties),
    ]
    return Router("/v1", route_handlers=handlers, tags=["callers"])


def _cookie(key: str, value: str, *, hidden: bool) -> Cookie:
    return Cookie(
        key=key,
        value=value,
        path="/",
        max_age=SESSION_SECONDS,
        httponly=hidden,
        secure=True,
        samesite="strict",
    )
