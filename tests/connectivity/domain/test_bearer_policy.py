"""The mobile network first, short message after so long without an answer, both for alarms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.bearer_policy import Bearer, BearerPolicy, MobileLink, Need
from zhidao.connectivity.domain.message import Form
from zhidao.core.errors import MalformedInput

_MOBILE = (Bearer.MOBILE,)
_BOTH = (Bearer.MOBILE, Bearer.SHORT_MESSAGE)
_POLICY = BearerPolicy(silence_s=600, early_s=30)


@pytest.mark.parametrize("form", Form)
def test_alarms_and_orders_go_over_both_and_nothing_else_does_while_the_network_answers(
    form,
) -> None:
    link = MobileLink().tried(100.0).answered()
    wanted = _BOTH if form in (Form.ALARM, Form.ORDER) else _MOBILE
    for need in Need:
        assert _POLICY.bearers(form, link, now_s=100_000.0, need=need) == wanted
        assert _POLICY.bearers(form, MobileLink(), now_s=100_000.0, need=need) == wanted


def test_short_message_helps_from_the_silence_on_and_not_a_moment_before() -> None:
    link = MobileLink().tried(1_000.0)
    for need in (Need.MAY, Need.NO):
        before = _POLICY.bearers(Form.POSITIONS, link, now_s=1_599.999, need=need)
        after = _POLICY.bearers(Form.POSITIONS, link, now_s=1_600.0, need=need)
        assert (before, after) == (_MOBILE, _BOTH)


def test_it_helps_sooner_where_coverage_says_that_it_must() -> None:
    link = MobileLink().tried(1_000.0)
    assert _POLICY.bearers(Form.GATE, link, now_s=1_029.999, need=Need.MUST) == _MOBILE
    assert _POLICY.bearers(Form.GATE, link, now_s=1_030.0, need=Need.MUST) == _BOTH


def test_silence_counts_from_the_first_try_without_an_answer() -> None:
    link = MobileLink().tried(1_000.0).tried(1_300.0).tried(1_590.0)
    assert link.silence_s(1_600.0) == 600
    assert _POLICY.bearers(Form.TEXT, link, now_s=1_600.0) == _BOTH
    # An answer ends it, whatever was tried before; the next silence begins with the next try.
    back = link.answered()
    assert _POLICY.bearers(Form.TEXT, back, now_s=9_000.0) == _MOBILE
    assert _POLICY.bearers(Form.TEXT, back.tried(9_000.0), now_s=9_599.0) == _MOBILE


def test_a_terminal_with_nothing_to_say_for_hours_has_no_silence_behind_it() -> None:
    assert MobileLink().silence_s(1e9) == 0
    at_once = BearerPolicy(silence_s=0, early_s=0)
    assert at_once.bearers(Form.POSITIONS, MobileLink(), now_s=1e9) == _MOBILE
    assert at_once.bearers(Form.POSITIONS, MobileLink().tried(5.0), now_s=5.0) == _BOTH


@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["try", "answer", "ask"]), st.floats(0, 900)), max_size=40
    ),
    form=st.sampled_from(list(Form)),
    need=st.sampled_from(list(Need)),
)
def test_whatever_happened_short_message_carries_exactly_what_is_urgent_or_overdue(
    acts, form, need
) -> None:
    link, now_s, open_since = MobileLink(), 0.0, None
    for act, later_s in acts:
        now_s += later_s
        if act == "try":
            link = link.tried(now_s)
            open_since = now_s if open_since is None else open_since
        elif act == "answer":
            link, open_since = link.answered(), None
        chosen = _POLICY.bearers(form, link, now_s=now_s, need=need)
        assert chosen[0] is Bearer.MOBILE
        limit_s = 30 if need is Need.MUST else 600
        overdue = open_since is not None and now_s - open_since >= limit_s
        assert (Bearer.SHORT_MESSAGE in chosen) == (overdue or form in (Form.ALARM, Form.ORDER))


@pytest.mark.parametrize(
    ("silence_s", "early_s"), [(600, 601), (600, -1), (86_401, 0), (math.nan, 0), (600, math.nan)]
)
def test_a_policy_that_means_nothing_is_refused(silence_s, early_s) -> None:
    with pytest.raises(MalformedInput):
        BearerPolicy(silence_s=silence_s, early_s=early_s)


def test_a_policy_at_its_ends_is_taken() -> None:
    BearerPolicy(silence_s=86_400, early_s=86_400)
    BearerPolicy(silence_s=0, early_s=0)
