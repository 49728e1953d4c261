"""Routes of sign-in by a provider of identities, and of whose identities are linked here."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import Parameter

from zhidao.core.access import CALLER, OPEN
from zhidao.core.actor import Actor
from zhidao.node.api.callers import (
    Password,
    Secret,
    SessionView,
    origin_of,
    passkey_answer,
    session_answer,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import SESSION_COOKIE
from zhidao.node.http.hosts import base_of
from zhidao.node.identity.organisation import Organisation
from zhidao.node.security.callers import Session
from zhidao.node.security.openid.identities import MAY_LINK, Identities, Identity
from zhidao.node.security.openid.provider_sign_in import ProviderSignIn
from zhidao.node.security.pending_answers import ANSWERED_WITHIN_S
from zhidao.node.security.second_factor import PasskeyAsked

# The page to which the provider sends a browser back; it is to be registered there.
BACK_PATH: Final = "/login/back"
_COOKIE: Final = "zhidao_provider"
_COOKIE_PATH: Final = "/v1/session/provider"
_Name = Annotated[str, Parameter(min_length=1, max_length=64)]
_IdentityId = Annotated[str, Parameter(pattern=r"^[0-9a-f]{16}\Z")]


class ProviderAddress(msgspec.Struct):
    """Where a browser goes to sign in at the provider."""

    url: str


class LinkWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The own password, before an identity is linked."""

    password: Password


class ProviderAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What the provider gave the browser. `issuer`: as it calls itself (RFC 9207), or empty."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    state: Secret
    issuer: Annotated[str, msgspec.Meta(max_length=512)] = ""


class NewIdentity(msgspec.Struct, forbid_unknown_fields=True):
    """Whom a provider's claim names, by the value of that claim."""

    value: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class IdentityView(msgspec.Struct):
    """An identity of a provider by which somebody signs in."""

    identity: str
    issuer: str
    claim: str
    value: str
    linked_at: str


def routes(
    sign_in: ProviderSignIn, identities: Identities, organisation: Organisation, *, demo: bool
) -> Router:
    """Routes under /v1."""

    @post("/session/provider", status_code=200, opt={ACCESS: OPEN})
    async def begin_by_provider(request: Request[Any, Any, Any]) -> Response[ProviderAddress]:
        """Where a browser goes to sign in at the provider that the settings name."""
        browser = sign_in.browser(request.cookies.get(_COOKIE, ""))
        url = await sign_in.begin(browser=browser, back=_back(request), origin=origin_of(request))
        return _sent(url, browser)

    @post("/session/provider/link", status_code=200, opt={ACCESS: CALLER})
    async def begin_link(
        data: LinkWanted, actor: Actor, request: Request[Any, Any, Any]
    ) -> Response[ProviderAddress]:
        """Where a browser goes so that one's own identity there is linked here."""
        browser = sign_in.browser(request.cookies.get(_COOKIE, ""))
        url = await sign_in.begin_link(
            actor,
            data.password,
            browser=browser,
            back=_back(request),
            session=request.cookies.get(SESSION_COOKIE, ""),
            origin=origin_of(request),
        )
        return _sent(url, browser)

    @post("/session/provider/finish", status_code=200, opt={ACCESS: OPEN})
    async def finish_by_provider(
        data: ProviderAnswer, request: Request[Any, Any, Any]
    ) -> Response[SessionView]:
        """Signs in whoever is linked to the identity, or links it if that was begun; once."""
        try:
            done = await sign_in.finish(
                data.code,
                data.state,
                issuer=data.issuer,
                browser=request.cookies.get(_COOKIE, ""),
                back=_back(request),
                session=request.cookies.get(SESSION_COOKIE, ""),
                origin=origin_of(request),
            )
        except PasskeyAsked as asked:
            return passkey_answer(asked, demo=demo, organisation=organisation.name)
        if isinstance(done, Session):
            return Response(_inside(done, demo=demo, organisation=organisation.name))
        return session_answer(done, demo=demo, organisation=organisation.name)

    @get("/people/{name:str}/identities", opt={ACCESS: CALLER})
    async def list_identities(name: _Name, actor: Actor) -> list[IdentityView]:
        """By which identities of providers somebody signs in: for admins, and for oneself."""
        return [_view(each) for each in await identities.every(actor, name)]

    @post("/people/{name:str}/identities", status_code=201, opt={ACCESS: MAY_LINK})
    async def link_identity(name: _Name, data: NewIdentity, actor: Actor) -> IdentityView:
        """Links a person of the admin's own party to what the provider's claim says."""
        return _view(await identities.link(actor, name, sign_in.named(data.value)))

    @delete("/people/{name:str}/identities/{identity:str}", status_code=204, opt={ACCESS: CALLER})
    async def unlink_identity(name: _Name, identity: _IdentityId, actor: Actor) -> None:
        """Unlinks one: an own one, or, by an admin, one of the own party's people."""
        await identities.unlink(actor, name, identity)

    handlers = [
        *(begin_by_provider, begin_link, finish_by_provider),
        *(list_identities, link_identity, unlink_identity),
    ]
    return Router("/v1", route_handlers=handlers, tags=["callers"])


def _back(request: Request[Any, Any, Any]) -> str:
    return base_of(request.scope) + BACK_PATH


def _sent(url: str, browser: str) -> Response[ProviderAddress]:
    cookie = Cookie(
        key=_COOKIE,
        value=browser,
        path=_COOKIE_PATH,
        max_age=ANSWERED_WITHIN_S,
        httponly=True,
        secure=True,
        # The page that the provider sends a browser back to asks by itself, from here.
        samesite="strict",
    )
    return Response(ProviderAddress(url), cookies=[cookie])


def _inside(session: Session, *, demo: bool, organisation: str) -> SessionView:
    return SessionView(
        signed_in=True,
        name=session.name,
        role=session.role.value,
        party=session.party,
        first_start=False,
        demo=demo,
        organisation=organisation,
    )


def _view(identity: Identity) -> IdentityView:
    named = identity.named
    return IdentityView(identity.id, named.issuer, named.claim, named.value, str(identity.made_at))
