"""Routes of sessions, tokens, people and parties."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.params import Parameter

from zhidao.core.access import CALLER, OPEN
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, Unauthenticated
from zhidao.core.ids import PartyId, party_id
from zhidao.core.keys import PublicKey
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import CSRF_COOKIE, DEVICE_COOKIE, SESSION_COOKIE
from zhidao.node.http.hosts import site_of
from zhidao.node.http.strict import AS_KEPT
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.parties import MAY_ADD_PARTY, Parties, RegisteredParty
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.node.security.gate import (
    SESSION_SECONDS,
    Gate,
    Origin,
    SignedIn,
)
from zhidao.node.security.known_devices import DEVICE_SECONDS
from zhidao.node.security.people import People
from zhidao.node.security.second_factor import PasskeyAsked
from zhidao.node.security.tokens import MAY_AGREE, MAY_MAKE, MAY_WITHDRAW, Tokens
from zhidao.node.web.page_access import closed_to
from zhidao.trade.domain.model.countries import COUNTRIES

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Words = Annotated[str, msgspec.Meta(max_length=120)]
_TokenId = Annotated[str, Parameter(pattern=r"^[0-9a-f]{16}\Z")]


_TOKENS = Listing(
    "tokens",
    ("id",),
    ("label", "party", "role", "created_at", "revoked", "agreed", "made_by", "id"),
)


_PARTIES = Listing("parties", ("party",), ("party", "name", "trade_role", "country"))


class PasskeyAsk(msgspec.Struct):
    """What a browser asks an authenticator with, and the ticket that goes with the answer.

    `options`: as `PublicKeyCredential.parseRequestOptionsFromJSON` (or, where a passkey is made,
    `parseCreationOptionsFromJSON`) takes them.
    """

    ticket: str
    options: dict[str, Any]


class SessionView(msgspec.Struct, kw_only=True):
    """Who is signed in at this browser, and how the node stands.

    `passkey`: what is still to be shown before anybody is signed in. `provider`: by whom else
    people may sign in, as they call it; empty if there is none. `closed`: pages and acts that this
    role is not offered, each with the roles that are; told where the browser asks who it is.
    """

    signed_in: bool
    name: str
    role: str
    party: str
    first_start: bool
    demo: bool
    organisation: str
    passkey: PasskeyAsk | None = None
    provider: str = ""
    closed: dict[str, list[Role]] = {}


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A name with its password."""

    name: Annotated[Name, AS_KEPT]
    password: Password


class FirstAdmin(msgspec.Struct, forbid_unknown_fields=True):
    """What makes the first admin: the code from the console, a name, a password."""

    code: Secret
    name: Name
    password: Password
    organisation: Words = ""


class ChangedPassword(msgspec.Struct, forbid_unknown_fields=True):
    """One's own new password, beside the one that counts now."""

    old: Password
    new: Password


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
    """A token without its secret. `agreed`: who agreed in the party's name; empty: it waits.

    `made_by`: the person who made it and saw its secret, where that was one.
    """

    id: str
    party: str
    role: str
    label: str
    created_at: str
    revoked: bool
    agreed: str
    made_by: str


class NewParty(msgspec.Struct, forbid_unknown_fields=True):
    """A party whose keys this node keeps as custodian."""

    party: Name
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120), AS_KEPT]
    trade_role: Words
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]


