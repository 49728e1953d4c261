"""The index built from stored events, beside one kept up event by event and a query in SQL."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.contracts.test_journal import make_scribe
from tests.industry.adapters.test_event_store import MAKER, READER, STRANGER, store, stored
from tests.industry.domain.test_trace import GTIN, joined, made, tai, when, world
from tests.industry.recursive_trace import reached

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import NotFound
from zhidao.core.timescale import Utc
from zhidao.industry.adapters import postgres_said
from zhidao.industry.adapters.lot_journal import LotJournal
from zhidao.industry.adapters.postgres_events import PostgresEventStore
from zhidao.industry.domain.genealogy import Genealogy
from zhidao.industry.domain.genealogy_loading import Loading
from zhidao.industry.domain.trace import Direction
from zhidao.industry.domain.walk import trace
from zhidao.industry.service.epcis import EpcisService
from zhidao.industry.service.ports import EventStore, StoredEvent
from zhidao.store.memory import MemoryArchive

__all__ = ["store"]
LEVELS = ("lot", "blend", "serial", "case", "pallet")


def told(dice: random.Random) -> list[StoredEvent]:
    """A random world as several parties tell it, some of it withdrawn or too late to count."""
    events = world(dice)
    events.append(made(3, f"{GTIN}/21/1", f"{GTIN}/21/2", ilmd={"cbvmda:lotNumber": "L"}))
    said = [stored(plain, by=dice.choice((MAKER, STRANGER))) for plain in events]
    wrong = [
        stored(plain | {"errorDeclaration": {"declarationTime": when(99)}}, by=MAKER)
        for plain in dice.sample(events, len(events) // 6)
    ]
    return [*said, *(stored(plain, by=READER) for plain in dice.sample(events, 2)), *wrong]


async def loaded(store: EventStore) -> Genealogy:
    index = Genealogy()
    loading = Loading(index)
    async for page in store.said():
        loading.take(page)
    loading.done()
    return index


def asked(dice: random.Random) -> tuple[str, Direction, Utc | None, str | None]:
    thing = f"urn:{dice.choice(LEVELS)}:{dice.randrange(3)}"
    if dice.random() < 0.1:
        thing = dice.choice((f"{GTIN}/10/L", f"{GTIN}/21/1"))
    at = Utc(tai(dice.randint(0, 60))) if dice.random() < 0.3 else None
    viewer = dice.choice((None, MAKER, READER, STRANGER))
    return thing, dice.choice(list(Direction)), at, viewer


@pytest.mark.parametrize("page", [7, 50_000])
async def test_an_index_from_the_store_answers_as_one_kept_up(
    store: EventStore, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(postgres_said, "PAGE", page)
    dice = random.Random(page)
    events = told(dice)
    await store.add([], events)
    kept_up = Genealogy()
    for each in dice.sample(events, len(events)):
        kept_up.put(each.event, each.visible)
        kept_up.settle()
    built = await loaded(store)
    assert len(built) == len(kept_up) > 10
    found = 0
    for _ in range(100):
        thing, direction, at, viewer = asked(dice)
        answers: list[Any] = [
            trace(index, thing, direction, sees=index.sight(viewer), at=at)
            for index in (kept_up, built)
        ]
        one, other = answers
        assert (one.made, one.windows, one.beside) == (other.made, other.windows, other.beside)
        assert set(one.ends) == set(other.ends)
        found += len(one.windows) > 2
    assert found > 10


@pytest.mark.service
@pytest.mark.parametrize(
    "worlds", [4, pytest.param(100, marks=(pytest.mark.long, pytest.mark.timeout(900)))]
)
async def test_a_recursive_query_reaches_what_the_index_reaches(database: Any, worlds: int) -> None:
    store = PostgresEventStore(database, LotJournal(database, lambda: None))
    dice = random.Random(worlds)
    found = 0
    for _ in range(worlds):
        async with database.session() as session:
            await session.execute("truncate industry.epcis_event, industry.epcis_thing")
        await store.add([], told(dice))
        index = await loaded(store)
        for _ in range(30):
            thing, direction, at, viewer = asked(dice)
            states = await reached(database, thing, str(direction), viewer=viewer, at=at)
            answer = trace(index, thing, direction, sees=index.sight(viewer), at=at)
            windows: dict[str, set[tuple[int, int]]] = {}
            for name, low, high, _ in states:
                windows.setdefault(name, set()).add((low, high))
            assert answer.windows == {name: joined(each) for name, each in windows.items()}
            assert answer.made == {name for name, _, _, own in states if own} - {thing}
            found += len(windows) > 2
    assert found > 2 * worlds


@pytest.mark.service
async def test_a_process_that_starts_anew_has_the_index_of_the_one_before(database: Any) -> None:
    events = told(random.Random(9))
    clock = HandClock(Utc(tai(90)))

    def service() -> EpcisService:
        store = PostgresEventStore(database, LotJournal(database, lambda: None))
        return EpcisService(store, make_scribe(), MemoryArchive(), clock)

    async def answer(service: EpcisService, thing: str, direction: Direction) -> Any:
        try:
            found = await service.trace(Actor(MAKER, Role.PARTY), thing, direction)
        except NotFound:
            return None
        return found.made, found.windows, set(found.ends)

    first = service()
    await first._store.add([], events[:20])
    await answer(first, "urn:serial:0", Direction.FORWARD)
    await first._keep([], events[20:])
    answers = [
        [await answer(each, f"urn:{level}:{number}", direction) for each in (first, service())]
        for level in LEVELS
        for number in range(3)
        for direction in Direction
    ]
    assert all(one == other for one, other in answers)
    assert sum(one is not None for one, _ in answers) > 10
