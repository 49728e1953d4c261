"""A word counts of a person whose role may do the act, when it is given and when the act is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.finance.service.control.test_daily_totals import KINDS, MINOR, by, refused
from tests.finance.service.control.test_name_holds import LISTED, bank_with, waits

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden, Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.payments.approval import Demand, Limits
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals

BANK = "importer-bank"
OTHERS = [Role.OPERATOR, Role.AUDITOR, Role.ADMIN]


@pytest.fixture
def whole(world: Any, facts: Any) -> Any:
    world.deal = facts.deal
    return world


@dataclass
class Staff:
    """Who stands, in memory."""

    known: dict[str, Actor] = field(default_factory=dict)

    def are(self, names: Mapping[str, Role], party: str = BANK) -> None:
        self.known = {name: Actor(PartyId(party), role, name) for name, role in names.items()}

    async def standing(self, name: str) -> Actor | None:
        return self.known.get(name)


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_speaks_for_an_act_who_may_not_do_it(whole: Any, kind: str) -> None:
    acts = await KINDS[kind](whole)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    for role in OTHERS:
        for approve in (True, False):
            with pytest.raises(Forbidden):
                await acts.approvals.decide(
                    Actor(PartyId(acts.party), role, "chen"), one.asked.approval, approve=approve
                )
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    assert (one.state, one.approved_by) == ("waits", ())


async def test_to_ask_is_a_word_only_of_whoever_may_do_it(world: Any) -> None:
    approvals = Approvals(
        records=world.records, clock=world.durable.clock, limits=Limits.parse("CNY 1.00")
    )
    demand = Demand("act", "one", Money(MINOR, Currency("CNY")), {}, [("a", MINOR)])
    for person, role in (("chen", Role.OPERATOR), ("dana", Role.OPERATOR), ("aida", Role.PARTY)):
        assert await refused(approvals.demand(Actor(PartyId(BANK), role, person), demand)) != ""
    [one] = await approvals.approvals(by(BANK), limit=10)
    assert one.approved_by == ("aida",)


async def test_of_a_bank_to_be_admitted_only_they_speak_who_may_admit_it(world: Any) -> None:
    services = await bank_with(world)
    new = BankAdmitted(bank="carrier", name=LISTED, bic="CARRKZKA", town="Goma", country="CD")
    with pytest.raises(Refused):
        await world.accounts.admit(Actor(PartyId("operator"), Role.OPERATOR), new)
    name = await waits(services.approvals, "node")
    with pytest.raises(Forbidden):
        await services.approvals.decide(by("node", "aida"), name, approve=True)
    for person in ("berik", "chen"):
        operator = Actor(PartyId("node"), Role.OPERATOR, person)
        await services.approvals.decide(operator, name, approve=True)
    assert await world.accounts.bank("carrier") == new


@pytest.mark.parametrize("role", [None, *OTHERS])
async def test_the_word_of_who_left_or_got_another_role_counts_no_more(
    world: Any, role: Role | None
) -> None:
    staff = Staff()
    staff.are(dict.fromkeys(("aida", "bolat", "dana"), Role.PARTY))
    approvals = Approvals(
        records=world.records,
        clock=world.durable.clock,
        limits=Limits.parse("CNY 1.00"),
        persons=staff,
    )
    done: list[str] = []

    async def act(actor: Actor, said: Mapping[str, Any]) -> None:
        done.append(str(said["what"]))

    approvals.carries_out("act", act)
    demand = Demand("act", "x", Money(MINOR, Currency("CNY")), {"what": "x"}, [("a", MINOR)])
    assert await refused(approvals.demand(by(BANK, "aida"), demand)) == "needs_two_persons"
    del staff.known["aida"]
    if role is not None:
        staff.known["aida"] = Actor(PartyId(BANK), role, "aida")
    [one] = await approvals.approvals(by(BANK), limit=10)
    name = one.asked.approval
    for _ in range(2):
        told = await approvals.decide(by(BANK, "bolat"), name, approve=True)
        assert (told.state, told.approved_by, done) == ("waits", ("bolat",), [])
        assert told.reason.startswith("aida approved, and was withdrawn, waits or has another role")
    with pytest.raises(Refused, match="1 approved so far; aida approved, and was withdrawn"):
        await approvals.demand(by(BANK, "bolat"), demand)
    told = await approvals.decide(by(BANK, "dana"), name, approve=True)
    assert (told.state, told.approved_by, told.reason) == ("approved", ("bolat", "dana"), "")
    assert done == ["x"]


async def test_what_was_decided_is_not_done_later_by_the_word_of_who_left(world: Any) -> None:
    staff = Staff()
    staff.are(dict.fromkeys(("aida", "bolat"), Role.PARTY))
    approvals = Approvals(
        records=world.records,
        clock=world.durable.clock,
        limits=Limits.parse("CNY 1.00"),
        persons=staff,
    )
    demand = Demand("act", "x", Money(MINOR, Currency("CNY")), {}, [("a", MINOR)])
    assert await refused(approvals.demand(by(BANK, "aida"), demand)) == "needs_two_persons"
    assert await refused(approvals.demand(by(BANK, "bolat"), demand)) == ""
    del staff.known["bolat"]
    done: list[str] = []

    async def act(actor: Actor, said: Mapping[str, Any]) -> None:
        done.append("x")

    approvals.carries_out("act", act, again=True)
    [name] = await approvals.decided()
    await approvals.act_again(name)
    assert done == []
    assert await refused(approvals.demand(by(BANK), demand)) == "needs_two_persons"


async def test_who_does_not_stand_gives_no_word_and_asking_is_none(world: Any) -> None:
    staff = Staff()
    staff.are(dict.fromkeys(("aida", "bolat"), Role.PARTY))
    approvals = Approvals(
        records=world.records,
        clock=world.durable.clock,
        limits=Limits.parse("CNY 1.00"),
        persons=staff,
    )
    demand = Demand("act", "x", Money(MINOR, Currency("CNY")), {}, [("a", MINOR)])
    assert await refused(approvals.demand(by(BANK, "chen"), demand)) == "needs_two_persons"
    [one] = await approvals.approvals(by(BANK), limit=10)
    assert one.approved_by == ()
    for approve in (True, False):
        with pytest.raises(Forbidden) as error:
            await approvals.decide(by(BANK, "chen"), one.asked.approval, approve=approve)
        assert error.value.code == "person_waits"
    for name in ("aida", "bolat"):
        told = await approvals.decide(by(BANK, name), one.asked.approval, approve=True)
    assert (told.state, told.approved_by) == ("approved", ("aida", "bolat"))
