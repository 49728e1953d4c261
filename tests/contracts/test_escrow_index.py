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
