"""Routes of credit passports: issue, look at, show a part of, and check one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post

from zhidao.core.access import CALLER, READ
from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.receivables.passport import HIDDEN
from zhidao.finance.service.receivables.passports import (
    MAY_ISSUE_PASSPORT,
    MAY_PRESENT_PASSPORT,
    PRESENTATION_CHARACTERS_MAX,
    Passport,
    Passports,
)
from zhidao.node.http.access import ACCESS

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Show(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which claims to show, to whom, in answer to which question (`nonce`)."""

    show: Annotated[list[_Text], msgspec.Meta(max_length=len(HIDDEN))]
    audience: _Text
    nonce: _Text


class Shown(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A presentation that came, and what its holder was asked to sign for."""

    presentation: Annotated[str, msgspec.Meta(min_length=1, max_length=PRESENTATION_CHARACTERS_MAX)]
    audience: _Text
    nonce: _Text


class PassportView(msgspec.Struct, kw_only=True):
    """A passport as its party sees it, with every claim; `may_hide`: those that it may leave out.

    `token`: the whole credential, to be kept like a bank statement.
    """

    issued_at: str
    until: str
    claims: dict[str, Any]
    may_hide: list[str]
    token: str


class PresentationView(msgspec.Struct, kw_only=True):
    """What goes to the reader: an SD-JWT with the holder's signature."""

    presentation: str


class VerdictView(msgspec.Struct, kw_only=True):
    """Whether it holds, and if not the reason; who issued it, and what it shows.

    `issued_here`: by this node's own key. Any other issuer is for the reader to know.
    """

    holds: bool
    code: str
    sentence: str
    issuer: str
    issued_here: bool
    claims: dict[str, Any]


def routes(passports: Passports) -> Router:
    """Routes under /v1/finance/passport."""

    @post("/", opt={ACCESS: MAY_ISSUE_PASSPORT})
    async def issue(actor: Actor) -> PassportView:
        """Makes the caller's passport of what this node verified in the last year."""
        return _view(await passports.issue(actor))

    @get("/", opt={ACCESS: READ})
    async def newest(actor: Actor) -> list[PassportView]:
        """The caller's newest passport, or none."""
        found = await passports.newest(actor)
        return [] if found is None else [_view(found)]

    @post("/presentations", status_code=200, opt={ACCESS: MAY_PRESENT_PASSPORT})
    async def present(data: Show, actor: Actor) -> PresentationView:
        """Shows the chosen claims, signed by the caller's party for one reader."""
        shown = await passports.present(
            actor, show=data.show, audience=data.audience, nonce=data.nonce
        )
        return PresentationView(presentation=shown)

    @post("/verify", status_code=200, opt={ACCESS: CALLER})
    async def verify(data: Shown, actor: Actor) -> VerdictView:
        """Checks a passport that somebody showed."""
        del actor  # Anybody who is signed in may ask.
        try:
            found = await passports.verify(
                data.presentation, audience=data.audience, nonce=data.nonce
            )
        except (MalformedInput, Refused) as error:
            return VerdictView(
                holds=False,
                code=error.code,
                sentence=str(error),
                issuer="",
                issued_here=False,
                claims={},
            )
        return VerdictView(
            holds=True,
            code="",
            sentence="",
            issuer=found.issuer,
            issued_here=found.is_own,
            claims=dict(found.claims),
        )

    handlers: list[Any] = [issue, newest, present, verify]
    return Router("/v1/finance/passport", route_handlers=handlers, tags=["finance"])


def _view(passport: Passport) -> PassportView:
    return PassportView(
        issued_at=passport.issued_at,
        until=passport.issued.until,
        claims=dict(passport.claims),
        may_hide=list(HIDDEN),
        token=passport.token,
    )
