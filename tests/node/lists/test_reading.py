"""Pages of lists: none twice, none left out, whatever the order and whoever writes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.node.lists import reading
from zhidao.node.lists.cursor import Cursors
from zhidao.node.lists.listing import Listing, Wanted, wanted
from zhidao.node.lists.reading import Lists, Source

ALICE = Actor(party_id("alice"), Role.PARTY, "Alice")
BOB = Actor(party_id("bob"), Role.PARTY, "Bob")
LISTING = Listing("rows", ("name",), ("name", "size"))


class Row(msgspec.Struct):
    """A row of the test's list."""

    name: str
    size: int


class World:
    """A list that is read by pages, with what each party may see."""

    def __init__(self, count: int) -> None:
        self.rows = {f"r{i:05}": Row(f"r{i:05}", i * 7919 % 1000) for i in range(count)}
        self.asked = 0
        self.now = 0.0
        self.lists = Lists(Cursors(SeededRandomness(1)), lambda: self.now)
        self.source = Source(LISTING, self.read, is_paged=True)

    async def read(self, *, actor: Actor, limit: int, after: str = "") -> Sequence[Row]:
        self.asked += 1
        self.now += 0.01
        names = [name for name in sorted(self.rows) if name > after]
        return [self.rows[name] for name in names][:limit] if actor.party == "alice" else []

    async def whole(self, *, actor: Actor) -> Sequence[Row]:
        self.now += 0.01
        return [self.rows[name] for name in sorted(self.rows)]

    async def walk(self, asked: Wanted, *, limit: int) -> list[str]:
        found: list[str] = []
        after = ""
        while True:
            rows, after = await self.lists.page(self.source, ALICE, asked, limit=limit, after=after)
            found += [row.name for row in rows]
            if not after:
                return found


def asked(sort: str = "", *filters: str) -> Wanted:
    return wanted(LISTING, sort=sort, filters=filters)


@pytest.mark.parametrize("sort", ["", "size", "-size", "name", "-name"])
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 1_010])
async def test_every_row_is_reached_once_in_order(sort: str, count: int) -> None:
    world = World(count)
    found = await world.walk(asked(sort), limit=50)
    column = sort.removeprefix("-") or "name"
    ranked = sorted(
        world.rows.values(), key=lambda r: (getattr(r, column), r.name), reverse=sort[:1] == "-"
    )
    assert found == [row.name for row in ranked]


async def test_the_own_order_reads_only_what_is_shown() -> None:
    world = World(1_000)
    await world.lists.page(world.source, ALICE, asked(), limit=50, after="")
    assert world.asked == 1


async def test_a_filter_reaches_the_last_row() -> None:
    world = World(1_010)
    assert await world.walk(asked("", "name:R01009"), limit=50) == ["r01009"]


@pytest.mark.parametrize("sort", ["size", "-size"])
async def test_rows_that_come_and_go_neither_repeat_nor_hide_others(sort: str) -> None:
    world = World(200)
    first, after = await world.lists.page(world.source, ALICE, asked(sort), limit=50, after="")
    world.now += 3_600
    gone = first[-1].name
    del world.rows[gone]
    world.rows["r99999"] = Row("r99999", 500)
    found = [row.name for row in first]
    while after:
        rows, after = await world.lists.page(
            world.source, ALICE, asked(sort), limit=50, after=after
        )
        found += [row.name for row in rows]
    assert len(found) == len(set(found))
    assert set(found) == set(world.rows) | {gone}


@pytest.mark.parametrize("place", [0, 10, 20, -1])
async def test_a_cursor_with_a_changed_letter_is_refused(place: int) -> None:
    world = World(100)
    _, after = await world.lists.page(world.source, ALICE, asked("size"), limit=10, after="")
    letters = list(after)
    letters[place] = "A" if letters[place] not in "AB" else "Q"
    with pytest.raises(MalformedInput) as refused:
        await world.lists.page(world.source, ALICE, asked("size"), limit=10, after="".join(letters))
    assert refused.value.code == "stale_cursor"


@pytest.mark.parametrize("text", ["x", "é", "AAAA", "A" * 2000, "=", "..", "'; drop table --"])
async def test_a_made_up_cursor_is_refused(text: str) -> None:
    world = World(100)
    with pytest.raises(MalformedInput):
        await world.lists.page(world.source, ALICE, asked(), limit=10, after=text)


async def test_a_cursor_is_of_one_reader_list_order_and_filter() -> None:
    world = World(100)
    _, after = await world.lists.page(world.source, ALICE, asked("size"), limit=10, after="")
    another = Source(Listing("others", ("name",), ("name", "size")), world.read, is_paged=True)
    colleague = Actor(ALICE.party, Role.PARTY, "Ann")
    for source, actor, order in (
        (world.source, BOB, asked("size")),
        (world.source, colleague, asked("size")),
        (another, ALICE, asked("size")),
        (world.source, ALICE, asked("-size")),
        (world.source, ALICE, asked()),
        (world.source, ALICE, asked("size", "r")),
    ):
        with pytest.raises(MalformedInput):
            await world.lists.page(source, actor, order, limit=10, after=after)
    rows, _ = await world.lists.page(world.source, ALICE, asked("size"), limit=10, after=after)
    assert len(rows) == 10


