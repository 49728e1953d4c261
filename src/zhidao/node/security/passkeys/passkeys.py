"""Passkeys: what a person adds to the own password, and shows after it or in its place.

Whoever has one is asked for it each time, however he came: a password, a provider of identities or
an invitation alone opens nothing then. A passkey works under one name of the node, the one it was
made at; under another name nobody gets past it. Each challenge counts once and for minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zhidao.core.access import CALLER, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from zhidao.node.security.administration import Act, Administration
from zhidao.node.security.agreement import agreed_by_maker
from zhidao.node.security.callers import Callers, Person
from zhidao.node.security.gate import Gate, Origin, SignedIn
from zhidao.node.security.passkeys import authenticators
from zhidao.node.security.passkeys.authenticators import Assertion, Attestation, wrong_passkey
from zhidao.node.security.passkeys.records import Passkey, PasskeyStore, passkey_record
from zhidao.node.security.pending_answers import PendingAnswers
from zhidao.node.security.second_factor import PasskeyAsked, Site
from zhidao.node.security.sign_in_delays import address_block

PASSKEYS_OF_ONE_MAX: Final = 10
_MAY_SEE_OTHERS: Final = access(Role.ADMIN)


@dataclass(frozen=True, slots=True)
class _Making:
    """A passkey that somebody is about to add."""

    person: Person
    challenge: bytes
    site: Site
    session: bytes


@dataclass(frozen=True, slots=True)
class _Showing:
    """A passkey that somebody is about to show. `person`: None if nobody was named before."""

    challenge: bytes
    site: Site
    person: Person | None = None
    credential: str = "passkey"
    device: str = ""
    noted: bool = True


class Passkeys:
    """Adds, asks for and removes them."""

    def __init__(
        self,
        store: PasskeyStore,
        callers: Callers,
        administration: Administration,
        gate: Gate,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._store = store
        self._callers = callers
        self._administration = administration
        self._gate = gate
        self._clock = clock
        self._randomness = randomness
        # Apart, so that no stranger who only asks drops what follows a right password.
        self._making: PendingAnswers[_Making] = PendingAnswers(clock, randomness)
        self._second: PendingAnswers[_Showing] = PendingAnswers(clock, randomness)
        self._alone: PendingAnswers[_Showing] = PendingAnswers(clock, randomness)
        gate.second = self

    async def ask(
        self, person: Person, *, origin: Origin, credential: str, device: str, noted: bool
    ) -> None:
        """Raises PasskeyAsked if somebody who came by something else has a passkey.

        Raises Unauthenticated (`passkey_elsewhere`) if that works under another name of the node.
        """
        own = await self._store.of(person.name)
        if not own:
            return
        here = [each.credential_id for each in own if each.host == origin.site.host]
        if not here:
            hosts = ", ".join(sorted({each.host for each in own}))
            raise Unauthenticated(
                f"{person.name} signs in with a passkey, which works at {hosts} only",
                code="passkey_elsewhere",
                remedy=f"open this node as {hosts}; an admin can reset it",
            )
        await authenticators.ready()
        challenge = self._challenge()
        showing = _Showing(challenge, origin.site, person, credential, device, noted)
        raise PasskeyAsked(
            self._second.keep(showing, person.name),
            authenticators.to_show(origin.site, challenge=challenge, known=here, alone=False),
        )

    async def begin_alone(self, origin: Origin) -> PasskeyAsked:
        """What is asked of somebody who names nobody and brings no password."""
        _check_site(origin.site)
        await authenticators.ready()
        challenge = self._challenge()
        ticket = self._alone.keep(_Showing(challenge, origin.site), address_block(origin.address))
        options = authenticators.to_show(origin.site, challenge=challenge, known=(), alone=True)
        return PasskeyAsked(ticket, options)

    async def sign_in(self, ticket: str, answer: Assertion, origin: Origin) -> SignedIn:
        """Signs in by what an authenticator answers, once.

        Raises Unauthenticated (`wrong_passkey`, `passkey_late`).
        """
        asked = self._second.take(ticket) or self._alone.take(ticket)
        if asked is None:
            raise _late()
        try:
            person, passkey = await self._shown(asked, answer, origin)
        except Unauthenticated:
            self._gate.failed.count(address_block(origin.address))
            raise
        return await self._gate.let_in(
            person,
            credential=f"{asked.credential} and passkey" if asked.person else "passkey",
            origin=origin,
            device=asked.device,
            values={"passkey": passkey.id},
        )

    async def begin_adding(
        self, actor: Actor, password: str, *, session: str, origin: Origin, organisation: str
    ) -> PasskeyAsked:
        """What is asked of an authenticator for a new passkey; the own password comes first.

        Raises Unauthenticated and TooManyTries for a wrong one, Refused (`no_host_name`,
        `too_many_passkeys`).
        """
        if not actor.person:
            raise Forbidden("a token or link has no passkey", code="no_password")
        _check_site(origin.site)
        person = await self._gate.checked_person(actor.person, password, origin)
        own = await self._store.of(person.name)
        _check_room(len(own))
        await authenticators.ready()
        challenge = self._challenge()
        making = _Making(person, challenge, origin.site, self._gate.session_hash(session))
        options = authenticators.to_make(
            origin.site,
            challenge=challenge,
            organisation=organisation,
            name=person.name,
            handle=self._handle(person.name),
            known=[each.credential_id for each in own],
        )
        return PasskeyAsked(self._making.keep(making, person.name), options)

    async def add(
        self, actor: Actor, ticket: str, answer: Attestation, *, label: str, session: str
    ) -> Passkey:
        """Keeps a passkey of the actor, which is asked for from now on.

        Raises Unauthenticated (`wrong_passkey`, `passkey_late`), Conflict (`passkey_known`).
        """
        asked = self._making.take(ticket)
        own = self._gate.session_hash(session)
        if asked is None or (asked.person.name, asked.session) != (actor.person, own):
            raise _late()
        found = authenticators.made(answer, challenge=asked.challenge, site=asked.site)
        _check_room(len(await self._store.of(actor.person)))
        passkey = Passkey(
            credential_id=found.credential_id,
            name=actor.person,
            label=label,
            host=asked.site.host,
            public_key=found.public_key,
            sign_count=found.sign_count,
            created_at=self._clock.now(),
        )
        record = passkey_record(
            self._administration, actor, Act.PASSKEY_ADDED, passkey, asked.person.party
        )
        if not await self._store.add(passkey, record):
            raise Conflict("this authenticator's passkey is known already", code="passkey_known")
        return passkey

    async def every(self, actor: Actor, name: str) -> list[Passkey]:
        """Those of a person: for admins, and for oneself. Raises NotFound, Forbidden."""
        await self._visible(actor, name)
        return await self._store.of(name)

    async def remove(self, actor: Actor, name: str, passkey_id: str) -> None:
        """Takes one away: a person an own one, an admin one of the own party's people.

        Raises NotFound, Forbidden.
        """
        person = await self._visible(actor, name)
        if actor.person != name and not agreed_by_maker(actor, person.party):
            raise Forbidden(
                f"{name} is a person of {person.party}",
                code="party_must_agree",
                remedy=f"give {name} a new password, to which {person.party} agrees",
            )
        found = [each for each in await self._store.of(name) if each.id == passkey_id]
        act = Act.PASSKEY_REMOVED
        if not found or not await self._store.remove(
            found[0], passkey_record(self._administration, actor, act, found[0], person.party)
        ):
            raise NotFound("no passkey of that name", where=passkey_id)

    async def counts(self, actor: Actor) -> Mapping[str, int]:
        """How many passkeys each person has."""
        CALLER.admit(actor)
        return await self._store.counts()

    async def _shown(
        self, asked: _Showing, answer: Assertion, origin: Origin
    ) -> tuple[Person, Passkey]:
        passkey = await self._store.passkey(authenticators.credential_id(answer.id))
        if passkey is None or asked.site != origin.site or passkey.host != asked.site.host:
            raise wrong_passkey()
        if passkey.name != (asked.person.name if asked.person else self._holder(passkey, answer)):
            raise wrong_passkey()
        sign_count = authenticators.shown(
            answer,
            challenge=asked.challenge,
            site=asked.site,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            alone=asked.person is None,
        )
        person = asked.person or await self._callers.person(passkey.name)
        if person is None or not person.may_enter:
            raise wrong_passkey()
        if not await self._store.used(passkey, sign_count, self._clock.now()):
            raise wrong_passkey()
        return person, passkey

    def _holder(self, passkey: Passkey, answer: Assertion) -> str:
        """Whose passkey an authenticator says it is, where nobody was named; empty if another's."""
        handle = authenticators.credential_id(answer.user_handle)
        return passkey.name if handle == self._handle(passkey.name) else ""

    async def _visible(self, actor: Actor, name: str) -> Person:
        person = await self._callers.person(name)
        if person is None or person.withdrawn:
            raise NotFound("no person of that name", where=name)
        if actor.person != name:
            _MAY_SEE_OTHERS.admit(actor)
        return person

    def _challenge(self) -> bytes:
        return self._randomness.token(authenticators.CHALLENGE_BYTES)

    def _handle(self, name: str) -> bytes:
        return authenticators.user_handle(self._administration.node, name)


def _check_site(site: Site) -> None:
    if not site.host:
        raise Refused(
            "a passkey belongs to a name, and this page was opened by an address",
            code="no_host_name",
            remedy="open the node by its name, such as https://localhost:8443",
        )


def _check_room(own: int) -> None:
    if own >= PASSKEYS_OF_ONE_MAX:
        raise Refused(
            f"a person has at most {PASSKEYS_OF_ONE_MAX} passkeys",
            code="too_many_passkeys",
            remedy="remove one first",
        )


def _late() -> Unauthenticated:
    return Unauthenticated(
        "the answer came too late, or a second time; begin again", code="passkey_late"
    )
