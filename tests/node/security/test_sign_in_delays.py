from __future__ import annotations

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.timescale import Utc
from zhidao.node.security import sign_in_delays
from zhidao.node.security.sign_in_delays import (
    FORGOTTEN_S,
    TRIES_FREE,
    Attempts,
    TooManyTries,
    address_block,
)

NOW = Utc.parse("2026-03-01T08:00:00Z")


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2ff::7", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_neighbours_share_a_block(address: str, block: str) -> None:
    assert address_block(address) == block


def test_each_name_and_each_place_is_counted_by_itself() -> None:
    counted = Attempts(HandClock(NOW))
    for _ in range(TRIES_FREE):
        counted.check("a", "here")
        counted.count("a", "here")
    with pytest.raises(TooManyTries):
        counted.check("a", "here")
    for name, source in (("a", "there"), ("b", "here"), ("ah", "ere")):
        counted.check(name, source)


def test_a_day_without_a_try_starts_anew() -> None:
    clock = HandClock(NOW)
    counted = Attempts(clock)
    for _ in range(TRIES_FREE - 1):
        counted.count("a", "here")
    clock.advance(FORGOTTEN_S + 1)
    assert counted.count("a", "here") == 1


def test_what_is_counted_is_bounded_and_only_the_oldest_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign_in_delays, "KEPT_MAX", 3)
    counted = Attempts(HandClock(NOW))
    for name in ("a", "b", "c", "a", "d"):
        counted.count(name, "here")
    assert [counted.count(name, "here") for name in ("a", "c", "b")] == [3, 2, 1]
