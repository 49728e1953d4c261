"""What is awaited can be changed and withdrawn by whoever waits, until something is proven."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.positioning.service.conftest import BANK, OPERATOR

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.positioning.events import ArrivalExpected, ArrivalWithdrawn, Carried
from zhidao.positioning.service.attempts import attempt_of

FIRST, SECOND = "CSQU3054383", "MSCU6639870"
BOTH = (Carried(container=FIRST, terminal="T-1"), Carried(container=SECOND, terminal="T-2"))


async def change(world: Any, *, by: Actor = BANK, since: int = 1, **changes: Any) -> None:
    carried = changes.pop("carried", ())
    standing = await world.arrivals.arrival(BANK, "C-1")
    wanted = replace(standing.expected, container="", **changes)
    await world.arrivals.change(
        by, wanted, carried=carried, since=since, reason="the train is late"
    )


def told(world: Any) -> list[str]:
    kinds = (ArrivalExpected, ArrivalWithdrawn)
    written = [e.event for e in world.journal.written if e.event.aggregate == "arrival/C-1"]
    assert all(any(kind.is_told_by(e.type) for kind in kinds) for e in written)
    return [e.type.split(".")[1] for e in written]


async def test_what_is_awaited_is_changed_by_a_fact_and_the_same_again_by_none(world) -> None:
    await world.expect()
    await change(world, risk_ppb=5_000)
    await change(world, risk_ppb=5_000)
    assert told(world) == ["ArrivalExpected", "ArrivalWithdrawn", "ArrivalExpected"]
    found = await world.arrivals.arrival(BANK, "C-1")
    assert (found.state, found.expected.risk_ppb, found.version) == ("expected", 5_000, 3)
    # Who asks for what was awaited first finds it awaited in another way.
    with pytest.raises(Conflict):
        await world.expect()


async def test_a_withdrawn_arrival_is_awaited_by_nobody_until_somebody_asks_again(
    world, afternoon
) -> None:
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    await world.expect()
    await world.arrivals.withdraw(BANK, "C-1", since=1, reason="")
    await world.arrivals.withdraw(BANK, "C-1", since=1, reason="")
    assert (await world.arrivals.arrival(BANK, "C-1")).state == "withdrawn"
    await world.arrivals.on_window(world.window(afternoon.window))
    assert told(world) == ["ArrivalExpected", "ArrivalWithdrawn"]
    await world.expect()
    await world.arrivals.on_window(world.window(afternoon.window))
    assert (await world.arrivals.arrival(BANK, "C-1")).state == "proven"


async def test_what_was_withdrawn_is_told_whole_and_cannot_be_changed(world) -> None:
    await world.expect()
    await change(world, terminal="", carried=BOTH, risk_ppb=10_000)
    await world.arrivals.withdraw(BANK, "C-1", since=4, reason="")
    found = await world.arrivals.arrival(BANK, "C-1")
    assert (found.state, found.version) == ("withdrawn", 5)
    assert [(each.container, each.terminal) for each in found.containers] == [
        (FIRST, "T-1"),
        (SECOND, "T-2"),
    ]
    assert found.expected.risk_ppb == 5_000
    with pytest.raises(MalformedInput, match="nobody saw version 6"):
        await change(world, terminal="", carried=BOTH, risk_ppb=4_000, since=6)
    with pytest.raises(Refused) as refused:
        await change(world, terminal="", carried=BOTH, risk_ppb=4_000, since=5)
    assert refused.value.code == "nobody_waits"
    # Whoever saw it while it was awaited hears that it changed since.
    with pytest.raises(Conflict, match="awaited no more"):
        await change(world, terminal="", carried=BOTH, risk_ppb=4_000, since=4)
    await world.expect()
    assert (await world.arrivals.arrival(BANK, "C-1")).containers == []


async def test_a_terminal_that_is_awaited_no_more_proves_nothing(world, afternoon) -> None:
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    await world.expect()
    await change(world, terminal="T-2")
    await world.arrivals.on_window(world.window(afternoon.window))
    assert (await world.arrivals.arrival(BANK, "C-1")).state == "expected"
    await world.arrivals.on_window(world.window(afternoon.window, terminal="T-2"))
    assert (await world.arrivals.arrival(BANK, "C-1")).state == "proven"


async def test_what_was_changed_since_is_not_changed_again_unseen(world) -> None:
    await world.expect()
    await change(world, risk_ppb=5_000)
    for act in (
        change(world, risk_ppb=4_000),
        world.arrivals.withdraw(BANK, "C-1", since=1, reason=""),
    ):
        with pytest.raises(Conflict, match=f"{BANK.party} changed it at ") as stale:
            await act
        assert stale.value.code == "changed_since"
    await change(world, risk_ppb=4_000, since=3)


async def test_once_a_container_is_proven_nothing_can_be_changed(world, afternoon) -> None:
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    await world.expect(terminal="", carried=BOTH, risk_ppb=200_000)
    await world.arrivals.on_window(world.window(afternoon.window))
    version = (await world.arrivals.arrival(BANK, "C-1")).version
    for act in (
        change(world, terminal="", carried=BOTH, risk_ppb=100_000, since=version),
        world.arrivals.withdraw(BANK, "C-1", since=version, reason=""),
    ):
        with pytest.raises(Refused, match=FIRST) as decided:
            await act
        assert decided.value.code == "arrival_decided"


async def test_only_who_waits_changes_it(world) -> None:
    await world.expect(readers=("exporter",))
    other = Actor(PartyId("exporter"), Role.PARTY)
    for act in (
        change(world, by=other, risk_ppb=5_000),
        world.arrivals.withdraw(other, "C-1", since=1, reason=""),
    ):
        with pytest.raises(Forbidden):
            await act


async def test_a_window_that_failed_before_a_change_still_counts_as_an_attempt(
    world, afternoon
) -> None:
    """Who asks again in another way gets no new risk."""
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    later = world.last.plus_ns(3600 * 10**9)
    await world.expect(not_before=later, not_after=later.plus_ns(10**9))
    await world.arrivals.on_window(world.window(afternoon.window))
    found = await world.arrivals.arrival(BANK, "C-1")
    assert [each.reason for each in found.not_proven] == ["too_early"]
    await change(world, risk_ppb=5_000, since=found.version)
    written = (e.event for e in world.journal.written)
    history = [event for event in written if event.aggregate == "arrival/C-1"]
    asked = (await world.arrivals.arrival(BANK, "C-1")).expected
    assert attempt_of(asked, history) == 2
