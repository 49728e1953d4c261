"""What recalls are written into: facts of many histories at once, and consignments flagged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from zhidao.core.errors import Conflict
from zhidao.core.journal import Entry
from zhidao.industry.events import RecallLifted
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(%(recall)s, 417))"
_IS_LIFTED: Final = (
    "select 1 as one from industry.event where aggregate = 'recall/' || %(recall)s::text"
    " and type = any (%(types)s::text[])"
)
_FLAG: Final = (
    "insert into industry.recall_flag (recall, consignment)"
    " select %(recall)s, unnest(%(consignments)b::text[])"
)
_COUNT: Final = "select count(*) as flagged from industry.recall_flag where recall = %(recall)s"
_LOTS: Final = (
    "select aggregate, lot from industry.piece where (gtin, lot) in"
    " (select * from unnest(%(lot_gtins)b::text[], %(lots)b::text[]))"
    " union select aggregate, lot from industry.piece where (gtin, serial) in"
    " (select * from unnest(%(serial_gtins)b::text[], %(serials)b::text[]))"
)


class PostgresRecallBook:
    """Implements `industry.service.ports.RecallBook`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database, self._journal = database, journal

    async def write(
        self, entries: Sequence[Entry], recall: str, flags: Sequence[str], *, cleared: int | None
    ) -> None:
        """Writes facts and flags in one transaction; see the port."""

        async def work(session: Session) -> None:
            asked: dict[str, Any] = {"recall": recall, "consignments": list(flags)}
            await session.fetch_one(_LOCK, asked)
            lifted = await session.fetch_one(_IS_LIFTED, asked | {"types": [RecallLifted.TYPE]})
            counted = await session.fetch_one(_COUNT, asked)
            assert counted is not None
            if lifted or (cleared is not None and counted["flagged"] != cleared):
                raise changed(recall)
            if flags:
                await session.execute(_FLAG, asked)
            await self._journal.append_many_in(session, entries)

        await self._database.run(work)
        self._journal.wake()

    async def flagged(self, recall: str) -> list[str]:
        """The consignments that a recall flagged, in order."""
        return await self._column(
            "select consignment as found from industry.recall_flag where recall = %s"
            " order by consignment",
            recall,
        )

    async def recalls(self, consignment: str) -> list[str]:
        """The recalls that flagged a consignment, in order."""
        return await self._column(
            "select recall as found from industry.recall_flag where consignment = %s"
            " order by recall",
            consignment,
        )

    async def lots_of(self, things: Sequence[str]) -> list[tuple[str, str]]:
        """The orders and lots of this node that are among things, or have a piece among them."""
        async with self._database.session() as session:
            rows = await session.fetch_all(_LOTS, _keys(things))
        return sorted((row["aggregate"].removeprefix("order/"), row["lot"]) for row in rows)

    async def _column(self, sql: str, value: str) -> list[str]:
        async with self._database.session() as session:
            return [row["found"] for row in await session.fetch_all(sql, (value,))]


class MemoryRecallBook:
    """The same in this process."""

    def __init__(self, journal: MemoryJournal, pieces: Iterable[tuple[str, str, str, str]]) -> None:
        """pieces: article, serial, aggregate and lot of each."""
        self._journal, self._pieces = journal, list(pieces)
        self._flags: dict[str, set[str]] = {}

    async def write(
        self, entries: Sequence[Entry], recall: str, flags: Sequence[str], *, cleared: int | None
    ) -> None:
        """Writes facts and flags, all or none; see the port."""
        history = await self._journal.load(f"recall/{recall}", viewer=None)
        lifted = any(RecallLifted.is_told_by(each.event.type) for each in history)
        known = self._flags.setdefault(recall, set())
        if lifted or (cleared is not None and len(known) != cleared) or known.intersection(flags):
            raise changed(recall)
        for entry in entries:
            await self._journal.append([entry])
        known.update(flags)

    async def flagged(self, recall: str) -> list[str]:
        """The consignments that a recall flagged, in order."""
        return sorted(self._flags.get(recall, ()))

    async def recalls(self, consignment: str) -> list[str]:
        """The recalls that flagged a consignment, in order."""
        return sorted(recall for recall, flags in self._flags.items() if consignment in flags)

    async def lots_of(self, things: Sequence[str]) -> list[tuple[str, str]]:
        """The orders and lots that are among things, or have a piece among them."""
        keys = _keys(things)
        lots = set(zip(keys["lot_gtins"], keys["lots"], strict=True))
        serials = set(zip(keys["serial_gtins"], keys["serials"], strict=True))
        return sorted(
            {
                (aggregate.removeprefix("order/"), lot)
                for gtin, serial, aggregate, lot in self._pieces
                if (gtin, lot) in lots or (gtin, serial) in serials
            }
        )


def changed(recall: str) -> Conflict:
    """What a writer hears whose reading of a recall is older than what stands."""
    return Conflict(f"recall {recall} was changed meanwhile", remedy="ask again")


def _keys(things: Sequence[str]) -> dict[str, list[str]]:
    """Article and lot, or article and serial, of what names one."""
    found: dict[str, list[str]] = {
        name: [] for name in ("lot_gtins", "lots", "serial_gtins", "serials")
    }
    for thing in things:
        article, _, rest = thing.removeprefix("https://id.gs1.org/01/").partition("/")
        mark, _, value = rest.partition("/")
        kind = {"10": "lot", "21": "serial"}.get(mark)
        if kind and value:
            found[f"{kind}_gtins"].append(article)
            found[f"{kind}s"].append(value)
    return found
