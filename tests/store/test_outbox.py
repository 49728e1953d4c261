from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict
from zhidao.core.events import Fact, SignedEvent, leaf_bytes
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store import outbox
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.outbox import OutboxRow, in_log_order

service = pytest.mark.service
NODE = PartyId("node.test")


class Noted(Fact, frozen=True, kw_only=True):
    TYPE = "trade.Noted.v1"
    word: str


class Writer:
    """Writes entries whose ids grow, whatever the clock says."""

    def __init__(self) -> None:
        clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
        key = SoftwareKey(Algorithm.ED25519, bytes(32))
        self._scribe = Scribe(
            node=NODE,
            key=key,
            ring=FixedKeyRing({}),
            clock=clock,
            ids=IdSource(clock, SeededRandomness(1)),
            randomness=SeededRandomness(2),
        )

    def entry(self, aggregate: str, version: int) -> Entry:
        return self._scribe.write(
            Noted(word=aggregate),
            by=NODE,
            aggregate=aggregate,
            version=version,
            owner=NODE,
            visible=(),
            occurred_at=None,
        )


def rows_named(rows: tuple[OutboxRow, ...]) -> list[str]:
    return [f"{row.room}:{row.aggregate}:{row.version}" for row in rows]


@st.composite
def waiting_rows(draw: st.DrawFn) -> list[OutboxRow]:
    histories = draw(
        st.dictionaries(
            st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), st.integers(1, 4), max_size=5
        )
    )
    numbers = draw(st.permutations(range(sum(histories.values()))))
    ids = iter(numbers)
    return [
        OutboxRow(room, aggregate, version, UUID(int=next(ids)), b"", b"", "")
        for (room, aggregate), versions in histories.items()
        for version in range(1, versions + 1)
    ]


@given(waiting_rows())
def test_an_aggregates_versions_follow_each_other_and_nothing_is_lost(rows: list[OutboxRow]):
    ordered = in_log_order(rows)
    assert sorted(map(id, ordered)) == sorted(map(id, rows))
    seen: dict[tuple[str, str], int] = {}
    for row in ordered:
        assert row.version == seen.get((row.room, row.aggregate), 0) + 1
        seen[row.room, row.aggregate] = row.version


@given(waiting_rows())
def test_where_ids_agree_with_versions_the_order_is_by_id(rows: list[OutboxRow]):
    in_order = [replace(row, event_id=UUID(int=n)) for n, row in enumerate(rows)]
    assert list(in_log_order(reversed(in_order))) == in_order


@service
async def test_a_row_that_commits_late_is_taken_though_its_id_is_old(database: Database):
    writer = Writer()
    trade = PostgresJournal(database, "trade", lambda: None)
    old, new = writer.entry("a", 1), writer.entry("b", 1)
    async with database.session() as late:
        await trade.append_in(late, [old])
        await trade.append([new])
        async with database.session() as session:
            rows = await outbox.pending(session, 10)
            assert rows_named(rows) == ["trade:b:1"]
            await outbox.mark(session, rows, 0)
    async with database.session() as session:
        assert rows_named(await outbox.pending(session, 10)) == ["trade:a:1"]


@service
async def test_rows_go_from_outbox_to_log_to_bus_in_one_order(database: Database):
    writer = Writer()
    entries = [writer.entry(name, version) for version in (1, 2) for name in ("z", "a")]
    for room in ("finance", "trade"):
        journal = PostgresJournal(database, room, lambda: None)
        for entry in entries[::2] if room == "finance" else entries[1::2]:
            await journal.append([entry])
    wanted = ["finance:z:1", "trade:a:1", "finance:z:2", "trade:a:2"]
    async with database.session() as session:
        rows = await outbox.pending(session, 10)
        assert rows_named(rows) == wanted
        assert [SignedEvent.decode(row.event) for row in rows] == [each.event for each in entries]
        assert rows[0].leaf == leaf_bytes(entries[0].event, entries[0].salt)
        assert await outbox.unpublished(session, 10) == ()
        await outbox.mark(session, rows, 40)
    async with database.session() as session:
        assert await outbox.pending(session, 10) == ()
        logged = await outbox.unpublished(session, 3)
        assert [row.leaf_index for row in logged] == [40, 41, 42]
        await outbox.mark_published(session, logged)
        assert rows_named(await outbox.unpublished(session, 3)) == wanted[3:]


@service
async def test_a_limit_takes_the_oldest_and_never_a_version_before_an_earlier_one(
    database: Database,
):
    writer = Writer()
    journal = PostgresJournal(database, "trade", lambda: None)
    # Version 2 bears the smaller id, as when another node's clock was behind.
    second, first = writer.entry("a", 2), writer.entry("a", 1)
    await journal.append([first])
    await journal.append([second])
    await journal.append([writer.entry("b", 1)])
    async with database.session() as session:
        assert rows_named(await outbox.pending(session, 1)) == ["trade:a:1", "trade:a:2"]


@service
async def test_a_second_relay_is_refused_and_marks_nothing(database: Database):
    writer = Writer()
    journal = PostgresJournal(database, "trade", lambda: None)
    await journal.append([writer.entry("a", 1)])
    async with database.session() as session:
        rows = await outbox.pending(session, 10)
    async with database.session() as session:
        await outbox.mark(session, rows, 0)
    with pytest.raises(Conflict) as caught:
        async with database.session() as session:
            await outbox.mark(session, rows, 7)
    assert caught.value.code == "lease_lost"
    async with database.session() as session:
        assert [row.leaf_index for row in await outbox.unpublished(session, 9)] == [0]


@service
async def test_what_the_bus_lost_is_published_again(database: Database):
    writer = Writer()
    journal = PostgresJournal(database, "trade", lambda: None)
    await journal.append([writer.entry("a", version) for version in (1, 2, 3)])
    async with database.session() as session:
        rows = await outbox.pending(session, 10)
        await outbox.mark(session, rows, 0)
        await outbox.mark_published(session, rows)
    async with database.session() as session:
        assert await outbox.republish_after(session, 1) == 1
        assert [row.leaf_index for row in await outbox.unpublished(session, 9)] == [2]
        assert await outbox.republish_after(session, -1) == 2
        assert len(await outbox.unpublished(session, 9)) == 3
