"""One contract for drafts, in memory and in PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.core.errors import NotFound
from zhidao.core.ids import party_id
from zhidao.core.timescale import Utc
from zhidao.trade.adapters.memory_drafts import MemoryDrafts
from zhidao.trade.adapters.postgres_drafts import PostgresDrafts
from zhidao.trade.service.ports import Draft, Drafts

EXPORTER, RIVAL = party_id("exporter"), party_id("rival")


def draft(name: str, second: int, **fields: str) -> Draft:
    return Draft(name, fields, Utc.parse(f"2026-09-12T08:00:{second:02}Z"))


async def test_drafts_in_memory_keep_the_contract():
    await a_draft_is_kept_replaced_and_dropped_for_its_owner_only(MemoryDrafts())


@pytest.mark.service
async def test_drafts_in_postgresql_keep_the_contract(database):
    await a_draft_is_kept_replaced_and_dropped_for_its_owner_only(PostgresDrafts(database))


async def a_draft_is_kept_replaced_and_dropped_for_its_owner_only(drafts: Drafts) -> None:
    await drafts.put(EXPORTER, draft("a", 1, id="ZD-1"))
    await drafts.put(EXPORTER, draft("b", 2, id="水泵 \U0001f6a2"))
    await drafts.put(RIVAL, draft("a", 3, id="other"))
    assert [each.name for each in await drafts.listed(EXPORTER)] == ["b", "a"]
    # A hundred drafts may be a gigabyte; a list of them is none.
    assert [each.fields for each in await drafts.listed(EXPORTER)] == [{}, {}]
    await drafts.put(EXPORTER, draft("a", 4, id="ZD-2"))
    assert await drafts.get(EXPORTER, "a") == draft("a", 4, id="ZD-2")
    assert (await drafts.get(EXPORTER, "b")).fields == {"id": "水泵 \U0001f6a2"}
    assert [each.name for each in await drafts.listed(EXPORTER)] == ["a", "b"]
    await drafts.remove(EXPORTER, "a")
    await drafts.remove(EXPORTER, "a")
    with pytest.raises(NotFound):
        await drafts.get(EXPORTER, "a")
    assert (await drafts.get(RIVAL, "a")).fields == {"id": "other"}
