"""Who waits is woken at once, misses nothing in between, and looks by himself in the end."""

from __future__ import annotations

import asyncio

from zhidao.node.runtime.wakeup import Wakeup

LONG_S = 30.0
LONG_NS = int(LONG_S * 10**9)


async def test_all_who_wait_are_woken_at_once():
    wakeup = Wakeup()
    waiting = [asyncio.create_task(wakeup.after(0, fallback_ns=LONG_NS)) for _ in range(3)]
    await asyncio.sleep(0)
    wakeup.wake()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == [True] * 3


async def test_what_happens_between_the_look_and_the_wait_is_not_slept_through():
    wakeup = Wakeup()
    seen = wakeup.count
    wakeup.wake()
    async with asyncio.timeout(5):
        assert await wakeup.after(seen, fallback_ns=LONG_NS)


async def test_what_was_seen_before_wakes_nobody_again():
    wakeup = Wakeup()
    wakeup.wake()
    assert not await wakeup.after(wakeup.count, fallback_ns=10_000_000)


async def test_who_gives_up_waiting_leaves_the_others_waiting():
    wakeup = Wakeup()
    stays = asyncio.create_task(wakeup.after(0, fallback_ns=LONG_NS))
    goes = asyncio.create_task(wakeup.after(0, fallback_ns=LONG_NS))
    await asyncio.sleep(0)
    goes.cancel()
    await asyncio.gather(goes, return_exceptions=True)
    assert not stays.done()
    wakeup.wake()
    async with asyncio.timeout(5):
        assert await stays


async def test_what_is_looked_for_is_found_after_a_wake_long_before_the_fallback():
    wakeup, shelf = Wakeup(), []

    async def look():
        return shelf[0] if shelf else None

    finding = asyncio.create_task(wakeup.found(look, within_s=LONG_S, fallback_s=LONG_S))
    await asyncio.sleep(0)
    wakeup.wake()
    await asyncio.sleep(0)
    assert not finding.done()
    shelf.append("proof")
    wakeup.wake()
    async with asyncio.timeout(5):
        assert await finding == "proof"


async def test_what_nobody_wakes_for_is_found_by_looking_and_given_up_in_time():
    wakeup, looks = Wakeup(), []

    async def look():
        looks.append(1)
        return "there" if len(looks) == 3 else None

    assert await wakeup.found(look, within_s=LONG_S, fallback_s=0.001) == "there"

    async def never():
        return None

    assert await wakeup.found(never, within_s=0.02, fallback_s=LONG_S) is None
