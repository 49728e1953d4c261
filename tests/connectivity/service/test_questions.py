"""Who asks where a SIM is leaves a trace; a stranger learns nothing, and its network neither."""

from __future__ import annotations

import asyncio
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
from zhidao.connectivity.events import SimAsked
from zhidao.connectivity.service import questions as questions_module
from zhidao.connectivity.service.location import Declined, Device, Location
from zhidao.connectivity.service.network import NetworkChecks
from zhidao.connectivity.service.networks import Networks, NoNetwork
from zhidao.connectivity.service.ports import NetworkAway
from zhidao.connectivity.service.questions import Questions
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Forbidden, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.ids import party_id

HOLDER = Actor(party_id("haulier"), Role.PARTY)
AUDITOR = Actor(party_id("auditor"), Role.AUDITOR)
SUPI = "imsi-999700000000001"
AWAY = NetworkAway("network corridor does not answer as it should", 5)


def placed(
    says: NetworkAnswer | NetworkAway, holder: str = "haulier"
) -> tuple[Bench, Location, Told]:
    room, told = bench(), Told(says)
    sim = Sim(PHONE, "corridor", (party_id("carrier"),), SUPI, party_id(holder) if holder else "")
    networks = Networks({PHONE: sim}, {"corridor": told}, NoNetwork())
    return room, Location(networks, HandClock(AT), room.questions), told


async def asked_of(room: Bench, reader: Actor = HOLDER) -> list[tuple[str, ...]]:
    facts = [SimAsked.of(each) for each in await room.questions.listed(reader)]
    return [(each.phone, each.asker, each.role, each.api, each.answer) for each in facts]


async def retrieve(location: Location, actor: Actor, *, age_s_max: int = -1, surface: int = 0):
    return await location.retrieve(
        *(actor, Device(PHONE, given=True)),
        subject="",
        age_s_max=age_s_max,
        surface_m2_max=surface,
    )


@pytest.mark.parametrize(
    ("says", "refusal", "kind"),
    [
        (NetworkAnswer((CIRCLE,)), None, "located"),
        (NetworkAnswer(why="it is switched off"), Declined, "not_located"),
        (NetworkAnswer(why="consent is missing", withheld=True), Declined, "withheld"),
        (AWAY, Unavailable, "unavailable"),
    ],
)
async def test_the_holder_reads_what_kind_of_answer_was_given(says, refusal, kind):
    room, location, _ = placed(says)
    if refusal is None:
        await retrieve(location, CARRIER)
    else:
        with pytest.raises(refusal):
            await retrieve(location, CARRIER)
    assert await asked_of(room) == [(PHONE, "carrier", "party", "location-retrieval", kind)]


async def test_a_wish_that_cannot_be_met_is_a_question_too():
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))
    for wish in ({"surface": 10}, {"age_s_max": 0}):
        late = Location(location._backend, HandClock(AT.plus_ns(10**10)), room.questions)
        with pytest.raises(Declined):
            await retrieve(late, CARRIER, **wish)
    assert [each[-1] for each in await asked_of(room)] == ["declined", "declined"]


@pytest.mark.parametrize("says", [NetworkAnswer((CIRCLE,)), AWAY])
async def test_a_stranger_hears_404_of_a_sim_and_its_network_nothing(says):
    """Also while the network is away: a 503 would say that there is such a SIM."""
    room, location, told = placed(says)
    refusals = []
    for phone in (PHONE, "+77010000009"):
        with pytest.raises(NotFound) as caught:
            await location.subscriber(STRANGER, phone)
        refusals.append(str(caught.value))
        with pytest.raises(Declined) as declined:
            await location.retrieve(
                *(STRANGER, Device(phone, given=True)),
                subject="",
                age_s_max=-1,
                surface_m2_max=0,
            )
        assert (declined.value.status, declined.value.code) == (404, "IDENTIFIER_NOT_FOUND")
    assert len(set(refusals)) == 1
    assert told.asked == []
    assert {each[-1] for each in await asked_of(room)} == {"refused"}
    # Of a number that nobody here knows only an auditor sees that it was asked for, not which.
    assert [each[0] for each in await asked_of(room, AUDITOR)] == ["", "", PHONE, PHONE]
    assert await asked_of(room, STRANGER) == []


async def test_nobody_but_the_holder_and_an_auditor_reads_questions():
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))
    await location.subscriber(CARRIER, PHONE)
    await location.subscriber(HOLDER, PHONE)
    assert [each[1] for each in await asked_of(room)] == ["haulier", "carrier"]
    assert len(await asked_of(room, AUDITOR)) == 2
    assert await asked_of(room, CARRIER) == []
    assert await asked_of(room, Actor(party_id("node"), Role.OPERATOR)) == []
    with pytest.raises(Forbidden):
        await room.questions.listed(Actor(party_id("node"), Role.ADMIN))


