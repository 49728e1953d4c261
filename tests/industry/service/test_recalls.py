"""Recalls on memory and on PostgreSQL: who may, what is frozen and flagged, pressed twice, the end."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.industry.domain.test_trace import GTIN, made, turned, when
from tests.industry.service.recalling import (
    AUTHORITY,
    EVENTS,
    LOT,
    MAKER,
    READER,
    SERIALS,
    STRANGER,
    Recalling,
    in_memory,
    on_postgres,
    other,
)

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound
from zhidao.core.ids import PartyId
from zhidao.industry.domain.recall import Frozen
from zhidao.industry.events import (
    ConsignmentCleared,
    ConsignmentFlagged,
    RecallDrilled,
    RecallOpened,
    RecallRefused,
)
from zhidao.industry.service import recalls
from zhidao.industry.service.recalls import FLAGS_MAX, REASON_CHARS_MAX, SERIES_MAX


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def kept(request: pytest.FixtureRequest) -> Any:
    """The database, or None for memory."""
    return request.getfixturevalue("database") if request.param == "postgres" else None


@pytest.fixture
async def world(kept: Any) -> Recalling:
    told = in_memory() if kept is None else await on_postgres(kept)
    await told.capture(*EVENTS, readers=[READER, AUTHORITY])
    return told


async def opened(world: Recalling, by: Actor = MAKER, **more: Any) -> Any:
    return await world.recalls.open(by, **({"lot": LOT, "level": 1, "reason": "leaks"} | more))


async def facts(world: Recalling, kind: Any, *aggregates: str) -> list[Any]:
    histories = [await world.journal.load(aggregate, viewer=None) for aggregate in aggregates]
    events = [entry.event for history in histories for entry in history]
    return [kind.of(event) for event in events if kind.is_told_by(event.type)]


async def test_a_recall_freezes_what_was_found_and_flags_who_holds_it(world: Recalling) -> None:
    told = await opened(world)
    assert (told.state, told.by, told.opened.speaks_as) == ("open", MAKER.party, "maker")
    assert (told.opened.made, told.opened.carried, told.opened.cut_short) == (4, 1, False)
    name = told.opened.recall
    assert await world.recalls.flagged(name) == ["C-00000", "C-00001"]
    frozen = await world.recalls.things(MAKER, name)
    assert frozen == Frozen(tuple(SERIALS), ("urn:case",), (), cut_short=False)
    # What happens afterwards does not change what was said.
    await world.capture(turned(50, [SERIALS[0]], ["urn:more"]))
    assert await world.recalls.things(MAKER, name) == frozen
    [flag] = await facts(world, ConsignmentFlagged, f"recalled/{name}/C-00001")
    assert (flag.lot, flag.level, flag.lots) == (LOT, 1, ["PO-1/L-1"])
    assert world.holds.asked == [("PO-1", "L-1")]


async def test_who_holds_the_goods_is_told_and_others_are_not(world: Recalling) -> None:
    name = (await opened(world)).opened.recall
    for actor in (MAKER, READER):
        [(flag, cleared)] = await world.recalls.flags_of(actor, "C-00000")
        assert (flag.recall, cleared) == (name, False)
        assert (await world.recalls.recall(actor, name)).opened.reason == "leaks"
    assert await world.recalls.flags_of(STRANGER, "C-00000") == []
    for ask in (world.recalls.recall, world.recalls.things):
        with pytest.raises(NotFound):
            await ask(STRANGER, name)
    with pytest.raises(Forbidden):
        await world.recalls.things(READER, name)
    assert await world.recalls.recalls(STRANGER, limit=10) == []


async def test_pressed_twice_it_stands_once_and_flags_who_came_since(world: Recalling) -> None:
    first = await opened(world)
    assert await opened(world) == first
    world.holds.count = 3
    assert await opened(world) == first
    assert len(await world.recalls.flagged(first.opened.recall)) == 3
    with pytest.raises(Conflict) as refused:
        await opened(world, level=2)
    assert refused.value.code == "recall_stands"


async def test_several_that_open_at_once_open_one(world: Recalling) -> None:
    told = await asyncio.gather(*(opened(world) for _ in range(3)))
    assert {each.opened.recall for each in told} == {told[0].opened.recall}
    assert len(await world.recalls.recalls(MAKER, limit=10)) == 1


async def test_a_lot_that_is_unknown_and_one_that_is_hidden_are_alike(world: Recalling) -> None:
    told = []
    for actor, lot in ((MAKER, f"{GTIN}/10/NONE"), (STRANGER, LOT)):
        with pytest.raises(NotFound) as refused:
            await opened(world, actor, lot=lot)
        told.append(str(refused.value))
    assert told[0] == told[1]


async def test_a_stranger_that_sees_the_lot_is_refused_and_that_is_written_once(
    world: Recalling,
) -> None:
    for call in (opened, opened, drilled):
        with pytest.raises(Forbidden) as refused:
            await call(world, READER)
        assert refused.value.code == "not_the_maker"
    aggregate = f"recall-refused/{recalls.series_of(READER.party, LOT)}"
    [fact] = await facts(world, RecallRefused, aggregate)
    assert (fact.party, fact.lot) == (READER.party, LOT)
    assert await world.recalls.flagged("") == []


async def drilled(world: Recalling, by: Actor = MAKER) -> RecallDrilled:
    return await world.recalls.drill(by, lot=LOT, level=1)


async def test_who_says_later_that_it_made_the_lot_is_not_its_maker(world: Recalling) -> None:
    world.clock.set(world.clock.now().plus_ns(10**9))
    again = made(0, *SERIALS, ilmd={"cbvmda:lotNumber": "L-1"}, disposition="active")
    await world.capture(again, by=READER, readers=[MAKER])
    with pytest.raises(Forbidden):
        await opened(world, READER)
    assert (await opened(world)).by == MAKER.party


async def test_who_withdrew_that_it_made_the_lot_is_not_its_maker(world: Recalling) -> None:
    await world.capture(EVENTS[0] | {"errorDeclaration": {"declarationTime": when(90)}})
    await world.capture(made(1, SERIALS[0], LOT), by=READER, readers=[MAKER])
    with pytest.raises(Forbidden):
        await opened(world)
    assert (await opened(world, READER)).by == READER.party


async def test_an_authority_of_the_trust_list_calls_back_what_it_sees(world: Recalling) -> None:
    told = await opened(world, AUTHORITY, level=2)
    assert (told.opened.speaks_as, told.by) == ("authority", AUTHORITY.party)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMIN, Role.AUDITOR])
async def test_only_a_party_calls_back(world: Recalling, role: Role) -> None:
    for call in (opened, drilled):
        with pytest.raises(Forbidden):
            await call(world, Actor(MAKER.party, role))


async def test_a_drill_changes_nothing_and_writes_down_its_time(world: Recalling) -> None:
    for number in (1, 2):
        told = await drilled(world)
        assert (told.made, told.carried, told.consignments) == (4, 1, 2)
        aggregate = f"recall-drill/{recalls.series_of(MAKER.party, LOT)}"
        assert len(await facts(world, RecallDrilled, aggregate)) == number
    assert await world.recalls.recalls(MAKER, limit=10) == []
    assert await world.recalls.flags_of(MAKER, "C-00000") == []


async def test_two_persons_lift_a_recall_and_its_flags_are_cleared(world: Recalling) -> None:
    name = (await opened(world)).opened.recall
    with pytest.raises(Forbidden) as refused:
        await world.recalls.lift(other(MAKER, ""), name, reason="")
    assert refused.value.code == "no_person"
    for _ in range(2):
        told = await world.recalls.lift(MAKER, name, reason="mended")
        assert (told.state, told.asked_by) == ("lifting", "li")
    assert (await world.recalls.flags_of(READER, "C-00000"))[0][1] is False
    for _ in range(2):
        told = await world.recalls.lift(other(MAKER, "wang"), name, reason="")
        assert told.state == "lifted"
    for consignment in ("C-00000", "C-00001"):
        assert (await world.recalls.flags_of(READER, consignment))[0][1] is True
        aggregate = f"recalled/{name}/{consignment}"
        assert len(await facts(world, ConsignmentCleared, aggregate)) == 1
    # A lot is called back again under another name.
    again = await opened(world, level=3)
    assert again.opened.recall == name.replace("-0001", "-0002")


async def test_persons_of_another_party_do_not_lift(world: Recalling) -> None:
    name = (await opened(world)).opened.recall
    await world.recalls.lift(MAKER, name, reason="")
    with pytest.raises(Forbidden):
        await world.recalls.lift(other(READER, "zhang"), name, reason="")
    with pytest.raises(NotFound):
        await world.recalls.lift(other(STRANGER, "zhang"), name, reason="")
    assert (await world.recalls.recall(MAKER, name)).state == "lifting"


async def test_two_persons_at_once_lift_it_too(world: Recalling) -> None:
    name = (await opened(world)).opened.recall
    persons = [other(MAKER, person) for person in ("li", "wang")]
    await asyncio.gather(*(world.recalls.lift(each, name, reason="") for each in persons))
    assert (await world.recalls.recall(MAKER, name)).state == "lifted"


async def test_a_flag_that_came_while_it_was_lifted_is_cleared_or_never_set(
    world: Recalling,
) -> None:
    name = (await opened(world)).opened.recall
    await world.recalls.lift(MAKER, name, reason="")
    world.holds.count = 9
    await asyncio.gather(opened(world), world.recalls.lift(other(MAKER, "wang"), name, reason=""))
    flagged = await world.recalls.flagged(name)
    if (await world.recalls.recall(MAKER, name)).is_over:
        for each in flagged:
            assert (await world.recalls.flags_of(READER, each))[0][1] is True


@pytest.mark.bound("industry.service.recalls.REASON_CHARS_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
async def test_a_reason_has_so_many_characters(world: Recalling, beyond: int) -> None:
    reason = "x" * (REASON_CHARS_MAX + beyond)
    if beyond:
        with pytest.raises(MalformedInput):
            await opened(world, reason=reason)
        return
    name = (await opened(world, reason=reason)).opened.recall
    assert (await world.recalls.lift(MAKER, name, reason=reason)).state == "lifting"
    with pytest.raises(MalformedInput):
        await world.recalls.lift(other(MAKER, "wang"), name, reason=reason + "x")


@pytest.mark.bound("industry.service.recalls.FLAGS_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
async def test_so_many_are_flagged_at_once_and_the_others_when_asked_again(beyond: int) -> None:
    world = in_memory(FLAGS_MAX + beyond)
    await world.capture(*EVENTS)
    name = (await opened(world)).opened.recall
    assert len(await world.recalls.flagged(name)) == FLAGS_MAX
    await opened(world)
    assert len(await world.recalls.flagged(name)) == FLAGS_MAX + beyond


@pytest.mark.bound("industry.service.recalls.SERIES_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
async def test_a_lot_is_called_back_so_often(monkeypatch: pytest.MonkeyPatch, beyond: int) -> None:
    assert SERIES_MAX == 1_000
    monkeypatch.setattr(recalls, "SERIES_MAX", 2)
    world = in_memory()
    await world.capture(*EVENTS)
    for _ in range(1 + beyond):
        name = (await opened(world)).opened.recall
        for person in ("li", "wang"):
            await world.recalls.lift(other(MAKER, person), name, reason="")
    if not beyond:
        assert (await opened(world)).opened.recall.endswith("-0002")
        return
    with pytest.raises(Conflict) as refused:
        await opened(world)
    assert refused.value.code == "recalled_too_often"


async def test_a_lot_of_twenty_thousand_in_a_circle_is_called_back(world: Recalling) -> None:
    lot = f"{GTIN}/10/BIG"
    for part in range(4):
        names = [f"{GTIN}/21/B{part}-{n}" for n in range(5_000)]
        await world.capture(turned(2 + part, [lot], names))
    await world.capture(made(1, lot), turned(60, [f"{GTIN}/21/B0-0"], [lot]))
    told = await opened(world, lot=lot)
    assert (told.opened.made, told.opened.cut_short) == (20_000, False)
    assert len((await world.recalls.things(MAKER, told.opened.recall)).made) == 20_000


@pytest.mark.service
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "kills", [4, pytest.param(60, marks=(pytest.mark.long, pytest.mark.timeout(1_200)))]
)
async def test_a_process_killed_midway_leaves_all_of_a_recall_or_nothing(
    database: Any, database_url: str, kills: int
) -> None:
    count = 300
    world = await on_postgres(database, count)
    await world.capture(*EVENTS)
    dice = random.Random(kills)
    seen = set()
    for turn in range(kills):
        await _killed(database_url, count, after_s=dice.uniform(0, 0.7))
        states = await world.recalls.recalls(MAKER, limit=100)
        standing = [each for each in states if not each.is_over]
        for each in standing:
            await _is_whole(world, each.opened, count)
        seen.add(len(standing))
        told = await opened(world)
        await _is_whole(world, told.opened, count)
        for person in ("li", "wang"):
            await world.recalls.lift(other(MAKER, person), told.opened.recall, reason="")
        assert len(states) <= 2 * (turn + 1)
    assert seen <= {0, 1}


async def _killed(url: str, count: int, *, after_s: float) -> None:
    root = Path(__file__).parents[3]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.industry.service.recalling", url, str(count)),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    await asyncio.sleep(after_s)
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()


async def _is_whole(world: Recalling, told: RecallOpened, count: int) -> None:
    flagged = await world.recalls.flagged(told.recall)
    names: Sequence[str] = [f"recalled/{told.recall}/{each}" for each in flagged]
    assert len(flagged) == len(await facts(world, ConsignmentFlagged, *names)) == count
    assert (await world.recalls.things(MAKER, told.recall)).made == tuple(SERIALS)
    assert PartyId("exporter") == MAKER.party
