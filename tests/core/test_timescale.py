from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import NS, Bdt, Gpst, Utc

instants = st.integers(min_value=63_072_010 * NS, max_value=4_102_444_800 * NS).map(Utc)


@given(instants)
def test_an_instant_survives_its_text(at: Utc) -> None:
    assert Utc.parse(str(at)) == at


@given(instants)
def test_an_instant_survives_gps_and_beidou_time(at: Utc) -> None:
    assert Gpst.from_utc(at).to_utc() == at
    assert Bdt.from_utc(at).to_utc() == at
    assert Gpst.from_utc(at).to_bdt() == Bdt.from_utc(at)


def test_beidou_time_is_fourteen_seconds_behind_gps_time() -> None:
    epoch = Bdt.from_week(0, 0)
    assert str(epoch.to_utc()) == "2006-01-01T00:00:00Z"
    assert epoch.to_gpst() == Gpst.from_week(1356, 14 * NS)


def test_gps_week_zero_began_in_1980() -> None:
    assert str(Gpst.from_week(0, 0).to_utc()) == "1980-01-06T00:00:00Z"


def test_the_leap_second_of_2016_is_a_second_of_its_own() -> None:
    before, leap, after = (
        Utc.parse(t)
        for t in ("2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")
    )
    assert leap.since_ns(before) == NS
    assert after.since_ns(leap) == NS
    assert str(leap) == "2016-12-31T23:59:60Z"
    assert leap.unix_ns == before.unix_ns
    assert Gpst.from_utc(after).second_of_week_ns == 18 * NS


@pytest.mark.parametrize(
    "text",
    [
        "2020-06-30T23:59:60Z",
        "2020-06-30T23:59:61Z",
        "2020-06-30T23:59:99Z",
        "2020-06-30T24:00:00Z",
        "2020-06-30T23:60:00Z",
        "2020-02-30T00:00:00Z",
        "2020-01-01 00:00:00Z",
        "2020-01-01T00:00:00",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:00:00.1234567890Z",
        "2020-01-01T00:00:00+25:00",
        "２０２０-01-01T00:00:00Z",
        "",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        Utc.parse(text)


def test_offsets_are_read() -> None:
    assert Utc.parse("2020-01-01T08:00:00+08:00") == Utc.parse("2020-01-01T00:00:00Z")


def test_before_1972_there_was_no_such_utc() -> None:
    with pytest.raises(MalformedInput):
        Utc.parse("1971-12-31T23:59:59Z")
    with pytest.raises(Refused):
        Utc(0)
    assert str(Utc.parse("1972-01-01T00:00:00Z")) == "1972-01-01T00:00:00Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(MalformedInput):
        Utc.from_datetime(datetime(2020, 1, 1))  # noqa: DTZ001
    assert str(Utc.from_datetime(datetime(2020, 1, 1, tzinfo=UTC))) == "2020-01-01T00:00:00Z"
