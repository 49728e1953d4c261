"""Banking days and the periods of UCP 600 counted in them, each to its last day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from zhidao.core.errors import Refused
from zhidao.finance.domain.credit.calendar import EXAMINATION_DAYS, BankingCalendar

PLAIN = BankingCalendar("Almaty")


def may(day: int) -> date:
    """A day of May 2026, which begins on a Friday."""
    return date(2026, 5, day)


@pytest.mark.parametrize(
    ("day", "opens"),
    [(1, True), (2, False), (3, False), (4, True), (8, True), (9, False), (10, False)],
)
def test_banks_work_but_on_the_two_last_days_of_the_week(day: int, opens: bool) -> None:  # noqa: FBT001
    assert PLAIN.is_open(may(day)) is opens


def test_holidays_rest_and_days_made_up_for_them_are_worked() -> None:
    place = BankingCalendar(
        "Beijing",
        rest=frozenset({6}),
        holidays=frozenset({may(1), may(4), may(9)}),
        worked=frozenset({may(3), may(9)}),
    )
    opens = [day for day in range(1, 12) if place.is_open(may(day))]
    # The third is a Sunday that is worked, the ninth a holiday that is worked all the same.
    assert opens == [2, 3, 5, 6, 7, 8, 9, 11]


def test_of_a_year_that_is_not_known_nothing_is_said() -> None:
    place = BankingCalendar(
        "Beijing", known=frozenset({2026}), worked=frozenset({date(2027, 1, 2)})
    )
    assert place.is_open(date(2026, 12, 31))
    for day in (date(2027, 1, 1), date(2027, 1, 2), date(2025, 12, 31)):
        with pytest.raises(Refused) as caught:
            place.is_open(day)
        assert caught.value.code == "calendar_not_known"
        told = f"the holidays of Beijing in {day.year} are not known at this node"
        assert told in str(caught.value)
        assert caught.value.remedy == (
            "the operator adds that year: zhidao finance calendars add FILE"
        )
    assert BankingCalendar("Beijing", known=frozenset()).known == frozenset()
    with pytest.raises(Refused):
        BankingCalendar("Beijing", known=frozenset()).is_open(may(1))


def test_a_day_that_falls_on_a_rest_day_moves_to_the_next_open_one() -> None:
    """UCP 600 article 29(a)."""
    assert [PLAIN.next_open(may(day)).day for day in (1, 2, 3, 4)] == [1, 4, 4, 4]


@pytest.mark.parametrize(("closed", "found"), [(365, True), (366, False)])
def test_banks_that_rest_for_more_than_a_year_are_waited_for_no_longer(closed, found) -> None:
    first = date(2026, 1, 1)
    rest = frozenset(first + timedelta(days=day) for day in range(closed))
    place = BankingCalendar("Nowhere", rest=frozenset(), holidays=rest)
    if found:
        assert place.next_open(first) == first + timedelta(days=closed)
        return
    with pytest.raises(Refused, match="banks of Nowhere are closed for a year after"):
        place.next_open(first)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [(1, 0, 1), (2, 0, 2), (1, 1, 4), (2, 1, 4), (3, 1, 4), (4, 1, 5), (1, 5, 8), (1, 6, 11)],
)
def test_banking_days_are_counted_from_the_day_behind(start: int, count: int, end: int) -> None:
    assert PLAIN.after(may(start), count) == may(end)


@pytest.mark.parametrize(
    ("presented", "until"),
    [(4, 11), (7, 14), (8, 15), (9, 15), (10, 15), (11, 18)],
)
def test_a_bank_has_five_banking_days_behind_the_day_of_presentation(presented, until) -> None:
    """UCP 600 article 14(b)."""
    assert EXAMINATION_DAYS == 5
    assert PLAIN.examine_until(may(presented)) == may(until)


@pytest.mark.parametrize(
    ("pauses", "until"),
    [
        ((), 11),
        # The days behind the first and up to the last of a pause do not count.
        (((may(5), may(6)),), 12),
        (((may(5), may(5)),), 11),
        (((may(4), may(5)),), 12),
        (((may(6), may(8)),), 13),
        (((may(7), may(10)),), 12),
        (((may(8), may(11)),), 12),
        (((may(11), may(12)),), 11),
        (((may(4), may(5)), (may(6), may(7))), 13),
        (((may(4), may(6)), (may(5), may(7))), 14),
    ],
)
def test_while_a_bank_cannot_read_what_was_presented_no_day_counts(pauses, until) -> None:
    """eUCP 2.1 article e12."""
    assert PLAIN.examine_until(may(4), pauses) == may(until)


def test_holidays_and_worked_days_lengthen_and_shorten_the_examination() -> None:
    place = BankingCalendar(
        "Beijing", holidays=frozenset({may(6), may(7)}), worked=frozenset({may(9)})
    )
    assert place.examine_until(may(4)) == may(12)
    assert place.examine_until(may(4), [(may(8), may(9))]) == may(13)
