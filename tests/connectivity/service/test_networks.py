"""Each SIM's own network is asked, and what it cannot tell is unknown, never a disagreement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from tests.connectivity.bench import Bench, bench

from zhidao.connectivity.adapters.memory import MemoryNetwork
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import (
    DRIFT_MPS,
    NetworkAnswer,
    Presence,
    Subscriber,
    SubscriberLocation,
)
from zhidao.connectivity.service.location import Declined, Device, Location
from zhidao.connectivity.service.network import NetworkChecks
from zhidao.connectivity.service.networks import Networks, NoNetwork
from zhidao.connectivity.service.ports import BackendState, NetworkAway
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Forbidden, NotFound
from zhidao.core.geo import Geodetic, destination
from zhidao.core.ids import party_id
from zhidao.core.timescale import NS, Utc

PHONE = "+77010000001"
AT = Utc.parse("2026-11-30T20:00:00Z")
HERE = Geodetic(43.35, 77.04)
CARRIER = Actor(party_id("carrier"), Role.PARTY)
STRANGER = Actor(party_id("stranger"), Role.PARTY)
CIRCLE = SubscriberLocation(HERE, 1_000.0, AT, "corridor", simulated=False)


@dataclass
class Told:
    """A network that says what a test says; its adapters stand in tests of their own."""

    says: NetworkAnswer | NetworkAway
    asked: list[str] = field(default_factory=list)

    async def answer(self, sim: Sim) -> NetworkAnswer:
        self.asked.append(sim.phone)
        if isinstance(self.says, NetworkAway):
            raise self.says
        return self.says

    def covers(self, *_: object) -> bool:
        return False

    async def state(self) -> BackendState:
        return BackendState(name="corridor", kind="told", plmn="99970", sims=1, answers=True)

    async def close(self) -> None:
        self.asked.append("closed")


def networks(says: NetworkAnswer | NetworkAway, otherwise=None) -> tuple[Networks, Told]:
    told = Told(says)
    sim = Sim(PHONE, "corridor", (party_id("carrier"),), "imsi-999700000000001")
    return Networks({PHONE: sim}, {"corridor": told}, otherwise or NoNetwork()), told


def checks(room: Bench, says: NetworkAnswer | NetworkAway) -> NetworkChecks:
    return NetworkChecks(networks(says)[0], room.checks._records, room.questions)


def question(fix: Geodetic, after_s: int = 0) -> dict[str, object]:
    return {
        "phone": PHONE,
        "latitude_ndeg": fix.latitude_ndeg,
        "longitude_ndeg": fix.longitude_ndeg,
        "bound_mm": 9_000,
        "at": AT.plus_ns(after_s * NS),
    }


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (
            NetworkAnswer(why="it is in a network of others"),
            "the network has not located the terminal: it is in a network of others",
        ),
        (NetworkAnswer(), "the network has not located the terminal"),
        (
            NetworkAnswer(why="consent is missing", withheld=True),
            "the network has not located the terminal: consent is missing",
        ),
        (
            NetworkAway("network corridor does not answer as it should", 5),
            "the network did not answer: network corridor does not answer as it should",
        ),
    ],
)
async def test_what_is_not_told_is_unknown_with_its_reason(room, node, says, reason):
    fact = await checks(room, says).check(node, **question(HERE))
    assert (fact.verdict, fact.reason, fact.network_radius_mm) == ("unknown", reason, 0)


@pytest.mark.parametrize(
    ("away_m", "after_s", "verdict"),
    [
        (500, 0, "match"),
        (1_500, 0, "mismatch"),
        (1_500, 60, "match"),  # 2,400 m may be driven in a minute.
        (3_000, 60, "match"),
        (4_000, 60, "mismatch"),
        (24_000, 599, "match"),
        (25_500, 599, "mismatch"),
        (25_500, 601, "unknown"),
    ],
)
async def test_a_journey_between_two_times_is_no_disagreement(room, node, away_m, after_s, verdict):
    fix = destination(HERE, azimuth_deg=60, distance_m=away_m)
    fact = await checks(room, NetworkAnswer((CIRCLE,))).check(node, **question(fix, after_s))
    assert fact.verdict == verdict
    if verdict != "unknown":
        # The fact holds the circle that was compared, so that anybody comes to the same verdict.
        assert fact.network_radius_mm == round((1_000 + DRIFT_MPS * after_s) * 1_000)


async def test_a_scenario_says_where_the_device_was_and_its_circle_stays(room, node):
    fix = destination(HERE, azimuth_deg=60, distance_m=1_500)
    says = NetworkAnswer((replace(CIRCLE, simulated=True),))
    fact = await checks(room, says).check(node, **question(fix, 60))
    assert (fact.verdict, fact.network_radius_mm) == ("mismatch", 1_000_000)


async def test_a_circle_that_became_too_wide_is_unknown(room, node):
    wide = NetworkAnswer((replace(CIRCLE, radius_m=190_000.0),))
    fact = await checks(room, wide).check(node, **question(HERE, 500))
    assert (fact.verdict, fact.network_radius_mm) == ("unknown", 0)
    assert fact.reason.startswith("the network has not located the terminal: ")


async def test_a_number_of_no_table_is_asked_of_the_demonstration_or_of_nobody():
    scenario = MemoryNetwork()
    await scenario.set(Subscriber("+8613800138000", True, (), ()))
    room, told = networks(NetworkAnswer((CIRCLE,)), scenario)
    assert (await room.subscriber("+8613800138000")).locations == ()
    assert room.covers("+8613800138000", HERE, 100)
    assert told.asked == []
    with pytest.raises(NotFound):
        await networks(NetworkAnswer())[0].subscriber("+8613800138000")
    assert not networks(NetworkAnswer())[0].covers("+8613800138000", HERE, 100)


async def test_only_who_may_learns_where_a_sim_is():
    says = NetworkAnswer((CIRCLE,), presence=Presence.IDLE)
    location = Location(networks(says)[0], HandClock(AT), bench().questions)
    found = await location.subscriber(CARRIER, PHONE)
    assert (found.locations, found.presence) == ((CIRCLE,), Presence.IDLE)
    refusals = []
    for actor, phone in ((STRANGER, PHONE), (CARRIER, "+77010000002")):
        with pytest.raises(NotFound) as caught:
            await location.subscriber(actor, phone)
        refusals.append(str(caught.value))
    assert len(set(refusals)) == 1
    with pytest.raises(Forbidden):
        await location.subscriber(Actor(party_id("auditor"), Role.AUDITOR), PHONE)


async def test_what_is_withheld_is_403_to_who_may_ask_and_404_to_a_stranger():
    says = NetworkAnswer(why="its operator does not tell", withheld=True)
    location = Location(networks(says)[0], HandClock(AT), bench().questions)
    for actor, status in ((CARRIER, 403), (STRANGER, 404)):
        with pytest.raises(Declined) as caught:
            await location.retrieve(
                actor, Device(PHONE, given=True), subject="", age_s_max=-1, surface_m2_max=0
            )
        assert caught.value.status == status


async def test_the_operator_sees_every_network_and_nobody_else(operator):
    room, told = networks(NetworkAnswer())
    assert [each.name for each in await room.states(operator)] == ["corridor"]
    with pytest.raises(Forbidden):
        await room.states(CARRIER)
    await room.close()
    assert told.asked == ["closed"]
