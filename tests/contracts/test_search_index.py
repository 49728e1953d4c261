"""The contract of the index of names, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from zhidao.node.adapters.search_index import PostgresSearchIndex
from zhidao.node.search.finding import Named, SearchIndex
from zhidao.node.search.memory import MemorySearchIndex


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def index(request: pytest.FixtureRequest) -> SearchIndex:
    if request.param == "memory":
        return MemorySearchIndex()
    return PostgresSearchIndex(request.getfixturevalue("database"))


def named(term: str, viewer: str = "exporter", **more: Any) -> Named:
    plain = {"kind": "invoice", "subject": term, "label": term.upper(), "consignment": "C-1"}
    return Named(viewer=viewer, term=term, **(plain | more))


async def test_rows_are_found_by_their_beginning_in_order(index: SearchIndex) -> None:
    rows = [named(term) for term in ("ab", "abz", "aba", "ac", "b", "ab知", "ab\U0001f600")]
    await index.add(rows)
    await index.add(rows)
    found = await index.beginning("exporter", "ab", limit=9)
    assert [row.term for row in found] == ["ab", "aba", "abz", "ab知", "ab\U0001f600"]
    assert found[0] == rows[0]
    assert [row.term for row in await index.beginning("exporter", "ab", limit=2)] == ["ab", "aba"]


async def test_a_reader_finds_the_own_rows_only(index: SearchIndex) -> None:
    await index.add([named("a1"), named("a2", "importer"), named("a3", "export")])
    assert [row.term for row in await index.beginning("exporter", "a", limit=9)] == ["a1"]
    assert await index.beginning("customs", "a", limit=9) == []
    assert await index.beginning("", "a", limit=9) == []


@pytest.mark.parametrize("term", ["%", "_", "a%", "' or '1'='1", "\\"])
async def test_nothing_is_a_wildcard(index: SearchIndex, term: str) -> None:
    await index.add([named("abc")])
    assert await index.beginning("exporter", term, limit=9) == []


async def test_a_consignment_is_visible_to_whom_it_is_named(index: SearchIndex) -> None:
    row = named("c1", kind="consignment", subject="C-1")
    await index.add([row, named("c2")])
    assert await index.visible("exporter", ["C-1", "C-2", ""]) == {"C-1"}
    assert await index.visible("importer", ["C-1"]) == frozenset()
    assert await index.visible("exporter", []) == frozenset()


async def test_it_is_filled_once(index: SearchIndex) -> None:
    assert not await index.is_filled()
    await index.filled()
    await index.filled()
    assert await index.is_filled()
    await index.add([])


@pytest.mark.service
async def test_all_events_of_a_node_are_gone_through_in_parts(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.contracts.test_journal import entry, make_scribe

    from zhidao.node.adapters import search_index
    from zhidao.store.journal import PostgresJournal

    monkeypatch.setattr(search_index, "_STEP", 2)
    journal, scribe = PostgresJournal(database, "trade", lambda: None), make_scribe()
    for name in ("consignment/a", "consignment/b"):
        for version in (1, 2, 3):
            await journal.append([entry(scribe, f"w{version}", version, name)])
    parts = [part async for part in PostgresSearchIndex(database).everything()]
    told = [(event.aggregate, event.version) for part in parts for event in part]
    assert told == [(f"consignment/{name}", v) for name in "ab" for v in (1, 2, 3)]
    assert [len(part) for part in parts] == [2, 2, 2]
