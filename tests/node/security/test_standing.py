"""Streams of events end with the session or token that opened them."""

from __future__ import annotations

import asyncio

import pytest
from tests.node.security.gate_world import ADMIN, PASSWORD, World

from zhidao.core.actor import Role
from zhidao.node.runtime.live import QUEUE_MAX, Live
from zhidao.node.security.gate import SESSION_SECONDS, Origin
from zhidao.node.security.standing import Standing, of_session

HERE = Origin(address="203.0.113.7")


@pytest.fixture
def world() -> World:
    return World()


class Page:
    """An open page that hears of everything."""

    def __init__(self, live: Live, holder: str) -> None:
        self.heard: list[str] = []
        self._task = asyncio.create_task(self._read(live, holder))

    async def _read(self, live: Live, holder: str) -> None:
        async for event, _ in live.listen(ADMIN.party, self._sees, holder=holder):
            self.heard.append(event)

    async def _sees(self, _: str) -> bool:
        return True

    async def ended(self) -> bool:
        for _ in range(3):
            await asyncio.sleep(0)
        return self._task.done()


async def test_a_page_ends_with_its_session_and_no_other_page_does(world: World) -> None:
    for name, role in (("aida", Role.ADMIN), ("ben", Role.OPERATOR)):
        party = ADMIN.party
        await world.people.make(ADMIN, name=name, password=PASSWORD, party=party, role=role)
    cookies = [(await world.gate.sign_in(name, PASSWORD, HERE)).secret for name in ("aida", "ben")]
    live, standing = Live(), Standing(world.callers, world.gate, world.clock)
    aida, ben = (Page(live, of_session(cookie)) for cookie in cookies)
    await asyncio.sleep(0)
    await standing.look([live])
    assert [await aida.ended(), await ben.ended()] == [False, False]
    await world.people.withdraw(ADMIN, "ben")
    # What was on its way to the leaver, who does not read, is not told any more either.
    for number in range(2 * QUEUE_MAX):
        live.timeline_changed(f"c{number}")
    await standing.look([live])
    live.timeline_changed("late")
    assert [await aida.ended(), await ben.ended()] == [False, True]
    assert ben.heard == ["beat"]
    world.clock.advance(SESSION_SECONDS + 1)
    await standing.look([live])
    assert await aida.ended()
    assert live.holders() == set()


async def test_a_page_ends_with_its_token(world: World) -> None:
    tokens = [(await world.token()).split("_")[1] for _ in range(2)]
    live, standing = Live(), Standing(world.callers, world.gate, world.clock)
    pages = [Page(live, f"token {each}") for each in tokens]
    await asyncio.sleep(0)
    await standing.look([live])
    assert [await each.ended() for each in pages] == [False, False]
    await world.tokens.withdraw(ADMIN, tokens[0])
    await standing.look([live])
    assert [await each.ended() for each in pages] == [True, False]
    await world.tokens.withdraw(ADMIN, tokens[1])
    await standing.look([live])
    assert await pages[1].ended()
