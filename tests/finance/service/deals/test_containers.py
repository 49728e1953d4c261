"""A deal of several containers is paid when each of them arrived, and not before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from zhidao.core.errors import Refused
from zhidao.finance.events import DealOpened
from zhidao.positioning.events import Carried

FIRST, SECOND, THIRD = "CSQU3054383", "MSCU6639870", "MSKU1234565"
ALL = [
    Carried(container=container, terminal=f"T-{number}")
    for number, container in enumerate((FIRST, SECOND, THIRD), 1)
]


@pytest.fixture
def several(world: Any) -> Any:
    """The world where the entry names three containers."""
    known = world.durable.consignments
    told = known.consignment

    async def consignment(actor: Any, name: str) -> Any:
        seen = await told(actor, name)
        entered = msgspec.structs.replace(seen.entered, containers=[FIRST, SECOND, THIRD])
        return msgspec.structs.replace(seen, entered=entered)

    known.consignment = consignment
    return world


def proven(facts: Any, ride: Carried, **changes: Any) -> Any:
    marks = {"inside_risk_ppb": 1, **changes.pop("marks", {})}
    fact = facts.proven()
    return msgspec.structs.replace(
        fact,
        terminal=ride.terminal,
        container=ride.container,
        marks=msgspec.structs.replace(fact.marks, **marks),
        **changes,
    )


async def test_three_of_three_pay_and_two_do_not(several: Any, facts: Any) -> None:
    deal = await several.opened(terminal="", carried=ALL)
    assert [need for need in deal.needs if need.startswith("arrival")] == [
        f"arrival:{container}" for container in (FIRST, SECOND, THIRD)
    ]
    await several.papers_agree()
    await several.customs_release()
    for ride in ALL[:2]:
        await several.tell(proven(facts, ride))
    deal = await several.state()
    assert (deal.state, deal.missing) == ("reserved", (f"arrival:{THIRD}",))
    # The same again, another's terminal for the third, and one that names no container.
    await several.tell(proven(facts, ALL[0]))
    await several.tell(proven(facts, Carried(container=THIRD, terminal="T-1")))
    await several.tell(proven(facts, Carried(container="", terminal="T-3")))
    assert (await several.state()).missing == (f"arrival:{THIRD}",)
    await several.tell(proven(facts, ALL[2]))
    assert (await several.state()).state == "paid"


async def test_together_they_bear_no_more_risk_than_was_asked(several: Any, facts: Any) -> None:
    deal = await several.opened(terminal="", carried=ALL)
    asked_ppb = deal.opened.conditions.risk_ppb
    await several.tell(proven(facts, ALL[0], marks={"inside_risk_ppb": asked_ppb // 3 + 1}))
    assert f"arrival:{FIRST}" in (await several.state()).missing
    await several.tell(proven(facts, ALL[0], marks={"inside_risk_ppb": asked_ppb // 3}))
    assert f"arrival:{FIRST}" not in (await several.state()).missing


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"terminal": "T-1"}, "containers_missing"),
        ({"terminal": "", "carried": ALL[:2]}, "containers_missing"),
        ({"terminal": "T-1", "carried": ALL}, "containers_missing"),
        (
            {"terminal": "", "carried": [*ALL, Carried(container="TGHU7654321", terminal="T-4")]},
            "other_container",
        ),
        (
            {"terminal": "", "carried": [*ALL[:2], Carried(container=THIRD, terminal="T-1")]},
            "terminal_twice",
        ),
        ({"terminal": "", "carried": [*ALL, ALL[0]]}, "terminal_twice"),
    ],
)
async def test_a_deal_names_each_container_once(several: Any, changes: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        await several.opened(**changes)
    assert refused.value.code == code


async def test_a_deal_of_one_container_names_no_other(world: Any, facts: Any) -> None:
    with pytest.raises(Refused) as refused:
        await world.opened(terminal="", carried=ALL[:1])
    assert refused.value.code == "other_container"
    await world.opened()
    one = facts.proven()
    await world.tell(msgspec.structs.replace(one, container=FIRST))
    assert "arrival" in (await world.state()).missing


def test_a_deal_of_one_container_is_written_as_before(facts: Any) -> None:
    one = DealOpened(**{f: getattr(facts.deal, f) for f in facts.deal.__struct_fields__})
    assert (one.told_as, "carried" in one.payload()) == ("finance.DealOpened.v1", False)
    many = msgspec.structs.replace(one, terminal="", carried=ALL)
    assert (many.told_as, "carried" in many.payload()) == ("finance.DealOpened.v2", True)