async def test_what_was_asked_of_a_sim_without_holder_is_the_nodes():
    room, location, _ = placed(NetworkAnswer((CIRCLE,)), holder="")
    await location.subscriber(CARRIER, PHONE)
    assert await asked_of(room) == []
    assert len(await asked_of(room, Actor(party_id("node"), Role.OPERATOR))) == 1


async def test_a_fact_says_neither_place_nor_identity():
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))
    await location.subscriber(CARRIER, PHONE)
    (entry,) = room.journal.written
    data = entry.event.encode().decode()
    assert not any(
        each in data for each in (SUPI, SUPI[5:], str(HERE.latitude_ndeg), str(HERE.longitude_ndeg))
    )
    assert (entry.event.owner, entry.event.visible) == ("haulier", ())
    assert entry.event.asserted_by.party == "node"


@pytest.mark.bound("connectivity.service.questions.QUESTIONS_MAX")
async def test_a_list_has_an_end(monkeypatch):
    monkeypatch.setattr(questions_module, "QUESTIONS_MAX", 3)
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))
    for _ in range(4):
        await location.subscriber(CARRIER, PHONE)
    assert len(await room.questions.listed(HOLDER, limit=3)) == 3
    assert len(await room.questions.listed(HOLDER, limit=4)) == 3


async def test_questions_are_listed_by_page_and_by_sim():
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))
    for _ in range(5):
        await location.subscriber(CARRIER, PHONE)
    whole = [SimAsked.of(each).question for each in await room.questions.listed(HOLDER)]
    first = [SimAsked.of(each).question for each in await room.questions.listed(HOLDER, limit=2)]
    rest = [
        SimAsked.of(each).question
        for each in await room.questions.listed(HOLDER, after=first[-1], limit=500)
    ]
    assert first + rest == whole
    assert len(set(whole)) == 5
    assert await room.questions.listed(HOLDER, phone="+77010000009") == ()
    for wrong in ({"phone": "77"}, {"after": "yesterday"}):
        with pytest.raises(MalformedInput):
            await room.questions.listed(HOLDER, **wrong)


async def test_what_cannot_be_written_down_is_not_answered(monkeypatch):
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))

    async def silent(*_: object, **__: object) -> None:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(room.questions._book, "keep", silent)
    with pytest.raises(Unavailable):
        await location.subscriber(CARRIER, PHONE)


async def test_a_question_that_was_broken_off_is_written_down():
    room, location, told = placed(NetworkAnswer((CIRCLE,)))
    begun = asyncio.Event()

    async def never(_: Sim) -> NetworkAnswer:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    told.answer = never
    task = asyncio.create_task(location.subscriber(CARRIER, PHONE))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [each[-1] for each in await asked_of(room)] == ["nothing"]


async def test_who_wrote_its_share_of_the_log_asks_nobody():
    room, location, told = placed(NetworkAnswer((CIRCLE,)))

    def spent(party: str) -> None:
        raise Refused(f"{party} wrote its share of leaves")

    q = room.questions
    location._questions = Questions(q._book, q._scribe, ids=q._ids, clock=q._clock, take=spent)
    with pytest.raises(Refused):
        await location.subscriber(CARRIER, PHONE)
    assert told.asked == []
    # The node's operator and its own checks are not held up by it.
    await location.subscriber(Actor(party_id("node"), Role.OPERATOR), PHONE)


async def test_a_check_of_the_node_is_told_to_the_holder_once(node):
    room, location, _ = placed(NetworkAnswer((CIRCLE,)))
    checks = NetworkChecks(location._backend, room.checks._records, room.questions)
    asked = {
        "phone": PHONE,
        "latitude_ndeg": HERE.latitude_ndeg,
        "longitude_ndeg": HERE.longitude_ndeg,
        "bound_mm": 9_000,
        "at": AT,
    }
    first = await checks.check(node, **asked)
    assert await checks.check(node, **asked) == first
    assert await asked_of(room) == [(PHONE, "node", "node", "network-check", "compared")]
    away, location, _ = placed(AWAY)
    checks = NetworkChecks(location._backend, away.checks._records, away.questions)
    assert (await checks.check(node, **asked)).verdict == "unknown"
    assert [each[-1] for each in await asked_of(away)] == ["unavailable"]
    # A number of no table is asked of nobody.
    await checks.check(node, **(asked | {"phone": "+77010000009"}))
    assert len(await asked_of(away, AUDITOR)) == 1


async def test_the_holder_may_ask_where_its_own_sim_is():
    sim = Sim(PHONE, "corridor", (), SUPI, party_id("haulier"))
    assert sim.holding.may_ask == ("haulier",)
    assert replace(sim, holder="").holding.may_ask == ()
