"""People's choices about pages in the schema `node`."""

from __future__ import annotations

from typing import Final

from zhidao.node.preferences.choices import Look, Preferences, TableChoice
from zhidao.store.database import Database, Session

_PUT_LOOK: Final = (
    "INSERT INTO node.preference (person, language, theme, times, borders)"
    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (person) DO UPDATE SET language = excluded.language,"
    " theme = excluded.theme, times = excluded.times, borders = excluded.borders"
)
# Each change has a higher turn than all before it, so that the oldest can be told.
_PUT_TABLE: Final = (
    "INSERT INTO node.preference_of_table (person, list, sort, shown, turn) VALUES (%(person)s,"
    " %(list)s, %(sort)s, %(shown)s, (SELECT coalesce(max(turn), 0) + 1 FROM"
    " node.preference_of_table WHERE person = %(person)s)) ON CONFLICT (person, list) DO UPDATE"
    " SET sort = excluded.sort, shown = excluded.shown, turn = excluded.turn"
)
_FORGET: Final = (
    "DELETE FROM node.preference_of_table WHERE person = %(person)s AND turn <= (SELECT turn FROM"
    " node.preference_of_table WHERE person = %(person)s ORDER BY turn DESC OFFSET %(most)s"
    " LIMIT 1)"
)


class PostgresPreferences:
    """Implements `preferences.choices.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def preferences(self, person: str) -> Preferences:
        """All of one person's; see the port."""
        looks = await self._database.read(
            "select language, theme, times, borders FROM node.preference WHERE person = %s",
            (person,),
        )
        tables = await self._database.read(
            "select list, sort, shown FROM node.preference_of_table WHERE person = %s", (person,)
        )
        return Preferences(
            look=Look(**looks[0]) if looks else None,
            tables={
                row["list"]: TableChoice(sort=row["sort"], shown=tuple(row["shown"]))
                for row in tables
            },
        )

    async def put_look(self, person: str, look: Look) -> None:
        """Keeps it; see the port."""

        async def work(session: Session) -> None:
            words = (person, look.language, look.theme, look.times, look.borders)
            await session.execute(_PUT_LOOK, words)

        await self._database.run(work)

    async def put_table(self, person: str, name: str, choice: TableChoice, *, most: int) -> None:
        """Keeps it; see the port."""

        async def work(session: Session) -> None:
            row = {"person": person, "list": name, "sort": choice.sort}
            await session.execute(_PUT_TABLE, row | {"shown": list(choice.shown)})
            await session.execute(_FORGET, {"person": person, "most": most})

        await self._database.run(work)
