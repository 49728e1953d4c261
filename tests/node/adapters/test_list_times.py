"""Since when the node's own trust list says what it says, kept by PostgreSQL."""

from __future__ import annotations

import hashlib

import pytest

from zhidao.core.timescale import Utc
from zhidao.node.adapters.postgres import PostgresListTimes
from zhidao.store.database import Database

pytestmark = pytest.mark.service
THEN, LATER = (Utc.parse(f"2026-11-24T{hour}:00:00.123456789Z") for hour in ("12", "13"))


async def test_the_first_time_stays_over_a_new_process_and_a_list_that_came_between(
    database: Database,
) -> None:
    words, others = (hashlib.sha256(text).digest() for text in (b"a list", b"another"))
    times = PostgresListTimes(database)
    first = await times.since(words, THEN)
    assert str(first) == "2026-11-24T12:00:00.123456Z"
    assert await times.since(words, LATER) == first
    assert await times.since(others, LATER) > first
    assert await PostgresListTimes(database).since(words, LATER) == first
