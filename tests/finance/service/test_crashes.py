"""A crash before or after any word to a neighbour: the road still ends in the same place, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from zhidao.core.errors import Unavailable
from zhidao.core.timescale import Utc
from zhidao.devices.events import SubmissionRefused
from zhidao.finance.events import Decided, Settled


class Crash(Exception):
    """The process dies here."""


class Plan:
    """Counts the words to neighbours and dies (or fails) at one of them."""

    def __init__(self, at: int, error: type[Exception] = Crash) -> None:
        self.at = at
        self.error = error
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise self.error(f"at {self.count}")


class Doomed:
    """A neighbour on whose every call the plan has a say: before it works and after."""

    def __init__(self, inner: Any, plan: Plan) -> None:
        self._inner = inner
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self._plan.step()
            answer = await inner(*arguments, **named)
            self._plan.step()
            return answer

        return call


Step = Callable[[Any], Awaitable[object]]


def paid_road(facts: Any) -> list[Step]:
    return [
        lambda w: w.deals.open(facts.actor("importer-bank"), facts.deal),
        lambda w: w.deals.reserve_title(facts.actor("exporter"), "D-1"),
        lambda w: w.papers_agree(),
        lambda w: w.customs_release(),
        lambda w: w.tell(facts.proven()),
        lambda w: w.deals.tick(),
    ]


def refused_road(facts: Any) -> list[Step]:
    refused = SubmissionRefused(terminal="T-1", reason="wrong_token", sentence="No.")

    async def time_passes(world: Any) -> None:
        world.durable.scenario.set(Utc.parse("2026-05-01T12:30:00Z"))
        for _ in range(4):
            await world.deals.tick()

    return [
        lambda w: w.deals.open(facts.actor("importer-bank"), facts.deal),
        lambda w: w.deals.reserve_title(facts.actor("exporter"), "D-1"),
        lambda w: w.tell(refused),
        time_passes,
    ]


async def travel(make_world: Any, durable: Any, plan: Plan, road: list[Step]) -> bool:
    """Goes the road; after a crash with a new process, from the step that was cut off."""
    world = make_world(durable, lambda inner: Doomed(inner, plan))
    crashed = False
    for step in road:
        try:
            await step(world)
            await world.go_on()
        except plan.error:
            crashed = True
            world = make_world(durable)
            await step(world)
            await world.go_on()
    survivor = make_world(durable)
    for _ in range(4):
        await survivor.deals.tick()
    return crashed or plan.count >= plan.at


async def end(make_world: Any, durable: Any) -> dict[str, Any]:
    world = make_world(durable)
    deal = await world.state()
    written = [entry.event.type for entry in durable.journal.written]
    assert written.count(Decided.TYPE) == 1
    assert written.count(Settled.TYPE) == 1
    assert await durable.index.open() == ()
    assert sum(account.balance for account in await world.ledger.accounts("CNY")) == 0
    assert all(account.debits_pending == 0 for account in await world.ledger.accounts("CNY"))
    batches = await durable.store.batches("CNY", after=0)
    return {
        "state": deal.state,
        "reason": deal.settled.reason,
        "holder": durable.titles.holder,
        "moves": len(durable.titles.sent),
        "custody": durable.titles.custody,
        "balances": await world.balances(),
        "transfers": sum(len(batch.records) for batch in batches),
    }


@pytest.mark.slow
@pytest.mark.parametrize("error", [Crash, Unavailable])
@pytest.mark.parametrize("road", [paid_road, refused_road])
async def test_a_crash_anywhere_ends_in_both_sides_or_neither(
    make_durable: Any, make_world: Any, facts: Any, road: Any, error: type[Exception]
) -> None:
    whole = make_durable()
    await make_world(whole).fill()
    assert not await travel(make_world, whole, Plan(10**9), road(facts))
    expected = await end(make_world, whole)
    assert expected["moves"] == 1
    assert expected["state"] == ("paid" if road is paid_road else "refused")
    at = 0
    while True:
        at += 1
        durable = make_durable()
        await make_world(durable).fill()
        if not await travel(make_world, durable, Plan(at, error), road(facts)):
            break
        assert await end(make_world, durable) == expected, f"after a crash at word {at}"
    assert at > 60, "the roads have many words to neighbours"
