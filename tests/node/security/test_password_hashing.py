from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from zhidao.node.security.password_hashing import WAITING_OF_ONE_MAX, Busy, FairQueue


async def test_turns_go_round_between_those_who_ask() -> None:
    queue = FairQueue(ThreadPoolExecutor(1), at_once=1)
    order: list[str] = []

    def work(name: str) -> asyncio.Task[None]:
        return asyncio.create_task(queue.run(name[0], lambda: order.append(name)))

    asked = [work(name) for name in ("a1", "a2", "a3", "a4", "b1", "c1")]
    await asyncio.gather(*asked)
    assert order == ["a1", "a2", "b1", "c1", "a3", "a4"]


async def test_one_place_has_only_so_much_waiting_and_others_none_the_less() -> None:
    queue = FairQueue(ThreadPoolExecutor(1), at_once=1)
    waiting = [
        asyncio.create_task(queue.run("a", lambda: None)) for _ in range(WAITING_OF_ONE_MAX + 3)
    ]
    told = await asyncio.gather(*waiting, queue.run("b", lambda: None), return_exceptions=True)
    assert sum(isinstance(each, Busy) for each in told) == 2
    assert told[-1] is None


async def test_what_work_raises_is_told_and_the_next_one_runs() -> None:
    queue = FairQueue(ThreadPoolExecutor(1), at_once=1)
    with pytest.raises(ZeroDivisionError):
        await queue.run("a", lambda: 1 // 0)
    assert await queue.run("a", lambda: 7) == 7


async def test_who_went_away_costs_no_turn() -> None:
    queue = FairQueue(ThreadPoolExecutor(1), at_once=1)
    first = asyncio.create_task(queue.run("a", lambda: 1))
    gone = asyncio.create_task(queue.run("a", lambda: 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await first == 1
    assert await queue.run("a", lambda: 3) == 3
