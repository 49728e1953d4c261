"""One history has one node that writes it: whatever is pressed twice, withdrawn or killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from tests.node.federation.sides_bench import (
    ABROAD,
    CARRIER,
    EXPORTER,
    HOME,
    IMPORTER,
    PAPER,
    Side,
    added,
    sides,
)
from tests.node.federation.test_refused_shares import Outbox, answered, restarted

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.events import every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Journal
from zhidao.exchange.events import Delivery, FactsShared
from zhidao.node.federation.hand_over_resumption import HandOverResumption
from zhidao.node.federation.refused_shares import RefusedShares
from zhidao.node.operations.alarms import Alarms
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

ACTOR = Actor(EXPORTER, Role.PARTY)
THIRD = PartyId("third")


def three(exchange: Journal | None = None) -> tuple[Side, Side, Side]:
    """The exporter's node, and two others at each of which one more party is at home."""
    one = Side(ABROAD, (EXPORTER,), exchange=exchange)
    two, third = Side(HOME, (IMPORTER,)), Side(THIRD, (CARRIER,))
    for other in (two, third):
        one.meet(other)
        other.meet(one)
    return one, two, third


@pytest.mark.parametrize("processes", [1, 2])
async def test_of_two_hand_overs_at_once_one_goes_and_the_other_is_refused(processes: int):
    one, _, _ = three()
    await one.enter()
    await one.relay()
    hands = [one.sharing, one.sharing if processes == 1 else restarted(one)]
    done = await asyncio.gather(
        *(hand.hand_over(ACTOR, "c-1", to) for hand, to in zip(hands, (HOME, THIRD), strict=True)),
        return_exceptions=True,
    )
    refused = [each for each in done if each is not None]
    assert [each.code for each in refused if isinstance(each, Refused)] == ["handed_over"]
    assert len(refused) == 1
    assert len(one.post) == 1
    assert {await hand.home("c-1") for hand in hands} == {one.post[0]["recipient"]}


@pytest.mark.service
async def test_a_database_lets_one_of_many_processes_hand_over(database: Database):
    one, _, _ = three(PostgresJournal(database, "exchange", lambda: None))
    await one.enter()
    await one.relay()
    hands = [restarted(one) for _ in range(8)]
    done = await asyncio.gather(
        *(hand.hand_over(ACTOR, "c-1", (HOME, THIRD)[at % 2]) for at, hand in enumerate(hands)),
        return_exceptions=True,
    )
    assert [each.code for each in done if isinstance(each, Refused)] == ["handed_over"] * 4
    assert [each for each in done if each is None] == [None] * 4
    (home,) = {await restarted(one).home("c-1")}
    assert {post["recipient"] for post in one.post} == {home}
    assert len({post["document"] for post in one.post}) == 1
    told = every(await one.records.history(f"shared/{home}/c-1"), FactsShared)
    assert [fact.home for fact in told] == [True]
    assert await restarted(one).refusals("c-1") == []


async def test_one_hand_over_pressed_in_two_processes_goes_once_as_one():
    one, two = sides()
    await one.enter()
    await one.relay()
    hands = [one.sharing, restarted(one)]
    await asyncio.gather(*(hand.hand_over(ACTOR, "c-1", HOME) for hand in hands))
    assert len({post["document"] for post in one.post}) == 1
    told = every(await one.records.history("shared/home/c-1"), FactsShared)
    assert [fact.home for fact in told] == [True]
    for post in one.post:
        await two.adoption.take(await two.got(one, post["content"]))
    assert len(await two.history("consignment/c-1")) == 2


async def test_who_finds_the_document_sent_by_another_process_goes_by_that_one():
    one, _ = sides()
    await one.enter()
    await one.relay()
    other, send = restarted(one), one.send

    async def late(actor: Actor, **document: Any) -> None:
        # The log has grown since, so the other's proof is of another head.
        await one.say(EXPORTER, "consignment/c-9", added("invoice", digest_of(PAPER), "c-9"))
        await one.relay()
        await other.hand_over(ACTOR, "c-1", HOME)
        await send(actor, **document)

    one.sharing._outgoing = type("Late", (), {"send": staticmethod(late)})()
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert len(one.post) == 1
    told = every(await one.records.history("shared/home/c-1"), FactsShared)
    assert [fact.document for fact in told] == [str(one.post[0]["document"])]
    assert await one.sharing.home("c-1") == await restarted(one).home("c-1") == HOME


async def test_another_process_hears_of_a_hand_over_at_once():
    one, _ = sides()
    other = restarted(one)
    await one.enter()
    await one.relay()
    await other.check_home("c-1")
    assert await other.nodes("c-1") == [ABROAD]
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    with pytest.raises(Refused, match="written at home now"):
        await other.check_home("c-1")
    assert await other.members("c-1") == {HOME}
    assert await other.nodes("c-1") == [ABROAD, HOME]


