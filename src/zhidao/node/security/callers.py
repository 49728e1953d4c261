"""What the gate keeps: tokens, persons, sessions and one-time codes; secrets only as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc


@dataclass(frozen=True, slots=True)
class Token:
    """An API token. `secret_hash` is SHA-256 of a 256-bit secret; `key` may sign requests."""

    id: str
    party: PartyId
    role: Role
    label: str
    secret_hash: bytes
    created_at: Utc
    key: str = ""
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a password (argon2id). `locked_until` counts after repeated failures."""

    name: str
    party: PartyId
    role: Role
    password_hash: str
    failures: int = 0
    locked_until: Utc | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `secret_hash` is SHA-256 of the cookie's value."""

    secret_hash: bytes
    name: str
    party: PartyId
    role: Role
    csrf: str
    expires_at: Utc


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code: `purpose` is first-admin or enter."""

    secret_hash: bytes
    purpose: str
    party: PartyId
    role: Role
    expires_at: Utc


class Callers(Protocol):
    """Storage of the gate."""

    async def add_token(self, token: Token) -> None:
        """Keeps a new token."""
        ...

    async def token(self, token_id: str) -> Token | None:
        """The token of that id, revoked or not."""
        ...

    async def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        ...

    async def revoke_token(self, token_id: str) -> bool:
        """Marks a token as revoked; False if there is none."""
        ...

    async def add_person(self, person: Person) -> bool:
        """Keeps a new person; False if the name is taken."""
        ...

    async def add_first_person(self, person: Person) -> bool:
        """Keeps a person if there is none yet, and forgets all `first-admin` codes with it.

        False if somebody was first: of many at once exactly one gets through.
        """
        ...

    async def person(self, name: str) -> Person | None:
        """The person of that name."""
        ...

    async def count_persons(self) -> int:
        """How many persons there are."""
        ...

    async def count_attempt(
        self, name: str, *, now: Utc, attempts_max: int, locked_until: Utc
    ) -> Person | None:
        """Counts an attempt before its password is looked at, and returns the person.

        None if there is no such person or the name is locked now. In one statement: of many
        attempts at once no more than `attempts_max` get through. A lock that ran out starts anew.
        """
        ...

    async def forget_attempts(self, name: str) -> None:
        """Sets the count to nought and takes the lock off, after the right password."""
        ...

    async def purge(self, now: Utc) -> None:
        """Forgets sessions and codes that have run out."""
        ...

    async def add_session(self, session: Session) -> None:
        """Keeps a session."""
        ...

    async def session(self, secret_hash: bytes) -> Session | None:
        """The session of that cookie, expired or not."""
        ...

    async def drop_session(self, secret_hash: bytes) -> None:
        """Forgets a session."""
        ...

    async def add_code(self, code: Code) -> None:
        """Keeps a one-time code."""
        ...

    async def take_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """Removes and returns a code: two takers never both get it.

        A code of another purpose stays: who holds it up at the wrong door has not used it.
        """
        ...
