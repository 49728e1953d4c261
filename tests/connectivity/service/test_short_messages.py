"""A position counts once: over either bearer, twice over the air, in either order."""

from __future__ import annotations

import asyncio

import pytest

from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.events import CardRegistered, ShortMessageReceived
from zhidao.connectivity.wire.compact import Track, pack
from zhidao.connectivity.wire.datagram import encode
from zhidao.connectivity.wire.rdss import Received3, Received21, Send21, as_received, build
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import party_id

CARRIER = party_id("carrier")
POINTS = tuple(Point(1_795_000_000 + 60 * i, 5_546_000 + 9 * i, 844_000) for i in range(3))
SENTENCE = build(
    as_received(
        Send21("0179773", 1, 2, pack(Track(POINTS, simulated=True))), sender="4207733", at_hhmmss=""
    )
)


async def _card(room, operator):
    return await room.messages.register(operator, card="4207733", terminal="truck-7", owner=CARRIER)


def _facts(room):
    return [
        ShortMessageReceived.of(e.event)
        for e in room.journal.written
        if e.event.type == ShortMessageReceived.TYPE
    ]


async def test_a_sentence_brings_its_positions(room, operator):
    await _card(room, operator)
    receipt = await room.messages.receive(operator, SENTENCE)
    assert receipt.track.points == POINTS
    assert not receipt.repeated
    assert [fact.first for fact in receipt.facts] == [True] * 3
    assert _facts(room) == list(receipt.facts)
    assert receipt.facts[1].latitude_ndeg == 55_460_090_000
    assert {e.event.owner for e in room.journal.written} == {CARRIER}


async def test_the_same_message_over_the_air_twice_is_once(room, operator):
    await _card(room, operator)
    first = await room.messages.receive(operator, SENTENCE)
    again = await room.messages.receive(operator, SENTENCE)
    assert again.repeated
    assert again.facts == first.facts
    # The other family of units writes the same payload in another sentence.
    other = build(
        Received3("4207733", "0179773", 1, "080000", 2, "0", pack(Track(POINTS, simulated=True)))
    )
    assert (await room.messages.receive(operator, other)).repeated
    assert len(_facts(room)) == 3


async def test_at_once_from_two_stations_it_is_once(room, operator):
    await _card(room, operator)
    receipts = await asyncio.gather(*(room.messages.receive(operator, SENTENCE) for _ in range(4)))
    assert sorted(r.repeated for r in receipts) == [False, True, True, True]
    assert len(_facts(room)) == 3


async def test_what_came_over_tcp_before_is_not_first(room, operator):
    await _card(room, operator)
    assert await room.observations.take("truck-7", POINTS[:1], "jt808") == (True,)
    receipt = await room.messages.receive(operator, SENTENCE)
    assert [fact.first for fact in receipt.facts] == [False, True, True]
    assert await room.observations.take("truck-7", POINTS, "jt808") == (False, False, False)
    for point in POINTS:
        bearers = await room.observations.bearers("truck-7", point.digest("truck-7"))
        assert bearers == ("jt808", "short-message")


async def test_a_card_is_in_one_terminal(room, operator):
    card = await _card(room, operator)
    assert await _card(room, operator) == card
    with pytest.raises(Conflict):
        await room.messages.register(operator, card="4207733", terminal="truck-8", owner=CARRIER)
    with pytest.raises(Forbidden):
        await room.messages.register(
            Actor(CARRIER, Role.PARTY), card="1", terminal="t", owner=CARRIER
        )


async def test_unknown_cards_strangers_and_other_sentences_bring_nothing(room, operator):
    with pytest.raises(NotFound):
        await room.messages.receive(operator, SENTENCE)
    await _card(room, operator)
    with pytest.raises(NotFound):
        await room.messages.receive(Actor(party_id("stranger"), Role.PARTY), SENTENCE)
    with pytest.raises(Refused):
        await room.messages.receive(operator, "$CCICI,0,00*73")
    with pytest.raises(MalformedInput):
        await room.messages.receive(
            operator, "$BDTXR,1,4207733,1,2337,90000000000065C1FAF4B2E2CAD4*3F"
        )
    assert _facts(room) == []


