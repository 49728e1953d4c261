"""Invitations: a one-time link by which somebody sets the own password, so that nobody else has it.

An admin invites somebody new, or gives somebody who forgot the password a new link. The link counts
once and for two days. One that was used, ran out, was replaced or is of somebody withdrawn says so
to whoever holds it, since the secret in it was right.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS, Utc
from zhidao.node.security.administration import Act, Administration, Record
from zhidao.node.security.agreement import agreed_by_maker
from zhidao.node.security.callers import Callers, Person
from zhidao.node.security.gate import NOWHERE, Gate, Origin, SignedIn
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.security.people import check_password, values_of
from zhidao.node.security.person_names import PersonNames, taken

MAY_INVITE: Final = access(Role.ADMIN)
INVITATION_SECONDS: Final = 48 * 3600
# So long a link that ran out still is told apart from one that never was.
REMEMBERED_SECONDS: Final = 30 * 24 * 3600
_SECRET_BYTES: Final = 24


class State(StrEnum):
    """What became of a link."""

    OPEN = "open"
    USED = "used"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link. `counts`: the password that is set by it counts without the party's further word.

    `seen`: what the person's password was, by its hash, when the link was made.
    """

    secret_hash: bytes
    name: str
    seen: str
    counts: bool
    expires_at: Utc
    state: State = State.OPEN


@dataclass(frozen=True, slots=True)
class Joined:
    """Who set the own password. `signed_in`: None as long as the party's word is missing."""

    person: Person
    signed_in: SignedIn | None


class InvitationStore(Protocol):
    """Where links are kept, beside the people."""

    async def invite(
        self, invitation: Invitation, person: Person | None, record: Record | None
    ) -> bool:
        """Keeps a link and makes all earlier ones of its name replaced.

        `person`: kept with it if it is new. False, and nothing written, if that name is taken.
        """
        ...

    async def invitation(self, secret_hash: bytes) -> Invitation | None:
        """The link of that secret, whatever became of it."""
        ...

    async def accept(
        self, invitation: Invitation, before: Person, after: Person, record: Record | None
    ) -> bool:
        """Uses an open link up, puts `after` in the place of `before`, ends all its sessions.

        False, and nothing written, if the link is not open or `before` is no more: of two who use
        one link at the same time one gets through.
        """
        ...

    async def forget(self, before: Utc) -> None:
        """Forgets links that ran out before this."""
        ...


class Invitations:
    """Makes links and lets people in by them; each act leaves its trace."""

    def __init__(
        self,
        callers: Callers,
        store: InvitationStore,
        administration: Administration,
        gate: Gate,
        passwords: Passwords,
        clock: Clock,
        randomness: Randomness,
        names: PersonNames,
    ) -> None:
        self._names = names
        self._callers = callers
        self._store = store
        self._administration = administration
        self._gate = gate
        self._passwords = passwords
        self._clock = clock
        self._randomness = randomness

    async def invite(
        self, actor: Actor, *, name: str, party: PartyId, role: Role
    ) -> tuple[Invitation, str]:
        """A link for somebody new, and its secret, told this once.

        Raises as `PersonNames.free`.
        """
        MAY_INVITE.admit(actor)
        if role is Role.NODE:
            raise Refused("a person cannot be the node")
        person = Person(name, party, role, "", agreed=agreed_by_maker(actor, party))
        invitation, secret = self._new(actor, person)
        record = self._record(actor, Act.PERSON_INVITED, person, invitation)
        async with self._names.free(actor, name):
            if not await self._store.invite(invitation, person, record):
                raise taken(name)
        return invitation, secret

    async def invite_again(self, actor: Actor, name: str) -> tuple[Invitation, str]:
        """A new link for somebody known, who has none that works or forgot the password.

        The password until now counts until the link is used. Raises NotFound.
        """
        MAY_INVITE.admit(actor)
        person = await self._callers.person(name)
        if person is None or person.withdrawn:
            raise NotFound("no person of that name", where=name)
        invitation, secret = self._new(actor, person)
        record = self._record(actor, Act.PERSON_INVITED, person, invitation)
        await self._store.invite(invitation, None, record)
        return invitation, secret

    async def look(self, secret: str) -> tuple[Invitation, Person]:
        """Whom a link is for. Raises NotFound, Refused (`invitation_used`, `_expired`, …)."""
        invitation = await self._store.invitation(_hash(secret))
        if invitation is None:
            raise NotFound("no such invitation", code="invitation_unknown")
        person = await self._callers.person(invitation.name)
        if person is None or person.withdrawn:
            raise Refused(
                f"the invitation of {invitation.name} was withdrawn", code="invitation_withdrawn"
            )
        if invitation.state is State.USED:
            raise Refused("this invitation was used already", code="invitation_used")
        if invitation.state is State.REPLACED or invitation.seen != _seen(person):
            raise Refused(
                "this invitation was replaced by something newer", code="invitation_replaced"
            )
        if invitation.expires_at < self._clock.now():
            raise Refused(
                f"this invitation ran out at {invitation.expires_at}", code="invitation_expired"
            )
        return invitation, person

    async def join(self, secret: str, password: str, origin: Origin = NOWHERE) -> Joined:
        """Sets the own password by a link and signs in, once the party needs to say no more.

        Raises as `look`, Refused (`short_password`), which uses nothing up, and PasskeyAsked once
        the password is set.
        """
        invitation, before = await self.look(secret)
        check_password(password)
        hashed = await self._passwords.hashed(password, f"person {before.name}")
        if invitation.counts:
            after = replace(before, password_hash=hashed, waiting_hash="")
        else:
            after = replace(before, waiting_hash=hashed)
        joining = Actor(before.party, before.role, before.name, "invitation")
        record = self._record(joining, Act.INVITATION_ACCEPTED, after, invitation)
        if not await self._store.accept(invitation, before, after, record):
            # Somebody was faster: say what became of the link.
            await self.look(secret)
            raise Conflict(f"{before.name} was changed meanwhile; look and try again")
        signed_in = None
        if invitation.counts:
            signed_in = await self._gate.admit(
                after, credential="invitation", origin=origin, noted=False
            )
        return Joined(after, signed_in)

    async def forget(self) -> None:
        """Forgets links that ran out long ago."""
        await self._store.forget(self._clock.now().plus_ns(-REMEMBERED_SECONDS * NS))

    def _new(self, actor: Actor, person: Person) -> tuple[Invitation, str]:
        secret = base64url(self._randomness.token(_SECRET_BYTES))
        expires_at = self._clock.now().plus_ns(INVITATION_SECONDS * NS)
        counts = bool(agreed_by_maker(actor, person.party))
        return Invitation(_hash(secret), person.name, _seen(person), counts, expires_at), secret

    def _record(self, actor: Actor, act: Act, person: Person, invitation: Invitation) -> Record:
        values = values_of(person) | {"expires_at": str(invitation.expires_at)}
        return self._administration.record(
            actor, act, subject=person.name, party=person.party, values=values
        )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _seen(person: Person) -> str:
    parts = (person.password_hash, person.waiting_hash)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
