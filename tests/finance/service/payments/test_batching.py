"""Messages that wait at once share a batch, and each caller hears of its own alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from zhidao.core.errors import Refused, Unavailable
from zhidao.finance.service.payments.batching import BYTES_MAX, MESSAGES_MAX, Batches


class Taker:
    """Takes batches when told to, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[bytes]]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def take(self, key: str, many: Sequence[bytes]) -> list[bytes | Exception]:
        self.batches.append((key, list(many)))
        await self.open.wait()
        if b"lost" in many:
            raise Unavailable("the database did not answer")
        return [Refused("no") if data == b"bad" else data.upper() for data in many]


async def test_one_that_comes_alone_is_taken_at_once_and_those_that_wait_go_together() -> None:
    taker = Taker()
    batches = Batches[str, bytes](taker.take)
    assert await batches.take("a", b"first") == b"FIRST"
    taker.open.clear()
    waiting = []
    for number in range(9):
        waiting.append(asyncio.create_task(batches.take("a", b"%d" % number)))
        await asyncio.sleep(0.001)
    taker.open.set()
    assert await asyncio.gather(*waiting) == [b"%d" % number for number in range(9)]
    # Two are under way at a time; the rest waited and came as one.
    assert [len(many) for _, many in taker.batches] == [1, 1, 1, 7]


async def test_each_hears_its_own_outcome_and_keys_do_not_mix() -> None:
    taker = Taker()
    batches = Batches[str, bytes](taker.take)
    wanted = [("a", b"x"), ("b", b"y"), ("a", b"bad"), ("a", b"z")]
    heard = await asyncio.gather(
        *(batches.take(key, data) for key, data in wanted), return_exceptions=True
    )
    assert heard[:2] + heard[3:] == [b"X", b"Y", b"Z"]
    assert isinstance(heard[2], Refused)
    assert sorted(taker.batches) == [("a", [b"x", b"bad", b"z"]), ("b", [b"y"])]


async def test_when_a_batch_fails_each_of_it_hears_so_and_the_next_goes_on() -> None:
    batches = Batches[str, bytes](Taker().take)
    both = await asyncio.gather(
        batches.take("a", b"lost"), batches.take("a", b"fine"), return_exceptions=True
    )
    assert [type(one) for one in both] == [Unavailable, Unavailable]
    assert await batches.take("a", b"fine") == b"FINE"


async def test_a_caller_that_leaves_leaves_the_others_their_answers() -> None:
    taker = Taker()
    taker.open.clear()
    batches = Batches[str, bytes](taker.take)
    leaves, stays = (asyncio.create_task(batches.take("a", data)) for data in (b"x", b"y"))
    await asyncio.sleep(0.001)
    leaves.cancel()
    taker.open.set()
    assert await stays == b"Y"
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_a_batch_is_bounded_in_messages_and_in_bytes() -> None:
    taker = Taker()
    batches = Batches[str, bytes](taker.take)
    many = [b"%d" % number for number in range(MESSAGES_MAX + 1)]
    await asyncio.gather(*(batches.take("a", data) for data in many))
    assert [len(batch) for _, batch in taker.batches] == [MESSAGES_MAX, 1]
    taker.batches.clear()
    half = BYTES_MAX // 2
    big = [b"a" * half, b"b" * half, b"c", b"d" * (BYTES_MAX + 1)]
    await asyncio.gather(*(batches.take("a", data) for data in big))
    assert [len(batch) for _, batch in taker.batches] == [2, 1, 1]
