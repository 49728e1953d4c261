"""Two persons for large amounts: who counts, for how long, and that no currency is a way around."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from tests.finance.domain.deals.histories import START_S, at, history

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.payments.approval import (
    DONE,
    GOOD_FOR_S,
    LAPSE,
    REFUSE,
    TURNED_DOWN,
    Approval,
    Authorisation,
    Limits,
    approval_id,
    authorised_minor,
    fold,
)
from zhidao.finance.events.banks import ApprovalAsked, ApprovalGiven

CNY, EUR = Currency("CNY"), Currency("EUR")
ASKED = ApprovalAsked(
    approval="a",
    act="pay",
    subject="E-1",
    amount_minor="500",
    currency="CNY",
    said={"to": "x"},
)


def test_limits_are_read_by_currency_with_blanks_where_people_write_them() -> None:
    limits = Limits.parse(" CNY 500000.00 ,EUR  70000.5,, JPY 0")
    assert limits.above_minor == {"CNY": 50_000_000, "EUR": 7_000_050, "JPY": 0}
    assert Limits.parse("").above_minor == {}


@pytest.mark.parametrize("text", ["CNY", "CNY500", "CNY 5, CNY 6", "500 CNY", "CNY five"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        Limits.parse(text)


def test_a_refused_limit_names_the_setting_and_how_to_write_it() -> None:
    for text in ("CNY", "CNY 5, CNY 6"):
        with pytest.raises(MalformedInput, match="each currency once") as refusal:
            Limits.parse(text)
        assert refusal.value.where == "finance.two_persons_above"
        assert "CNY 500000.00" in str(refusal.value.remedy)


def test_an_amount_above_its_limit_needs_two_and_an_unnamed_currency_always() -> None:
    limits = Limits.parse("CNY 10.00")
    assert limits.asks(Money(1000, CNY)) is False
    assert limits.asks(Money(1001, CNY)) is True
    assert limits.asks(Money(1, EUR)) is True
    assert limits.asks(Money(0, EUR)) is False
    assert Limits({}).asks(Money(10**15, EUR)) is False


def _authorised(*rows: tuple[str, str, int], person: str, account: str = "q") -> int:
    given = [Authorisation("n", who, where, minor) for who, where, minor in rows]
    return authorised_minor(given, person=person, account=account)


def test_what_a_caller_authorised_adds_up_with_what_any_token_did() -> None:
    rows = [("li", "x", 60), ("li", "x", 5), ("", "y", 30), ("wang", "z", 20)]
    assert _authorised(*rows, person="li") == 95
    assert _authorised(*rows, person="wang") == 50
    assert _authorised(*rows, person="aigerim") == 30
    # A token may be in the hands of whoever authorised most.
    assert _authorised(*rows, person="") == 95
    assert _authorised(("", "y", 30), person="") == 30
    assert _authorised(person="li") == 0


def test_what_was_authorised_on_an_account_counts_whoever_did_it() -> None:
    rows = [("li", "x", 60), ("wang", "x", 20), ("", "y", 30)]
    assert _authorised(*rows, person="aigerim", account="x") == 80
    assert _authorised(*rows, person="aigerim", account="y") == 30
    assert _authorised(*rows, person="li", account="x") == 90


def _named(**changes: Any) -> str:
    words: dict[str, Any] = {
        "party": "bank",
        "act": "pay",
        "subject": "E-1",
        "amount": Money(500, CNY),
        "said": {"to": "x"},
    }
    return approval_id(**words | changes)


def test_an_approval_is_of_all_that_it_says_and_of_nothing_else() -> None:
    others = [
        _named(party="b"),
        _named(act="p"),
        _named(subject="E-2"),
        _named(amount=Money(501, CNY)),
        _named(amount=Money(500, EUR)),
        _named(said={"to": "y"}),
    ]
    assert len({_named(), *others}) == 7
    text = '["bank","pay","E-1","500","CNY",{"to":"x"}]'
    assert _named() == hashlib.sha256(text.encode()).hexdigest()


def _given(person: str, verdict: str = "approve") -> ApprovalGiven:
    return ApprovalGiven(approval="a", person=person, verdict=verdict)


def _approval(*facts: object, now: Utc | None = None) -> Approval:
    found = fold(history("approval/a", ASKED, *facts), now=now or at(200))
    assert found is not None
    return found


def test_nothing_asked_is_no_approval_and_one_that_is_asked_waits() -> None:
    assert fold([], now=at(0)) is None
    found = _approval()
    assert (found.state, found.approved_by, found.refused_by) == ("waits", (), "")
    assert (found.party, found.asked_at, found.version) == ("bank", at(101), 1)
    assert (found.asked, found.amount) == (ASKED, Money(500, CNY))


def test_two_persons_approve_and_one_who_says_it_twice_is_one() -> None:
    assert _approval(_given("li")).state == "waits"
    twice = _approval(_given("li"), _given("li"))
    assert (twice.state, twice.approved_by, twice.version) == ("waits", ("li",), 3)
    both = _approval(_given("li"), _given("wang"))
    assert (both.state, both.approved_by) == ("approved", ("li", "wang"))


def test_one_refusal_outweighs_any_number_of_approvals() -> None:
    found = _approval(_given("li"), _given("zhao", "refuse"), _given("wang"))
    assert (found.state, found.refused_by) == ("refused", "zhao")
    assert found.approved_by == ("li", "wang")


@pytest.mark.parametrize("verdict", ["approve", "refuse"])
def test_a_word_counts_for_three_days_and_not_a_moment_longer(verdict: str) -> None:
    assert GOOD_FOR_S == 3 * 24 * 60 * 60
    last = Utc.from_unix_ns((START_S + 102 + GOOD_FOR_S) * NS)
    counted = _approval(_given("li", verdict), now=last)
    assert (counted.approved_by, counted.refused_by) in ((("li",), ""), ((), "li"))
    over = _approval(_given("li", verdict), now=last.plus_ns(1))
    assert (over.state, over.approved_by, over.refused_by) == ("waits", (), "")


def _found(*facts: object, now: Utc | None = None) -> tuple[str, tuple[str, ...], str, bool, bool]:
    one = _approval(*facts, now=now)
    return one.state, one.approved_by, one.refused_by, one.done, one.counts


def test_what_was_carried_out_stays_as_it_was_decided_then() -> None:
    both, done = (_given("li"), _given("wang")), _given("", DONE)
    much_later = at(103 + 100 * GOOD_FOR_S)
    approved = ("approved", ("li", "wang"), "", True)
    assert _found(*both, done) == (*approved, True)
    assert _found(*both, done, now=much_later) == (*approved, False)
    # Whatever an earlier version wrote in between, or anybody after it.
    lapsed, no = _given("wang", LAPSE), _given("li", REFUSE)
    assert _found(*both, lapsed, done) == (*approved, False)
    assert _found(*both, lapsed, no, done, no) == (*approved, False)
    # By the last two who stood.
    assert _found(*both, lapsed, _given("zhao"), done)[1] == ("li", "zhao")
    refused = ("refused", ("zhao",), "li", True)
    told = (_given("zhao"), no, _given("", TURNED_DOWN))
    assert _found(*told, now=much_later) == (*refused, False)
    # What was never decided so is not ended by saying it.
    assert _found(_given("li"), done) == ("waits", ("li",), "", False, True)
    assert _found(*both, _given("", TURNED_DOWN)) == ("approved", ("li", "wang"), "", False, True)


def test_what_is_asked_for_anew_begins_again() -> None:
    both, done = (_given("li"), _given("wang")), _given("", DONE)
    assert _found(*both, done, ASKED) == ("waits", (), "", False, True)
    found = _approval(*both, done, ASKED, _given("zhao"))
    assert (found.approved_by, found.asked_at, found.version) == (("zhao",), at(105), 6)
    assert found.once == frozenset()


def test_what_comes_after_an_old_word_still_counts() -> None:
    events = history("approval/a", ASKED, _given("li"), _given("wang"))
    late = replace(events[2], recorded_at=at(102 + GOOD_FOR_S))
    found = fold([*events[:2], late], now=at(103 + GOOD_FOR_S))
    assert found is not None
    assert (found.approved_by, found.version) == (("wang",), 3)
