"""A way is compared for who may ask where its SIM is, written down once, and told to the holder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.connectivity.bench import Bench, bench
from tests.connectivity.service.test_networks import (
    AT,
    CARRIER,
    CIRCLE,
    HERE,
    PHONE,
    STRANGER,
    Told,
)

from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import NetworkAnswer
from zhidao.connectivity.domain.track_mark import Fix
from zhidao.connectivity.events import SimAsked, TrackChecked
from zhidao.connectivity.service.location import Location
from zhidao.connectivity.service.networks import Networks, NoNetwork
from zhidao.connectivity.service.ports import NetworkAway
from zhidao.connectivity.service.track_checks import ASKED_FIXES_MAX, TrackChecks
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Forbidden, MalformedInput, NotFound, Unavailable
from zhidao.core.geo import destination
from zhidao.core.ids import party_id
from zhidao.core.timescale import NS

HOLDER = Actor(party_id("haulier"), Role.PARTY)
SEEN = NetworkAnswer(tuple(replace(CIRCLE, at=AT.plus_ns(n * 60 * NS)) for n in range(11)))


def room_of(says: NetworkAnswer | NetworkAway) -> tuple[Bench, TrackChecks, Told]:
    room, told = bench(), Told(says)
    sim = Sim(PHONE, "corridor", (CARRIER.party,), "imsi-999700000000001", HOLDER.party)
    networks = Networks({PHONE: sim}, {"corridor": told}, NoNetwork())
    location = Location(networks, HandClock(AT), room.questions)
    return room, TrackChecks(location, room.checks._records), told


def way(away_m: float = 100.0, count: int = 11) -> list[Fix]:
    place = destination(HERE, azimuth_deg=40, distance_m=away_m)
    return [Fix(AT.plus_ns(n * 60 * NS), place, 9.0) for n in range(count)]


def written(room: Bench) -> list[TrackChecked]:
    events = [each.event for each in room.journal.written]
    return [TrackChecked.of(each) for each in events if each.type == TrackChecked.TYPE]


async def test_a_way_is_marked_and_written_down_once():
    room, checks, _ = room_of(SEEN)
    checked = await checks.check(CARRIER, phone=PHONE, fixes=way())
    fact = checked.fact
    assert (fact.verdict, fact.corroborated_permille, fact.networks) == (
        *("match", 1000, ["corridor"]),
    )
    assert (fact.first_at, fact.fixes, checked.whole_s) == (str(AT), 11, 600)
    # The order in which a way is told is no other way.
    again = await checks.check(CARRIER, phone=PHONE, fixes=way()[::-1])
    assert again.fact == fact
    assert written(room) == [fact]
    entry = next(e for e in room.journal.written if e.event.type == TrackChecked.TYPE)
    assert (entry.event.owner, entry.event.asserted_by.party) == ("carrier", "node")


async def test_another_answer_of_the_network_is_another_version():
    room, checks, told = room_of(NetworkAnswer(why="it is switched off"))
    first = await checks.check(CARRIER, phone=PHONE, fixes=way(9_000))
    assert (first.fact.verdict, first.fact.corroborated_permille) == ("unknown", 0)
    told.says = SEEN
    later = await checks.check(CARRIER, phone=PHONE, fixes=way(9_000))
    assert (later.fact.verdict, later.fact.contradicted_permille) == ("mismatch", 1000)
    assert written(room) == [first.fact, later.fact]
    assert first.fact.check == later.fact.check


async def test_the_holder_reads_that_a_way_was_asked_about():
    room, checks, _ = room_of(SEEN)
    await checks.check(CARRIER, phone=PHONE, fixes=way())
    (asked,) = [SimAsked.of(each) for each in await room.questions.listed(HOLDER)]
    assert (asked.asker, asked.api, asked.answer) == ("carrier", "track-checks", "compared")


async def test_only_who_may_locate_has_a_way_compared():
    room, checks, told = room_of(SEEN)
    with pytest.raises(NotFound):
        await checks.check(STRANGER, phone=PHONE, fixes=way())
    with pytest.raises(Forbidden):
        await checks.check(Actor(party_id("a"), Role.AUDITOR), phone=PHONE, fixes=way())
    assert (told.asked, written(room)) == ([], [])


async def test_a_network_that_is_away_writes_no_mark():
    room, checks, _ = room_of(NetworkAway("network corridor does not answer as it should", 5))
    with pytest.raises(Unavailable):
        await checks.check(CARRIER, phone=PHONE, fixes=way())
    assert written(room) == []


@pytest.mark.bound("connectivity.service.track_checks.ASKED_FIXES_MAX")
async def test_a_way_that_is_asked_about_has_an_end():
    _, checks, told = room_of(SEEN)
    for fixes in ([], way(count=ASKED_FIXES_MAX + 1)):
        with pytest.raises(MalformedInput) as caught:
            await checks.check(CARRIER, phone=PHONE, fixes=fixes)
        assert caught.value.remedy
    assert (await checks.check(CARRIER, phone=PHONE, fixes=way(count=ASKED_FIXES_MAX))).fact
    # One that is too long is refused before the network is asked.
    assert len(told.asked) == 2
