from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.events import Fact, SignedEvent, every, latest, leaf_bytes
from zhidao.core.ids import IdSource, PartyId, parse_id, party_id
from zhidao.core.journal import FixedKeyRing, Handled, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryJournal

EXPORTER, CARRIER, NODE = PartyId("exporter"), PartyId("carrier"), PartyId("node")


class Said(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "test.Said.v1"
    words: str


class Shouted(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "test.Shouted.v1"
    OPEN: ClassVar[bool] = True
    words: str


def scribe_of() -> Scribe:
    randomness = SeededRandomness(3)
    clock = HandClock(Utc.parse("2026-01-01T00:00:00Z"))
    keys = {
        party: SoftwareKey(Algorithm.ED25519, randomness.token(32)) for party in (EXPORTER, NODE)
    }
    return Scribe(
        node=NODE,
        key=keys[NODE],
        ring=FixedKeyRing(keys),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )


def event_of(fact: Fact | None = None) -> SignedEvent:
    return (
        scribe_of()
        .write(
            fact or Said(words="你好"),
            by=EXPORTER,
            aggregate="talk/1",
            version=1,
            owner=EXPORTER,
            visible=(CARRIER,),
            occurred_at=None,
        )
        .event
    )


def test_an_event_survives_its_bytes_and_verifies() -> None:
    event = event_of()
    again = SignedEvent.decode(event.encode())
    assert again == event
    again.verify()
    assert again.custodian


@pytest.mark.parametrize(
    "change",
    [
        {"payload": {"words": "x"}},
        {"version": 2},
        {"owner": CARRIER},
        {"visible": ()},
        {"aggregate": "talk/2"},
        {"custodian": False},
        {"open": True},
        {"occurred_at": Utc.parse("2026-01-02T00:00:00Z")},
        {"recorded_at": Utc.parse("2026-01-02T00:00:00Z")},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_changed_field_breaks_a_signature(change: dict[str, object]) -> None:
    with pytest.raises(Refused) as caught:
        replace(event_of(), **change).verify()  # type: ignore[arg-type]
    assert caught.value.code == "bad_signature"


def test_other_spellings_of_an_event_are_refused() -> None:
    data = event_of().encode()
    for wrong in (
        data + b" ",
        b" " + data,
        data.replace(b'"v":1', b'"v":1.0'),
        data.replace(b'"v":1', b'"v":1,"w":1'),
        data.replace(b'"open":false', b'"open":0'),
        data.replace(b'"v":1', b'"v":2'),
    ):
        with pytest.raises(MalformedInput):
            SignedEvent.decode(wrong)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(data: bytes) -> None:
    try:
        SignedEvent.decode(data)
    except MalformedInput:
        return


def test_a_commitment_hides_the_event_and_an_open_leaf_shows_it() -> None:
    secret, public = event_of(), event_of(Shouted(words="open"))
    hidden = leaf_bytes(secret, b"s" * 32)
    assert b"exporter" not in hidden
    assert hidden != leaf_bytes(secret, b"t" * 32)
    assert parse_strict(leaf_bytes(public, b""))["event"]["payload"] == {"words": "open"}


def test_a_fact_is_read_back_strictly() -> None:
    event = event_of()
    assert Said.of(event) == Said(words="你好")
    with pytest.raises(MalformedInput):
        Shouted.of(event)
    with pytest.raises(MalformedInput):
        Said.of(replace(event, payload={"words": 1}))
    with pytest.raises(MalformedInput):
        Said.of(replace(event, payload={"words": "a", "more": 1}))


async def test_records_sign_append_and_hide() -> None:
    records = Records(MemoryJournal(), scribe_of())
    exporter = Actor(EXPORTER, Role.PARTY)
    handled = Handled("test", event_of().id)
    first = await records.record(
        exporter, "talk/1", [Said(words="a")], after=0, owner=EXPORTER, handled=handled
    )
    assert len(first) == 1
    assert await records.is_handled(handled)
    assert (
        await records.record(
            exporter, "talk/1", [Said(words="a")], after=1, owner=EXPORTER, handled=handled
        )
        == ()
    )
    with pytest.raises(Conflict):
        await records.record(exporter, "talk/1", [Said(words="b")], after=0, owner=EXPORTER)
    await records.record(
        exporter, "talk/1", [Said(words="b")], after=1, owner=EXPORTER, visible=[CARRIER]
    )
    history = await records.history("talk/1")
    assert [fact.words for fact in every(history, Said)] == ["a", "b"]
    assert latest(history, Said) == Said(words="b")
    assert latest(history, Shouted) is None
    seen = await records.history("talk/1", Actor(CARRIER, Role.PARTY))
    assert [fact.words for fact in every(seen, Said)] == ["b"]
    with pytest.raises(NotFound):
        await records.history("talk/1", Actor(PartyId("stranger"), Role.PARTY))
    assert await records.aggregates("talk/", exporter, limit=5) == ("talk/1",)


async def test_nobody_speaks_without_a_key_here() -> None:
    records = Records(MemoryJournal(), scribe_of())
    with pytest.raises(Unavailable) as caught:
        await records.record(
            Actor(CARRIER, Role.PARTY), "talk/1", [Said(words="a")], after=0, owner=CARRIER
        )
    assert caught.value.code == "no_key"


def test_ids_of_one_source_ascend_even_if_the_clock_steps_back() -> None:
    clock = HandClock(Utc.parse("2026-01-01T00:00:01Z"))
    ids = IdSource(clock, SeededRandomness(1))
    made = [ids.new() for _ in range(5000)]
    clock.set(Utc.parse("2026-01-01T00:00:00Z"))
    made += [ids.new() for _ in range(10)]
    assert made == sorted(set(made))
    assert all(i.version == 7 for i in made)
    assert parse_id(str(made[0])) == made[0]


@pytest.mark.parametrize("text", ["", "x", "A" * 36, "{01900000-0000-7000-8000-000000000001}"])
def test_other_spellings_of_an_id_are_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        parse_id(text)


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "a" * 65, "é", "a/b"])
def test_what_is_no_party_name_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        party_id(text)
