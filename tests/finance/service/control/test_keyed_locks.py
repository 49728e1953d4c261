"""One at a time for each name, and nothing kept of names that nobody waits for."""

from __future__ import annotations

import asyncio

from zhidao.finance.service.control.keyed_locks import KeyedLocks


async def test_one_name_is_held_by_one_and_another_name_by_another() -> None:
    locks, told = KeyedLocks(), []

    async def say(name: str, word: str) -> None:
        async with locks.of(name):
            told.append(f"{word} begins")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            told.append(f"{word} ends")

    await asyncio.gather(say("a", "first"), say("a", "second"), say("b", "other"))
    assert told.index("first ends") < told.index("second begins")
    assert told.index("other begins") < told.index("first ends")


async def test_a_thousand_names_leave_nothing_behind() -> None:
    locks = KeyedLocks()
    for number in range(1_000):
        async with locks.of(str(number)):
            assert len(locks) == 1
    assert len(locks) == 0
