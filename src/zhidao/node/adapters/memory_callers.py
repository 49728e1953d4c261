"""Callers and acts in memory: the twins under the contracts of those in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.security.administration import Record
from zhidao.node.security.callers import Change, Code, Person, Session, Token
from zhidao.node.security.invitations import Invitation, State
from zhidao.node.security.passkeys.records import Passkey


class MemoryActs:
    """Acts in lists: those signed, and those that wait."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def add(self, record: Record) -> None:
        """Writes an act by itself, signed or waiting."""
        self.keep(record)

    def keep(self, record: Record | None) -> None:
        """Writes an act with something else."""
        if record:
            self.records.append(record)

    async def waiting(self, limit: int) -> Sequence[bytes]:
        """Unsigned acts, oldest first."""
        return [each.encode() for each in self.records if each.entry is None][:limit]

    async def signed(self, record: Record) -> None:
        """Puts the signed event in the place of the waiting act."""
        self.records = [record if each.id == record.id else each for each in self.records]


class MemoryCallers:
    """Callers in dictionaries."""

    def __init__(self, acts: MemoryActs | None = None) -> None:
        self._acts = acts or MemoryActs()
        self._tokens: dict[str, Token] = {}
        self._persons: dict[str, Person] = {}
        self._sessions: dict[bytes, Session] = {}
        self._codes: dict[bytes, Code] = {}
        self.passkeys: dict[bytes, Passkey] = {}

    async def add_token(self, token: Token, record: Record | None) -> None:
        """Keeps a new token."""
        self._tokens[token.id] = token
        self._acts.keep(record)

    async def token(self, token_id: str) -> Token | None:
        """The token of that id, revoked or not."""
        return self._tokens.get(token_id)

    async def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        return list(self._tokens.values())

    async def revoke_token(self, token_id: str, record: Record | None) -> bool:
        """Marks a token as revoked; see the port."""
        token = self._tokens.get(token_id)
        if token is None or token.revoked:
            return False
        self._tokens[token_id] = replace(token, revoked=True)
        self._acts.keep(record)
        return True

    async def agree_token(self, token_id: str, by: str, record: Record | None) -> bool:
        """Notes who agreed to a token; see the port."""
        token = self._tokens.get(token_id)
        if token is None or token.revoked:
            return False
        self._tokens[token_id] = replace(token, agreed=by)
        self._acts.keep(record)
        return True

    async def add_person(self, person: Person, record: Record | None) -> bool:
        """Keeps a new person; False if the name is taken."""
        if person.name in self._persons:
            return False
        self._persons[person.name] = person
        self._acts.keep(record)
        return True

    async def add_first_person(self, person: Person, record: Record | None) -> bool:
        """Keeps a person if there is none yet; see the port."""
        if self._persons:
            return False
        self._codes = {k: c for k, c in self._codes.items() if c.purpose != "first-admin"}
        return await self.add_person(person, record)

    async def person(self, name: str) -> Person | None:
        """The person of that name, withdrawn or not."""
        return self._persons.get(name)

    async def persons(self) -> list[Person]:
        """All persons in order of name."""
        return [self._persons[name] for name in sorted(self._persons)]

    async def change_person(
        self,
        before: Person,
        after: Person,
        record: Record | None,
        *,
        end_sessions: bool = False,
        passkeys: Mapping[bytes, Record | None] | None = None,
    ) -> bool:
        """Puts `after` in the place of `before`; see the port."""
        if not self.is_still(before):
            return False
        self._persons[before.name] = after
        if end_sessions:
            self._drop(before.name)
        self._acts.keep(record)
        self._drop_passkeys(passkeys)
        return True

    def is_still(self, before: Person) -> bool:
        """Whether nobody changed this person since."""
        now = self._persons.get(before.name)
        same = now is not None and (now.password_hash, now.waiting_hash, now.role) == (
            *(before.password_hash, before.waiting_hash, before.role),
        )
        return same and now is not None and not now.withdrawn

    def _has_other_admin(self, name: str, admins_of: PartyId) -> bool:
        return any(
            each.name != name and each.may_enter and each.is_admin_of(admins_of)
            for each in self._persons.values()
        )

    async def change_role(
        self, before: Person, after: Person, record: Record | None, *, admins_of: PartyId
    ) -> Change:
        """Puts `after` in the place of `before`; see the port."""
        if not self.is_still(before):
            return Change.UNKNOWN
        if before.is_admin_of(admins_of) and not self._has_other_admin(before.name, admins_of):
            return Change.LAST_ADMIN
        await self.change_person(before, after, record, end_sessions=True)
        return Change.DONE

    async def withdraw_person(
        self,
        name: str,
        record: Record | None,
        *,
        admins_of: PartyId,
        tokens: Mapping[str, Record | None] | None = None,
        passkeys: Mapping[bytes, Record | None] | None = None,
    ) -> Change:
        """Marks a person as withdrawn; see the port."""
        person = self._persons.get(name)
        if person is None or person.withdrawn:
            return Change.UNKNOWN
        if person.is_admin_of(admins_of) and not self._has_other_admin(name, admins_of):
            return Change.LAST_ADMIN
        self._persons[name] = replace(person, withdrawn=True, password_hash="", waiting_hash="")
        self._drop(name)
        self._acts.keep(record)
        for token_id, act in (tokens or {}).items():
            await self.revoke_token(token_id, act)
        self._drop_passkeys(passkeys)
        return Change.DONE

    def _drop_passkeys(self, passkeys: Mapping[bytes, Record | None] | None) -> None:
        for credential_id, act in (passkeys or {}).items():
            if self.passkeys.pop(credential_id, None):
                self._acts.keep(act)

    async def count_persons(self) -> int:
        """How many persons there are."""
        return len(self._persons)

    async def purge(self, now: Utc) -> None:
        """Forgets sessions and codes that have run out."""
        self._sessions = {k: s for k, s in self._sessions.items() if s.expires_at >= now}
        self._codes = {k: c for k, c in self._codes.items() if c.expires_at >= now}

    async def add_session(
        self, session: Session, record: Record | None, person: Person | None = None
    ) -> bool:
        """Keeps a session, unless the person is no more; see the port."""
        if person and not self.is_still(person):
            return False
        self._sessions[session.secret_hash] = session
        self._acts.keep(record)
        return True

    async def session(self, secret_hash: bytes) -> Session | None:
        """The session of that cookie, expired or not."""
        return self._sessions.get(secret_hash)

    async def sessions(self, name: str) -> list[Session]:
        """The sessions of a name, the one that runs out first first."""
        own = [each for each in self._sessions.values() if each.name == name]
        return sorted(own, key=lambda each: each.expires_at.tai_ns)

    async def standing(self, secret_hashes: Sequence[bytes], now: Utc) -> set[bytes]:
        """Which of these sessions are there and have not run out."""
        known = self._sessions
        return {k for k in secret_hashes if k in known and known[k].expires_at >= now}

    async def drop_session(self, secret_hash: bytes) -> None:
        """Forgets a session."""
        self._sessions.pop(secret_hash, None)

    async def end_sessions(
        self, name: str, record: Record | None, *, only: Collection[bytes] | None = None
    ) -> int:
        """Forgets the sessions of a name, all or those of these hashes; returns how many."""
        ended = self._drop(name, only)
        if ended:
            self._acts.keep(record)
        return ended

    def _drop(self, name: str, only: Collection[bytes] | None = None) -> int:
        before = len(self._sessions)
        self._sessions = {
            k: s
            for k, s in self._sessions.items()
            if s.name != name or (only is not None and k not in only)
        }
        return before - len(self._sessions)

    async def add_code(self, code: Code, record: Record | None = None) -> None:
        """Keeps a one-time code."""
        self._codes[code.secret_hash] = code
        self._acts.keep(record)

    async def see_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """See the port."""
        code = self._codes.get(secret_hash)
        return code if code and code.purpose == purpose else None

    async def take_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """Removes and returns a code of that purpose; see the port."""
        code = self._codes.get(secret_hash)
        return self._codes.pop(secret_hash) if code and code.purpose == purpose else None


