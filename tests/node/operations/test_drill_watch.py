"""An alarm asks for a drill in time, and another tells of one that went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.events import DrillDone
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.drill_watch import DrillWatch

NOW = Utc.parse("2026-12-01T00:00:00Z")
FACT = {
    "backup": 3,
    "made_at": "2026-11-30T00:00:00Z",
    "sha256": "00",
    "signed_by": "a",
    "rows": 1,
    "log_size": 1,
    "log_root": "00",
    "ledgers": 1,
    "transfers": 1,
    "lost_s": 0,
    "lost_leaves": 0,
    "restored_ms": 1,
    "ready_ms": 2,
}


def days_ago(days: float) -> Utc:
    return NOW.plus_ns(-int(days * 86_400 * NS))


class Drills:
    """Drills of whole days ago, newest first, each with what was wrong."""

    def __init__(self, *drills: tuple[float, str], since: float | None = None) -> None:
        self._drills = drills
        self._since = since
        self.closed = False

    async def sign_waiting(self) -> int:
        if self.closed:
            raise Unavailable("no database")
        return 0

    async def newest(self, limit: int) -> Sequence[Any]:
        found = [
            SimpleNamespace(
                event=SimpleNamespace(
                    type=DrillDone.TYPE,
                    payload=FACT | {"wrong": [wrong] if wrong else []},
                    occurred_at=days_ago(days),
                )
            )
            for days, wrong in self._drills
        ]
        return found[:limit]

    async def watched_since(self) -> Utc | None:
        return None if self._since is None else days_ago(self._since)


async def alarms_of(drills: Drills, *, days: int = 14, backup: str = "2026-11-30") -> list[str]:
    alarms = Alarms()

    async def backup_at() -> str:
        return backup

    watch = DrillWatch(drills, backup_at, alarms, HandClock(NOW), days=days)
    await watch.look()
    return [each.code for each in alarms.standing()]


@pytest.mark.parametrize(
    ("drills", "codes"),
    [
        (Drills((13.9, "")), []),
        (Drills((14, "")), ["drill_overdue"]),
        # A wrong one is none that was done, and is told by itself.
        (Drills((1, "a ledger"), (3, "")), ["drill_failed"]),
        (Drills((1, "a ledger"), (15, "")), ["drill_failed", "drill_overdue"]),
        (Drills((1, ""), (2, "a ledger")), []),
        # A new node has fourteen days.
        (Drills(since=2), []),
        (Drills(since=15), ["drill_overdue"]),
        (Drills(), []),
    ],
)
async def test_who_was_not_drilled_in_time_is_asked(drills: Drills, codes: list[str]) -> None:
    assert await alarms_of(drills) == codes


async def test_nobody_is_asked_without_a_backup_or_where_it_is_set_so() -> None:
    assert await alarms_of(Drills(since=80), backup="") == []
    assert await alarms_of(Drills((80, "")), days=0) == []


async def test_a_database_that_is_away_ends_nothing() -> None:
    drills, alarms, pauses = Drills((80, "")), Alarms(), 0

    async def backup_at() -> str:
        return "2026-11-30"

    async def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        drills.closed = pauses < 3
        if pauses == 5:
            raise KeyboardInterrupt

    drills.closed = True
    watch = DrillWatch(drills, backup_at, alarms, HandClock(NOW), days=14)
    with pytest.raises(KeyboardInterrupt):
        await watch.run(pause)
    assert alarms.stands("drill_overdue")
