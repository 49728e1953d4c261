"""The gate: turns a credential into an Actor, and makes and withdraws credentials."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Forbidden, Refused, Unauthenticated
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import NS
from zhidao.node.security.administration import Act, Administration, Record, console
from zhidao.node.security.callers import Callers, Code, Person, Session, Token
from zhidao.node.security.failed_sign_ins import TRIES_TO_LOCK, FailedSignIns
from zhidao.node.security.http_signatures import (
    ALGORITHM_LABELS,
    Message,
    Signed,
    check_body_covered,
    check_coverage,
    check_digest,
    check_times,
)
from zhidao.node.security.known_devices import KnownDevices
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.security.second_factor import SecondFactor, Site
from zhidao.node.security.seen_requests import SeenRequests, SeenStore
from zhidao.node.security.sign_in_delays import Attempts, address_block

SESSION_SECONDS: Final = 12 * 3600
CODE_SECONDS: Final = 24 * 3600
_TOKEN_CACHE_MAX: Final = 10_000
# The name of a session that a one-time link opened: it stands for nobody in particular.
GUEST: Final = "guest"
# What an actor's `credential` says of a session: of a person, and of a one-time link.
BY_COOKIE: Final = ("session", "link")
_SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session as the browser gets it: the cookie's secret is shown once.

    `device`: the cookie of a device at which somebody signed in with a password, or empty.
    """

    secret: str
    csrf: str
    session: Session
    device: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try to sign in comes from: its address, and the device cookie that it brought.

    `site`: the node as it was asked, by the name that the browser shows.
    """

    address: str = ""
    device: str = ""
    site: Site = field(default_factory=Site)


NOWHERE: Final = Origin()


class Gate:
    """Who is asking. Every refusal here looks the same from outside, whatever its cause."""

    def __init__(
        self,
        callers: Callers,
        seen: SeenStore,
        clock: Clock,
        randomness: Randomness,
        administration: Administration,
        passwords: Passwords,
        devices: KnownDevices | None = None,
        *,
        tokens_kept: int = _TOKEN_CACHE_MAX,
    ) -> None:
        """`devices`: makes out those that signed in before; None: all count by their address.

        `tokens_kept`: how many are looked up only once; 0 where another process withdraws them.
        """
        self._tokens_kept = tokens_kept
        self.failed = FailedSignIns(administration, clock)
        # Set by what keeps passkeys, which stands on this gate.
        self.second: SecondFactor | None = None
        self._administration = administration
        self._callers = callers
        self._clock = clock
        self._randomness = randomness
        self._passwords = passwords
        self._attempts = Attempts(clock)
        self._devices = devices
        self._tokens: dict[str, Token] = {}
        self._withdrawn = 0
        self._key_holders: dict[tuple[PartyId, str], str] = {}
        self._seen = SeenRequests(seen, clock)

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
        _check_agreed(token)
        return _holder(token)

    async def by_signature(self, message: Message, signed: Signed, body: bytes) -> Actor:
        """From an HTTP message signature (RFC 9421) over a request whose body is known.

        Raises as `meet_signature` and `accept_signature`.
        """
        actor = await self.meet_signature(message, signed, has_body=bool(body))
        await self.accept_signature(message, signed, body)
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
        _check_agreed(token)
        if message.method not in _SAFE_METHODS:
            self._seen.refuse_used(signed, message)
        return _holder(token)

    async def accept_signature(self, message: Message, signed: Signed, body: bytes) -> None:
        """Holds a signature that verifies against the body, and uses it up if the request writes.

        Once it returns, the same request is refused for as long as it would be taken by its time.
        Raises Unauthenticated, MalformedInput, Unavailable.
        """
        if body:
            check_body_covered(signed)
        if "content-digest" in signed.components:
            check_digest(message.component("content-digest"), body)
        if message.method not in _SAFE_METHODS:
            # Only what verifies is kept, so that a stranger cannot fill the database.
            await self._seen.use(signed, message)

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
                    if not t.revoked and t.agreed and (t.party, t.key) == (party, key)
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
        if method not in _SAFE_METHODS and not _equal(session.csrf, csrf):
            raise Forbidden("the page's CSRF token is missing or old; reload the page", code="csrf")
        person = "" if session.name == GUEST else session.name
        return Actor(session.party, session.role, person, BY_COOKIE[0 if person else 1])

    @staticmethod
    def session_hash(secret: str) -> bytes:
        """As what a session's cookie is kept."""
        return _hash(secret)

    async def session(self, secret: str) -> Session:
        """The session of a cookie. Raises Unauthenticated if there is none or it expired."""
        session = await self._callers.session(_hash(secret))
        if session is None or session.expires_at < self._clock.now():
            raise Unauthenticated("not signed in, or signed in too long ago")
        return session

    async def stands(self, token_id: str) -> bool:
        """Whether a token opens its party."""
        token = await self._token(token_id)
        return token is not None and not token.revoked and bool(token.agreed)

    def forget_token(self, token_id: str) -> None:
        """Reads a token anew that was changed, also for a request that was reading the old row."""
        self._tokens.pop(token_id, None)
        self._withdrawn += 1

    async def first_start(self) -> bool:
        """Whether nobody can sign in yet."""
        return await self._callers.count_persons() == 0

    async def make_code(self, *, purpose: str, party: PartyId, role: Role) -> str:
        """A code for the console, used once: `first-admin` or `enter`.

        `show` is for a demonstration's readers, who open its link as often as they like.
        """
        await self._callers.purge(self._clock.now())
        secret = base64url(self._randomness.token(18))
        expires_at = self._clock.now().plus_ns(CODE_SECONDS * NS)
        code = Code(_hash(secret), purpose, party, role, expires_at)
        record = self._administration.record(
            console(party),
            Act.CODE_MADE,
            subject=purpose,
            party=party,
            values={"role": role.value},
        )
        await self._callers.add_code(code, record)
        return secret

    async def enter(self, code: str) -> SignedIn:
        """Signs in by a link: of one use, or of a demonstration, which lets nobody act."""
        shown = await self._callers.see_code(_hash(code), "show")
        if shown and shown.role is Role.AUDITOR and shown.expires_at >= self._clock.now():
            taken = shown
        else:
            taken = await self.take_code(code, "enter")
        record = self._administration.record(
            Actor(taken.party, taken.role, credential="link"),
            Act.CODE_ENTERED,
            subject=GUEST,
            party=taken.party,
        )
        guest = Person(GUEST, taken.party, taken.role, "")
        return await self.open_session(guest, record=record)

    async def sign_in(self, name: str, password: str, origin: Origin = NOWHERE) -> SignedIn:
        """Signs in with a password. Whatever is wrong, it is told in the same words and time.

        Raises Unauthenticated (`wrong_password`), PasskeyAsked, TooManyTries.
        """
        person = await self.checked_person(name, password, origin)
        device = self._devices.cookie(name) if self._devices else ""
        return await self.admit(person, credential="password", origin=origin, device=device)

    async def admit(
        self,
        person: Person,
        *,
        credential: str,
        origin: Origin,
        device: str = "",
        noted: bool = True,
    ) -> SignedIn:
        """Lets in who has shown one thing, unless there is a second one to show.

        `noted`: whether it is an act of its own. Raises PasskeyAsked, Unauthenticated.
        """
        if self.second:
            await self.second.ask(
                person, origin=origin, credential=credential, device=device, noted=noted
            )
        if not noted:
            return await self.open_session(person, record=None, origin=origin)
        return await self.let_in(person, credential=credential, origin=origin, device=device)

    async def let_in(
        self,
        person: Person,
        *,
        credential: str,
        origin: Origin,
        device: str = "",
        values: Mapping[str, str] | None = None,
    ) -> SignedIn:
        """A session for who has shown all there is, and its trace."""
        record = self._administration.record(
            Actor(person.party, person.role, person.name, credential),
            Act.SIGNED_IN,
            subject=person.name,
            party=person.party,
            values={"block": address_block(origin.address), **(values or {})},
        )
        return await self.open_session(person, record=record, device=device, origin=origin)

    async def checked_person(self, name: str, password: str, origin: Origin) -> Person:
        """The person of a name and its password. Raises as `sign_in`."""
        source = self._source(name, origin)
        block = address_block(origin.address)
        # Nothing is awaited between the three: of many at once no more than are free get through.
        try:
            self._attempts.check(name, source)
            self._passwords.check_turn(source)
        except Refused:
            self.failed.count(block, delayed=True)
            raise
        tries = self._attempts.count(name, source)
        person = await self._callers.person(name)
        known = person.password_hash if person else ""
        if not await self._passwords.fits(known, password, source) or person is None:
            self.failed.count(block, locked=person if tries == TRIES_TO_LOCK else None)
            raise Unauthenticated("wrong name or password", code="wrong_password")
        self._attempts.forget(name, source)
        return person

    def _source(self, name: str, origin: Origin) -> str:
        """What tries are counted by: a device that this name signed in at, or where they are."""
        device = self._devices.device(name, origin.device) if self._devices else ""
        return f"device {device}" if device else address_block(origin.address)

    async def sign_out(self, secret: str) -> None:
        """Forgets the session."""
        await self._callers.drop_session(_hash(secret))

    async def _token(self, token_id: str) -> Token | None:
        known = self._tokens.get(token_id)
        if known is None:
            withdrawn = self._withdrawn
            known = await self._callers.token(token_id)
            lasts = self._tokens_kept > 0 and withdrawn == self._withdrawn
            if known and not known.revoked and lasts:
                if len(self._tokens) >= self._tokens_kept:
                    self._tokens.clear()
                self._tokens[token_id] = known
        return known

    async def take_code(self, code: str, purpose: str) -> Code:
        """Uses a one-time code up. Raises Unauthenticated (`wrong_code`)."""
        taken = await self._callers.take_code(_hash(code), purpose)
        if taken is None or taken.expires_at < self._clock.now():
            raise Unauthenticated(
                "the code is wrong, used or too old; restart prints a new one", code="wrong_code"
            )
        return taken

    async def open_session(
        self,
        person: Person,
        *,
        record: Record | None,
        device: str = "",
        origin: Origin = NOWHERE,
    ) -> SignedIn:
        """A session for somebody who has shown who it is.

        Raises Unauthenticated if the person was withdrawn or changed since.
        """
        secret = base64url(self._randomness.token(32))
        session = Session(
            _hash(secret),
            person.name,
            person.party,
            person.role,
            base64url(self._randomness.token(18)),
            self._clock.now().plus_ns(SESSION_SECONDS * NS),
            address_block(origin.address),
        )
        # A link stands for nobody in particular: there is no person who could be gone.
        whose = None if person.name == GUEST else person
        if not await self._callers.add_session(session, record, whose):
            raise Unauthenticated("wrong name or password", code="wrong_password")
        return SignedIn(secret, session.csrf, session, device)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _holder(token: Token) -> Actor:
    return Actor(token.party, token.role, credential=f"token {token.id}")


def _check_agreed(token: Token) -> None:
    """Only who holds the right secret or key is told that the party's word is missing."""
    if not token.agreed:
        raise Unauthenticated(
            f"this token opens nothing until {token.party} agrees to it",
            code="token_waits",
            remedy=f"zhidao token agree {token.id}, by a person of {token.party}; by the operator"
            " while the party has none",
        )


def _equal(one: str, other: str) -> bool:
    # Bytes, since `compare_digest` refuses texts beyond ASCII.
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _same(expected: bytes, secret: str) -> bool:
    return hmac.compare_digest(expected, _hash(secret))
