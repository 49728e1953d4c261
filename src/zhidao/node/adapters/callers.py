"""Where the gate keeps its callers: PostgreSQL, and a memory twin under the same contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.security.callers import Code, Person, Session, Token
from zhidao.store.database import Database


class PostgresCallers:
    """Callers in the schema `node`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_token(self, token: Token) -> None:
        """Keeps a new token."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO node.token (token_id, party, role, label, secret_hash, key, revoked,"
                " created_tai_ns) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    token.id,
                    token.party,
                    token.role.value,
                    token.label,
                    token.secret_hash,
                    token.key,
                    token.revoked,
                    token.created_at.tai_ns,
                ),
            )

    async def token(self, token_id: str) -> Token | None:
        """The token of that id, revoked or not."""
        row = await self._one("SELECT * FROM node.token WHERE token_id = %s", token_id)
        return _token(row) if row else None

    async def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        async with self._database.session() as session:
            rows = await session.fetch_all("SELECT * FROM node.token ORDER BY created_tai_ns", ())
        return [_token(row) for row in rows]

    async def revoke_token(self, token_id: str) -> bool:
        """Marks a token as revoked; False if there is none."""
        row = await self._one(
            "UPDATE node.token SET revoked = true WHERE token_id = %s RETURNING token_id", token_id
        )
        return row is not None

    async def add_person(self, person: Person) -> bool:
        """Keeps a new person; False if the name is taken."""
        row = await self._one(
            "INSERT INTO node.person (name, party, role, password_hash, failures)"
            " VALUES (%s, %s, %s, %s, 0) ON CONFLICT DO NOTHING RETURNING name",
            person.name,
            person.party,
            person.role.value,
            person.password_hash,
        )
        return row is not None

    async def add_first_person(self, person: Person) -> bool:
        """Keeps a person if there is none yet; see the port."""
        async with self._database.session() as session:
            # Two who ask at the same time must not both find nobody.
            await session.execute("LOCK TABLE node.person IN SHARE ROW EXCLUSIVE MODE", ())
            if await session.fetch_one("SELECT 1 AS one FROM node.person LIMIT 1", ()):
                return False
            await session.execute(
                "INSERT INTO node.person (name, party, role, password_hash, failures)"
                " VALUES (%s, %s, %s, %s, 0)",
                (person.name, person.party, person.role.value, person.password_hash),
            )
            await session.execute("DELETE FROM node.code WHERE purpose = 'first-admin'", ())
        return True

    async def person(self, name: str) -> Person | None:
        """The person of that name."""
        row = await self._one("SELECT * FROM node.person WHERE name = %s", name)
        return _person(row) if row else None

    async def count_persons(self) -> int:
        """How many persons there are."""
        row = await self._one("SELECT count(*) AS persons FROM node.person")
        return int(row["persons"]) if row else 0

    async def count_attempt(
        self, name: str, *, now: Utc, attempts_max: int, locked_until: Utc
    ) -> Person | None:
        """Counts an attempt before its password is looked at; see the port."""
        row = await self._one(
            "UPDATE node.person SET"
            " failures = CASE WHEN locked_until_tai_ns IS NULL THEN failures + 1 ELSE 1 END,"
            " locked_until_tai_ns = CASE WHEN locked_until_tai_ns IS NULL"
            " AND failures + 1 >= %s::integer THEN %s::bigint END"
            " WHERE name = %s AND (locked_until_tai_ns IS NULL OR locked_until_tai_ns <= %s)"
            " RETURNING *",
            attempts_max,
            locked_until.tai_ns,
            name,
            now.tai_ns,
        )
        return _person(row) if row else None

    async def forget_attempts(self, name: str) -> None:
        """Sets the count to nought and takes the lock off."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE node.person SET failures = 0, locked_until_tai_ns = NULL WHERE name = %s",
                (name,),
            )

    async def purge(self, now: Utc) -> None:
        """Forgets sessions and codes that have run out."""
        async with self._database.session() as session:
            await session.execute(
                "DELETE FROM node.session WHERE expires_tai_ns < %s", (now.tai_ns,)
            )
            await session.execute("DELETE FROM node.code WHERE expires_tai_ns < %s", (now.tai_ns,))

    async def add_session(self, session: Session) -> None:
        """Keeps a session."""
        async with self._database.session() as transaction:
            await transaction.execute(
                "INSERT INTO node.session (secret_hash, name, party, role, csrf, expires_tai_ns)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    session.secret_hash,
                    session.name,
                    session.party,
                    session.role.value,
                    session.csrf,
                    session.expires_at.tai_ns,
                ),
            )

    async def session(self, secret_hash: bytes) -> Session | None:
        """The session of that cookie, expired or not."""
        row = await self._one("SELECT * FROM node.session WHERE secret_hash = %s", secret_hash)
        if row is None:
            return None
        return Session(
            row["secret_hash"],
            row["name"],
            PartyId(row["party"]),
            Role(row["role"]),
            row["csrf"],
            Utc(row["expires_tai_ns"]),
        )

    async def drop_session(self, secret_hash: bytes) -> None:
        """Forgets a session."""
        async with self._database.session() as session:
            await session.execute("DELETE FROM node.session WHERE secret_hash = %s", (secret_hash,))

    async def add_code(self, code: Code) -> None:
        """Keeps a one-time code."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO node.code (secret_hash, purpose, party, role, expires_tai_ns)"
                " VALUES (%s, %s, %s, %s, %s)",
                (
                    code.secret_hash,
                    code.purpose,
                    code.party,
                    code.role.value,
                    code.expires_at.tai_ns,
                ),
            )

    async def take_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """Removes and returns a code of that purpose; see the port."""
        row = await self._one(
            "DELETE FROM node.code WHERE secret_hash = %s AND purpose = %s RETURNING *",
            secret_hash,
            purpose,
        )
        if row is None:
            return None
        return Code(
            row["secret_hash"],
            row["purpose"],
            PartyId(row["party"]),
            Role(row["role"]),
            Utc(row["expires_tai_ns"]),
        )

    async def _one(self, sql: str, *parameters: object) -> dict[str, Any] | None:
        async with self._database.session() as session:
            return await session.fetch_one(sql, parameters)


class MemoryCallers:
    """Callers in dictionaries."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._persons: dict[str, Person] = {}
        self._sessions: dict[bytes, Session] = {}
        self._codes: dict[bytes, Code] = {}

    async def add_token(self, token: Token) -> None:
        """Keeps a new token."""
        self._tokens[token.id] = token

    async def token(self, token_id: str) -> Token | None:
        """The token of that id, revoked or not."""
        return self._tokens.get(token_id)

    async def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        return list(self._tokens.values())

    async def revoke_token(self, token_id: str) -> bool:
        """Marks a token as revoked; False if there is none."""
        if token_id not in self._tokens:
            return False
        self._tokens[token_id] = replace(self._tokens[token_id], revoked=True)
        return True

    async def add_person(self, person: Person) -> bool:
        """Keeps a new person; False if the name is taken."""
        return self._persons.setdefault(person.name, person) is person

    async def add_first_person(self, person: Person) -> bool:
        """Keeps a person if there is none yet; see the port."""
        if self._persons:
            return False
        self._persons[person.name] = person
        self._codes = {k: c for k, c in self._codes.items() if c.purpose != "first-admin"}
        return True

    async def person(self, name: str) -> Person | None:
        """The person of that name."""
        return self._persons.get(name)

    async def count_persons(self) -> int:
        """How many persons there are."""
        return len(self._persons)

    async def count_attempt(
        self, name: str, *, now: Utc, attempts_max: int, locked_until: Utc
    ) -> Person | None:
        """Counts an attempt before its password is looked at; see the port."""
        person = self._persons.get(name)
        if person is None or (person.locked_until and person.locked_until > now):
            return None
        failures = 1 if person.locked_until else person.failures + 1
        lock = locked_until if not person.locked_until and failures >= attempts_max else None
        counted = replace(person, failures=failures, locked_until=lock)
        self._persons[name] = counted
        return counted

    async def forget_attempts(self, name: str) -> None:
        """Sets the count to nought and takes the lock off."""
        self._persons[name] = replace(self._persons[name], failures=0, locked_until=None)

    async def purge(self, now: Utc) -> None:
        """Forgets sessions and codes that have run out."""
        self._sessions = {k: s for k, s in self._sessions.items() if s.expires_at >= now}
        self._codes = {k: c for k, c in self._codes.items() if c.expires_at >= now}

    async def add_session(self, session: Session) -> None:
        """Keeps a session."""
        self._sessions[session.secret_hash] = session

    async def session(self, secret_hash: bytes) -> Session | None:
        """The session of that cookie, expired or not."""
        return self._sessions.get(secret_hash)

    async def drop_session(self, secret_hash: bytes) -> None:
        """Forgets a session."""
        self._sessions.pop(secret_hash, None)

    async def add_code(self, code: Code) -> None:
        """Keeps a one-time code."""
        self._codes[code.secret_hash] = code

    async def take_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """Removes and returns a code of that purpose; see the port."""
        code = self._codes.get(secret_hash)
        return self._codes.pop(secret_hash) if code and code.purpose == purpose else None


def _person(row: dict[str, Any]) -> Person:
    locked = row["locked_until_tai_ns"]
    return Person(
        row["name"],
        PartyId(row["party"]),
        Role(row["role"]),
        row["password_hash"],
        row["failures"],
        None if locked is None else Utc(locked),
    )


def _token(row: dict[str, Any]) -> Token:
    return Token(
        row["token_id"],
        PartyId(row["party"]),
        Role(row["role"]),
        row["label"],
        row["secret_hash"],
        Utc(row["created_tai_ns"]),
        row["key"],
        row["revoked"],
    )
