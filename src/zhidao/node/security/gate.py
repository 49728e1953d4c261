"""The gate: turns a credential into an Actor, and makes and withdraws credentials."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import NS
from zhidao.node.security.callers import Callers, Code, Person, Session, Token
from zhidao.node.security.http_signatures import (
    ALGORITHM_LABELS,
    Message,
    Remembered,
    Signed,
    check_body_covered,
    check_coverage,
    check_digest,
    check_times,
)

SESSION_SECONDS: Final = 12 * 3600
CODE_SECONDS: Final = 24 * 3600
FAILURES_MAX: Final = 5
LOCK_SECONDS: Final = 15 * 60
HASHES_AT_ONCE: Final = 2
PASSWORD_CHARACTERS_MIN: Final = 10
_TOKEN_CACHE_MAX: Final = 10_000
# The name of a session that a one-time link opened: it stands for nobody in particular.
GUEST: Final = "guest"
_SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session as the browser gets it: the cookie's secret is shown once."""

    secret: str
    csrf: str
    session: Session


class Gate:
    """Who is asking. Every refusal here looks the same from outside, whatever its cause."""

    def __init__(self, callers: Callers, clock: Clock, randomness: Randomness) -> None:
        # argon2-cffi is imported here because only a running node needs it.
        from argon2 import PasswordHasher

        self._callers = callers
        self._clock = clock
        self._randomness = randomness
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(base64url(randomness.token(16)))
        # Hashing takes 64 MiB and some 30 ms each: few at once, and never on the event loop.
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._tokens: dict[str, Token] = {}
        self._withdrawn = 0
        self._key_holders: dict[tuple[PartyId, str], str] = {}
        self._used = Remembered()

    async def by_token(self, authorization: str) -> Actor:
        """From an `Authorization: Bearer` header. Raises Unauthenticated."""
        scheme, _, text = authorization.partition(" ")
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        if scheme.lower() != "bearer" or prefix != "zd" or not secret:
            raise Unauthenticated("the Authorization header is no Zhidao token")
        token = await self._token(token_id)
        if token is None or token.revoked or not _same(token.secret_hash, secret):
            raise Unauthenticated("unknown or withdrawn token")
        return Actor(token.party, token.role)

    async def by_signature(self, message: Message, signed: Signed, body: bytes) -> Actor:
        """From an HTTP message signature (RFC 9421) over a request whose body is known.

        Raises as `meet_signature` and `accept_signature`.
        """
        actor = await self.meet_signature(message, signed, has_body=bool(body))
        self.accept_signature(message, signed, body)
        return actor

    async def meet_signature(self, message: Message, signed: Signed, *, has_body: bool) -> Actor:
        """Who signed a request, from its headers; `keyid` is the id of a token with a key.

        `accept_signature` has to follow once the body is there. Raises Unauthenticated with what
        to mend: a stranger learns only what the headers say.
        """
        now_s = self._clock.now().unix_ns // NS
        check_times(signed, now_s)
        check_coverage(signed, message, has_body=has_body)
        token = await self.signing_token(signed.key_id)
        key = PublicKey.from_multikey(token.key)
        label = ALGORITHM_LABELS.get(key.algorithm.label, "")
        if signed.algorithm and signed.algorithm != label:
            raise Unauthenticated(f"the key of this token is {label or 'of no registered alg'}")
        if not key.verifies(signed.signature, signed.base(message)):
            raise Unauthenticated("the signature does not hold", code="bad_signature")
        if message.method not in _SAFE_METHODS:
            self._used.refuse_used(signed)
        return Actor(token.party, token.role)

    def accept_signature(self, message: Message, signed: Signed, body: bytes) -> None:
        """Holds a signature that verifies against the body, and uses it up if the request writes.

        Raises Unauthenticated, MalformedInput, Unavailable.
        """
        if body:
            check_body_covered(signed)
        if "content-digest" in signed.components:
            check_digest(message.component("content-digest"), body)
        if message.method not in _SAFE_METHODS:
            # Only what verifies is remembered, so that a stranger cannot fill the memory.
            self._used.use(signed, self._clock.now().unix_ns // NS)

    async def signing_token(self, token_id: str) -> Token:
        """The token whose key signed a request. Raises Unauthenticated."""
        token = await self._token(token_id)
        if token is None or token.revoked or not token.key:
            raise Unauthenticated("unknown or withdrawn signing key")
        return token

    async def has_key(self, party: PartyId, key: str) -> bool:
        """Whether a token that stands registers this Multikey for the party."""
        holder = self._key_holders.get((party, key))
        if holder is None:
            holder = next(
                (
                    t.id
                    for t in await self._callers.tokens()
                    if not t.revoked and (t.party, t.key) == (party, key)
                ),
                None,
            )
            if holder is None:
                return False
            if len(self._key_holders) >= _TOKEN_CACHE_MAX:
                self._key_holders.clear()
            self._key_holders[party, key] = holder
        token = await self._token(holder)
        if token is None or token.revoked:
            self._key_holders.pop((party, key))
            return False
        return True

    async def by_session(self, secret: str, *, method: str, csrf: str) -> Actor:
        """From a session cookie; anything but reading needs the CSRF token too."""
        session = await self.session(secret)
        if method not in _SAFE_METHODS and not hmac.compare_digest(session.csrf, csrf):
            raise Forbidden("the page's CSRF token is missing or old; reload the page", code="csrf")
        return Actor(session.party, session.role, "" if session.name == GUEST else session.name)

    async def session(self, secret: str) -> Session:
        """The session of a cookie. Raises Unauthenticated if there is none or it expired."""
        session = await self._callers.session(_hash(secret))
        if session is None or session.expires_at < self._clock.now():
            raise Unauthenticated("not signed in, or signed in too long ago")
        return session

    async def make_token(
        self, actor: Actor, *, party: PartyId, role: Role, label: str, key: str = ""
    ) -> str:
        """A new token's text, shown once and never stored."""
        actor.require(Role.ADMIN, Role.NODE)
        if role is Role.NODE:
            raise Refused("the node itself needs no token")
        token_id = self._randomness.token(8).hex()
        secret = base64url(self._randomness.token(32))
        await self._callers.add_token(
            Token(token_id, party, role, label, _hash(secret), self._clock.now(), key)
        )
        return f"zd_{token_id}_{secret}"

    async def tokens(self, actor: Actor) -> list[Token]:
        """All tokens, without their secrets."""
        actor.require(Role.ADMIN)
        return await self._callers.tokens()

    async def revoke_token(self, actor: Actor, token_id: str) -> None:
        """Withdraws a token at once. Raises NotFound."""
        actor.require(Role.ADMIN)
        known = await self._callers.revoke_token(token_id)
        # After the update, and once more for a request that was reading the old row meanwhile.
        self._tokens.pop(token_id, None)
        self._withdrawn += 1
        if not known:
            raise NotFound(f"no token {token_id}")

    async def first_start(self) -> bool:
        """Whether nobody can sign in yet."""
        return await self._callers.count_persons() == 0

    async def make_code(self, *, purpose: str, party: PartyId, role: Role) -> str:
        """A one-time code for the console: `first-admin` or `enter`."""
        await self._callers.purge(self._clock.now())
        secret = base64url(self._randomness.token(18))
        expires_at = self._clock.now().plus_ns(CODE_SECONDS * NS)
        await self._callers.add_code(Code(_hash(secret), purpose, party, role, expires_at))
        return secret

    async def first_admin(
        self,
        *,
        code: str,
        name: str,
        password: str,
        party: PartyId,
        before: Callable[[Actor], Awaitable[None]] | None = None,
    ) -> SignedIn:
        """Makes the first admin by the console's code; the code is used up only on success.

        `before` runs once the code was found right and before the admin stands, so that what it
        keeps is there as soon as anybody can sign in.
        """
        _check_password(password)
        if not await self.first_start():
            raise _admin_exists()
        taken = await self._take(code, "first-admin")
        try:
            if before:
                await before(Actor(party, Role.ADMIN))
            person = Person(name, party, Role.ADMIN, await self._hashed(password))
            first = await self._callers.add_first_person(person)
        except BaseException:
            await self._callers.add_code(taken)
            raise
        if not first:
            raise _admin_exists()
        return await self._sign_in(name, party, Role.ADMIN)

    async def add_person(
        self, actor: Actor, *, name: str, password: str, party: PartyId, role: Role
    ) -> None:
        """Makes a person who can sign in with a password."""
        actor.require(Role.ADMIN)
        _check_password(password)
        if role is Role.NODE:
            raise Refused("a person cannot be the node")
        person = Person(name, party, role, await self._hashed(password))
        if not await self._callers.add_person(person):
            raise Conflict(f"the name {name!r} is taken", code="name_taken")

    async def enter(self, code: str) -> SignedIn:
        """Signs in by a one-time link."""
        taken = await self._take(code, "enter")
        return await self._sign_in(GUEST, taken.party, taken.role)

    async def sign_in(self, name: str, password: str) -> SignedIn:
        """Signs in with a password; five failures lock the name for a quarter of an hour."""
        from argon2.exceptions import VerificationError

        now = self._clock.now()
        person = await self._callers.count_attempt(
            name,
            now=now,
            attempts_max=FAILURES_MAX,
            locked_until=now.plus_ns(LOCK_SECONDS * NS),
        )
        if person is None and await self._callers.person(name):
            raise Unauthenticated("too many failures; wait a quarter of an hour", code="locked")
        # An unknown name costs a hash all the same, so that time does not tell which exist.
        known = person.password_hash if person else self._nobody
        try:
            async with self._hashing:
                await asyncio.to_thread(self._hasher.verify, known, password)
        except VerificationError as error:
            raise Unauthenticated("wrong name or password", code="wrong_password") from error
        if person is None:
            raise Unauthenticated("wrong name or password", code="wrong_password")
        await self._callers.forget_attempts(name)
        return await self._sign_in(person.name, person.party, person.role)

    async def sign_out(self, secret: str) -> None:
        """Forgets the session."""
        await self._callers.drop_session(_hash(secret))

    async def _hashed(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _token(self, token_id: str) -> Token | None:
        known = self._tokens.get(token_id)
        if known is None:
            withdrawn = self._withdrawn
            known = await self._callers.token(token_id)
            if known and not known.revoked and withdrawn == self._withdrawn:
                if len(self._tokens) >= _TOKEN_CACHE_MAX:
                    self._tokens.clear()
                self._tokens[token_id] = known
        return known

    async def _take(self, code: str, purpose: str) -> Code:
        taken = await self._callers.take_code(_hash(code), purpose)
        if taken is None or taken.expires_at < self._clock.now():
            raise Unauthenticated(
                "the code is wrong, used or too old; restart prints a new one", code="wrong_code"
            )
        return taken

    async def _sign_in(self, name: str, party: PartyId, role: Role) -> SignedIn:
        secret = base64url(self._randomness.token(32))
        session = Session(
            _hash(secret),
            name,
            party,
            role,
            base64url(self._randomness.token(18)),
            self._clock.now().plus_ns(SESSION_SECONDS * NS),
        )
        await self._callers.add_session(session)
        return SignedIn(secret, session.csrf, session)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _same(expected: bytes, secret: str) -> bool:
    return hmac.compare_digest(expected, _hash(secret))


def _admin_exists() -> Conflict:
    return Conflict("this node has an admin already; sign in", code="admin_exists")


def _check_password(password: str) -> None:
    if len(password) < PASSWORD_CHARACTERS_MIN:
        raise Refused(
            f"a password needs {PASSWORD_CHARACTERS_MIN} characters or more", code="short_password"
        )
