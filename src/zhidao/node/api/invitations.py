"""Routes of invitations: an admin makes a link, whoever holds it sets the own password."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, post
from litestar.params import Parameter

from zhidao.core.access import OPEN
from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.node.api.callers import (
    Name,
    Password,
    Secret,
    SessionView,
    origin_of,
    passkey_answer,
    session_answer,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.parties import Parties
from zhidao.node.security.invitations import MAY_INVITE, Invitation, Invitations
from zhidao.node.security.second_factor import PasskeyAsked

_Name = Annotated[str, Parameter(min_length=1, max_length=64)]
# Where the pages take a link; the code stands behind # and reaches no server's log.
JOIN_PATH: Final = "/join"


class NewInvitation(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who is to sign in with a password of the own choice."""

    name: Name
    party: Name
    role: Role


class InvitationMade(msgspec.Struct):
    """A link, told this once: `path` on this node's address. It counts until `expires_at`."""

    name: str
    path: str
    expires_at: str


class InvitationCode(msgspec.Struct, forbid_unknown_fields=True):
    """The code of a link."""

    code: Secret


class InvitationSeen(msgspec.Struct):
    """Whom a link is for. `counts`: whether the password counts without the party's word."""

    name: str
    party: str
    role: str
    organisation: str
    expires_at: str
    counts: bool


class Joining(msgspec.Struct, forbid_unknown_fields=True):
    """The code of a link and the password that its holder chose."""

    code: Secret
    password: Password


def routes(
    invitations: Invitations, parties: Parties, organisation: Organisation, *, demo: bool
) -> Router:
    """Routes under /v1."""

    @post("/invitations", status_code=201, opt={ACCESS: MAY_INVITE})
    async def invite(data: NewInvitation, actor: Actor) -> InvitationMade:
        """Makes a person and a one-time link by which that person sets the own password.

        One of another party than the admin's gets in once that party agrees.
        """
        await parties.must_be_here(party_id(data.party), data.role)
        made = await invitations.invite(
            actor, name=data.name, party=party_id(data.party), role=data.role
        )
        return _made(*made)

    @post("/people/{name:str}/invitation", status_code=201, opt={ACCESS: MAY_INVITE})
    async def invite_again(name: _Name, actor: Actor) -> InvitationMade:
        """Makes a new link for somebody known; earlier ones are void.

        The password until now counts until the link is used.
        """
        return _made(*await invitations.invite_again(actor, name))

    @post("/invitations/look", status_code=200, opt={ACCESS: OPEN})
    async def look_at_invitation(data: InvitationCode) -> InvitationSeen:
        """Tells whoever holds a link whom it is for, or what became of it."""
        invitation, person = await invitations.look(data.code)
        return InvitationSeen(
            name=person.name,
            party=person.party,
            role=person.role.value,
            organisation=organisation.name,
            expires_at=str(invitation.expires_at),
            counts=invitation.counts,
        )

    @post("/invitations/join", status_code=200, opt={ACCESS: OPEN})
    async def join(data: Joining, request: Request[Any, Any, Any]) -> Response[SessionView]:
        """Sets the own password by a link, and signs in unless the party's word is missing."""
        try:
            joined = await invitations.join(data.code, data.password, origin_of(request))
        except PasskeyAsked as asked:
            return passkey_answer(asked, demo=demo, organisation=organisation.name)
        if joined.signed_in:
            return session_answer(joined.signed_in, demo=demo, organisation=organisation.name)
        person = joined.person
        return Response(
            SessionView(
                signed_in=False,
                name=person.name,
                role=person.role.value,
                party=person.party,
                first_start=False,
                demo=demo,
                organisation=organisation.name,
            )
        )

    handlers = [invite, invite_again, look_at_invitation, join]
    return Router("/v1", route_handlers=handlers, tags=["callers"])


def _made(invitation: Invitation, secret: str) -> InvitationMade:
    return InvitationMade(invitation.name, f"{JOIN_PATH}#{secret}", str(invitation.expires_at))
