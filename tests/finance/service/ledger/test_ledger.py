"""The validator: durable before visible, one at a time, and never on rows that do not fit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable
from zhidao.finance.domain.ledger.ledger import Account, Result, Transfer
from zhidao.finance.events import TransfersPosted
from zhidao.finance.service.ledger.ledger import Ledger


def ledger_of(durable: Any, store: Any = None, holder: str = "node") -> Ledger:
    return Ledger(store or durable.store, scribe=durable.scribe, clock=durable.clock, holder=holder)


def pay(number: int, amount: int = 5) -> Transfer:
    return Transfer(UUID(int=number), UUID(int=1), UUID(int=2), amount, ledger=7, code=1)


async def two_accounts(ledger: Ledger) -> None:
    await ledger.open_accounts("X", [Account(UUID(int=1), 7, 1), Account(UUID(int=2), 7, 1)], [])


async def test_a_batch_is_one_event_with_its_root_and_head(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    assert await ledger.submit("X", [pay(10), pay(11)]) == [Result.CREATED, Result.CREATED]
    await ledger.submit("X", [pay(12)])
    events = [entry.event for entry in durable.journal.written]
    posted = [TransfersPosted.of(event) for event in events]
    assert [(fact.batch, fact.count) for fact in posted] == [(1, 2), (2, 1)]
    assert {event.aggregate for event in events} == {"ledger/X"}
    batches = await durable.store.batches("X", after=0)
    assert [batch.head.hex() for batch in batches] == [fact.head for fact in posted]


async def test_a_batch_in_which_nothing_holds_writes_nothing(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    await ledger.submit("X", [pay(10)])
    assert await ledger.submit("X", [pay(10)]) == [Result.EXISTS]
    assert len(durable.journal.written) == 1


async def test_a_new_validator_reads_back_what_the_old_one_wrote(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    await ledger.submit("X", [pay(10), pay(11)])
    again = ledger_of(durable)
    assert (await again.account("X", UUID(int=2))).balance == 10
    assert await again.submit("X", [pay(10), pay(12)]) == [Result.EXISTS, Result.CREATED]
    with pytest.raises(NotFound):
        await again.account("X", UUID(int=3))


async def test_an_older_validator_is_fenced_and_stays_so(durable) -> None:
    old = ledger_of(durable, holder="old")
    await two_accounts(old)
    new = ledger_of(durable, holder="new")
    await new.submit("X", [pay(10)])
    with pytest.raises(Conflict) as fenced:
        await old.submit("X", [pay(11)])
    assert fenced.value.code == "fenced"
    with pytest.raises(Unavailable):
        await old.account("X", UUID(int=1))
    assert await new.submit("X", [pay(12)]) == [Result.CREATED]


async def test_a_changed_row_keeps_the_ledger_from_starting(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    await ledger.submit("X", [pay(10)])
    await ledger.submit("X", [pay(11)])
    held = durable.store._batches["X"]
    records = held[1].records.copy()
    records["amount"] = 6
    held[1] = replace(held[1], data=records.tobytes())
    with pytest.raises(Refused, match="batch 2") as refused:
        await ledger_of(durable).account("X", UUID(int=1))
    assert refused.value.code == "ledger_head_differs"


async def test_a_ledger_that_differs_is_known_before_anybody_asks_and_until_it_fits(
    durable,
) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    await ledger.submit("X", [pay(10)])
    await ledger.submit("X", [pay(11)])
    await ledger.examine()
    assert ledger.differing == {}
    batches = durable.store._batches["X"]
    whole = batches[1]
    records = whole.records.copy()
    records["amount"] = 6
    batches[1] = replace(whole, data=records.tobytes())
    started = ledger_of(durable)
    await started.examine()
    assert list(started.differing) == ["X"]
    assert "batch 2" in started.differing["X"]
    await started.examine()
    assert list(started.differing) == ["X"]
    batches[1] = whole
    await started.examine()
    assert started.differing == {}
    assert await started.submit("X", [pay(12)]) == [Result.CREATED]


class LosesAnswers:
    """A store that does its work and then does not answer."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.silent = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def commit(self, batch: Any, **more: Any) -> None:
        await self.inner.commit(batch, **more)
        if self.silent:
            self.silent = False
            raise Unavailable("the connection died before the answer")


