"""Capturing EPCIS events, asking for them, and following things through them, with rights."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.industry.domain.test_trace import event, made, packed, turned
from tests.spoiling import BOUNDED, with_another_value

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Forbidden, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.memory_events import MemoryEventStore
from zhidao.industry.domain.epcis_event import NAME_CHARS_MAX
from zhidao.industry.domain.event_query import PER_PAGE_MAX, VALUES_MAX, read_query
from zhidao.industry.domain.mass_balance import LOTS_MAX, QUANTITIES_MAX
from zhidao.industry.domain.trace import Direction, Ending
from zhidao.industry.events import EventsCaptured
from zhidao.industry.service import epcis
from zhidao.industry.service.epcis import (
    THING_CHARS_MAX,
    TRACES_MAX,
    TRACES_PARTY_MAX,
    EpcisService,
)
from zhidao.industry.wire.epcis_document import (
    DOCUMENT_BYTES_MAX,
    EVENTS_MAX,
    PREFIX_CHARS_MAX,
    PREFIXES_MAX,
    events_in,
    read_document,
)
from zhidao.store.memory import MemoryArchive, MemoryJournal

NOW = Utc.parse("2026-06-01T00:00:00Z")
MAKER = Actor(PartyId("exporter"), Role.PARTY)
READER = Actor(PartyId("importer"), Role.PARTY)
STRANGER = Actor(PartyId("customs"), Role.PARTY)
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def document(*events: Any, **changed: Any) -> bytes:
    plain = {
        "@context": [CONTEXT, {"x": "urn:x#"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-01T00:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    told = {name: value for name, value in (plain | changed).items() if value is not None}
    return json.dumps(told).encode()


class World:
    def __init__(self) -> None:
        clock, randomness = HandClock(NOW), SeededRandomness(1)
        ids = IdSource(clock, randomness)
        key = SoftwareKey(Algorithm.ED25519, bytes(32))
        ring = FixedKeyRing(dict.fromkeys((MAKER.party, READER.party), key))
        scribe = Scribe(
            node=PartyId("node"), key=key, ring=ring, clock=clock, ids=ids, randomness=randomness
        )
        self.journal = MemoryJournal()
        self.store = MemoryEventStore(self.journal)
        self.archive = MemoryArchive()
        self.epcis = EpcisService(self.store, scribe, self.archive, clock)

    async def capture(self, *events: Any, by: Actor = MAKER, readers=(), proceed: bool = False):
        return await self.epcis.capture(
            by, document(*events), readers=[r.party for r in readers], proceed=proceed
        )


ROAD = (
    made(0, "urn:raw"),
    turned(10, ["urn:raw"], ["urn:s1", "urn:s2"]),
    packed(20, "urn:case", "urn:s1"),
)


async def test_a_capture_is_a_fact_of_its_party_with_the_document_kept() -> None:
    world = World()
    done = await world.capture(*ROAD, readers=[READER])
    [entry] = world.journal.written
    fact = EventsCaptured.of(entry.event)
    assert (fact.job, entry.event.asserted_by.party) == (done.job, MAKER.party)
    assert [f"ni:///sha-256;{name}?ver=CBV2.0" for name in fact.events] == list(done.events)
    assert await world.archive.get(fact.document) == document(*ROAD)
    assert entry.event.visible == (READER.party,)


async def test_only_a_party_captures() -> None:
    with pytest.raises(Forbidden):
        await World().capture(*ROAD, by=Actor(PartyId("x"), Role.AUDITOR))


async def test_a_trace_goes_through_what_the_asker_may_see() -> None:
    world = World()
    await world.capture(*ROAD[:2], readers=[READER])
    await world.capture(ROAD[2])
    mine = await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD)
    assert (mine.made, mine.carried) == ({"urn:s1", "urn:s2"}, {"urn:case"})
    theirs = await world.epcis.trace(READER, "urn:raw", Direction.FORWARD)
    assert (theirs.made, theirs.carried) == ({"urn:s1", "urn:s2"}, frozenset())
    for thing in ("urn:raw", "urn:nowhere"):
        with pytest.raises(NotFound, match="no event names this thing"):
            await world.epcis.trace(STRANGER, thing, Direction.FORWARD)
    # What is captured later is in the index that stands.
    await world.capture(packed(30, "urn:pallet", "urn:case"), readers=[READER])
    mine = await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD)
    assert mine.carried == {"urn:case", "urn:pallet"}


async def test_a_new_process_builds_the_same_index() -> None:
    world = World()
    await world.capture(*ROAD)
    before = await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD)
    world.epcis._index = None
    assert await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD) == before


async def test_events_that_wait_for_no_trace_are_read_from_the_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(epcis, "_WAITING", 2)
    world = World()
    await world.capture(*ROAD[:2])
    await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD)
    await world.capture(
        ROAD[2], packed(30, "urn:pallet", "urn:case"), packed(40, "urn:x", "urn:s2")
    )
    assert (world.epcis._index, len(world.epcis._said)) == (None, 0)
    found = await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD)
    assert found.carried == {"urn:case", "urn:pallet", "urn:x"}


async def test_another_spelling_of_a_thing_finds_it() -> None:
    world = World()
    await world.capture(made(0, "urn:epc:id:sgtin:4012345.011111.2"))
    link = "https://shop.example/gtin/4012345111118/ser/2?x=y"
    found = await world.epcis.trace(MAKER, link, Direction.BACKWARD)
    assert [end.why for end in found.ends] == [Ending.ORIGIN]


async def test_one_wrong_event_refuses_the_whole_document() -> None:
    world = World()
    wrong = made(1, "urn:b") | {"action": "PUSH"}
    with pytest.raises(MalformedInput) as refused:
        await world.capture(ROAD[0], wrong)
    assert refused.value.where == "/epcisBody/eventList/1/action"
    assert await world.store.every() == []
    assert world.journal.written == []
    done = await world.capture(ROAD[0], wrong, proceed=True)
    assert (len(done.events), [each.index for each in done.refused]) == (1, [1])
    with pytest.raises(MalformedInput):
        await world.capture(wrong, proceed=True)


@pytest.mark.parametrize(
    ("time", "why"),
    [("1989-12-31T23:59:59Z", "before_1990"), ("2026-06-02T00:00:01Z", "future")],
)
async def test_an_event_of_no_time_is_kept_aside_and_listed(time: str, why: str) -> None:
    world = World()
    done = await world.capture(made(0, "urn:a") | {"eventTime": time})
    assert dict(done.aside) == {done.events[0]: why}
    page = await world.epcis.events(MAKER, {})
    [told] = page.document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert told["zhidao:aside"] == why
    with pytest.raises(NotFound):
        await world.epcis.trace(MAKER, "urn:a", Direction.FORWARD)


async def test_answers_bear_who_says_it_and_their_own_prefixes() -> None:
    world = World()
    await world.capture(made(0, "urn:a") | {"x:note": "n"})
    page = await world.epcis.events(MAKER, {"MATCH_epc": ["urn:a"]})
    [told] = page.document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert (told["zhidao:assertedBy"], told["@context"]["x"]) == (MAKER.party, "urn:x#")
    assert told["eventID"].startswith("ni:///sha-256;")


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"type": "EPCISQueryDocument"}, "/type"),
        ({"@context": None}, "/@context"),
        ({"schemaVersion": "1.2"}, "/schemaVersion"),
        ({"epcisBody": {}}, "/epcisBody/eventList"),
        ({"epcisBody": {"eventList": []}}, "/epcisBody/eventList"),
        ({"epcisBody": 7}, "/epcisBody/eventList"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(changed: Any, where: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        read_document(document(ROAD[0], **changed), by="a", now=NOW)
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"type": "OtherEvent"}, "/type"),
        ({"eventTimeZoneOffset": None}, "/eventTimeZoneOffset"),
        ({"action": "PUSH"}, "/action"),
        ({"epcList": []}, "/"),
        ({"bizStep": "sailing"}, "/bizStep"),
        ({"disposition": "lost"}, "/disposition"),
        ({"eventID": "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"}, "/eventID"),
        ({"type": "AggregationEvent"}, "/"),
        ({"type": "AggregationEvent", "parentID": "urn:p"}, "/"),
        ({"type": "TransformationEvent"}, "/action"),
        ({"type": "TransformationEvent", "action": ""}, "/"),
        ({"type": "TransformationEvent", "action": "", "inputEPCList": ["urn:a"]}, "/"),
    ],
)
def test_an_event_that_breaks_a_rule_between_fields_is_refused(fields: Any, where: str) -> None:
    read = read_document(document(made(0, "urn:a") | fields), by="a", now=NOW)
    [wrong] = read.wrong
    assert wrong.pointer == where


@BOUNDED
@given(st.sampled_from(ROAD).flatmap(with_another_value))
def test_any_event_is_taken_or_refused(plain: Any) -> None:
    read = read_document(document(plain), by="a", now=NOW)
    assert len(read.events) + len(read.wrong) == 1


@pytest.mark.bound("industry.wire.epcis_document.DOCUMENT_BYTES_MAX")
@pytest.mark.bound("industry.wire.epcis_document.EVENTS_MAX")
def test_a_document_has_at_most_so_many_bytes_and_events() -> None:
    data = document(ROAD[0])
    padded = data + b" " * (DOCUMENT_BYTES_MAX - len(data))
    assert read_document(padded, by="a", now=NOW).events
    assert events_in(padded)
    for read in (lambda d: read_document(d, by="a", now=NOW), events_in):
        with pytest.raises(MalformedInput):
            read(padded + b" ")
    small = [{}] * EVENTS_MAX
    assert len(read_document(document(*small), by="a", now=NOW).wrong) == EVENTS_MAX
    with pytest.raises(MalformedInput, match="more than 10000 events"):
        read_document(document(*small, {}), by="a", now=NOW)


async def test_an_identifier_has_at_most_so_many_characters() -> None:
    world = World()
    with pytest.raises(NotFound):
        await world.epcis.trace(MAKER, "x" * THING_CHARS_MAX, Direction.FORWARD)
    with pytest.raises(MalformedInput):
        await world.epcis.trace(MAKER, "x" * (THING_CHARS_MAX + 1), Direction.FORWARD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("MATCH_anything", "x"), ("EQ_action", "PUSH"), ("eventType", "x"), ("perPage", "0")),
        *(("GE_eventTime", "now"), ("orderBy", "x"), ("orderDirection", "x"), ("perPage", "1e3")),
        ("perPage", "0000000010000000"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        read_query({name: [value]})
    assert refused.value.where == name


def test_a_query_has_at_most_so_many_values_and_rows() -> None:
    assert read_query({"MATCH_epc": [",".join("x" * VALUES_MAX)]})
    with pytest.raises(MalformedInput):
        read_query({"MATCH_epc": [",".join("x" * (VALUES_MAX + 1))]})
    assert read_query({"perPage": [str(PER_PAGE_MAX)]}).per_page == PER_PAGE_MAX
    with pytest.raises(MalformedInput):
        read_query({"perPage": [str(PER_PAGE_MAX + 1)]})


def test_an_observation_packs_nothing() -> None:
    seen = event("AggregationEvent", 1, action="OBSERVE", parentID="urn:case", childEPCs=["urn:a"])
    assert read_document(document(seen), by="a", now=NOW).events


async def test_the_same_document_for_the_same_readers_is_the_same_capture() -> None:
    world = World()
    first = await world.capture(*ROAD)
    again = await world.capture(*ROAD)
    assert (again.job, again.events) == (first.job, first.events)
    assert len(world.journal.written) == 1
    for_another = await world.capture(*ROAD, readers=[READER])
    assert for_another.job != first.job


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"x:n": 1e20}, "/"),
        ({"errorDeclaration": ""}, "/errorDeclaration"),
        ({"errorDeclaration": {}}, "/errorDeclaration"),
        ({"errorDeclaration": 0}, "/errorDeclaration"),
        ({"errorDeclaration": []}, "/errorDeclaration"),
        ({"epcList": ["urn:\0"]}, "/"),
        ({"eventID": "urn:\0"}, "/eventID"),
        ({"bizLocation": {"id": "x" * (NAME_CHARS_MAX + 1)}}, "/bizLocation/id"),
        ({"epcList": ["x" * (NAME_CHARS_MAX + 1)]}, "/"),
        ({"eventTime": "2262-04-12T00:00:00Z"}, "/eventTime"),
        ({"eventTime": "2116-03-01T00:00:00Z"}, "/eventTime"),
        ({"eventTime": "1970-01-01T00:00:00Z"}, "/eventTime"),
        ({"@context": {f"p{n}": "u" for n in range(PREFIXES_MAX + 1)}}, "/@context"),
        ({"@context": {"p": "u" * PREFIX_CHARS_MAX}}, "/@context"),
    ],
)
async def test_an_event_that_cannot_be_kept_is_refused_alone(fields: Any, where: str) -> None:
    world = World()
    done = await world.capture(ROAD[0], made(1, "urn:b") | fields, proceed=True)
    assert (len(done.events), [each.pointer for each in done.refused]) == (1, [where])
    assert len(await world.store.every()) == 1


@pytest.mark.bound("industry.domain.epcis_event.NAME_CHARS_MAX")
@pytest.mark.bound("industry.wire.epcis_document.PREFIXES_MAX")
@pytest.mark.bound("industry.wire.epcis_document.PREFIX_CHARS_MAX")
def test_names_and_prefixes_at_their_bounds_are_taken() -> None:
    prefixes = {f"p{n}": "u" for n in range(PREFIXES_MAX - 1)} | {"q": "u" * (PREFIX_CHARS_MAX - 1)}
    longest = made(1, "x" * NAME_CHARS_MAX) | {"@context": prefixes}
    assert read_document(document(longest), by="a", now=NOW).events
    too_many = {f"p{n}": "u" for n in range(PREFIXES_MAX + 1)}
    with pytest.raises(MalformedInput) as refused:
        read_document(document(ROAD[0], **{"@context": too_many}), by="a", now=NOW)
    assert refused.value.where == "/@context"


async def test_a_declaration_of_null_withdraws_nothing() -> None:
    world = World()
    await world.capture(made(0, "urn:a") | {"errorDeclaration": None})
    assert (await world.epcis.trace(MAKER, "urn:a", Direction.FORWARD)).steps


def test_an_event_keeps_the_prefixes_that_it_uses() -> None:
    spaces = {"@context": {f"p{n}": "urn:x#" for n in range(50)}}
    using = made(0, "urn:a") | {"p1:note": {"p2:inner": "p3:word"}}
    [read] = read_document(document(using, **spaces), by="a", now=NOW).events
    assert set(read.plain["@context"]) == {"p1", "p2", "p3"}


@pytest.mark.bound("industry.service.epcis.TRACES_MAX")
@pytest.mark.bound("industry.service.epcis.TRACES_PARTY_MAX")
@pytest.mark.parametrize(
    ("most", "asker"),
    [
        (TRACES_PARTY_MAX, lambda _: MAKER),
        (TRACES_MAX, lambda n: Actor(PartyId(f"p{n}"), Role.PARTY)),
    ],
)
async def test_so_many_traces_wait_and_a_capture_waits_for_none(most: int, asker: Any) -> None:
    world = World()
    await world.capture(*ROAD)
    async with world.epcis._turn:
        waiting = [
            asyncio.ensure_future(world.epcis.trace(asker(n), "urn:raw", Direction.FORWARD))
            for n in range(most)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await world.epcis.trace(asker(most), "urn:raw", Direction.FORWARD)
        await asyncio.wait_for(world.capture(packed(30, "urn:pallet", "urn:case")), 5)
    await asyncio.gather(*waiting, return_exceptions=True)
    found = await world.epcis.trace(MAKER, "urn:raw", Direction.FORWARD)
    assert "urn:pallet" in found.carried


async def test_the_same_event_for_another_reader_is_read_by_both() -> None:
    world = World()
    await world.capture(*ROAD, readers=[READER])
    assert await world.epcis.trace(READER, "urn:raw", Direction.FORWARD)
    await world.capture(*ROAD, readers=[STRANGER])
    for actor in (READER, STRANGER):
        assert (await world.epcis.trace(actor, "urn:raw", Direction.FORWARD)).made
        page = await world.epcis.events(actor, {})
        body = page.document["epcisBody"]["queryResults"]["resultsBody"]
        assert len(body["eventList"]) == len(ROAD)


def said(minute: int, lot: str, step: str, amount: float, action: str = "OBSERVE") -> Any:
    told = [{"epcClass": lot, "quantity": amount}]
    return event("ObjectEvent", minute, action=action, bizStep=step, quantityList=told)


@pytest.mark.bound("industry.domain.mass_balance.LOTS_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
async def test_so_many_lots_are_weighed_at_once(beyond: int) -> None:
    world = World()
    last = f"urn:lot:{LOTS_MAX - 1 + beyond}"
    await world.capture(said(1, last, "commissioning", 1, "ADD"), said(2, last, "shipping", 2))
    lots = [f"urn:lot:{n}" for n in range(LOTS_MAX + beyond)]
    told = await world.epcis.imbalances(MAKER, lots)
    assert [each.lot for each in told] == ([] if beyond else [last])


@pytest.mark.bound("industry.domain.mass_balance.QUANTITIES_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
async def test_so_many_quantities_of_a_lot_are_weighed(beyond: int) -> None:
    world = World()
    await world.capture(said(1, "urn:lot", "commissioning", 1, "ADD"))
    [one] = await world.store.every()
    for n in range(1, QUANTITIES_MAX + beyond):
        world.store._events[f"{n}", False] = one
    if not beyond:
        [told] = await world.epcis.balance(MAKER, "urn:lot")
        assert told.put_in == QUANTITIES_MAX
        return
    with pytest.raises(Refused) as refused:
        await world.epcis.balance(MAKER, "urn:lot")
    assert refused.value.code == "too_many_quantities"
    await world.capture(said(2, "urn:lot", "shipping", 10**6))
    # What is cut off may be what went in.
    assert await world.epcis.imbalances(MAKER, ["urn:lot"]) == ()
