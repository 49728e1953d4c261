"""The contract of core.journal.Journal, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import EVENT_BYTES_MAX, LEAF_BYTES_MAX, Fact
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Handled, Journal, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

NODE = PartyId("node.test")
OWNER = PartyId("exporter")
READER = PartyId("importer")
STRANGER = PartyId("customs")


class Said(Fact, frozen=True, kw_only=True):
    """A fact that only this test knows."""

    TYPE = "trade.Said.v1"
    word: str


class Shown(Said, frozen=True, kw_only=True):
    """One whose leaf is the whole event."""

    TYPE = "trade.Shown.v1"
    OPEN = True


def make_scribe(seed: int = 1) -> Scribe:
    clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
    randomness = SeededRandomness(seed)
    key = SoftwareKey(Algorithm.ED25519, bytes(32))
    return Scribe(
        node=NODE,
        key=key,
        ring=FixedKeyRing({OWNER: SoftwareKey(Algorithm.ED25519, b"\x01" * 32)}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )


def entry(scribe: Scribe, word: str, version: int, aggregate: str = "consignment/a") -> Entry:
    return scribe.write(
        Said(word=word),
        by=OWNER,
        aggregate=aggregate,
        version=version,
        owner=OWNER,
        visible=[READER],
        occurred_at=None,
    )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def make_journal(request: pytest.FixtureRequest) -> Callable[[], Journal]:
    if request.param == "memory":
        return MemoryJournal
    database = request.getfixturevalue("database")
    return lambda: PostgresJournal(database, "trade", lambda: None)


@pytest.fixture
def journal(make_journal: Callable[[], Journal]) -> Journal:
    return make_journal()


@pytest.fixture
def scribe() -> Scribe:
    return make_scribe()


async def test_a_history_comes_back_as_it_was_written(journal: Journal, scribe: Scribe):
    entries = [entry(scribe, "one", 1), entry(scribe, "二", 2)]
    assert await journal.append(entries[:1])
    assert await journal.append(entries[1:])
    assert await journal.load("consignment/a", viewer=None) == tuple(entries)
    for after in (0, 1, 2, 9):
        assert await journal.load("consignment/a", viewer=None, after=after) == tuple(
            entries[after:]
        )


async def test_a_taken_version_is_a_conflict_and_writes_nothing(journal: Journal, scribe: Scribe):
    await journal.append([entry(scribe, "first", 1)])
    handled = Handled("trade", UUID(int=5))
    with pytest.raises(Conflict):
        await journal.append([entry(scribe, "second", 1)], handled=handled)
    assert len(await journal.load("consignment/a", viewer=None)) == 1
    assert not await journal.is_handled(handled)


@pytest.mark.parametrize(
    ("fact", "fits"),
    [
        (Said(word="x" * LEAF_BYTES_MAX), True),
        (Shown(word="x" * (LEAF_BYTES_MAX - 2000)), True),
        (Shown(word="x" * LEAF_BYTES_MAX), False),
        (Said(word="x" * EVENT_BYTES_MAX), False),
    ],
    ids="committed open too-large-to-log too-large-to-send".split(),
)
async def test_what_log_or_bus_would_not_take_is_refused_before_it_is_written(
    journal: Journal, scribe: Scribe, fact: Fact, *, fits: bool
):
    large = scribe.write(
        fact,
        by=OWNER,
        aggregate="consignment/a",
        version=1,
        owner=OWNER,
        visible=[],
        occurred_at=None,
    )
    if fits:
        assert await journal.append([large])
        return
    with pytest.raises(Refused, match="too large") as refusal:
        await journal.append([large])
    assert refusal.value.code == "fact_too_large"
    assert await journal.load("consignment/a", viewer=None) == ()


async def test_a_gap_in_versions_is_a_conflict(journal: Journal, scribe: Scribe):
    with pytest.raises(Conflict):
        await journal.append([entry(scribe, "early", 2)])


async def test_an_event_is_handled_once_per_consumer(journal: Journal, scribe: Scribe):
    handled = Handled("trade", UUID(int=7))
    assert not await journal.is_handled(handled)
    assert await journal.append([entry(scribe, "one", 1)], handled=handled)
    assert await journal.is_handled(handled)
    assert not await journal.append([entry(scribe, "two", 2)], handled=handled)
    assert len(await journal.load("consignment/a", viewer=None)) == 1
    assert await journal.append([entry(scribe, "two", 2)], handled=Handled("finance", handled.id))


async def test_an_event_may_be_handled_without_any_effect(journal: Journal):
    handled = Handled("trade", UUID(int=9))
    assert await journal.append([], handled=handled)
    assert await journal.is_handled(handled)
    assert not await journal.append([], handled=handled)


async def test_only_the_owner_its_readers_and_the_room_see_a_history(
    journal: Journal, scribe: Scribe
):
    await journal.append([entry(scribe, "one", 1)])
    for viewer, count in ((OWNER, 1), (READER, 1), (None, 1), (STRANGER, 0)):
        assert len(await journal.load("consignment/a", viewer=viewer)) == count
        names = await journal.aggregates("consignment/", viewer=viewer, limit=9)
        assert len(names) == count
    assert Actor(STRANGER, Role.PARTY).viewer == STRANGER


async def test_several_histories_are_read_at_once_as_far_as_they_may_be_seen(
    journal: Journal, scribe: Scribe
):
    names = ["consignment/b", "consignment/a", "consignment/none", "consignment/%"]
    first, second = entry(scribe, "one", 1, names[0]), entry(scribe, "two", 2, names[0])
    other = entry(scribe, "one", 1, names[1])
    for each in (first, second, other):
        await journal.append([each])
    whole = {names[0]: (first, second), names[1]: (other,)}
    for viewer, seen in ((OWNER, whole), (READER, whole), (None, whole), (STRANGER, {})):
        assert await journal.load_many(names, viewer=viewer) == seen
    assert await journal.load_many([], viewer=None) == {}


async def test_aggregates_are_listed_by_prefix_in_code_point_order(
    journal: Journal, scribe: Scribe
):
    for name in ("consignment/b", "consignment/a", "consignment/B", "consignment/%", "deal/a"):
        await journal.append([entry(scribe, "one", 1, name)])
    names = await journal.aggregates("consignment/", viewer=None, limit=3)
    assert names == ("consignment/%", "consignment/B", "consignment/a")
    rest = await journal.aggregates("consignment/", viewer=None, limit=3, after=names[-1])
    assert rest == ("consignment/b",)
    assert await journal.aggregates("consignment/%", viewer=None, limit=9) == ("consignment/%",)


async def test_of_many_who_write_one_version_exactly_one_wins(
    make_journal: Callable[[], Journal],
):
    writers = [(make_journal(), make_scribe(seed)) for seed in range(5)]
    if isinstance(writers[0][0], MemoryJournal):
        writers = [(writers[0][0], scribe) for _, scribe in writers]

    async def write(journal: Journal, scribe: Scribe) -> bool:
        try:
            return await journal.append([entry(scribe, "mine", 1)])
        except Conflict:
            return False

    assert sum(await asyncio.gather(*(write(*writer) for writer in writers))) == 1
    assert len(await writers[0][0].load("consignment/a", viewer=None)) == 1
