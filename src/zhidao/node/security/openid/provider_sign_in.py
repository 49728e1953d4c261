"""The way to a provider of identities and back: each begun once, in one browser, for minutes.

What comes back has to bring the state that went out from the same browser under the same name of
the node. It signs in whoever is linked to the identity, and makes nobody; a person's own link is
made in the session that gave the password.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Forbidden, Refused, Unauthenticated
from zhidao.node.security.callers import Session
from zhidao.node.security.gate import Gate, Origin, SignedIn
from zhidao.node.security.openid.identities import Identities, Named
from zhidao.node.security.pending_answers import PendingAnswers
from zhidao.node.security.sign_in_delays import address_block

_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Question:
    """What goes to the provider with a browser. `back`: the page to which it sends the browser."""

    state: str
    nonce: str
    verifier: str
    back: str


class Provider(Protocol):
    """The provider of identities that the settings name."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def issuer(self) -> str:
        """Its address."""
        ...

    def named(self, value: str) -> Named:
        """The identity of a value of the claim that the settings name."""
        ...

    async def address(self, question: Question) -> str:
        """Where a browser is sent. Raises Unavailable (`provider_away`)."""
        ...

    async def identity(self, code: str, question: Question) -> Named:
        """Whom a code stands for.

        Raises Unavailable (`provider_away`), Unauthenticated (`provider_refused`).
        """
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A way that somebody is on. `person`: who links it, or empty; `browser`: from where."""

    nonce: str
    verifier: str
    back: str
    browser: bytes
    person: str = ""
    session: bytes = b""


class ProviderSignIn:
    """Sends people to the provider and takes them back."""

    def __init__(
        self,
        provider: Provider | None,
        identities: Identities,
        gate: Gate,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._provider = provider
        self._identities = identities
        self._gate = gate
        self._randomness = randomness
        # Apart, so that no stranger who only asks drops the way of somebody who is signed in.
        self._entering: PendingAnswers[_Asked] = PendingAnswers(clock, randomness)
        self._linking: PendingAnswers[_Asked] = PendingAnswers(clock, randomness)

    @property
    def name(self) -> str:
        """What people call the provider; empty if the settings name none."""
        return self._provider.name if self._provider else ""

    def browser(self, cookie: str) -> str:
        """The cookie of a browser that goes to the provider: its own, or a fresh one."""
        return cookie if len(cookie) == _COOKIE_LENGTH else self._secret()

    async def begin(self, *, browser: str, back: str, origin: Origin) -> str:
        """Where the browser goes to sign in. Raises Unavailable, Refused (`no_provider`)."""
        asked = _Asked(self._secret(), self._secret(), back, _hash(browser))
        state = self._entering.keep(asked, address_block(origin.address))
        return await self._known().address(_question(state, asked))

    async def begin_link(
        self, actor: Actor, password: str, *, browser: str, back: str, session: str, origin: Origin
    ) -> str:
        """Where the browser goes to be linked; the own password comes first. Raises as `begin`.

        Raises Unauthenticated and TooManyTries for a wrong password too.
        """
        provider = self._known()
        if not actor.person:
            raise Forbidden("a token or link is nobody's identity", code="no_password")
        await self._gate.checked_person(actor.person, password, origin)
        held = self._gate.session_hash(session)
        asked = _Asked(*(self._secret(), self._secret(), back, _hash(browser)), actor.person, held)
        state = self._linking.keep(asked, actor.person)
        return await provider.address(_question(state, asked))

    async def finish(
        self,
        code: str,
        state: str,
        *,
        issuer: str,
        browser: str,
        back: str,
        session: str,
        origin: Origin,
    ) -> SignedIn | Session:
        """Signs in by what comes back, or links it in the session that began it.

        Raises Unauthenticated (`provider_late`, `not_linked`), Unavailable, PasskeyAsked.
        """
        provider = self._known()
        asked = self._entering.take(state) or self._linking.take(state)
        if asked is None or (asked.browser, asked.back) != (_hash(browser), back):
            raise Unauthenticated(
                "this did not begin in this browser, or too long ago; begin again",
                code="provider_late",
            )
        if issuer not in ("", provider.issuer):
            # RFC 9207: an answer of another provider than was asked.
            raise Unauthenticated("another provider answered", code="provider_refused")
        named = await provider.identity(code, _question(state, asked))
        if asked.person:
            return await self._link(asked, named, session)
        person = await self._identities.person_of(named)
        if person is None:
            self._gate.failed.count(address_block(origin.address))
            raise Unauthenticated(
                f"nobody here is linked to this identity of {provider.name}", code="not_linked"
            )
        return await self._gate.admit(person, credential="provider", origin=origin)

    async def _link(self, asked: _Asked, named: Named, session: str) -> Session:
        held = await self._gate.session(session)
        if (held.secret_hash, held.name) != (asked.session, asked.person):
            raise Unauthenticated(
                "this did not begin in this session; begin again", code="provider_late"
            )
        actor = Actor(held.party, held.role, held.name, "session")
        await self._identities.link(actor, asked.person, named)
        return held

    def named(self, value: str) -> Named:
        """The identity of a value, as an admin writes it. Raises Refused (`no_provider`)."""
        return self._known().named(value)

    def _known(self) -> Provider:
        if self._provider is None:
            raise Refused("this node's settings name no provider of identities", code="no_provider")
        return self._provider

    def _secret(self) -> str:
        return base64url(self._randomness.token(_BYTES))


_COOKIE_LENGTH: Final = len(base64url(b"\0" * _BYTES))


def _question(state: str, asked: _Asked) -> Question:
    return Question(state, asked.nonce, asked.verifier, asked.back)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
