"""Several containers are awaited at once, each by its own terminal and with its share of risk."""

from __future__ import annotations

import pytest
from tests.positioning.service.conftest import BANK, OPERATOR

from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, Carried

FIRST, SECOND = "CSQU3054383", "MSCU6639870"
BOTH = (Carried(container=FIRST, terminal="T-1"), Carried(container=SECOND, terminal="T-2"))


async def test_each_container_is_awaited_with_its_share_of_the_risk(world) -> None:
    await world.expect(terminal="", carried=BOTH)
    await world.expect(terminal="", carried=BOTH[::-1])
    written = [e.event for e in world.journal.written if ArrivalExpected.is_told_by(e.event.type)]
    facts = [ArrivalExpected.of(event) for event in written]
    assert [(f.container, f.terminal, f.risk_ppb) for f in facts] == [
        (FIRST, "T-1", 50_000),
        (SECOND, "T-2", 50_000),
    ]
    assert {event.type for event in written} == {"positioning.ArrivalExpected.v2"}
    with pytest.raises(Conflict):
        await world.expect(terminal="T-1")
    with pytest.raises(Conflict):
        await world.expect(terminal="", carried=BOTH[:1])


@pytest.mark.parametrize(
    ("carried", "code"),
    [
        ((BOTH[0], Carried(container=SECOND, terminal="T-1")), "terminal_twice"),
        ((BOTH[0], Carried(container=FIRST, terminal="T-2")), "container_twice"),
        ((BOTH[0], BOTH[0]), "container_twice"),
    ],
)
async def test_each_container_has_a_terminal_of_its_own(world, carried, code: str) -> None:
    with pytest.raises(Refused) as refused:
        await world.expect(terminal="", carried=carried)
    assert refused.value.code == code


async def test_a_wish_is_for_one_terminal_or_for_each_container(world) -> None:
    for wrong in (
        {"carried": BOTH},
        {"terminal": ""},
        {"terminal": "", "carried": (BOTH[0], Carried(container="", terminal="T-2"))},
        {"terminal": "", "carried": (BOTH[0], Carried(container=SECOND, terminal="a/b"))},
    ):
        with pytest.raises(MalformedInput):
            await world.expect(**wrong)
    with pytest.raises(Refused):
        await world.expect(terminal="", carried=BOTH, risk_ppb=1)


async def test_one_of_two_is_not_the_arrival_and_both_are(world, afternoon) -> None:
    await world.navigation.add(OPERATOR, afternoon.navigation_file)
    await world.expect(terminal="", carried=BOTH, risk_ppb=200_000)
    await world.arrivals.on_window(world.window(afternoon.window))
    half = await world.arrivals.arrival(BANK, "C-1")
    assert (half.state, half.proven) == ("expected", None)
    assert [(each.container, each.state) for each in half.containers] == [
        (FIRST, "proven"),
        (SECOND, "expected"),
    ]
    # The same terminal again proves nothing of the other container.
    await world.arrivals.on_window(world.window(afternoon.window))
    assert (await world.arrivals.arrival(BANK, "C-1")).state == "expected"
    await world.arrivals.on_window(world.window(afternoon.window, terminal="T-2"))
    whole = await world.arrivals.arrival(BANK, "C-1")
    assert whole.state == "proven"
    assert whole.proven is not None
    assert whole.proven.container == SECOND
    kinds = [e.event.type for e in world.journal.written if ArrivalProven.is_told_by(e.event.type)]
    assert kinds == ["positioning.ArrivalProven.v3"] * 2
    assert await world.arrivals.track(BANK, "C-1", container=FIRST)
    assert await world.arrivals.evidence(BANK, whole.containers[0].proven.evidence)
