"""Banking days by rule and by year, and a refusal where nothing is known."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from zhidao.cli.main import main
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.domain.banking_calendars import KnownCalendar, WeekdayOfMonth, easter
from zhidao.finance.wire.calendars import built_in, read_rules
from zhidao.finance.wire.iso20022 import profiles


def closed_weekdays_of(name: str, year: int) -> list[str]:
    """The days from Monday to Friday on which banks rest."""
    calendar = built_in(name).between(date(year, 1, 1), date(year, 12, 31))
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return [
        f"{day:%m-%d}"
        for day in days
        if day.year == year and day.weekday() < 5 and not calendar.is_open(day)
    ]


@pytest.mark.parametrize(
    ("name", "year", "closed"),
    [
        ("TARGET", 2026, "01-01 04-03 04-06 05-01 12-25"),
        ("TARGET", 2025, "01-01 04-18 04-21 05-01 12-25 12-26"),
        # 4 July 2026 is a Saturday and not kept; 1 January 2023 was a Sunday.
        ("FEDWIRE", 2026, "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25"),
        ("FEDWIRE", 2023, "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-23 12-25"),
        (
            "CN",
            2026,
            (
                "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25"
                " 10-01 10-02 10-05 10-06 10-07"
            ),
        ),
    ],
)
def test_banks_rest_on_these_working_days(name: str, year: int, closed: str) -> None:
    assert closed_weekdays_of(name, year) == closed.split()


def test_banks_of_china_work_on_the_weekends_that_were_moved() -> None:
    china = built_in("CN")
    assert china.is_open(date(2026, 10, 10))
    assert not china.is_open(date(2026, 10, 11))
    # Presented before the Spring Festival: the fifth banking day lies behind it.
    calendar = china.between(date(2026, 2, 11), date(2026, 3, 11))
    assert calendar.examine_until(date(2026, 2, 11)) == date(2026, 2, 25)


def test_a_year_that_nobody_announced_is_refused() -> None:
    with pytest.raises(Refused, match="2027") as refused:
        built_in("CN").between(date(2026, 12, 20), date(2027, 1, 10))
    assert refused.value.code == "calendar_not_known"


def test_easter_and_the_days_of_a_month_are_those_of_the_almanac() -> None:
    assert [easter(year) for year in (2000, 2019, 2038)] == [
        date(2000, 4, 23),
        date(2019, 4, 21),
        date(2038, 4, 25),
    ]
    assert WeekdayOfMonth(12, 3, -1).of(2026) == date(2026, 12, 31)
    assert WeekdayOfMonth(2, 6, 4).of(2026) == date(2026, 2, 22)


def _file(**changes: Any) -> bytes:
    told = {
        "calendar": "CN", "source": "the test's own", "first_year": 2027, "last_year": 2027,
        "rest": [5, 6], "announced": ["2027-01-01", "2027-02-08"], "worked": ["2027-02-07"],
    }  # fmt: skip
    return json.dumps(told | changes).encode()


def test_an_operator_adds_a_year_and_a_place_and_no_other_years_change(tmp_path: Path) -> None:
    folder = tmp_path / "calendars"
    calendars = FolderCalendars(folder)
    china = calendars.calendar("CN").around(date(2026, 12, 28))
    assert china.is_open(date(2026, 10, 10))
    with pytest.raises(Refused, match="2027"):
        china.examine_until(date(2026, 12, 28))
    for _ in range(2):
        assert calendars.add(_file()).last_year == 2027
    known = calendars.calendar("CN").around(date(2026, 12, 28))
    # 28 December is a Monday; the first of January rests, the Monday after it is the fifth day.
    assert known.examine_until(date(2026, 12, 28)) == date(2027, 1, 5)
    assert known.is_open(date(2027, 2, 7))
    assert known.is_open(date(2026, 10, 10))
    with pytest.raises(Refused, match="2028"):
        known.is_open(date(2028, 1, 3))
    calendars.add(_file(calendar="KZ", announced=["2027-03-22"], worked=[]))
    assert [one.name for one in calendars.calendars()] == ["CN", "FEDWIRE", "KZ", "TARGET"]
    assert FolderCalendars(folder).calendar("KZ").last_year == 2027  # another process, too
    for wrong in (
        _file(first_year=2026),  # a part of what is there
        _file(first_year=2028, last_year=2028),  # its days are of another year
        _file(rest=[6], first_year=2029, last_year=2029, announced=[], worked=[]),
        _file(calendar="../CN"),
        _file(source=" "),
        _file(extra=1),
        b"x" * 300_000,
    ):
        with pytest.raises(MalformedInput):
            calendars.add(wrong)
    assert len(list(folder.iterdir())) == 2


def test_a_file_that_was_spoiled_stops_counting_and_says_which(tmp_path: Path) -> None:
    calendars = FolderCalendars(tmp_path)
    calendars.add(_file())
    (tmp_path / "CN.2027-2027.json").write_text("{")
    with pytest.raises(Unavailable, match=r"CN.2027-2027.json"):
        calendars.calendar("TARGET")


def test_the_command_takes_a_file_over(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "cn.json"
    file.write_bytes(_file())
    words = ["finance", "calendars"]
    assert main([*words, "add", str(file), "--data", str(tmp_path / "node")]) == 0
    assert "after 2027: not known" in capsys.readouterr().out
    assert main([*words, "list", "--data", str(tmp_path / "node"), "--json"]) == 0
    assert '"years": [[2025, 2026], [2027, 2027]]' in capsys.readouterr().out
    file.write_bytes(b"{}")
    assert main([*words, "add", str(file), "--data", str(tmp_path / "node")]) == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[",
        b'{"calendar": "X1", "source": "s", "first_year": 2000, "last_year": 2001, "rest": []}',
        (
            b'{"calendar": "XY", "source": "s", "first_year": 2000, "last_year": 2001, "rest": [],'
            b' "yearly": ["02-30"]}'
        ),
    ],
)
def test_anything_else_is_no_calendar(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_rules(data)
    with pytest.raises(MalformedInput):
        built_in("target")


def test_a_profile_settles_on_the_banking_days_of_its_currency() -> None:
    profile = profiles.built_in("cross-border")
    assert profile.next_day("EUR", date(2030, 12, 24)) == date(2030, 12, 24)
    assert profile.next_day("EUR", date(2030, 12, 25)) == date(2030, 12, 27)
    assert profile.next_day("USD", date(2030, 11, 28)) == date(2030, 11, 29)
    assert profile.settles("CNY", date(2030, 12, 25))
    late = datetime.fromisoformat("2030-12-24T18:00:01+01:00")
    assert profile.too_late("EUR", date(2030, 12, 24), late)
    own = profiles.read_profile(
        b'{"profile": "own", "structured_addresses_from": 2026, "address_lines_max": 2,'
        b' "uetr_required": true, "charges": ["SHAR"],'
        b' "currencies": {"CNY": {"calendar": "CN", "closed": ["2026-09-24"]}}}'
    )
    days = [date(2026, 9, day) for day in (23, 24, 25, 28)]
    assert [own.settles("CNY", day) for day in days] == [True, False, False, True]
    # What is not announced yet is not guessed.
    assert own.settles("CNY", date(2027, 10, 1))


def test_the_operators_calendar_holds_before_the_houses_in_a_profile() -> None:
    today = date(2026, 11, 1)
    text = (
        b'{"profile": "own", "structured_addresses_from": 2026, "address_lines_max": 2,'
        b' "uetr_required": true, "charges": ["SHAR"], "currencies":'
        b' {"CNY": {"calendar": "CN"}, "KZT": {"calendar": "%s", "closed": ["2027-03-09"]}}}'
    )
    year = {"source": "a notice", "first_year": 2027, "last_year": 2027, "rest": [5, 6]}
    china = read_rules(msgspec.json.encode(year | {"calendar": "CN", "announced": ["2027-10-01"]}))
    kaz = read_rules(msgspec.json.encode(year | {"calendar": "KZ", "announced": ["2027-03-08"]}))
    known = [KnownCalendar((china, built_in("CN"))), KnownCalendar((kaz,))]
    profile = profiles.with_calendars(profiles.read_profile(text % b"KZ"), known, today=today)
    assert not profile.settles("CNY", date(2027, 10, 1))
    assert not profile.settles("CNY", date(2026, 10, 1))  # the house's year still holds
    assert profile.next_day("KZT", date(2027, 3, 6)) == date(2027, 3, 10)
    # Of a year that nobody knows nothing is guessed.
    assert profile.settles("KZT", date(2028, 3, 8))
    with pytest.raises(MalformedInput, match="no banking calendar XX for KZT"):
        profiles.with_calendars(profiles.read_profile(text % b"XX"), known, today=today)
