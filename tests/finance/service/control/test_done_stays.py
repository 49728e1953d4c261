"""What two persons' words carried out stays so, whoever leaves and however long ago it was."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from tests.finance.service.control.test_daily_totals import KINDS, LIMIT, MINOR, by, refused
from tests.finance.service.control.test_name_holds import bank_with, pays, say, told, waits
from tests.finance.service.control.test_whose_word_counts import BANK, Staff, whole

from zhidao.core.actor import Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS
from zhidao.finance.domain.payments.approval import (
    APPROVE,
    DONE,
    GOOD_FOR_S,
    LAPSE,
    REFUSE,
    TURNED_DOWN,
    Approval,
    Demand,
    Limits,
)
from zhidao.finance.events.banks import ApprovalGiven
from zhidao.finance.service.control.acting_again import ActingAgain
from zhidao.finance.service.control.approval_histories import ApprovalHistories
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.carried_out import NOT_YET

__all__ = ["whole"]  # A fixture.
PERSONS = ("aida", "bolat", "chen")


def staffed(world: Any, *names: str, party: str = BANK) -> Approvals:
    """The approvals of a process that just began, at which these persons stand."""
    staff = Staff()
    staff.are(dict.fromkeys(names, Role.PARTY), party=party)
    clock, limits = world.durable.clock, Limits.parse(LIMIT)
    return Approvals(records=world.records, clock=clock, limits=limits, persons=staff)


def later(world: Any, days: int) -> None:
    clock = world.durable.clock
    clock.set(clock.now().plus_ns(days * 86_400 * NS))


def left(approvals: Approvals, *, who: str, party: str) -> None:
    """From now on this person stands no more."""
    staff = Staff()
    staff.are(dict.fromkeys({*PERSONS} - {who}, Role.PARTY), party=party)
    approvals._persons = staff


async def words(world: Any, name: str) -> list[str]:
    history: tuple[SignedEvent, ...] = await world.records.history(f"approval/{name}")
    return [
        f"{given.person} {given.verdict}"
        for event in history
        if event.type == ApprovalGiven.TYPE
        for given in [ApprovalGiven.of(event)]
    ]


async def write(world: Any, party: str, name: str, *said: tuple[str, str]) -> None:
    """Words as an earlier version wrote them."""
    for person, verdict in said:
        history = await world.records.history(f"approval/{name}")
        fact = ApprovalGiven(approval=name, person=person, verdict=verdict)
        await world.records.record(
            by(party), f"approval/{name}", [fact], after=len(history), owner=by(party).party
        )


async def nobody_says_more(approvals: Approvals, party: str, name: str) -> Approval:
    """Every other word is a Conflict, and the same one again changes nothing."""
    for person, approve in (("aida", False), ("chen", True), ("chen", False)):
        with pytest.raises(Conflict) as error:
            await approvals.decide(by(party, person), name, approve=approve, reason="late")
        assert error.value.code == "approved_already"
    await approvals.decide(by(party, "aida"), name, approve=True)
    return await approvals.approval(by(party), name)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_done_takes_no_other_word(whole: Any, kind: str) -> None:
    acts = await KINDS[kind](whole)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    name = one.asked.approval
    for person in ("aida", "bolat"):
        await acts.approvals.decide(by(acts.party, person), name, approve=True)
    if not (await acts.approvals.approval(by(acts.party), name)).done:
        await acts.do(2)  # Of a kind that this world has nobody to carry out.
    said = await words(whole, name)
    assert said == ["aida approve", "bolat approve", " done"]
    left(acts.approvals, who="bolat", party=acts.party)
    for days in (0, 4, 400):
        later(whole, days)
        found = await nobody_says_more(acts.approvals, acts.party, name)
        assert (found.state, found.approved_by) == ("approved", ("aida", "bolat"))
    assert await words(whole, name) == said


async def _deposited(world: Any) -> tuple[Any, str, str]:
    acts = await KINDS["deposit"](world)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    for person in ("aida", "bolat"):
        await acts.approvals.decide(by(acts.party, person), one.asked.approval, approve=True)
    return acts.approvals, acts.party, one.asked.approval


async def _paid(world: Any) -> tuple[Any, str, str]:
    acts = await KINDS["pay"](world)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    for person in ("aida", "bolat"):
        await acts.approvals.decide(by(acts.party, person), one.asked.approval, approve=True)
    return acts.approvals, acts.party, one.asked.approval


async def _released(world: Any) -> tuple[Any, str, str]:
    services = await bank_with(world)
    await told(services, pays(services))
    name = await waits(services.approvals, BANK)
    await say(services, BANK, "aida", "bolat")
    return services.approvals, BANK, name


WAYS = {"deposit": _deposited, "pay": _paid, "release": _released}


async def _of_old(world: Any, way: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str, str]:
    """Done by a version that did not write down that it was."""

    async def not_written(self: ApprovalHistories, approval: Approval, became: str) -> Approval:
        return approval

    with monkeypatch.context() as patch:
        patch.setattr(ApprovalHistories, "end", not_written)
        made = await WAYS[way](world)
    assert await words(world, made[2]) == ["aida approve", "bolat approve"]
    return made


@pytest.mark.parametrize("days", [0, 4])
@pytest.mark.parametrize(
    "since", [(), (("bolat", LAPSE),), (("bolat", LAPSE), ("aida", REFUSE))], ids=len
)
@pytest.mark.parametrize("way", WAYS)
async def test_what_an_earlier_version_did_is_found_at_the_start(
    whole: Any,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    since: tuple[tuple[str, str], ...],
    days: int,
) -> None:
    approvals, party, name = await _of_old(whole, way, monkeypatch)
    left(approvals, who="bolat", party=party)
    await write(whole, party, name, *since)
    later(whole, days)
    await ActingAgain(approvals, whole.durable.clock).tick()
    found = await nobody_says_more(approvals, party, name)
    assert (found.state, found.approved_by, found.refused_by) == (
        *("approved", ("aida", "bolat")),
        "",
    )
    assert await words(whole, name) == [
        *("aida approve", "bolat approve"),
        *(f"{person} {verdict}" for person, verdict in since),
        " done",
    ]
    assert await approvals.decided() == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_word_before_the_start_was_over_finds_it_done(
    whole: Any, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    approvals, party, name = await _of_old(whole, way, monkeypatch)
    left(approvals, who="bolat", party=party)
    later(whole, 4)
    assert (await nobody_says_more(approvals, party, name)).done


async def test_what_is_done_by_the_second_ones_own_request_is_kept(whole: Any) -> None:
    acts = await KINDS["pay"](whole)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    name = one.asked.approval
    await write(whole, acts.party, name, ("aida", APPROVE), ("bolat", APPROVE))
    assert await refused(acts.do(2)) == ""
    again = ActingAgain(acts.approvals, whole.durable.clock)
    await again.tick()
    later(whole, 4)
    assert (await nobody_says_more(acts.approvals, acts.party, name)).done


async def test_a_refusal_that_was_carried_out_stays(whole: Any) -> None:
    services = await bank_with(whole)
    data = pays(services)
    await told(services, data)
    name = await waits(services.approvals, BANK)
    await say(services, BANK, "aida", approve=False)
    assert await words(whole, name) == ["aida refuse", " turned_down"]
    later(whole, 4)
    with pytest.raises(Conflict) as error:
        await services.approvals.decide(by(BANK, "bolat"), name, approve=True)
    assert error.value.code == "refused_by_person"
    found = await services.approvals.approval(by(BANK), name)
    assert (found.state, found.refused_by, found.reason) == (
        *("refused", "aida"),
        "the same date of birth",
    )


def _demand() -> Demand:
    return Demand("act", "x", Money(2 * MINOR, Currency("CNY")), {"what": "x"}, [("a", MINOR)])


async def test_what_leaves_nothing_that_stands_takes_new_words_to_be_done_once_more(
    world: Any,
) -> None:
    approvals = staffed(world, *PERSONS)
    done: list[str] = []

    async def act(actor: Any, said: Mapping[str, Any]) -> None:
        done.append(str(said["what"]))

    async def asked(person: str = "") -> str:
        return await refused(approvals.demand(by(BANK, person), _demand()))

    approvals.carries_out("act", act)
    assert await asked() == "needs_two_persons"
    [one] = await approvals.approvals(by(BANK), limit=10)
    name = one.asked.approval
    for person in ("aida", "bolat"):
        await approvals.decide(by(BANK, person), name, approve=True)
    assert await asked() == ""  # These words still count for it.
    world.durable.clock.set(world.durable.clock.now().plus_ns((GOOD_FOR_S + 1) * NS))
    assert (await nobody_says_more(approvals, BANK, name)).state == "approved"
    assert done == ["x"]
    # A token asks for it once more: the two of then do not say so.
    assert await asked() == "needs_two_persons"
    found = await approvals.approval(by(BANK), name)
    assert (found.state, found.approved_by, found.done) == ("waits", (), False)
    assert await asked("aida") == "needs_two_persons"
    told = await approvals.decide(by(BANK, "chen"), name, approve=True)
    assert (told.state, told.approved_by, told.done) == ("approved", ("aida", "chen"), True)
    assert done == ["x", "x"]
    # Nor do they once one of them left, however short ago.
    left(approvals, who="chen", party=BANK)
    assert await asked() == "needs_two_persons"


async def test_what_came_to_nothing_is_not_done_and_may_be_refused(world: Any) -> None:
    approvals = staffed(world, *PERSONS)
    not_now = True

    async def act(actor: Any, said: Mapping[str, Any]) -> object:
        if not_now:
            raise Refused("not now", code="not_now")
        return NOT_YET

    approvals.carries_out("act", act)
    assert await refused(approvals.demand(by(BANK, "aida"), _demand())) == "needs_two_persons"
    [one] = await approvals.approvals(by(BANK), limit=10)
    name = one.asked.approval
    for not_now in (True, False):
        told = approvals.decide(by(BANK, "bolat"), name, approve=True)
        assert await refused(told) == ("not_now" if not_now else "")
    assert await words(world, name) == ["aida approve", "bolat approve"]
    found = await approvals.decide(by(BANK, "chen"), name, approve=False)
    assert (found.state, found.refused_by) == ("refused", "chen")


async def test_of_two_words_at_once_one_end_is_written(whole: Any) -> None:
    acts = await KINDS["deposit"](whole)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    name = one.asked.approval
    said = [acts.approvals.decide(by(acts.party, who), name, approve=True) for who in PERSONS]
    told = await asyncio.gather(*said, return_exceptions=True)
    assert not any(isinstance(each, BaseException) for each in told if not _late(each))
    assert (await words(whole, name)).count(f" {DONE}") == 1
    assert f" {TURNED_DOWN}" not in await words(whole, name)


def _late(each: object) -> bool:
    return isinstance(each, Conflict) and each.code == "approved_already"
