from __future__ import annotations

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.ids import party_id
from zhidao.core.quota import LeafQuota, QuotaSpent
from zhidao.core.timescale import Utc

ONE, TWO = party_id("one"), party_id("two")


def test_a_party_writes_its_share_and_hinders_nobody() -> None:
    clock = HandClock(Utc.from_unix_ns(1_800_000_000 * 10**9))
    quota = LeafQuota(3_600, clock)
    for _ in range(1_800):
        quota.take(ONE)
    with pytest.raises(QuotaSpent) as told:
        quota.take(ONE)
    assert (told.value.code, told.value.http_status) == ("leaf_quota", 429)
    assert "go on in 2 s" in told.value.remedy
    quota.take(TWO, 1_800)
    clock.advance(10)
    quota.take(ONE, 10)
    with pytest.raises(QuotaSpent):
        quota.take(ONE)


def test_more_than_the_whole_share_is_never_taken_and_costs_nothing() -> None:
    quota = LeafQuota(100, HandClock(Utc.from_unix_ns(1_800_000_000 * 10**9)))
    with pytest.raises(QuotaSpent):
        quota.take(ONE, 51)
    quota.take(ONE, 50)


def test_no_limit_is_none() -> None:
    quota = LeafQuota(0, HandClock(Utc.from_unix_ns(1_800_000_000 * 10**9)))
    quota.take(ONE, 10**9)
