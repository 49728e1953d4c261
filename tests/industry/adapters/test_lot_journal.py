"""The contract of the journal of orders, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from tests.contracts.test_journal import OWNER, make_scribe

from zhidao.core.errors import Conflict
from zhidao.core.journal import Entry, Journal
from zhidao.industry.adapters.lot_journal import LotJournal, MemoryLotJournal
from zhidao.industry.events import LotFinished, OrderOpened
from zhidao.store.database import Database
from zhidao.store.migrate import all_migrations

GTIN = "06901234567892"
SCRIBE = make_scribe()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def journal(request: pytest.FixtureRequest) -> Journal:
    if request.param == "memory":
        return MemoryLotJournal()
    return LotJournal(request.getfixturevalue("database"), lambda: None)


def written(fact: LotFinished | OrderOpened, aggregate: str, version: int) -> Entry:
    return SCRIBE.write(
        fact,
        by=OWNER,
        aggregate=aggregate,
        version=version,
        owner=OWNER,
        visible=[],
        occurred_at=None,
    )


def lot(*serials: str, order: str = "A", version: int = 1, gtin: str = GTIN, **more) -> Entry:
    plain = {
        "order": order,
        "lot": f"L{version}",
        "gtin": gtin,
        "serials": list(serials),
        "within_limits": False,
        "samples": 0,
        "quality": "",
        "epcis": "",
        "epcis_hashes": [],
    }
    return written(LotFinished(**(plain | more), simulated=True), f"order/{order}", version)


async def test_a_serial_is_taken_once_and_the_whole_lot_with_it(journal: Journal) -> None:
    assert await journal.append([lot("1", "2")])
    for again in (lot("3", "2", version=2), lot("2", order="B")):
        with pytest.raises(Conflict) as refused:
            await journal.append([again])
        assert refused.value.code == "serial_taken"
    assert await journal.load("order/B", viewer=None) == ()
    assert len(await journal.load("order/A", viewer=None)) == 1
    # Nothing of the refused lots is left behind.
    assert await journal.append([lot("3", version=2)])
    assert await journal.append([lot("2", order="B", gtin="06901234567908")])


async def test_a_lot_of_the_later_version_takes_its_serials_as_well(journal: Journal) -> None:
    unseen = {"not_shown": ["Flow"], "quality": "q"}
    assert await journal.append([lot("1", **unseen)])
    with pytest.raises(Conflict):
        await journal.append([lot("1", version=2)])


async def test_other_facts_go_by(journal: Journal) -> None:
    order = OrderOpened(order="A", gtin=GTIN, quantity=1, limits=[])
    assert await journal.append([written(order, "order/A", 1)])
    with pytest.raises(Conflict):
        await journal.append([lot("1", version=3)])
    assert await journal.append([lot("1", version=2)]), "a gap took no serial"


async def test_of_many_at_once_one_has_the_serial(journal: Journal) -> None:
    entries = [lot("1", str(10 + n), order=f"O{n}") for n in range(8)]
    done = await asyncio.gather(
        *(journal.append([entry]) for entry in entries), return_exceptions=True
    )
    assert [each for each in done if each is True] == [True]
    assert all(each is True or isinstance(each, Conflict) for each in done)


@pytest.mark.service
async def test_lots_from_before_are_taken_in_and_the_first_has_the_serial(
    database: Database,
) -> None:
    journal = LotJournal(database, lambda: None)
    await journal.append([lot("1", "2")])
    await journal.append([lot("3", order="B")])
    [piece] = [m for m in all_migrations() if m.name == "0001_pieces" and m.room == "industry"]
    async with database.session() as session:
        before = await session.fetch_all("select * from industry.piece order by serial")
        await session.script("drop table industry.piece")
        await session.script(piece.sql)
        after = await session.fetch_all("select * from industry.piece order by serial")
    assert after == before
    assert [row["serial"] for row in after] == ["1", "2", "3"]
