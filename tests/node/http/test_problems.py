"""A refusal says when it is worth while to ask again."""

from __future__ import annotations

import pytest

from zhidao.node.http.problems import LATER_S, SOON_S, problem


@pytest.mark.parametrize(
    ("status", "code", "wanted"),
    [
        (503, "database_unavailable", SOON_S),
        (503, "lease_unsure", SOON_S),
        (503, "disk_full", LATER_S),
        (503, "replication_degraded", LATER_S),
        (422, "refused", None),
        (401, "unauthenticated", None),
    ],
)
def test_only_what_may_come_back_says_when(status: int, code: str, wanted: int | None) -> None:
    told = problem(status, code=code, detail="x").headers.get("Retry-After")
    assert told == (None if wanted is None else str(wanted))
