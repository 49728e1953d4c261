"""Notifications in the schema `node`: what waits, what was told and what is sent, as one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from zhidao.core.timescale import Utc
from zhidao.node.notifications.choice import Choice
from zhidao.node.notifications.message import (
    About,
    Address,
    AddressState,
    Channel,
    Item,
    Message,
    State,
)
from zhidao.store.database import Database, Session

_ADD_MESSAGE: Final = (
    "INSERT INTO node.notification_message (message, person, address, about, due_tai_ns,"
    " made_tai_ns, attempts, state, code, reason) VALUES (%s, %s, %s, %s, %s, %s, 0, 'waiting',"
    " '', '') ON CONFLICT DO NOTHING"
)
_DUE: Final = (
    "select m.*, (SELECT count(*) FROM node.notification_item i WHERE i.message = m.message)"
    " AS items FROM node.notification_message m WHERE m.state = 'waiting' AND m.due_tai_ns <= %s"
    " ORDER BY m.due_tai_ns, m.message LIMIT %s"
)
_LISTED: Final = (
    "select m.*, (SELECT count(*) FROM node.notification_item i WHERE i.message = m.message)"
    " AS items FROM node.notification_message m WHERE (%(person)s::text = ''"
    " OR m.person = %(person)s::text) AND (%(state)s::text = '' OR m.state = %(state)s::text)"
    " AND (%(after)s::text = '' OR (m.made_tai_ns, m.message) < (SELECT a.made_tai_ns, a.message"
    " FROM node.notification_message a WHERE a.message = %(after)s::text))"
    " ORDER BY m.made_tai_ns DESC, m.message DESC LIMIT %(limit)s"
)
# Once a message was tried, the other side may have it: it says the same again.
_ITEMS: Final = (
    "select i.* FROM node.notification_item i WHERE i.message = %s AND (%s::boolean OR EXISTS"
    " (SELECT 1 FROM node.notification_told t WHERE t.person = %s AND t.item = i.item))"
    " ORDER BY i.kind, i.label, i.item"
)
_SETTLE: Final = (
    "UPDATE node.notification_message SET state = %(state)s::text, code = %(code)s,"
    " reason = %(reason)s, attempts = attempts + 1,"
    " due_tai_ns = CASE WHEN %(state)s::text = 'waiting' THEN %(at)s::bigint ELSE due_tai_ns END,"
    " done_tai_ns = CASE WHEN %(state)s::text = 'waiting' THEN NULL ELSE %(at)s::bigint END"
    " WHERE message = %(message)s AND state = 'waiting'"
)


class PostgresNotifications:
    """Implements `notifications.ports.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def choice(self, person: str) -> Choice:
        """A person's wishes; see the port."""
        rows = await self._database.read(
            "select * FROM node.notification_choice WHERE person = %s", (person,)
        )
        if not rows:
            return Choice()
        row = rows[0]
        return Choice(
            kinds=frozenset(row["kinds"]),
            pace=row["pace"],
            digest_minute=row["digest_minute"],
            quiet_from=row["quiet_from"],
            quiet_to=row["quiet_to"],
            zone=row["zone"],
            language=row["language"],
        )

    async def put_choice(self, person: str, choice: Choice) -> None:
        """Keeps them."""
        await self._write(
            "INSERT INTO node.notification_choice (person, kinds, pace, digest_minute, quiet_from,"
            " quiet_to, zone, language) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (person) DO UPDATE SET kinds = excluded.kinds, pace = excluded.pace,"
            " digest_minute = excluded.digest_minute, quiet_from = excluded.quiet_from,"
            " quiet_to = excluded.quiet_to, zone = excluded.zone, language = excluded.language",
            (
                person,
                sorted(choice.kinds),
                choice.pace,
                choice.digest_minute,
                choice.quiet_from,
                choice.quiet_to,
                choice.zone,
                choice.language,
            ),
        )

    async def addresses(self, person: str = "") -> list[Address]:
        """Of one person, or of all; see the port."""
        rows = await self._database.read(
            "select * FROM node.notification_address WHERE %s::text = '' OR person = %s::text"
            " ORDER BY made_tai_ns, address",
            (person, person),
        )
        return [_address(row) for row in rows]

    async def add_address(self, address: Address, first: Message | None) -> bool:
        """Keeps an address and what is sent to it first; see the port."""

        async def work(session: Session) -> bool:
            await session.execute(
                "DELETE FROM node.notification_address WHERE person = %s AND target = %s"
                " AND state = 'ended'",
                (address.person, address.target),
            )
            # The id follows from person and target, so that two who add it at once meet here.
            added = await session.execute(
                "INSERT INTO node.notification_address (address, person, channel, target,"
                " public_key, shared, state, reason, tries, made_tai_ns) VALUES"
                " (%s, %s, %s, %s, %s, %s, %s, '', 0, %s) ON CONFLICT DO NOTHING",
                (
                    address.id,
                    address.person,
                    address.channel.value,
                    address.target,
                    address.public_key,
                    address.shared,
                    address.state.value,
                    address.made_at.tai_ns,
                ),
            )
            if added and first is not None:
                await session.execute(_ADD_MESSAGE, _message_row(first))
            return bool(added)

        return await self._database.run(work)

    async def change_address(self, address: str, state: AddressState, reason: str) -> bool:
        """Notes what it is good for now; see the port."""

        async def work(session: Session) -> bool:
            changed = await session.execute(
                "UPDATE node.notification_address SET state = %s, reason = %s WHERE address = %s",
                (state.value, reason, address),
            )
            if state is AddressState.ENDED:
                await session.execute(
                    "UPDATE node.notification_message SET state = 'dead', code = %s"
                    " WHERE address = %s AND state = 'waiting'",
                    (reason, address),
                )
            return bool(changed)

        return await self._database.run(work)

    async def count_try(self, address: str) -> int:
        """Counts a wrong code; how many there were."""

        async def work(session: Session) -> int:
            row = await session.fetch_one(
                "UPDATE node.notification_address SET tries = tries + 1 WHERE address = %s"
                " RETURNING tries",
                (address,),
            )
            return row["tries"] if row else 0

        return await self._database.run(work)

    async def remove_address(self, person: str, address: str) -> bool:
        """Forgets it with its messages."""

        async def work(session: Session) -> bool:
            if not await session.execute(
                "DELETE FROM node.notification_address WHERE address = %s AND person = %s",
                (address, person),
            ):
                return False
            await session.execute(
                "DELETE FROM node.notification_item WHERE message IN (SELECT message"
                " FROM node.notification_message WHERE address = %s)",
                (address,),
            )
            await session.execute(
                "DELETE FROM node.notification_message WHERE address = %s AND about <> 'code'",
                (address,),
            )
            return True

        return await self._database.run(work)

    async def codes_since(self, person: str, since: Utc) -> int:
        """How many codes were sent for a person since then."""
        rows = await self._database.read(
            "select count(*) AS codes FROM node.notification_message WHERE person = %s"
            " AND about = 'code' AND made_tai_ns >= %s",
            (person, since.tai_ns),
        )
        return int(rows[0]["codes"])

    async def told(self, person: str) -> set[str]:
        """Keys of what waits and was told."""
        rows = await self._database.read(
            "select item FROM node.notification_told WHERE person = %s", (person,)
        )
        return {row["item"] for row in rows}

    async def tell(
        self,
        person: str,
        *,
        new: Sequence[Item],
        gone: Collection[str],
        messages: Sequence[Message],
    ) -> bool:
        """Notes what is new and what is gone, with the messages about it; see the port."""

        async def work(session: Session) -> bool:
            if gone:
                await session.execute(
                    "DELETE FROM node.notification_told WHERE person = %s AND item = ANY (%s)",
                    (person, sorted(gone)),
                )
            noted = [each for each in new if await _note(session, person, each)]
            for message in messages if noted else ():
                await session.execute(_ADD_MESSAGE, _message_row(message))
                for each in noted:
                    await session.execute(
                        "INSERT INTO node.notification_item (message, item, kind, act, subject,"
                        " label) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                        (message.id, each.key, each.kind, each.act, each.subject, each.label),
                    )
            return bool(noted)

        return await self._database.run(work)

    async def add_message(self, message: Message) -> None:
        """One more to send, about no item."""
        await self._write(_ADD_MESSAGE, _message_row(message))

    async def due(self, now: Utc, limit: int) -> list[Message]:
        """Messages whose time has come, oldest first."""
        rows = await self._database.read(
            _DUE,
            (now.tai_ns, limit),
        )
        return [_message(row) for row in rows]

    async def items(self, message: Message) -> list[Item]:
        """What a message tells of; see the port."""
        rows = await self._database.read(_ITEMS, (message.id, message.attempts > 0, message.person))
        return [
            Item(kind=row["kind"], act=row["act"], subject=row["subject"], label=row["label"])
            for row in rows
        ]

    async def settle(
        self, message: str, state: State, *, at: Utc, code: str = "", reason: str = ""
    ) -> None:
        """Notes what became of a message; see the port."""
        await self._write(
            _SETTLE,
            {
                "state": state.value,
                "code": code,
                "reason": reason,
                "at": at.tai_ns,
                "message": message,
            },
        )

    async def messages(
        self, *, person: str = "", state: str = "", after: str = "", limit: int
    ) -> list[Message]:
        """Newest first, after the one of that id."""
        rows = await self._database.read(
            _LISTED,
            {"person": person, "state": state, "after": after, "limit": limit},
        )
        return [_message(row) for row in rows]

    async def again(self, message: str, at: Utc) -> bool:
        """Puts a dead message back; see the port."""
        return bool(
            await self._write(
                "UPDATE node.notification_message SET state = 'waiting', due_tai_ns = %s,"
                " attempts = 1, done_tai_ns = NULL WHERE message = %s AND state = 'dead' AND EXISTS"
                " (SELECT 1 FROM node.notification_address a WHERE a.address ="
                " notification_message.address AND a.state = 'live')",
                (at.tai_ns, message),
            )
        )

    async def forget(self, before: Utc) -> None:
        """Forgets messages that were done before this."""

        async def work(session: Session) -> None:
            await session.execute(
                "DELETE FROM node.notification_item WHERE message IN (SELECT message FROM"
                " node.notification_message WHERE state <> 'waiting' AND made_tai_ns < %s)",
                (before.tai_ns,),
            )
            await session.execute(
                "DELETE FROM node.notification_message WHERE state <> 'waiting'"
                " AND made_tai_ns < %s",
                (before.tai_ns,),
            )

        await self._database.run(work)

    async def _write(self, sql: str, params: Any) -> int:
        async def work(session: Session) -> int:
            return await session.execute(sql, params)

        return await self._database.run(work)


async def _note(session: Session, person: str, item: Item) -> bool:
    return bool(
        await session.execute(
            "INSERT INTO node.notification_told (person, item) VALUES (%s, %s)"
            " ON CONFLICT DO NOTHING",
            (person, item.key),
        )
    )


def _message_row(message: Message) -> tuple[Any, ...]:
    return (
        message.id,
        message.person,
        message.address,
        message.about.value,
        message.due_at.tai_ns,
        message.made_at.tai_ns,
    )


def _address(row: dict[str, Any]) -> Address:
    return Address(
        id=row["address"],
        person=row["person"],
        channel=Channel(row["channel"]),
        target=row["target"],
        public_key=row["public_key"],
        shared=row["shared"],
        state=AddressState(row["state"]),
        reason=row["reason"],
        tries=row["tries"],
        made_at=Utc(row["made_tai_ns"]),
    )


def _message(row: dict[str, Any]) -> Message:
    done = row["done_tai_ns"]
    return Message(
        id=row["message"],
        person=row["person"],
        address=row["address"],
        about=About(row["about"]),
        due_at=Utc(row["due_tai_ns"]),
        made_at=Utc(row["made_tai_ns"]),
        attempts=row["attempts"],
        state=State(row["state"]),
        code=row["code"],
        reason=row["reason"],
        done_at=None if done is None else Utc(done),
        items=row["items"],
    )
