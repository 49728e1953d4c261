"""Where invitations are kept: PostgreSQL. What changes one writes its act with it."""

from __future__ import annotations

from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.caller_store import ADD_PERSON, END_SESSIONS, replace_person, row_of
from zhidao.node.security.administration import Record
from zhidao.node.security.callers import Person
from zhidao.node.security.invitations import Invitation, State
from zhidao.store.database import Database


class PostgresInvitations:
    """Invitations in the schema `node`."""

    def __init__(self, database: Database, acts: PostgresActs) -> None:
        self._database = database
        self._acts = acts

    async def invite(
        self, invitation: Invitation, person: Person | None, record: Record | None
    ) -> bool:
        """Keeps a link and makes all earlier ones of its name replaced; see the port."""
        async with self._database.session() as session:
            if person and not await session.execute(
                ADD_PERSON + " ON CONFLICT DO NOTHING", row_of(person)
            ):
                return False
            await session.execute(
                "UPDATE node.invitation SET state = 'replaced' WHERE name = %s AND state = 'open'",
                (invitation.name,),
            )
            await session.execute(
                "INSERT INTO node.invitation"
                " (secret_hash, name, seen, counts, state, expires_tai_ns)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    invitation.secret_hash,
                    invitation.name,
                    invitation.seen,
                    invitation.counts,
                    invitation.state.value,
                    invitation.expires_at.tai_ns,
                ),
            )
            await self._acts.add_in(session, record)
        self._acts.wake()
        return True

    async def invitation(self, secret_hash: bytes) -> Invitation | None:
        """The link of that secret, whatever became of it."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT * FROM node.invitation WHERE secret_hash = %s", (secret_hash,)
            )
        if row is None:
            return None
        return Invitation(
            bytes(row["secret_hash"]),
            row["name"],
            row["seen"],
            row["counts"],
            Utc(row["expires_tai_ns"]),
            State(row["state"]),
        )

    async def accept(
        self, invitation: Invitation, before: Person, after: Person, record: Record | None
    ) -> bool:
        """Uses an open link up; see the port."""
        async with self._database.session() as session:
            open_still = await session.fetch_one(
                "SELECT 1 AS one FROM node.invitation"
                " WHERE secret_hash = %s AND state = 'open' FOR UPDATE",
                (invitation.secret_hash,),
            )
            if open_still is None or not await replace_person(session, before, after):
                return False
            await session.execute(
                "UPDATE node.invitation SET state = 'used' WHERE secret_hash = %s",
                (invitation.secret_hash,),
            )
            if not after.waiting_hash:
                await session.execute(END_SESSIONS, (before.name,))
            await self._acts.add_in(session, record)
        self._acts.wake()
        return True

    async def forget(self, before: Utc) -> None:
        """Forgets links that ran out before this."""
        async with self._database.session() as session:
            await session.execute(
                "DELETE FROM node.invitation WHERE expires_tai_ns < %s", (before.tai_ns,)
            )
