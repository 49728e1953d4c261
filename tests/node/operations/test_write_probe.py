"""Readiness goes by the node's own writes, not by whether the database answers."""

from __future__ import annotations

import pytest

from zhidao.node.operations import write_probe
from zhidao.node.operations.write_probe import WriteProbe
from zhidao.store.database import Database

pytestmark = pytest.mark.service


async def test_a_database_that_reads_only_is_told(database_url: str) -> None:
    low = False
    database = await Database.open(database_url, connections_max=2, low_space=lambda: low)
    try:
        probe = WriteProbe(database)
        await probe.write()
        assert probe.wrong() == ""
        low = True
        await probe.write()
        assert probe.wrong()
        assert await database.ready()
        low = False
        await probe.write()
        assert probe.wrong() == ""
    finally:
        await database.close()


async def test_an_old_write_is_no_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = WriteProbe(database)
    await probe.write()
    monkeypatch.setattr(write_probe, "AGE_S_MAX", -1.0)
    assert "old" in probe.wrong()
