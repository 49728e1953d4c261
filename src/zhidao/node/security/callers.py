"""What the gate keeps: tokens, persons, sessions and one-time codes; secrets only as hashes.

Whatever changes one of them takes the record of the act, which is written in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.security.administration import Record

# Who agreed to a token or person: nobody yet; the maker's own party; the node's operator, in the
# place of a party without people; or `person NAME`.
WAITS: Final = ""
OWN: Final = "own"
OPERATOR: Final = "operator"
# What was there before agreement was asked for: not written down yet, and once it is.
EARLIER: Final = "earlier"
BEFORE: Final = "before"


@dataclass(frozen=True, slots=True)
class Token:
    """An API token. `secret_hash` is SHA-256 of a 256-bit secret; `key` may sign requests.

    `agreed`: who agreed in the party's name; while it is empty the token opens nothing.
    `made_by`: the person who made it and saw its secret, where that was one.
    """

    id: str
    party: PartyId
    role: Role
    label: str
    secret_hash: bytes
    created_at: Utc
    key: str = ""
    revoked: bool = False
    agreed: str = OWN
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a password (argon2id).

    `waiting_hash`: of a password that counts once the party agrees; `password_hash` is empty as
    long as there never was one. `agreed`: who agreed last in the party's name. `acted`: whether the
    party had agreed to this person as one who acts for it, before the role was another.
    """

    name: str
    party: PartyId
    role: Role
    password_hash: str
    waiting_hash: str = ""
    agreed: str = OWN
    withdrawn: bool = False
    acted: bool = False

    @property
    def may_enter(self) -> bool:
        """Whether there is a password by which this person gets in."""
        return bool(self.password_hash) and not self.withdrawn

    @property
    def stands(self) -> bool:
        """Whether the party's word on this person is whole: nothing of him waits for it."""
        return self.may_enter and not self.waiting_hash

    @property
    def has_acted(self) -> bool:
        """Whether this person acts for the party or did, by the party's own word."""
        return self.acted or (self.role is Role.PARTY and self.agreed != WAITS)

    @property
    def is_invited(self) -> bool:
        """Whether there is no password yet, since the invitation was not used."""
        return not (self.password_hash or self.waiting_hash or self.withdrawn)

    def is_admin_of(self, party: PartyId) -> bool:
        """Whether this person administers the node of that party."""
        return (self.role, self.party) == (Role.ADMIN, party)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `secret_hash` is SHA-256 of the cookie's value.

    `block`: the addresses it was opened from, where that is known.
    """

    secret_hash: bytes
    name: str
    party: PartyId
    role: Role
    csrf: str
    expires_at: Utc
    block: str = ""

    @property
    def id(self) -> str:
        """By what a session is named without opening it."""
        return hashlib.sha256(self.secret_hash).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code: `purpose` is first-admin or enter."""

    secret_hash: bytes
    purpose: str
    party: PartyId
    role: Role
    expires_at: Utc


class Change(StrEnum):
    """What became of a change to a person."""

    DONE = "done"
    UNKNOWN = "unknown"
    LAST_ADMIN = "last_admin"


class Callers(Protocol):
    """Storage of the gate."""

    async def add_token(self, token: Token, record: Record | None) -> None:
        """Keeps a new token."""
        ...

    async def token(self, token_id: str) -> Token | None:
        """The token of that id, revoked or not."""
        ...

    async def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        ...

    async def revoke_token(self, token_id: str, record: Record | None) -> bool:
        """Marks a token as revoked; False, and nothing written, if none stands."""
        ...

    async def agree_token(self, token_id: str, by: str, record: Record | None) -> bool:
        """Notes who agreed to a token; False, and nothing written, if none stands."""
        ...

    async def add_person(self, person: Person, record: Record | None) -> bool:
        """Keeps a new person; False, and nothing written, if the name is taken."""
        ...

    async def add_first_person(self, person: Person, record: Record | None) -> bool:
        """Keeps a person if there is none yet, and forgets all `first-admin` codes with it.

        False if somebody was first: of many at once exactly one gets through.
        """
        ...

    async def person(self, name: str) -> Person | None:
        """The person of that name, withdrawn or not."""
        ...

    async def persons(self) -> list[Person]:
        """All persons in order of name."""
        ...

    async def change_person(
        self,
        before: Person,
        after: Person,
        record: Record | None,
        *,
        end_sessions: bool = False,
        passkeys: Mapping[bytes, Record | None] | None = None,
    ) -> bool:
        """Puts `after` in the place of `before`; False, and nothing written, if that is no more.

        `passkeys`: those that go with it, by credential, each with its act.
        """
        ...

    async def change_role(
        self, before: Person, after: Person, record: Record | None, *, admins_of: PartyId
    ) -> Change:
        """Puts `after`, of another role, in the place of `before` and ends all its sessions.

        `admins_of`: as for `withdraw_person`. Change.UNKNOWN if `before` is no more.
        """
        ...

    async def withdraw_person(
        self,
        name: str,
        record: Record | None,
        *,
        admins_of: PartyId,
        tokens: Mapping[str, Record | None] | None = None,
        passkeys: Mapping[bytes, Record | None] | None = None,
    ) -> Change:
        """Marks a person as withdrawn and ends all sessions of that name.

        `tokens`: ids that are withdrawn with the person if they still stand, each with its act;
        `passkeys`: as for `change_person`.

        `admins_of`: the last admin of this party who may enter is not withdrawn, even if two are
        asked for at the same time. Nothing is written then.
        """
        ...

    async def count_persons(self) -> int:
        """How many persons there are."""
        ...

    async def purge(self, now: Utc) -> None:
        """Forgets sessions and codes that have run out."""
        ...

    async def add_session(
        self, session: Session, record: Record | None, person: Person | None = None
    ) -> bool:
        """Keeps a session.

        `person`: as found when the password was looked at. If that is no more (withdrawn, or
        changed meanwhile), False, and nothing is written.
        """
        ...

    async def session(self, secret_hash: bytes) -> Session | None:
        """The session of that cookie, expired or not."""
        ...

    async def sessions(self, name: str) -> list[Session]:
        """The sessions of a name, the one that runs out first first."""
        ...

    async def standing(self, secret_hashes: Sequence[bytes], now: Utc) -> set[bytes]:
        """Which of these sessions are there and have not run out."""
        ...

    async def drop_session(self, secret_hash: bytes) -> None:
        """Forgets a session."""
        ...

    async def end_sessions(
        self, name: str, record: Record | None, *, only: Collection[bytes] | None = None
    ) -> int:
        """Forgets the sessions of a name, all or those of these hashes; returns how many."""
        ...

    async def add_code(self, code: Code, record: Record | None = None) -> None:
        """Keeps a one-time code."""
        ...

    async def see_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """A code of that purpose, which stays."""
        ...

    async def take_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """Removes and returns a code: two takers never both get it.

        A code of another purpose stays: who holds it up at the wrong door has not used it.
        """
        ...
