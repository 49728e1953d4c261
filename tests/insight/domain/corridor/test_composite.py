"""One number of several: computed again here, and an order only where nothing turns it."""

from __future__ import annotations

import json
import random
from statistics import mean
from typing import Any

import numpy as np
import pytest
from tests.insight.domain.corridor.test_crossing_figures import passed

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.corridor.composite import DISTURBANCES
from zhidao.insight.domain.corridor.passages import Passage
from zhidao.insight.service.crossings import AskedFigures
from zhidao.insight.wire.asked import decode_weights
from zhidao.insight.wire.corridor_document import corridor_table, encode_corridor_figures

FILES: Any = {"kind": "files"}


def at(name: str, hours: float, spread: float, count: int = 30) -> list[Passage]:
    draw = random.Random(name)
    return [
        passed(n, hours + draw.random() * spread, crossing=name, party=f"p{n % 5}")
        for n in range(count)
    ]


def composed(passages: list[Passage], weights: str, seed: int = 1) -> dict[str, Any]:
    figures = AskedFigures(seed, (), decode_weights(weights)).figures(passages, ())
    found: dict[str, Any] = json.loads(encode_corridor_figures(figures, seed=seed, basis=FILES))
    return found["composite"]


def test_the_number_is_the_weighed_ratio_to_the_best():
    fast, slow = at("fast", 2, 1), at("slow", 4, 1)
    made = composed(fast + slow, "mean=3,p90=1")
    assert made["weights"] == {"mean": 0.75, "p90": 0.25}
    assert made["disturbances"] == DISTURBANCES == 1000
    hours = {
        name: [2 * (each.sides[0][1].longest_ns / 3.6e12 - 1) + 0.5 for each in passages]
        for name, passages in (("fast", fast), ("slow", slow))
    }
    ratio = 0.75 * mean(hours["fast"]) / mean(hours["slow"]) + 0.25 * float(
        np.percentile(hours["fast"], 90) / np.percentile(hours["slow"], 90)
    )
    scores = {each["crossing"]: each["score"] for each in made["crossings"]}
    assert scores["fast"] == 1
    assert scores["slow"] == pytest.approx(ratio, abs=0.01)


def test_an_order_is_told_only_where_no_disturbance_turns_it():
    apart = composed(at("fast", 2, 1) + at("slow", 9, 1), "mean=1,p90=1")
    assert [(each["crossing"], each["from"], each["to"]) for each in apart["crossings"]] == [
        ("fast", 1, 1),
        ("slow", 2, 2),
    ]
    assert apart["order"] == {"observed": True, "simulated": False}
    alike = composed(at("one", 3, 5) + at("other", 3, 5), "mean=1")
    assert [(each["from"], each["to"]) for each in alike["crossings"]] == [(1, 2), (1, 2)]
    assert not alike["order"]["observed"]
    assert composed(at("alone", 2, 1), "mean=1")["crossings"] == []


def test_an_order_that_only_a_taste_makes_is_none():
    """The one is faster on the whole and the other more even: half a weight more turns it."""
    draw = random.Random(5)
    even = [passed(n, 4.0 + draw.random() * 0.4, crossing="even") for n in range(60)]
    fast = [passed(n, draw.choice((1.5, 4.5)), crossing="fast") for n in range(60)]
    assert composed(even + fast, "mean=1")["order"]["observed"]
    assert composed(even + fast, "variation=1")["order"]["observed"]
    assert composed(even + fast, "mean=1")["crossings"][0]["crossing"] == "fast"
    assert composed(even + fast, "variation=1")["crossings"][0]["crossing"] == "even"
    turned = [
        composed(even + fast, f"mean={weight},variation=1")["order"]["observed"]
        for weight in range(1, 12)
    ]
    assert not all(turned)


def test_missing_ones_may_have_been_as_slow_as_the_slowest():
    """So a crossing of which half is missing does not win by its silence."""
    seen, lost = at("silent", 3, 6), [passed(n, None, crossing="silent") for n in range(30, 90)]
    open_one = at("open", 4.5, 4)
    whole = composed(seen + open_one, "mean=1")
    assert whole["crossings"][0]["crossing"] == "silent" or not whole["order"]["observed"]
    silent = composed(seen + lost + open_one, "mean=1")
    assert not silent["order"]["observed"]
    assert composed(seen + lost + open_one, "missing=1")["crossings"][0]["crossing"] == "open"


def test_the_same_seed_gives_the_same_and_weights_are_shown():
    passages = at("one", 3, 5) + at("other", 4, 5) + at("third", 3.5, 5)
    assert composed(passages, "mean=2") == composed(passages[::-1], "mean=1")
    figures = AskedFigures(1, (), decode_weights("mean=2,missing=1")).figures(passages, ())
    english = corridor_table(figures, seed=1, basis=FILES, language="en")
    chinese = corridor_table(figures, seed=1, basis=FILES, language="zh")
    assert "weights: mean 0.67, missing 0.33; 1000 times" in english
    assert "权重：平均 0.67, 缺失 0.33；" in chinese
    assert "places overlap: no order" in english


def test_what_is_withheld_is_in_no_composite():
    few = at("few", 0.1, 0.1, count=4)
    made = composed(at("fast", 2, 1) + at("slow", 9, 1) + few, "mean=1,p90=1")
    assert {each["crossing"] for each in made["crossings"]} == {"fast", "slow"}
    assert composed(at("fast", 2, 1) + at("slow", 9, 1), "mean=1,p90=1") == made


@pytest.mark.parametrize(
    "text",
    ["mean", "mean=", "mean=-1", "mean=0", "speed=1", "mean=1,mean=2", "mean=1e9", "mean=nan", ","],
)
def test_weights_that_are_none_are_refused(text: str):
    with pytest.raises(MalformedInput) as refused:
        decode_weights(text)
    assert refused.value.where == "weights"
