"""Risks as people say them."""

from __future__ import annotations

import pytest

from zhidao.positioning.events import risk_in_words


@pytest.mark.parametrize(
    ("risk_ppb", "words"),
    [
        (10_000, "1 in 100,000"),
        (1, "1 in 1,000,000,000"),
        (30_000, "30,000 in a billion"),
        (0, "0 in a billion"),
    ],
)
def test_a_risk_is_said_as_people_say_it(risk_ppb: int, words: str) -> None:
    assert risk_in_words(risk_ppb) == words
