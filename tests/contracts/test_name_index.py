"""The contract of the finder of names, on memory and on PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.finance.adapters.memory import MemoryNameIndex
from zhidao.finance.adapters.postgres_names import PostgresNameIndex
from zhidao.finance.service.ports import NameIndex


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def index(request: pytest.FixtureRequest) -> NameIndex:
    if request.param == "postgres":
        return PostgresNameIndex(request.getfixturevalue("database"))
    return MemoryNameIndex()


async def test_a_name_leads_to_all_who_gave_it_to_one_of_the_kind(index: NameIndex) -> None:
    for kind, name, owner in (
        ("escrow", "E-1", "b"),
        ("escrow", "E-1", "a"),
        ("escrow", "E-1", "a"),
        ("credit", "E-1", "c"),
        ("escrow", "E-2", "d"),
    ):
        await index.add(kind, name, owner)
    assert await index.owners("escrow", "E-1", limit=5) == ("a", "b")
    assert await index.owners("escrow", "E-1", limit=1) == ("a",)
    assert await index.owners("credit", "E-2", limit=5) == ()
