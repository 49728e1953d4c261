from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.running import running_url


def test_where_no_server_ever_ran_there_is_none(tmp_path: Path):
    assert running_url(tmp_path / "postgres") is None


@pytest.mark.service
def test_a_running_server_is_reached_and_a_stopped_one_is_not(tmp_path: Path):
    data = tmp_path / "postgres"
    server = EmbeddedPostgres(data)
    try:
        started = server.start()
        found = running_url(data)
        assert found == started
        with psycopg.connect(found) as link:
            assert link.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()
    assert running_url(data) is None
