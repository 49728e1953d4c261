"""Where the gate keeps its callers: PostgreSQL. What changes one writes its act with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.security.administration import Record
from zhidao.node.security.callers import Change, Code, Person, Session, Token
from zhidao.store.database import Database
from zhidao.store.database import Session as Transaction


class PostgresCallers:
    """Callers in the schema `node`."""

    def __init__(self, database: Database, acts: PostgresActs) -> None:
        self._database = database
        self._acts = acts

    async def add_token(self, token: Token, record: Record | None) -> None:
        """Keeps a new token."""
        await self._write(
            record,
            "INSERT INTO node.token (token_id, party, role, label, secret_hash, key, revoked,"
            " created_tai_ns, agreed, made_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            token.id,
            token.party,
            token.role.value,
            token.label,
            token.secret_hash,
            token.key,
            token.revoked,
            token.created_at.tai_ns,
            token.agreed,
            token.made_by,
        )

    async def token(self, token_id: str) -> Token | None:
        """The token of that id, revoked or not."""
        # One round trip: who keeps no token looks one up at each request.
        rows = await self._database.read(_KNOWN, (token_id,))
        return _token(rows[0]) if rows else None

    async def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        async with self._database.session() as session:
            rows = await session.fetch_all("SELECT * FROM node.token ORDER BY created_tai_ns", ())
        return [_token(row) for row in rows]

    async def revoke_token(self, token_id: str, record: Record | None) -> bool:
        """Marks a token as revoked; see the port."""
        return bool(await self._write(record, _REVOKE, token_id))

    async def agree_token(self, token_id: str, by: str, record: Record | None) -> bool:
        """Notes who agreed to a token; see the port."""
        sql = "UPDATE node.token SET agreed = %s WHERE token_id = %s AND NOT revoked"
        return bool(await self._write(record, sql, by, token_id))

    async def add_person(self, person: Person, record: Record | None) -> bool:
        """Keeps a new person; False if the name is taken."""
        return bool(
            await self._write(record, ADD_PERSON + " ON CONFLICT DO NOTHING", *row_of(person))
        )

    async def add_first_person(self, person: Person, record: Record | None) -> bool:
        """Keeps a person if there is none yet; see the port."""
        async with self._database.session() as session:
            # Two who ask at the same time must not both find nobody.
            await session.execute(_LOCK_PERSONS, ())
            if await session.fetch_one("SELECT 1 AS one FROM node.person LIMIT 1", ()):
                return False
            await session.execute(ADD_PERSON, row_of(person))
            await session.execute("DELETE FROM node.code WHERE purpose = 'first-admin'", ())
            await self._acts.add_in(session, record)
        self._acts.wake()
        return True

    async def person(self, name: str) -> Person | None:
        """The person of that name, withdrawn or not."""
        row = await self._one("SELECT * FROM node.person WHERE name = %s", name)
        return _person(row) if row else None

    async def persons(self) -> list[Person]:
        """All persons in order of name."""
        async with self._database.session() as session:
            rows = await session.fetch_all("SELECT * FROM node.person ORDER BY name", ())
        return [_person(row) for row in rows]

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
        async with self._database.session() as session:
            if not await replace_person(session, before, after):
                return False
            if end_sessions:
                await session.execute(END_SESSIONS, (before.name,))
            await self._acts.add_in(session, record)
            await self._drop_passkeys(session, passkeys)
        self._acts.wake()
        return True

    async def change_role(
        self, before: Person, after: Person, record: Record | None, *, admins_of: PartyId
    ) -> Change:
        """Puts `after` in the place of `before`; see the port."""
        async with self._database.session() as session:
            # Two admins who demote each other at the same time must not both succeed.
            await session.execute(_LOCK_PERSONS, ())
            last = before.is_admin_of(admins_of) and not await _has_other_admin(
                session, before.name, admins_of
            )
            if last:
                return Change.LAST_ADMIN
            if not await replace_person(session, before, after):
                return Change.UNKNOWN
            await session.execute(END_SESSIONS, (before.name,))
            await self._acts.add_in(session, record)
        self._acts.wake()
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
        async with self._database.session() as session:
            # Two admins who withdraw each other at the same time must not both succeed.
            await session.execute(_LOCK_PERSONS, ())
            row = await session.fetch_one(
                "SELECT * FROM node.person WHERE name = %s AND NOT withdrawn", (name,)
            )
            if row is None:
                return Change.UNKNOWN
            is_admin = _person(row).is_admin_of(admins_of)
            if is_admin and not await _has_other_admin(session, name, admins_of):
                return Change.LAST_ADMIN
            await session.execute(
                "UPDATE node.person SET withdrawn = true, password_hash = '', waiting_hash = ''"
                " WHERE name = %s",
                (name,),
            )
            await session.execute(END_SESSIONS, (name,))
            await self._acts.add_in(session, record)
            for token_id, act in (tokens or {}).items():
                if await session.execute(_REVOKE, (token_id,)):
                    await self._acts.add_in(session, act)
            await self._drop_passkeys(session, passkeys)
        self._acts.wake()
        return Change.DONE

    async def _drop_passkeys(
        self, session: Transaction, passkeys: Mapping[bytes, Record | None] | None
    ) -> None:
        for credential_id, act in (passkeys or {}).items():
            if await session.execute(DROP_PASSKEY, (credential_id,)):
                await self._acts.add_in(session, act)

    async def count_persons(self) -> int:
        """How many persons there are."""
        row = await self._one("SELECT count(*) AS persons FROM node.person")
        return int(row["persons"]) if row else 0

    async def purge(self, now: Utc) -> None:
        """Forgets sessions and codes that have run out."""
        async with self._database.session() as session:
            await session.execute(
                "DELETE FROM node.session WHERE expires_tai_ns < %s", (now.tai_ns,)
            )
            await session.execute("DELETE FROM node.code WHERE expires_tai_ns < %s", (now.tai_ns,))

    async def add_session(
        self, session: Session, record: Record | None, person: Person | None = None
    ) -> bool:
        """Keeps a session, unless the person is no more; see the port."""
        values = (
            session.secret_hash,
            session.name,
            session.party,
            session.role.value,
            session.csrf,
            session.expires_at.tai_ns,
            session.block,
        )
        if person is None:
            return bool(await self._write(record, _ADD_SESSION, *values))
        found = (person.name, person.password_hash, person.role.value)
        return bool(await self._write(record, _ADD_SESSION_OF, *values, *found))

    async def session(self, secret_hash: bytes) -> Session | None:
        """The session of that cookie, expired or not."""
        row = await self._one("SELECT * FROM node.session WHERE secret_hash = %s", secret_hash)
        return _session(row) if row else None

    async def sessions(self, name: str) -> list[Session]:
        """The sessions of a name, the one that runs out first first."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT * FROM node.session WHERE name = %s ORDER BY expires_tai_ns", (name,)
            )
        return [_session(row) for row in rows]

    async def standing(self, secret_hashes: Sequence[bytes], now: Utc) -> set[bytes]:
        """Which of these sessions are there and have not run out."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT secret_hash FROM node.session"
                " WHERE secret_hash = ANY(%s) AND expires_tai_ns >= %s",
                (list(secret_hashes), now.tai_ns),
            )
        return {bytes(row["secret_hash"]) for row in rows}

    async def drop_session(self, secret_hash: bytes) -> None:
        """Forgets a session."""
        await self._write(None, "DELETE FROM node.session WHERE secret_hash = %s", secret_hash)

    async def end_sessions(
        self, name: str, record: Record | None, *, only: Collection[bytes] | None = None
    ) -> int:
        """Forgets the sessions of a name, all or those of these hashes; returns how many."""
        if only is None:
            return await self._write(record, END_SESSIONS, name)
        sql = END_SESSIONS + " AND secret_hash = ANY(%s)"
        return await self._write(record, sql, name, list(only))

    async def add_code(self, code: Code, record: Record | None = None) -> None:
        """Keeps a one-time code."""
        await self._write(
            record,
            "INSERT INTO node.code (secret_hash, purpose, party, role, expires_tai_ns)"
            " VALUES (%s, %s, %s, %s, %s)",
            code.secret_hash,
            code.purpose,
            code.party,
            code.role.value,
            code.expires_at.tai_ns,
        )

    async def take_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """Removes and returns a code of that purpose; see the port."""
        row = await self._one(
            "DELETE FROM node.code WHERE secret_hash = %s AND purpose = %s RETURNING *",
            secret_hash,
            purpose,
        )
        return _code(row) if row else None

    async def see_code(self, secret_hash: bytes, purpose: str) -> Code | None:
        """A code of that purpose, which stays; see the port."""
        row = await self._one(
            "SELECT * FROM node.code WHERE secret_hash = %s AND purpose = %s", secret_hash, purpose
        )
        return _code(row) if row else None

    async def _one(self, sql: str, *parameters: object) -> dict[str, Any] | None:
        async with self._database.session() as session:
            return await session.fetch_one(sql, parameters)

    async def _write(self, record: Record | None, sql: str, *parameters: object) -> int:
        """Runs a statement and writes the act with it, unless nothing was changed."""

        async def work(session: Transaction) -> int:
            changed = await session.execute(sql, parameters)
            if changed:
                await self._acts.add_in(session, record)
            return changed

        changed = await self._database.run(work)
        if record:
            self._acts.wake()
        return changed


_KNOWN = "select * from node.token where token_id = %s"
_REVOKE = "UPDATE node.token SET revoked = true WHERE token_id = %s AND NOT revoked"
_LOCK_PERSONS = "LOCK TABLE node.person IN SHARE ROW EXCLUSIVE MODE"
DROP_PASSKEY = "DELETE FROM node.passkey WHERE credential_id = %s"
END_SESSIONS = "DELETE FROM node.session WHERE name = %s"
_ADD_SESSION = (
    "INSERT INTO node.session (secret_hash, name, party, role, csrf, expires_tai_ns, block)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
# The share lock waits for whoever is just withdrawing the person or changing the password, and
# makes those wait for this session, which they then end.
_ADD_SESSION_OF = (
    "INSERT INTO node.session (secret_hash, name, party, role, csrf, expires_tai_ns, block)"
    " SELECT %s, %s, %s, %s, %s, %s, %s FROM node.person"
    " WHERE name = %s AND password_hash = %s AND role = %s AND NOT withdrawn FOR SHARE"
)
ADD_PERSON = (
    "INSERT INTO node.person (name, party, role, password_hash, waiting_hash, agreed, withdrawn,"
    " acted) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)


async def replace_person(session: Transaction, before: Person, after: Person) -> bool:
    """Whether `before` still was there for `after` to take its place."""
    changed = await session.execute(
        "UPDATE node.person SET password_hash = %s, waiting_hash = %s, agreed = %s, role = %s"
        " WHERE name = %s AND password_hash = %s AND waiting_hash = %s AND role = %s"
        " AND NOT withdrawn",
        (
            after.password_hash,
            after.waiting_hash,
            after.agreed,
            after.role.value,
            before.name,
            before.password_hash,
            before.waiting_hash,
            before.role.value,
        ),
    )
    # Not named where it stays: acts at the machine work before an upgrade's first start, too.
    if changed and after.acted != before.acted:
        await session.execute(
            "UPDATE node.person SET acted = %s WHERE name = %s", (after.acted, after.name)
        )
    return bool(changed)


async def _has_other_admin(session: Transaction, name: str, admins_of: PartyId) -> bool:
    found = await session.fetch_one(
        "SELECT 1 AS one FROM node.person WHERE name <> %s AND role = 'admin'"
        " AND party = %s AND NOT withdrawn AND password_hash <> '' LIMIT 1",
        (name, admins_of),
    )
    return found is not None


def row_of(person: Person) -> tuple[object, ...]:
    """A person as `ADD_PERSON` takes it."""
    return (
        person.name,
        person.party,
        person.role.value,
        person.password_hash,
        person.waiting_hash,
        person.agreed,
        person.withdrawn,
        person.acted,
    )


def _person(row: dict[str, Any]) -> Person:
    return Person(
        row["name"],
        PartyId(row["party"]),
        Role(row["role"]),
        row["password_hash"],
        row["waiting_hash"],
        row["agreed"],
        row["withdrawn"],
        row.get("acted", False),  # None before migration 0017.
    )


def _session(row: dict[str, Any]) -> Session:
    return Session(
        row["secret_hash"],
        row["name"],
        PartyId(row["party"]),
        Role(row["role"]),
        row["csrf"],
        Utc(row["expires_tai_ns"]),
        row["block"],
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
        row["agreed"],
        row["made_by"],
    )


def _code(row: dict[str, Any]) -> Code:
    return Code(
        row["secret_hash"],
        row["purpose"],
        PartyId(row["party"]),
        Role(row["role"]),
        Utc(row["expires_tai_ns"]),
    )