def routes(
    gate: Gate,
    tokens: Tokens,
    people: People,
    parties: Parties,
    *,
    demo: bool,
    organisation: Organisation,
    node: PartyId,
    provider: str = "",
) -> Router:
    """Routes under /v1."""

    @get("/session", opt={ACCESS: OPEN})
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
            provider=provider,
            closed=closed_to(Role(role), request.app) if role else {},
        )

    @post("/session", status_code=200, opt={ACCESS: OPEN})
    async def sign_in(data: SignIn, request: Request[Any, Any, Any]) -> Response[SessionView]:
        """Signs in with name and password; who has a passkey is asked for it next."""
        try:
            signed_in = await gate.sign_in(data.name, data.password, origin_of(request))
        except PasskeyAsked as asked:
            return passkey_answer(asked, demo=demo, organisation=organisation.name)
        return await _answer(signed_in)

    @post("/session/link", status_code=200, opt={ACCESS: OPEN})
    async def enter(data: LinkCode) -> Response[SessionView]:
        """Signs in by a one-time link."""
        return await _answer(await gate.enter(data.code))

    @post("/first-admin", status_code=200, opt={ACCESS: OPEN})
    async def first_admin(
        data: FirstAdmin, request: Request[Any, Any, Any]
    ) -> Response[SessionView]:
        """Makes the first admin of a new node, and keeps what its organisation is called."""

        async def name_organisation(admin: Actor) -> None:
            await organisation.call(admin, data.organisation)

        return await _answer(
            await people.first_admin(
                code=data.code,
                name=data.name,
                password=data.password,
                party=node,
                before=name_organisation,
                origin=origin_of(request),
            )
        )

    @delete("/session", status_code=204, security=[{"session": []}], opt={ACCESS: CALLER})
    async def sign_out(request: Request[Any, Any, Any], actor: Actor) -> None:
        """Signs out."""
        del actor  # Asked for, so that a stranger or another site cannot sign anybody out.
        if SESSION_COOKIE not in request.cookies:
            raise Unauthenticated("this browser is not signed in; a token is withdrawn, not left")
        await gate.sign_out(request.cookies[SESSION_COOKIE])

    @put("/session/password", status_code=200, opt={ACCESS: CALLER})
    async def change_password(
        data: ChangedPassword, actor: Actor, request: Request[Any, Any, Any]
    ) -> Response[SessionView]:
        """Changes one's own password: all other sessions end, and this browser gets a new one."""
        origin = origin_of(request)
        return await _answer(
            await people.change_password(actor, old=data.old, new=data.new, origin=origin)
        )

    @post("/tokens", opt={ACCESS: MAY_MAKE})
    async def make_token(data: NewToken, actor: Actor) -> TokenText:
        """Makes a token for a party and role; admins only.

        One for another party than the admin's opens nothing until that party agrees.
        """
        if data.key:
            PublicKey.from_multikey(data.key)
        await parties.must_be_here(party_id(data.party), data.role)
        text = await tokens.make(
            actor, party=party_id(data.party), role=data.role, label=data.label, key=data.key
        )
        return TokenText(text)

    @get("/tokens", opt={LISTED: _TOKENS, ACCESS: CALLER})
    async def list_tokens(actor: Actor) -> list[TokenView]:
        """All tokens; a party sees its own."""
        return [
            TokenView(
                id=t.id,
                party=t.party,
                role=t.role.value,
                label=t.label,
                created_at=str(t.created_at),
                revoked=t.revoked,
                agreed=t.agreed,
                made_by=t.made_by,
            )
            for t in await tokens.every(actor)
        ]

    @post("/tokens/{token_id:str}/agreement", status_code=204, opt={ACCESS: MAY_AGREE})
    async def agree_to_token(token_id: _TokenId, actor: Actor) -> None:
        """Agrees in the party's name: one of its people, or, if it has none, the operator."""
        await tokens.agree(actor, token_id)

    @delete("/tokens/{token_id:str}", status_code=204, opt={ACCESS: MAY_WITHDRAW})
    async def revoke_token(token_id: _TokenId, actor: Actor) -> None:
        """Withdraws a token at once: an admin any, a person of a party its own."""
        await tokens.withdraw(actor, token_id)

    @post("/parties", opt={ACCESS: MAY_ADD_PARTY})
    async def add_party(data: NewParty, actor: Actor) -> RegisteredParty:
        """Makes a party and its custodial keys; admins only. Again: the same party."""
        return await parties.add(
            actor,
            party=party_id(data.party),
            name=data.name,
            trade_role=data.trade_role.strip().lower().replace(" ", "_"),
            country=_listed(data.country),
        )

    @get("/parties", opt={LISTED: _PARTIES, ACCESS: CALLER})
    async def list_parties(actor: Actor) -> list[RegisteredParty]:
        """The parties of this node with their public keys."""
        return await parties.every(actor)

    async def _answer(signed_in: SignedIn) -> Response[SessionView]:
        return session_answer(signed_in, demo=demo, organisation=organisation.name)

    handlers = [
        *(who, sign_in, enter, first_admin, sign_out, change_password),
        *(make_token, list_tokens, agree_to_token, revoke_token, add_party, list_parties),
    ]
    return Router("/v1", route_handlers=handlers, tags=["callers"])


def _listed(country: str) -> str:
    """A country of ISO 3166-1. Raises MalformedInput."""
    if country not in COUNTRIES:
        raise MalformedInput(
            f"{country!r} is no country of ISO 3166-1",
            where="$.country",
            remedy="give the two capital letters of the country, such as KZ",
        )
    return country


def session_answer(signed_in: SignedIn, *, demo: bool, organisation: str) -> Response[SessionView]:
    """Who is signed in now, and the cookies that say so from now on."""
    session = signed_in.session
    view = SessionView(
        signed_in=True,
        name=session.name,
        role=session.role.value,
        party=session.party,
        first_start=False,
        demo=demo,
        organisation=organisation,
    )
    return Response(
        view,
        cookies=[
            _cookie(SESSION_COOKIE, signed_in.secret, hidden=True),
            _cookie(CSRF_COOKIE, signed_in.csrf, hidden=False),
            *([_device_cookie(signed_in.device)] if signed_in.device else []),
        ],
    )


def passkey_answer(asked: PasskeyAsked, *, demo: bool, organisation: str) -> Response[SessionView]:
    """Nobody is signed in yet: what the browser's authenticator has to show."""
    view = SessionView(
        signed_in=False,
        name="",
        role="",
        party="",
        first_start=False,
        demo=demo,
        organisation=organisation,
        passkey=PasskeyAsk(asked.ticket, asked.options),
    )
    return Response(view)


def origin_of(request: Request[Any, Any, Any]) -> Origin:
    """Where a request comes from, for what passwords are counted by."""
    return Origin(
        address=request.client.host if request.client else "",
        device=request.cookies.get(DEVICE_COOKIE, ""),
        site=site_of(request.scope),
    )


def _device_cookie(value: str) -> Cookie:
    return Cookie(
        key=DEVICE_COOKIE,
        value=value,
        path="/v1/session",
        max_age=DEVICE_SECONDS,
        httponly=True,
        secure=True,
        samesite="strict",
    )


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
