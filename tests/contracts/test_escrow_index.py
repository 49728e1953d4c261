"""The contract of the finder of conditional payments, on memory and on PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.finance.adapters.memory import MemoryEscrowIndex
from zhidao.finance.adapters.postgres_escrows import PostgresEscrowIndex
from zhidao.finance.service.ports import EscrowIndex


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
