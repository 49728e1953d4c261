"""What waits for a caller: only what is his, until it is done, and what there is too much of."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.web.fixture_world import World, world

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.approval import Approval, Demand, Limits
from zhidao.finance.events.banks import ApprovalAsked
from zhidao.finance.service.control.approvals import Approvals
from zhidao.node.shipment_timeline.build import summary
from zhidao.node.shipment_timeline.view import TimelineList
from zhidao.node.worklist import sources
from zhidao.node.worklist.service import ITEMS_MAX, Source, WorkItem, Worklists
from zhidao.store.memory import MemoryJournal


def person(party: str, name: str = "", role: Role = Role.PARTY) -> Actor:
    return Actor(PartyId(party), role, person=name)


class Roads:
    """The timelines of the pages' own world."""

    def __init__(self, made: World) -> None:
        self._made = made

    async def timelines(self, actor: Actor) -> TimelineList:
        del actor
        return TimelineList(roads=[summary(self._made.timeline(name)) for name in self._made.of])


async def waiting(source: Source, actor: Actor) -> list[tuple[str, str]]:
    return [(item.act, item.subject) for item in (await Worklists([source]).of(actor)).items]


async def test_moves_go_to_whose_they_are() -> None:
    source = sources.moves(Roads(world()))
    assert await waiting(source, person("customs")) == [("border", "C-2041"), ("border", "C-2042")]
    assert ("papers_mend", "C-2043") in await waiting(source, person("exporter"))
    for role in (Role.AUDITOR, Role.ADMIN, Role.OPERATOR):
        assert await waiting(source, person("customs", role=role)) == []
    assert await waiting(source, person("exporter-bank")) == []


async def test_an_approval_waits_for_the_second_person_and_no_other() -> None:
    made = World()
    records = Records(MemoryJournal(), made.scribe)
    service = Approvals(records=records, clock=made.clock, limits=Limits.parse("USD 1.00"))
    bank = person("importer-bank", "ada")
    amount = Money(500, Currency("USD"))
    demand = Demand("deposit", "D-1", amount, {"n": 1}, [("importer", amount.minor)])
    with pytest.raises(Refused):
        await service.demand(bank, demand)
    source = sources.approvals(service)
    assert await waiting(source, bank) == []
    assert await waiting(source, person("importer-bank")) == [], "a token is no person"
    assert await waiting(source, person("exporter-bank", "eve")) == []
    (found,) = await waiting(source, person("importer-bank", "ben"))
    assert found[0] == "deposit"
    await service.decide(person("importer-bank", "ben"), found[1], approve=True)
    assert await waiting(source, person("importer-bank", "cem")) == []


@pytest.mark.bound("node.worklist.service.ITEMS_MAX")
@pytest.mark.parametrize("past", [0, 1])
async def test_more_than_a_person_looks_at_is_said_to_be_more(past: int) -> None:
    async def many(actor: Actor) -> Sequence[WorkItem]:
        del actor
        return [
            WorkItem(kind="move", act="lot", subject=str(n), label="")
            for n in range(ITEMS_MAX + past)
        ]

    found = await Worklists([many]).of(person("exporter"))
    assert (len(found.items), found.more) == (ITEMS_MAX, bool(past))


@pytest.mark.bound("node.worklist.sources.LOOKS_MAX")
async def test_a_list_is_looked_through_no_further_than_its_bound() -> None:
    asked: list[str] = []

    class Endless:
        async def approvals(self, actor: Actor, *, limit: int, after: str = "") -> list[Approval]:
            del actor
            asked.append(after)
            return [_approval(f"{len(asked):04}-{n}") for n in range(limit)]

    found = await sources.approvals(Endless())(person("importer-bank", "ben"))
    assert len(found) == sources.LOOKS_MAX
    assert len(asked) == len(set(asked)) == sources.LOOKS_MAX // 100


def _approval(name: str) -> Approval:
    asked = ApprovalAsked(
        approval=name, act="deposit", subject="D", amount_minor="1", currency="USD", said={}
    )
    at = Utc.parse("2026-03-02T01:10:00Z")
    return Approval(asked=asked, party="b", asked_at=at, version=1, approved_by=(), refused_by="")