async def earlier(one: Side) -> None:
    """A hand-over as earlier versions wrote it down."""
    await one.relay()
    own = [str(entry.event.id) for entry in one.journals["trade"].written]
    fact = FactsShared(
        consignment="c-1", peer=HOME, document=str(one.ids.new()), events=own, home=True
    )
    node = Actor(one.name, Role.NODE)
    await one.records.record(node, "shared/home/c-1", [fact], after=0, owner=one.name)
    await one.records.record(node, f"peer/{HOME}", [fact], after=0, owner=one.name)


@pytest.mark.parametrize("is_old", [False, True])
async def test_withdrawing_the_peer_that_writes_it_does_not_bring_it_home(*, is_old: bool):
    one, two = sides()
    await one.enter()
    if is_old:
        await earlier(one)
    else:
        await one.hand_over(two)
    kept = one.peers.pop()
    for sharing in (one.sharing, restarted(one)):
        assert await sharing.home("c-1") == HOME
        assert await sharing.nodes("c-1") == [ABROAD, HOME]
        with pytest.raises(Refused, match="written at home now") as refused:
            await sharing.check_home("c-1")
        assert refused.value.code == "handed_over"
        assert "admits home again" in refused.value.remedy
        (told,) = await sharing.refusals("c-1")
        assert (told.peer, told.code) == (HOME, "home_is_no_peer")
        assert "admits home again" in told.reason
    one.peers.append(kept)
    assert await one.sharing.refusals("c-1") == []
    with pytest.raises(Refused) as refused:
        await one.sharing.check_home("c-1")
    assert "let the party do this at home" in refused.value.remedy


async def test_a_hand_over_is_refused_where_a_withdrawn_peer_writes_the_history():
    one, _, _ = three()
    await one.enter()
    await one.relay()
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    one.peers = [peer for peer in one.peers if peer.node != HOME]
    with pytest.raises(Refused) as refused:
        await one.sharing.hand_over(ACTOR, "c-1", THIRD)
    assert refused.value.code == "handed_over"


class Killed(BaseException):
    """The process ends here: nothing catches it."""


def before_sending(one: Side) -> Callable[..., Any]:
    async def send(actor: Actor, **document: Any) -> None:
        raise Killed

    return send


def before_noting(one: Side) -> Callable[..., Any]:
    send = one.send

    async def sends(actor: Actor, **document: Any) -> None:
        await send(actor, **document)
        raise Killed

    return sends


@pytest.mark.parametrize("when", [before_sending, before_noting])
@pytest.mark.parametrize("then", ["by itself", "asked again"])
async def test_a_kill_within_a_hand_over_leaves_one_home(when: Callable[..., Any], then: str):
    one, two = sides()
    await one.enter()
    await one.relay()
    one.sharing._outgoing = type("Dying", (), {"send": staticmethod(when(one))})()
    with pytest.raises(Killed):
        await one.sharing.hand_over(ACTOR, "c-1", HOME)
    one.sharing = restarted(one)
    assert await one.sharing.home("c-1") == HOME
    with pytest.raises(Refused, match="written at home now"):
        await one.sharing.check_home("c-1")
    assert [each.code for each in await one.sharing.refusals("c-1")] == ["handing"]

    for _ in range(2):
        if then == "by itself":
            await one.sharing.resume()
        else:
            await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert await one.sharing.refusals("c-1") == []
    assert len(one.post) == 1, "once, whatever died"
    await two.adoption.take(await two.got(one, one.post[0]["content"]))
    assert len(await two.history("consignment/c-1")) == 2
    # The answer is of the very document that the record names.
    await answered(one, one.post[0], code="unlisted_party")
    assert await one.sharing.home("c-1") == ABROAD


