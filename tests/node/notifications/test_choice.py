"""When a person is told: at once, at the end of quiet hours, or at the digest's minute."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.node.notifications import choice
from zhidao.node.notifications.choice import DIGEST, Choice


def at(text: str) -> Utc:
    return Utc.parse(text)


# Almaty is at UTC+5 all year; 22:00 to 07:00 there.
NIGHT = Choice(quiet_from=22 * 60, quiet_to=7 * 60, zone="Asia/Almaty")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-29T16:59:59Z", "2026-11-29T16:59:59Z"),
        ("2026-11-29T17:00:00Z", "2026-11-30T02:00:00Z"),
        ("2026-11-29T20:30:00Z", "2026-11-30T02:00:00Z"),
        ("2026-11-30T01:59:59Z", "2026-11-30T02:00:00Z"),
        ("2026-11-30T02:00:00Z", "2026-11-30T02:00:00Z"),
    ],
)
def test_what_falls_into_quiet_hours_comes_at_their_end(now: str, due: str) -> None:
    assert NIGHT.due(at(now)) == at(due)


def test_quiet_hours_within_a_day() -> None:
    noon = Choice(quiet_from=12 * 60, quiet_to=13 * 60, zone="UTC")
    assert noon.due(at("2026-11-29T12:30:00Z")) == at("2026-11-29T13:00:00Z")
    assert noon.due(at("2026-11-29T13:00:00Z")) == at("2026-11-29T13:00:00Z")
    assert noon.due(at("2026-11-29T11:59:00Z")) == at("2026-11-29T11:59:00Z")


def test_a_digest_comes_at_its_minute_of_the_readers_day() -> None:
    digest = Choice(pace=DIGEST, digest_minute=8 * 60 + 30, zone="Asia/Shanghai")
    assert digest.due(at("2026-11-29T00:29:59Z")) == at("2026-11-29T00:30:00Z")
    assert digest.due(at("2026-11-29T00:30:00Z")) == at("2026-11-30T00:30:00Z")


def test_the_clock_that_leaps_and_the_one_that_goes_back() -> None:
    # Berlin: 02:30 of 28 March 2027 is left out, 02:30 of 31 October 2027 comes twice.
    digest = Choice(pace=DIGEST, digest_minute=2 * 60 + 30, zone="Europe/Berlin")
    assert digest.due(at("2027-03-27T23:00:00Z")) == at("2027-03-28T01:30:00Z")
    assert digest.due(at("2027-10-30T22:00:00Z")) == at("2027-10-31T00:30:00Z")
    assert digest.due(at("2027-10-31T00:30:00Z")) == at("2027-11-01T01:30:00Z")


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"pace": "hourly"},
        {"quiet_to": 1440},
        {"quiet_from": -1},
        {"digest_minute": 1440},
        {"kinds": frozenset(("move", "gossip"))},
    ],
)
def test_wishes_of_no_meaning_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MalformedInput):
        Choice(**wrong)


def test_a_machine_without_a_table_of_zones_goes_by_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "available_timezones", set)
    choice._zones.cache_clear()
    try:
        noon = Choice(quiet_from=12 * 60, quiet_to=13 * 60)
        assert noon.due(at("2026-11-29T12:30:00Z")) == at("2026-11-29T13:00:00Z")
        with pytest.raises(MalformedInput):
            Choice(zone="Asia/Almaty")
    finally:
        choice._zones.cache_clear()


def test_the_last_minute_of_a_day_is_one() -> None:
    assert Choice(quiet_from=1439, quiet_to=0).due(at("2026-11-29T23:59:30Z")) == at(
        "2026-11-30T00:00:00Z"
    )