class MemoryInvitations:
    """Invitations in a dictionary, beside callers in memory."""

    def __init__(self, callers: MemoryCallers, acts: MemoryActs | None = None) -> None:
        self._callers = callers
        self._acts = acts or MemoryActs()
        self._known: dict[bytes, Invitation] = {}

    async def invite(
        self, invitation: Invitation, person: Person | None, record: Record | None
    ) -> bool:
        """Keeps a link and makes all earlier ones of its name replaced; see the port."""
        if person and not await self._callers.add_person(person, None):
            return False
        for each in self._known.values():
            if (each.name, each.state) == (invitation.name, State.OPEN):
                self._known[each.secret_hash] = replace(each, state=State.REPLACED)
        self._known[invitation.secret_hash] = invitation
        self._acts.keep(record)
        return True

    async def invitation(self, secret_hash: bytes) -> Invitation | None:
        """The link of that secret, whatever became of it."""
        return self._known.get(secret_hash)

    async def accept(
        self, invitation: Invitation, before: Person, after: Person, record: Record | None
    ) -> bool:
        """Uses an open link up; see the port."""
        now = self._known.get(invitation.secret_hash)
        if now is None or now.state is not State.OPEN or not self._callers.is_still(before):
            return False
        self._known[invitation.secret_hash] = replace(now, state=State.USED)
        await self._callers.change_person(
            before, after, record, end_sessions=not after.waiting_hash
        )
        return True

    async def forget(self, before: Utc) -> None:
        """Forgets links that ran out before this."""
        self._known = {k: i for k, i in self._known.items() if i.expires_at >= before}
