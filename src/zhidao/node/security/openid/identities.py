"""Identities of a provider, and whose they are here: linked by the person or by an admin."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.security.administration import Act, Administration, Record
from zhidao.node.security.agreement import agreed_by_maker
from zhidao.node.security.callers import Callers, Person

MAY_LINK: Final = access(Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a provider names: the value of one claim that it vouches for."""

    issuer: str
    claim: str
    value: str


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity of a provider, and the name of the person here."""

    named: Named
    name: str
    made_at: Utc

    @property
    def id(self) -> str:
        """By what it is named."""
        return hashlib.sha256(_told(self.named).encode()).hexdigest()[:16]


class IdentityStore(Protocol):
    """Where identities are kept; each change takes the record of its act."""

    async def add(self, identity: Identity, record: Record | None) -> bool:
        """Keeps one; False, and nothing written, if it or another of that person is there."""
        ...

    async def find(self, named: Named) -> Identity | None:
        """The one that a provider names."""
        ...

    async def of(self, name: str) -> list[Identity]:
        """Those of a person, in order of their providers."""
        ...

    async def remove(self, identity: Identity, record: Record | None) -> bool:
        """Forgets one; False, and nothing written, if there is none."""
        ...


class Identities:
    """Links and unlinks them; each act leaves its trace."""

    def __init__(
        self,
        store: IdentityStore,
        callers: Callers,
        administration: Administration,
        clock: Clock,
    ) -> None:
        self._store = store
        self._callers = callers
        self._administration = administration
        self._clock = clock

    async def person_of(self, named: Named) -> Person | None:
        """Who signs in by that; None if nobody is linked, or who was may not enter."""
        identity = await self._store.find(named)
        person = await self._callers.person(identity.name) if identity else None
        return person if person and person.may_enter else None

    async def every(self, actor: Actor, name: str) -> list[Identity]:
        """Those of a person: for admins, and for oneself. Raises NotFound, Forbidden."""
        await self._visible(actor, name)
        return await self._store.of(name)

    async def link(self, actor: Actor, name: str, named: Named) -> Identity:
        """Links a person to what a provider says: oneself, or an admin one of the own party.

        Raises NotFound, Forbidden (`party_must_agree`), Conflict (`identity_taken`).
        """
        person = await self._changeable(actor, name)
        if not named.value.strip() or not named.value.isprintable():
            raise Refused("an identity is a word that the provider gives", code="bad_identity")
        identity = Identity(named, name, self._clock.now())
        await self._clear(actor, named)
        if not await self._store.add(
            identity, self._record(actor, Act.IDENTITY_LINKED, identity, person.party)
        ):
            raise Conflict(
                f"this identity is linked already, or {name} has another one of that provider",
                code="identity_taken",
            )
        return identity

    async def unlink(self, actor: Actor, name: str, identity_id: str) -> None:
        """Unlinks one: oneself, or an admin one of the own party. Raises NotFound, Forbidden."""
        person = await self._changeable(actor, name)
        found = [each for each in await self._store.of(name) if each.id == identity_id]
        act = Act.IDENTITY_UNLINKED
        if not found or not await self._store.remove(
            found[0], self._record(actor, act, found[0], person.party)
        ):
            raise NotFound("no identity of that name", where=identity_id)

    async def _clear(self, actor: Actor, named: Named) -> None:
        """An identity of somebody who was withdrawn is free again."""
        kept = await self._store.find(named)
        person = await self._callers.person(kept.name) if kept else None
        if kept and person and person.withdrawn:
            act = Act.IDENTITY_UNLINKED
            await self._store.remove(kept, self._record(actor, act, kept, person.party))

    async def _visible(self, actor: Actor, name: str) -> Person:
        person = await self._callers.person(name)
        if person is None or person.withdrawn:
            raise NotFound("no person of that name", where=name)
        if actor.person != name:
            MAY_LINK.admit(actor)
        return person

    async def _changeable(self, actor: Actor, name: str) -> Person:
        person = await self._visible(actor, name)
        if actor.person != name and not agreed_by_maker(actor, person.party):
            raise Forbidden(
                f"{name} is a person of {person.party}, who links it alone",
                code="party_must_agree",
                remedy=f'let {name} sign in and link it under "Your access"',
            )
        return person

    def _record(self, actor: Actor, act: Act, identity: Identity, party: PartyId) -> Record:
        return self._administration.record(
            actor, act, subject=identity.name, party=party, values=values_of(identity)
        )


def values_of(identity: Identity) -> dict[str, str]:
    """What an act says of an identity: never the value itself, which may be an address."""
    return {"id": identity.id, "issuer": identity.named.issuer, "made": digest_of(identity)}


def digest_of(identity: Identity) -> str:
    """What an act says of an identity, so that a changed row shows."""
    return hashlib.sha256(f"{_told(identity.named)}\n{identity.name}".encode()).hexdigest()


def _told(named: Named) -> str:
    return f"{named.issuer}\n{named.claim}\n{named.value}"