async def test_what_was_begun_is_looked_for_after_a_start_and_when_the_world_comes_back(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("zhidao.node.federation.hand_over_resumption._PAUSE_S", 0.01)
    one, _ = sides()
    await one.enter()
    await one.relay()
    tries = 0

    async def away(actor: Actor, **document: Any) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("the database is away")
        await one.send(actor, **document)

    one.sharing._outgoing = type("Away", (), {"send": staticmethod(away)})()
    with pytest.raises(Unavailable):
        await one.sharing.hand_over(ACTOR, "c-1", HOME)
    task = asyncio.create_task(HandOverResumption(one.sharing).run())
    async with asyncio.timeout(5):
        while await one.sharing.refusals("c-1"):
            await asyncio.sleep(0.01)
    task.cancel()
    assert tries == 3
    assert len(one.post) == 1


async def test_a_process_hears_who_shared_facts_with_another_one():
    one, two = sides()
    await one.enter()
    other = restarted(two)
    assert await other.members("c-1") == set()
    await two.adoption.take(await one.hand_over(two))
    assert await other.members("c-1") == await two.sharing.members("c-1") == {ABROAD}


async def test_a_hand_over_of_which_nothing_can_go_is_taken_back():
    one, _ = sides()
    await one.enter()
    await one.relay()

    async def full(actor: Actor, **document: Any) -> None:
        raise Refused("20,000 documents wait", code="outbox_full")

    send, one.sharing._outgoing = (
        one.sharing._outgoing,
        type("F", (), {"send": staticmethod(full)})(),
    )
    with pytest.raises(Refused, match="wait"):
        await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert await one.sharing.home("c-1") == ABROAD
    await one.sharing.check_home("c-1")
    assert await one.sharing.refusals("c-1") == []
    await one.sharing.resume()
    assert not one.post
    one.sharing._outgoing = send
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert await one.sharing.home("c-1") == HOME
    assert len(one.post) == 1


async def test_a_hand_over_that_was_refused_may_go_to_another():
    one, _, _ = three()
    await one.enter()
    await one.relay()
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    await answered(one, one.post[0], code="unlisted_party")
    await one.sharing.resume()
    await one.sharing.hand_over(ACTOR, "c-1", THIRD)
    assert await restarted(one).home("c-1") == THIRD
    assert [post["recipient"] for post in one.post] == [HOME, THIRD]


class Inbox(list[Delivery]):
    """The rows of a node's inbox, the newest first."""

    async def listed(
        self,
        actor: Actor,
        *,
        state: str = "",
        consignment: str = "",
        limit: int = 50,
        after: tuple[PartyId, UUID] | None = None,
    ) -> list[Delivery]:
        assert after is None
        return [
            each
            for each in self
            if state in ("", each.state) and consignment in ("", each.consignment)
        ][:limit]


async def test_a_fork_is_told_at_the_node_that_refuses_the_others_facts():
    one, two = sides()
    inbox = Inbox()
    one.sharing._refusals._letters = inbox
    await one.enter()
    await two.adoption.take(await one.hand_over(two))
    # As of a version that let both write.
    await one.say(EXPORTER, "consignment/c-1", added("packing_list", digest_of(PAPER)))
    await two.say(CARRIER, "consignment/c-1", added("bill_of_lading", digest_of(PAPER)))
    await two.relay()
    await two.sharing.share("c-1", ABROAD)
    letter = await one.got(two, two.post[0]["content"])
    with pytest.raises(Refused) as refused:
        await one.adoption.take(letter)
    assert refused.value.code == "history_differs"
    assert await one.sharing.refusals("c-1") == []

    def decided(outcome: str, code: str = "", reason: str = "") -> Delivery:
        change = {"state": "decided", "outcome": outcome, "code": code, "reason": reason}
        return Delivery(
            **{name: getattr(letter, name) for name in letter.__struct_fields__} | change
        )

    inbox.insert(0, decided("refused", "history_differs", str(refused.value)))
    (told,) = await one.sharing.refusals("c-1")
    assert (told.peer, told.by, told.code) == (HOME, ABROAD, "history_differs")
    assert "at version 3" in told.reason

    alarms = Alarms()
    watch = RefusedShares(one.name, Outbox(), one.sharing, alarms, inbox)
    watch.answered(letter, "history_differs")
    await watch.step()
    (alarm,) = alarms.standing()
    assert alarm.code == "histories_part:c-1:home"
    assert "home have both written the history of c-1" in alarm.sentence

    alarms = Alarms()
    watch = RefusedShares(one.name, Outbox(), one.sharing, alarms, inbox)
    await watch.look_back()
    await watch.step()
    assert [each.kind for each in alarms.standing()] == ["histories_part"]
    # Where the peer's next facts fit again, it is past.
    inbox.insert(0, decided("accepted"))
    watch.answered(letter, "")
    await watch.step()
    assert alarms.standing() == []
    assert await one.sharing.refusals("c-1") == []


async def test_a_stranger_to_a_consignment_raises_no_alarm_about_it():
    one, two = sides()
    await one.enter()
    await one.relay()
    letter = await one.got(two, b"{}")
    change = {"state": "decided", "outcome": "refused", "code": "history_differs"}
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__}
    one.sharing._refusals._letters = Inbox([Delivery(**fields | change)])
    assert await one.sharing.refusals("c-1") == []


async def test_unreachable_is_no_answer_and_leaves_what_was_begun():
    one, _ = sides()
    await one.enter()
    await one.relay()

    async def away(actor: Actor, **document: Any) -> None:
        raise Unavailable("the database is away")

    one.sharing._outgoing = type("Away", (), {"send": staticmethod(away)})()
    with pytest.raises(Unavailable):
        await one.sharing.hand_over(ACTOR, "c-1", HOME)
    with pytest.raises(Unavailable):
        await one.sharing.resume()
    assert await one.sharing.home("c-1") == HOME