async def test_what_was_read_for_one_is_not_shown_to_another() -> None:
    world = World(100)
    await world.lists.page(world.source, ALICE, asked("size"), limit=10, after="")
    rows, after = await world.lists.page(world.source, BOB, asked("size"), limit=10, after="")
    assert (rows, after) == ([], "")


async def test_callers_who_ask_at_once_share_one_reading_which_ages() -> None:
    world = World(250)
    page = world.lists.page
    await asyncio.gather(
        *(page(world.source, ALICE, asked("size"), limit=9, after="") for _ in range(9))
    )
    assert world.asked == 3
    world.now += 0.2
    await page(world.source, ALICE, asked("-size"), limit=9, after="")
    assert world.asked == 3
    world.now += 0.2
    await page(world.source, ALICE, asked("-size"), limit=9, after="")
    assert world.asked == 6


@pytest.mark.bound("node.lists.reading.SORTED_ROWS_MAX")
async def test_a_list_at_the_bound_is_sorted_and_one_longer_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "SORTED_ROWS_MAX", 300)
    world = World(300)
    assert len(await world.walk(asked("size"), limit=100)) == 300
    world = World(301)
    with pytest.raises(Refused) as refused:
        await world.walk(asked("size"), limit=100)
    assert refused.value.code == "list_too_long"
    assert len(await world.walk(asked(), limit=100)) == 301


@pytest.mark.bound("node.lists.reading.KEPT_ROWS_MAX")
async def test_no_more_rows_are_kept_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "KEPT_ROWS_MAX", 250)
    world = World(200)
    for person in ("a", "b", "c"):
        actor = Actor(ALICE.party, Role.PARTY, person)
        await world.lists.page(world.source, actor, asked("size"), limit=9, after="")
    assert sum(len(kept.rows) for kept in world.lists._kept.values()) <= 250


@pytest.mark.parametrize("sort", ["", "-size"])
async def test_the_file_has_every_row(sort: str) -> None:
    world = World(1_010)
    found = [
        row.name
        async for rows in world.lists.every(world.source, ALICE, asked(sort))
        for row in rows
    ]
    assert sorted(found) == sorted(world.rows)


async def test_a_list_that_leads_back_to_its_start_ends() -> None:
    async def circle(*, actor: Any, limit: int, after: str = "") -> list[Row]:
        return [Row("same", 1)] * limit

    lists = Lists(Cursors(SeededRandomness(1)))
    source = Source(LISTING, circle, is_paged=True)
    rows = [row async for part in lists.every(source, ALICE, asked()) for row in part]
    assert len(rows) == 200


class Narrowing:
    """A list whose route can be asked for one size, and tells what it was asked."""

    LISTING = Listing("rows", ("name",), ("name", "size"), asked=(("size", "in_size"),))

    def __init__(self) -> None:
        self.rows = [Row(f"r{i:03}", i % 3) for i in range(120)]
        self.asked: list[str] = []
        self.lists = Lists(Cursors(SeededRandomness(1)))
        self.source = Source(self.LISTING, self.read, is_paged=True)

    async def read(
        self, *, actor: Actor, limit: int, after: str = "", in_size: str = ""
    ) -> Sequence[Row]:
        del actor
        self.asked.append(in_size)
        rows = [row for row in self.rows if row.name > after]
        return [row for row in rows if not in_size or str(row.size) == in_size][:limit]


async def test_an_exact_value_is_asked_of_the_route_itself() -> None:
    world = Narrowing()
    one = wanted(Narrowing.LISTING, sort="", filters=["size=2"])
    rows, behind = await world.lists.page(world.source, ALICE, one, limit=25, after="")
    assert {row.size for row in rows} == {2}
    assert len(rows) == 25
    rest, end = await world.lists.page(world.source, ALICE, one, limit=25, after=behind)
    assert (len(rest), end) == (15, "")
    # No more than was shown was read.
    assert world.asked == ["2", "2"]
    other = wanted(Narrowing.LISTING, sort="", filters=["size=1"])
    with pytest.raises(MalformedInput):
        await world.lists.page(world.source, ALICE, other, limit=25, after=behind)


async def test_an_exact_value_goes_with_an_order_and_a_text() -> None:
    world = Narrowing()
    one = wanted(Narrowing.LISTING, sort="-name", filters=["size=2", "name:r11"])
    rows, _ = await world.lists.page(world.source, ALICE, one, limit=25, after="")
    assert [row.name for row in rows] == ["r119", "r116", "r113", "r110"]
    again = wanted(Narrowing.LISTING, sort="-name", filters=["size=1"])
    rows, _ = await world.lists.page(world.source, ALICE, again, limit=2, after="")
    assert [row.size for row in rows] == [1, 1]


@pytest.mark.parametrize("text", ["size=\x00", "size=", "size=a b", f"size={'x' * 65}", "name=r1"])
def test_what_a_route_cannot_be_asked_is_looked_for_as_a_text(text: str) -> None:
    found = wanted(Narrowing.LISTING, sort="", filters=[text])
    assert found.asked == ()
    assert len(found.filters) == 1


async def test_a_list_that_is_read_at_once_shows_what_is_so_now() -> None:
    world = World(3)
    world.source = Source(LISTING, world.whole, is_paged=False)
    await world.lists.page(world.source, ALICE, asked(), limit=50, after="")
    world.rows["r9"] = Row("r9", 9)
    rows, _ = await world.lists.page(world.source, ALICE, asked(), limit=50, after="")
    assert [row.name for row in rows][-1] == "r9"
