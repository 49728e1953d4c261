"""The contract of the store of EPCIS events, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.contracts.test_journal import make_scribe
from tests.industry.domain.test_trace import event, made, packed, read, tai, turned

from zhidao.core.errors import Conflict, MalformedInput
from zhidao.core.ids import PartyId
from zhidao.industry.adapters.lot_journal import LotJournal
from zhidao.industry.adapters.memory_events import MemoryEventStore
from zhidao.industry.adapters.postgres_events import PostgresEventStore
from zhidao.industry.domain.event_query import PAGE_BYTES, EventQuery, read_query
from zhidao.industry.domain.typed_json import Wrong
from zhidao.industry.events import EventsCaptured
from zhidao.industry.service.ports import EventStore, StoredEvent

MAKER, READER, STRANGER = PartyId("exporter"), PartyId("importer"), PartyId("customs")
SCRIBE = make_scribe()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> EventStore:
    if request.param == "memory":
        return MemoryEventStore()
    database = request.getfixturevalue("database")
    return PostgresEventStore(database, LotJournal(database, lambda: None))


def stored(plain: dict[str, Any], captured: int = 90, by: str = MAKER) -> StoredEvent:
    told = {**plain, "@context": {"cbvmda": "urn:epcglobal:cbv:mda:"}}
    return StoredEvent(read(told, by=by), (READER,), "job", tai(captured))


ROWS = [
    made(1, "urn:a", bizStep="commissioning", disposition="active"),
    packed(2, "urn:case", "urn:a", "urn:b"),
    turned(3, ["urn:a"], ["urn:c"], transformationID="urn:t"),
    made(4, "urn:d", bizStep="https://ref.gs1.org/cbv/BizStep-commissioning"),
    packed(5, "urn:case", "urn:a", action="DELETE"),
]


async def found(store: EventStore, viewer: PartyId | None = MAKER, **asked: str) -> list[int]:
    query = read_query({name: [value] for name, value in asked.items()})
    page, _ = await store.find(query, viewer=viewer)
    minutes = {tai(n): n for n in range(100)}
    return [minutes[each.event.at.tai_ns] for each in page]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"orderDirection": "ASC"}, [1, 2, 3, 4, 5]),
        ({"eventType": "ObjectEvent"}, [4, 1]),
        ({"eventType": "ObjectEvent,TransformationEvent"}, [4, 3, 1]),
        ({"EQ_action": "DELETE"}, [5]),
        ({"EQ_bizStep": "commissioning"}, [4, 1]),
        ({"EQ_bizStep": "urn:epcglobal:cbv:bizstep:commissioning"}, [4, 1]),
        ({"EQ_disposition": "active"}, [1]),
        ({"EQ_transformationID": "urn:t"}, [3]),
        ({"MATCH_epc": "urn:a"}, [5, 2, 1]),
        ({"MATCH_anyEPC": "urn:a"}, [5, 3, 2, 1]),
        ({"MATCH_inputEPC": "urn:a"}, [3]),
        ({"MATCH_outputEPC": "urn:a,urn:c"}, [3]),
        ({"MATCH_parentID": "urn:case"}, [5, 2]),
        ({"MATCH_anyEPC": "urn:a", "MATCH_parentID": "urn:case", "EQ_action": "ADD"}, [2]),
        ({"GE_eventTime": "2026-01-01T00:02:00Z", "LT_eventTime": "2026-01-01T00:04:00Z"}, [3, 2]),
        ({"LT_recordTime": "2026-01-01T01:30:00Z"}, []),
        ({"GE_recordTime": "2026-01-01T01:30:00Z"}, [5, 4, 3, 2, 1]),
    ],
)
async def test_a_query_finds_what_fits(store: EventStore, asked, wanted) -> None:
    await store.add([], [stored(plain) for plain in ROWS])
    assert await found(store, **asked) == wanted


async def test_events_are_seen_by_their_owner_and_readers_alone(store: EventStore) -> None:
    await store.add([], [stored(ROWS[0])])
    for viewer, count in ((MAKER, 1), (READER, 1), (STRANGER, 0), (None, 1)):
        assert len(await found(store, viewer)) == count


async def test_the_same_event_is_kept_once_a_party_and_its_withdrawal_beside(
    store: EventStore,
) -> None:
    wrong = {**ROWS[1], "errorDeclaration": {"declarationTime": "2026-01-02T00:00:00Z"}}
    await store.add([], [stored(ROWS[1])])
    await store.add([], [stored(ROWS[1], 95), stored(ROWS[1], by=READER), stored(wrong, 96)])
    kept = [(each.event.by, each.event.withdrawn) for each in await store.every()]
    assert sorted(kept) == [(MAKER, False), (MAKER, True), (READER, False)]
    first = next(each for each in await store.every() if each.event.by == MAKER)
    assert first.captured_ns == tai(90), "its first time stands"


async def test_pages_follow_each_other_without_a_gap(store: EventStore) -> None:
    same = [made(7, f"urn:{n}") for n in range(5)]
    await store.add([], [stored(plain) for plain in same])
    for direction in ("ASC", "DESC"):
        names: list[str] = []
        query = read_query({"perPage": ["2"], "orderDirection": [direction]})
        while True:
            page, token = await store.find(query, viewer=MAKER)
            names += [each.event.name for each in page]
            if not token:
                break
            query = replace(query, after=token)
        assert names == sorted(names, reverse=direction == "DESC")
        assert len(set(names)) == 5


async def test_a_page_ends_with_the_event_that_passes_its_bytes(store: EventStore) -> None:
    large = [made(n, f"urn:{n}", **{"x:note": "n" * (PAGE_BYTES // 2)}) for n in range(3)]
    await store.add([], [stored(plain) for plain in large])
    page, token = await store.find(EventQuery(), viewer=MAKER)
    rest, last = await store.find(EventQuery(after=token), viewer=MAKER)
    assert (len(page), len(rest), last) == (2, 1, "")


async def test_the_same_event_again_is_read_by_the_readers_of_both(store: EventStore) -> None:
    one = stored(ROWS[0])
    await store.add([], [one, replace(one, visible=())])
    await store.add([], [replace(one, visible=(STRANGER,), captured_ns=tai(95))])
    [back] = await store.every()
    assert (back.visible, back.captured_ns) == ((STRANGER, READER), tai(90))


@pytest.mark.parametrize("token", ["x", "W10", "WzEsMiwzXQ", "WzFlOTksIiIsIiJd"])
async def test_a_forged_token_is_malformed(store: EventStore, token: str) -> None:
    with pytest.raises(MalformedInput, match="nextPageToken"):
        await store.find(EventQuery(after=token), viewer=MAKER)


async def test_an_event_comes_back_as_it_was_read(store: EventStore) -> None:
    one = stored(ROWS[2])
    await store.add([], [one])
    [back] = await store.every()
    assert back == one


@pytest.mark.service
@pytest.mark.parametrize("poison", [b'{"x":100000000000000000000}', b"[]", b"{}", b"\xff"])
async def test_a_row_that_nobody_can_read_ends_no_list(database, caplog, poison: bytes) -> None:
    store = PostgresEventStore(database, LotJournal(database, lambda: None))
    await store.add([], [stored(plain) for plain in ROWS])
    async with database.session() as session:
        await session.execute(
            "update industry.epcis_event set event = %(event)b where kind = 'TransformationEvent'",
            {"event": poison},
        )
    assert len(await store.every()) == len(ROWS) - 1
    assert await found(store) == [5, 4, 2, 1]
    assert "1 stored events cannot be read" in caplog.text
    # A page that ends with it is followed by the next.
    page, token = await store.find(EventQuery(per_page=3), viewer=MAKER)
    after, _ = await store.find(EventQuery(per_page=3, after=token), viewer=MAKER)
    assert (len(page), len(after)) == (2, 2)


@pytest.mark.service
async def test_a_capture_that_is_refused_leaves_no_event(database) -> None:
    store = PostgresEventStore(database, LotJournal(database, lambda: None))
    fact = EventsCaptured(job="j", document="d", events=[], refused=0)
    entry = SCRIBE.write(
        fact, by=MAKER, aggregate="epcis/j", version=1, owner=MAKER, visible=[], occurred_at=None
    )
    await store.add([entry], [])
    with pytest.raises(Conflict):
        await store.add([entry], [stored(ROWS[0])])
    assert await store.every() == []


def test_what_is_wrong_says_where() -> None:
    assert Wrong("x").pointer == "/"


def weighed(minute: int, step: str, amount: float, action: str = "OBSERVE") -> dict[str, Any]:
    lot = {"epcClass": "urn:lot", "quantity": amount, "uom": "KGM"}
    return event("ObjectEvent", minute, action=action, bizStep=step, quantityList=[lot])


async def test_quantities_are_those_of_what_stands_and_may_be_seen(store: EventStore) -> None:
    made_of = weighed(1, "commissioning", 10.25, action="ADD")
    shipped = weighed(2, "shipping", 4)
    await store.add([], [stored(made_of), stored(shipped), stored(shipped, by=STRANGER)])
    # The same again is once there, with more readers or not.
    await store.add([], [stored(shipped)])

    async def told(viewer: PartyId | None, limit: int = 9) -> list[tuple[str, str, str]]:
        said = await store.quantities(["urn:lot", "urn:x"], viewer=viewer, limit=limit)
        assert all(each.event.startswith("ni:///") and each.unit == "KGM" for each in said)
        return [(each.by, str(each.way), str(each.amount.normalize())) for each in said]

    mine = [(MAKER, "in", "10.25"), (MAKER, "out", "4")]
    theirs = (STRANGER, "out", "4")
    assert await told(MAKER) == mine
    assert await told(READER) == await told(None) == [theirs, *mine]
    assert await told(None, limit=2) == [theirs, mine[0]]
    wrong = {"errorDeclaration": {"declarationTime": "2026-01-01T01:00:00Z"}}
    await store.add([], [stored(shipped | wrong)])
    assert await told(MAKER) == mine[:1]


async def test_the_maker_of_a_lot_said_so_first_and_did_not_withdraw_it(store: EventStore) -> None:
    mine, theirs = made(1, "urn:a"), made(2, "urn:a")
    await store.add([], [stored(mine, captured=91), stored(theirs, captured=92, by=STRANGER)])
    await store.add([], [stored(packed(0, "urn:a", "urn:b"), captured=90, by=READER)])
    assert await store.maker("urn:a") == MAKER
    assert await store.maker("urn:b") is None
    wrong = {"errorDeclaration": {"declarationTime": "2026-01-01T01:00:00Z"}}
    await store.add([], [stored(mine | wrong, captured=93)])
    assert await store.maker("urn:a") == STRANGER
    await store.add([], [stored(turned(3, ["urn:a"], ["urn:c"]), by=READER)])
    assert await store.maker("urn:c") == READER