async def test_a_sender_with_zeros_in_front_is_the_same_card(room, operator):
    """As BDS-3 units write it: 04207733 for the card 4207733."""
    await _card(room, operator)
    payload = pack(Track(POINTS, simulated=True))
    padded = build(Received3("04207733", "0179773", 2, "080000", 2, "0", payload))
    receipt = await room.messages.receive(operator, padded)
    assert receipt.card.card == "4207733"
    assert (await room.messages.receive(operator, SENTENCE)).repeated
    unknown = build(Received3("04207734", "0179773", 2, "080000", 2, "0", payload))
    with pytest.raises(NotFound):
        await room.messages.receive(operator, unknown)


async def test_positions_in_a_datagram_count_once_with_those_that_came_bare(room, operator):
    await _card(room, operator)
    body = pack(Track(POINTS, simulated=True))
    text = Message(Form.TEXT, b"12345hello")

    def heard(*records):
        return build(Received21(1, "4207733", 1, "", encode(records)))

    receipt = await room.messages.receive(operator, heard(text, Message(Form.POSITIONS, body)))
    assert receipt.track.points == POINTS
    assert [fact.first for fact in receipt.facts] == [True] * 3
    await room.messages.receive(operator, SENTENCE)
    assert sum(fact.first for fact in _facts(room)) == 3
    with pytest.raises(Refused, match="no positions"):
        await room.messages.receive(operator, heard(text))
    with pytest.raises(MalformedInput):
        await room.messages.receive(operator, heard(Message(Form.POSITIONS, b"none")))


def _from(sender: str) -> str:
    return build(
        Received3(sender, "0179773", 1, "080000", 2, "0", pack(Track(POINTS, simulated=True)))
    )


@pytest.mark.parametrize(
    ("registered", "sender"),
    [
        ("15240507", "15240507"),
        ("04207733", "4207733"),
        ("4207733", "04207733"),
        ("195817", "0195817"),
        ("0195817", "195817"),
        ("195817", "00195817"),
    ],
)
async def test_a_card_is_one_card_however_many_zeros_stand_in_front(
    room, operator, registered, sender
):
    card = await room.messages.register(
        operator, card=registered, terminal="truck-7", owner=CARRIER
    )
    receipt = await room.messages.receive(operator, _from(sender))
    assert receipt.card == card
    # Registered once more under the other spelling it is the same card, and no second one.
    again = await room.messages.register(operator, card=sender, terminal="truck-7", owner=CARRIER)
    assert again == card
    with pytest.raises(Conflict):
        await room.messages.register(operator, card=sender, terminal="truck-8", owner=CARRIER)


async def test_a_card_registered_short_before_is_found_and_stays_as_it_is(room, operator):
    """Earlier versions took down what was typed."""
    fact = CardRegistered(card="195817", terminal="truck-7")
    await room.messages._records.record(
        operator, "card/195817", [fact], after=0, owner=CARRIER, visible=(operator.party,)
    )
    for sender in ("195817", "0195817", "00195817"):
        assert (await room.messages.receive(operator, _from(sender))).card.card == "195817"
        again = await room.messages.register(
            operator, card=sender, terminal="truck-7", owner=CARRIER
        )
        assert again.card == "195817"


@pytest.mark.parametrize("wrong", ["", "123456789", "12a4567", "１２３４５６７"])
async def test_what_is_no_number_of_a_card_is_not_registered(room, operator, wrong):
    with pytest.raises(MalformedInput) as refused:
        await room.messages.register(operator, card=wrong, terminal="truck-7", owner=CARRIER)
    assert refused.value.code == "bad_card"
