"""Who may ask, and the trace of who administers: the gate, tokens, people, parties."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from litestar import Router

from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.caller_store import PostgresCallers
from zhidao.node.adapters.idempotency import PostgresIdempotency
from zhidao.node.adapters.invitation_store import PostgresInvitations
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.adapters.postgres import PostgresPartyBook
from zhidao.node.adapters.seen_requests import PostgresSeen
from zhidao.node.adapters.sign_in.identity_store import PostgresIdentities
from zhidao.node.adapters.sign_in.passkey_store import PostgresPasskeys
from zhidao.node.adapters.sign_in.provider import OpenIdProvider
from zhidao.node.adapters.sign_in.provider_settings import ProviderSettings
from zhidao.node.api import callers as callers_api
from zhidao.node.api import identities as identities_api
from zhidao.node.api import invitations as invitations_api
from zhidao.node.api import passkeys as passkeys_api
from zhidao.node.api import people as people_api
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.parties import Parties
from zhidao.node.runtime.jobs import Job
from zhidao.node.runtime.runtime_context import RuntimeContext
from zhidao.node.security.administration import Act, Administration, console
from zhidao.node.security.gate import Gate
from zhidao.node.security.idempotency import Idempotency
from zhidao.node.security.invitations import Invitations
from zhidao.node.security.known_devices import KnownDevices
from zhidao.node.security.openid.identities import Identities
from zhidao.node.security.openid.provider_sign_in import ProviderSignIn
from zhidao.node.security.passkeys.passkeys import Passkeys
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.security.people import People
from zhidao.node.security.person_names import PersonNames
from zhidao.node.security.standing import Standing
from zhidao.node.security.tokens import Tokens
from zhidao.store.journal import PostgresJournal

WRITTEN_EVERY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Entrance:
    """What lets callers in, and what notes who was let in by whom."""

    callers: PostgresCallers
    gate: Gate
    tokens: Tokens
    people: People
    parties: Parties
    administration: Administration
    acts: PostgresActs
    idempotency: Idempotency
    standing: Standing
    invitations: Invitations
    passkeys: Passkeys
    identities: Identities
    provider: ProviderSignIn

    def routers(self, organisation: Organisation, *, demo: bool) -> list[Router]:
        """Routes of sessions, tokens, people, parties and the journal of administration."""
        node = self.administration.node
        return [
            callers_api.routes(
                self.gate,
                self.tokens,
                self.people,
                self.parties,
                demo=demo,
                organisation=organisation,
                node=node,
                provider=self.provider.name,
            ),
            people_api.routes(self.people, self.parties, self.acts.read, node),
            invitations_api.routes(self.invitations, self.parties, organisation, demo=demo),
            passkeys_api.routes(self.passkeys, organisation, demo=demo),
            identities_api.routes(self.provider, self.identities, organisation, demo=demo),
        ]

    def job(self) -> Job:
        """Writes down what is counted or waits; once more when the node ends."""
        return Job("administration", self._run)

    async def note_start(self, settings: dict[str, str]) -> None:
        """Writes down with which settings the node started, and who was there before acts were."""
        await self.tokens.adopt_earlier()
        await self.people.adopt_earlier()
        await self.invitations.forget()
        node = self.administration.node
        await self.administration.note(
            console(node), Act.SETTINGS_AT_START, subject=node, party=node, values=settings
        )

    async def _run(self) -> None:
        while True:
            await self.administration.sign_waiting()
            await self.gate.failed.write()
            await asyncio.sleep(WRITTEN_EVERY_S)


def build_entrance(
    context: RuntimeContext,
    keys: KeyFiles,
    journal: PostgresJournal,
    provider: ProviderSettings | None = None,
) -> Entrance:
    """Builds them over the node's own journal. `provider`: by whom else people sign in."""
    database, clock, randomness = context.database, context.clock, context.randomness
    acts = PostgresActs(database, journal)
    administration = Administration(context.scribe, context.ids, clock, acts)
    callers = PostgresCallers(database, acts)
    passwords = Passwords(randomness.token(16))
    key = context.node_key
    gate = Gate(
        callers,
        PostgresSeen(database),
        clock,
        randomness,
        administration,
        passwords,
        KnownDevices(key, [key.public], clock, randomness),
    )
    names = PersonNames(callers)
    invitations = Invitations(
        callers,
        PostgresInvitations(database, acts),
        administration,
        gate,
        passwords,
        clock,
        randomness,
        names,
    )
    kept = PostgresPasskeys(database, acts)
    identities = Identities(PostgresIdentities(database, acts), callers, administration, clock)
    asked = OpenIdProvider(provider, clock) if provider else None
    return Entrance(
        callers=callers,
        gate=gate,
        tokens=Tokens(callers, administration, gate, clock, randomness),
        people=People(callers, administration, gate, passwords, kept, names),
        parties=Parties(PostgresPartyBook(database, acts), keys, administration),
        administration=administration,
        acts=acts,
        idempotency=Idempotency(PostgresIdempotency(database), clock, randomness, key),
        standing=Standing(callers, gate, clock),
        invitations=invitations,
        passkeys=Passkeys(kept, callers, administration, gate, clock, randomness),
        identities=identities,
        provider=ProviderSignIn(asked, identities, gate, clock, randomness),
    )