async def test_a_lost_answer_is_made_good_by_repeating(durable) -> None:
    ledger = ledger_of(durable, LosesAnswers(durable.store))
    await two_accounts(ledger)
    with pytest.raises(Unavailable):
        await ledger.submit("X", [pay(10)])
    assert await ledger.submit("X", [pay(10)]) == [Result.EXISTS]
    assert (await ledger.account("X", UUID(int=2))).balance == 5


async def test_batches_at_the_same_time_take_turns(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    answers = await asyncio.gather(*(ledger.submit("X", [pay(100 + n, 1)]) for n in range(50)))
    assert answers == [[Result.CREATED]] * 50
    assert (await ledger.account("X", UUID(int=1))).balance == -50
    batches = await durable.store.batches("X", after=0)
    stamps = [stamp for batch in batches for stamp in batch.records["timestamp"].tolist()]
    assert len(batches) < 50, "they share batches"
    assert stamps == sorted(set(stamps))


async def test_requests_of_successive_turns_share_a_batch(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)

    async def late(turns: int) -> list[Result]:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await ledger.submit("X", [pay(100 + turns, 1)])

    assert await asyncio.gather(*map(late, range(12))) == [[Result.CREATED]] * 12
    assert [batch.count for batch in await durable.store.batches("X", after=0)] == [12]


class Slow:
    """A store whose commits end when they are let."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.started = 0
        self.let = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def commit(self, batch: Any, **more: Any) -> None:
        self.started += 1
        await self.let.wait()
        await self.inner.commit(batch, **more)


async def test_single_transfers_wait_for_the_write_before_them_and_go_together(durable) -> None:
    store = Slow(durable.store)
    ledger = ledger_of(durable, store)
    await two_accounts(ledger)
    asked = []
    for number in range(64):
        asked.append(asyncio.create_task(ledger.submit("X", [pay(100 + number, 1)])))
        for _ in range(20):
            await asyncio.sleep(0)
    assert store.started == 1
    store.let.set()
    assert await asyncio.gather(*asked) == [[Result.CREATED]] * 64
    assert [batch.count for batch in await durable.store.batches("X", after=0)] == [1, 63]


async def test_a_big_batch_does_not_wait_for_the_write_before_it(durable) -> None:
    store = Slow(durable.store)
    ledger = ledger_of(durable, store)
    await two_accounts(ledger)
    many = [[pay(1_000 * turn + number, 1) for number in range(600)] for turn in (1, 2)]
    asked = []
    for batch in many:
        asked.append(asyncio.create_task(ledger.submit("X", batch)))
        async with asyncio.timeout(30):
            while store.started < len(asked):
                await asyncio.sleep(0.001)
    store.let.set()
    assert await asyncio.gather(*asked) == [[Result.CREATED] * 600] * 2


async def test_an_account_opens_once(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    with pytest.raises(Conflict):
        await two_accounts(ledger)


async def test_a_batch_has_a_greatest_size(durable) -> None:
    with pytest.raises(Refused, match="8189"):
        await ledger_of(durable).submit("X", [pay(10)] * 8_190)


async def test_a_restart_begins_with_the_kept_balances(durable) -> None:
    ledger = Ledger(
        durable.store, scribe=durable.scribe, clock=durable.clock, holder="a", snapshot_each=3
    )
    await two_accounts(ledger)
    for number in range(10, 20):
        await ledger.submit("X", [pay(number)])
    kept = await durable.store.snapshot("X")
    assert kept is not None
    durable.store._batches["X"][0] = None  # What lies before the balances is not read again.
    again = ledger_of(durable)
    assert (await again.account("X", UUID(int=2))).balance == 50
    assert await again.submit("X", [pay(10), pay(20)]) == [Result.EXISTS, Result.CREATED]
    await again.state_balances("X")
    events = [entry.event.aggregate for entry in durable.journal.written]
    assert events.count("balances/X") == 4


async def test_lives_too_short_to_keep_balances_keep_them_together(durable) -> None:
    await two_accounts(ledger_of(durable))
    replayed = []
    for life in range(12):
        ledger = Ledger(
            durable.store, scribe=durable.scribe, clock=durable.clock, holder="a", snapshot_each=5
        )
        await ledger.submit("X", [pay(10 + 2 * life), pay(11 + 2 * life)])
        assert (await ledger.account("X", UUID(int=2))).balance == 5 * 2 * (life + 1)
        replayed.append(ledger._shards["X"].validator.replayed)
    # Whatever was applied again counts towards the next kept balances.
    assert max(replayed) < 2 * 5
    assert await durable.store.snapshot("X") is not None


async def test_changed_balances_keep_the_ledger_from_starting(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    await ledger.submit("X", [pay(10)])
    await ledger.state_balances("X")
    data, digest = durable.store._snapshots["X"]
    durable.store._snapshots["X"] = data[:-1] + b"\x01", digest
    with pytest.raises(Refused, match="kept balances"):
        await ledger_of(durable).account("X", UUID(int=1))


async def test_a_batch_missing_at_the_end_keeps_the_ledger_from_starting(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    await ledger.submit("X", [pay(10)])
    await ledger.submit("X", [pay(11)])
    durable.store._batches["X"].pop()
    with pytest.raises(Refused, match="batch 2"):
        await ledger_of(durable).account("X", UUID(int=1))


async def test_big_batches_follow_each_other_and_hold(durable) -> None:
    ledger = ledger_of(durable)
    await two_accounts(ledger)
    batches = [[pay(1_000 * batch + n, 1) for n in range(600)] for batch in range(1, 6)]
    answers = await asyncio.gather(*(ledger.submit("X", batch) for batch in batches))
    assert answers == [[Result.CREATED] * 600] * 5
    assert (await ledger.account("X", UUID(int=2))).balance == 3_000
    again = await ledger.submit("X", batches[2])
    assert again == [Result.EXISTS] * 600


async def test_one_write_that_fails_refuses_what_was_judged_upon_it(durable) -> None:
    class Dies(LosesAnswers):
        async def commit(self, batch: Any, **more: Any) -> None:
            await asyncio.sleep(0.01)
            if self.silent:
                self.silent = False
                raise Unavailable("gone before it wrote")
            await self.inner.commit(batch, **more)

    ledger = ledger_of(durable, Dies(durable.store))
    await two_accounts(ledger)
    first = asyncio.create_task(ledger.submit("X", [pay(10)]))
    await asyncio.sleep(0)
    second = asyncio.create_task(ledger.submit("X", [pay(11)]))
    ends = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(end, Unavailable) for end in ends)
    assert await ledger.submit("X", [pay(10), pay(11)]) == [Result.CREATED] * 2
    assert (await ledger.account("X", UUID(int=2))).balance == 10


async def test_a_replay_gives_the_same_head_and_a_wrong_root_is_found(durable) -> None:
    from zhidao.finance.service.ledger.recovery import recover

    ledger = Ledger(durable.store, scribe=durable.scribe, clock=durable.clock, holder="node")
    one, two = UUID(int=1), UUID(int=2)
    await ledger.open_accounts("CNY", [Account(one, 7, 1), Account(two, 7, 1)], [])
    for start in (0, 1000):
        await ledger.submit(
            "CNY",
            [
                Transfer(UUID(int=100 + start + n), one, two, 1, ledger=7, code=1)
                for n in range(600)
            ],
        )
    again = await recover(durable.store, "CNY", from_start=True)
    [_, last] = await durable.store.batches("CNY", after=0)
    assert again.head == last.head
    assert again.book.sums[:2, 1].tolist() == [1_200, 0]
    assert not (await recover(durable.store, "CNY")).replay(last, b"x" * 32)
