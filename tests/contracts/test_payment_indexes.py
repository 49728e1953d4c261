"""Contracts of finders: of conditional payments, of payments that wait for their day, of balances."""

from __future__ import annotations

import pytest

from zhidao.core.errors import Conflict
from zhidao.finance.adapters.memory import (
    MemoryEscrowIndex,
    MemoryPaymentOrderIndex,
    MemoryWrittenBalances,
)
from zhidao.finance.adapters.postgres_balances import PostgresWrittenBalances
from zhidao.finance.adapters.postgres_escrows import PostgresEscrowIndex
from zhidao.finance.adapters.postgres_payment_orders import PostgresPaymentOrderIndex
from zhidao.finance.service.ports import EscrowIndex, PaymentOrderIndex, WrittenBalances


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def index(request: pytest.FixtureRequest) -> EscrowIndex:
    if request.param == "postgres":
        return PostgresEscrowIndex(request.getfixturevalue("database"))
    return MemoryEscrowIndex()


async def test_what_is_open_is_found_by_each_of_its_consignments(index: EscrowIndex) -> None:
    await index.add("b", consignments=["C-1", "C-2"])
    await index.add("a", consignments=["C-2"])
    await index.add("none", consignments=[])
    assert await index.open_of("C-2") == ("a", "b")
    assert await index.open_of("C-1") == ("b",)
    assert await index.open_of("C-3") == ()
    assert await index.open() == ("a", "b", "none")


async def test_adding_again_and_closing_again_change_nothing(index: EscrowIndex) -> None:
    for _ in range(2):
        await index.add("a", consignments=["C-1"])
    for _ in range(2):
        await index.close("a")
    await index.close("unknown")
    await index.add("a", consignments=["C-1"])
    assert await index.open() == ()
    assert await index.open_of("C-1") == ()


async def test_what_is_due_comes_first_by_its_time_and_only_while_it_is_open(
    index: EscrowIndex,
) -> None:
    for name in ("a", "b", "c", "d"):
        await index.add(name, consignments=[])
    assert await index.due(now_ns=0, limit=3) == ("a", "b", "c")
    for name, until_ns in (("a", 30), ("b", 10), ("c", 20), ("d", 2**62)):
        await index.put_off(name, until_ns=until_ns)
    await index.put_off("unknown", until_ns=0)
    assert await index.due(now_ns=9, limit=9) == ()
    assert await index.due(now_ns=30, limit=9) == ("b", "c", "a")
    assert await index.due(now_ns=30, limit=2) == ("b", "c")
    await index.add("b", consignments=[])
    await index.close("c")
    assert await index.due(now_ns=20, limit=9) == ("b",)


async def test_all_that_is_open_is_read_page_by_page(index: EscrowIndex) -> None:
    for name in ("a", "a/b", "c"):
        await index.add(name, consignments=[])
    assert await index.open(limit=2) == ("a", "a/b")
    assert await index.open(after="a/b", limit=2) == ("c",)
    assert await index.open(after="c") == ()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def orders(request: pytest.FixtureRequest) -> PaymentOrderIndex:
    if request.param == "postgres":
        return PostgresPaymentOrderIndex(request.getfixturevalue("database"))
    return MemoryPaymentOrderIndex()


async def test_payments_that_are_due_come_first_by_their_time_and_only_while_they_wait(
    orders: PaymentOrderIndex,
) -> None:
    for name in ("a", "b", "c", "d"):
        await orders.add(name)
    assert await orders.due(now_ns=0, limit=3) == ("a", "b", "c")
    for name, until_ns in (("a", 30), ("b", 10), ("c", 20), ("d", 2**62)):
        await orders.put_off(name, until_ns=until_ns)
    await orders.put_off("unknown", until_ns=0)
    assert await orders.due(now_ns=9, limit=9) == ()
    assert await orders.due(now_ns=30, limit=9) == ("b", "c", "a")
    assert await orders.due(now_ns=30, limit=2) == ("b", "c")
    await orders.add("b")
    await orders.close("c")
    await orders.close("unknown")
    assert await orders.due(now_ns=20, limit=9) == ("b",)
    await orders.add("c")
    assert await orders.due(now_ns=20, limit=9) == ("b",)


A, B, C = (bytes([n]) * 16 for n in (1, 2, 3))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def written(request: pytest.FixtureRequest) -> WrittenBalances:
    if request.param == "postgres":
        return PostgresWrittenBalances(request.getfixturevalue("database"))
    return MemoryWrittenBalances()


async def test_the_last_one_up_to_a_batch_is_found_of_each_account_and_ledger(
    written: WrittenBalances,
) -> None:
    assert await written.until("CNY") == 0
    assert await written.newest("CNY", [A], until=9) == {}
    await written.write("CNY", after=0, until=64, balances={A: 5, B: -7})
    await written.write("CNY", after=64, until=128, balances={A: 2**70})
    await written.write("EUR", after=0, until=64, balances={A: 1})
    await written.write("EUR", after=64, until=128, balances={})
    assert (await written.until("CNY"), await written.until("EUR")) == (128, 128)
    assert await written.newest("CNY", [A, B, C], until=63) == {}
    assert await written.newest("CNY", [A, B, C], until=64) == {A: 5, B: -7}
    assert await written.newest("CNY", [A, B, C], until=127) == {A: 5, B: -7}
    assert await written.newest("CNY", [A, B, C], until=128) == {A: 2**70, B: -7}
    assert await written.newest("EUR", [A, B], until=500) == {A: 1}


async def test_what_is_written_down_already_is_refused_whole(written: WrittenBalances) -> None:
    await written.write("CNY", after=0, until=64, balances={A: 5})
    for after in (0, 1, 128):
        with pytest.raises(Conflict):
            await written.write("CNY", after=after, until=192, balances={A: 6, B: 1})
    assert await written.until("CNY") == 64
    assert await written.newest("CNY", [A, B], until=500) == {A: 5}
