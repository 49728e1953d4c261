"""The finder of payments versus payment on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.finance.service.ports import EndedPvp
from zhidao.store.database import Database


class PostgresPvpIndex:
    """The finder in tables `finance.pvp_deal` and `finance.pvp_channel`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, deal: str, *, bank: str) -> None:
        """Adds an entry once."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.pvp_deal (bank, deal, is_open) VALUES (%s, %s, true)"
                " ON CONFLICT DO NOTHING",
                (bank, deal),
            )

    async def close(self, ended: Sequence[EndedPvp]) -> None:
        """Closes entries and keeps their channels, all in one transaction."""
        if not ended:
            return
        async with self._database.session() as session, session.at_once():
            for one in ended:
                await session.execute(
                    "INSERT INTO finance.pvp_channel (bank, channel, deal) VALUES (%s, %s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (one.bank, one.channel, one.deal),
                )
                await session.execute(
                    "INSERT INTO finance.pvp_deal AS d (bank, deal, is_open, quote, sold_minor)"
                    " VALUES (%s, %s, false, %s, %s) ON CONFLICT (bank, deal) DO UPDATE SET"
                    " is_open = false, quote = excluded.quote, sold_minor = excluded.sold_minor"
                    " WHERE d.is_open",
                    (one.bank, one.deal, one.quote, one.sold_minor),
                )

    async def open(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """Open ones behind a name."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT deal FROM finance.pvp_deal WHERE is_open AND deal > %s"
                " ORDER BY deal LIMIT %s",
                (after, limit),
            )
        return tuple(row["deal"] for row in rows)

    async def one_of_each_channel(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """A deal of each channel, behind a name."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT deal FROM finance.pvp_channel WHERE deal > %s ORDER BY deal LIMIT %s",
                (after, limit),
            )
        return tuple(row["deal"] for row in rows)

    async def sold(self, bank: str, quote: str) -> int:
        """The sum of a quote."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT coalesce(sum(sold_minor), 0) AS sold FROM finance.pvp_deal"
                " WHERE bank = %s AND quote = %s AND sold_minor > 0",
                (bank, quote),
            )
        assert row is not None, "a sum has one row"
        return int(row["sold"])
