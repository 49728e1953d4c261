"""Figures of crossings are computed again here; what is withheld can be worked out from nothing."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, median, stdev
from typing import Any

import pytest
from tests.insight.corridor_trips import EAST, WEST

from zhidao.core.timescale import NS
from zhidao.insight.domain.corridor.crossing_figures import (
    CONSIGNMENTS_MIN,
    PARTIES_MIN,
    WHOLE,
    corridor_figures,
)
from zhidao.insight.domain.corridor.passages import Passage, Reason, Stay
from zhidao.insight.domain.opened import LeafRef
from zhidao.insight.wire.corridor_document import encode_corridor_figures

FILES: Any = {"kind": "files"}
HOUR = 3600 * NS
# 2026-01-15, in the first quarter.
JANUARY_H = 20_468 * 24
QUARTER_H = 91 * 24


def passed(
    number: int,
    hours: float | None,
    *,
    party: str = "",
    mode: str = "road",
    quarter: int = 0,
    back: bool = False,
    crossing: str = "Border",
    simulated: bool = False,
) -> Passage:
    """A passage of so many hours on each side, known to half an hour at both ends, or declined."""
    start = (JANUARY_H + quarter * QUARTER_H) * HOUR + number * NS
    told: dict[str, Any] = {
        "crossing": crossing,
        "consignment": f"c{number}",
        "party": party or f"p{number % 4}",
    }
    told |= {
        "mode": mode,
        "seen_ns": start,
        "simulated": simulated,
        "leaves": (LeafRef(0, number),),
    }
    if hours is None:
        lost = Reason.NOT_SEEN
        return Passage(**told, direction=(), sides=((WEST, lost), (EAST, lost)), whole=lost)
    ns, half = int(hours * HOUR), HOUR // 2
    one = Stay((start - half, start), (start + ns, start + ns + half), 1)
    other = Stay((start + ns, start + ns + half), (start + 2 * ns, start + 2 * ns + half), 1)
    whole = Stay(one.entered_ns, other.left_ns, 2)
    names = (EAST, WEST) if back else (WEST, EAST)
    return Passage(**told, direction=names, sides=((WEST, one), (EAST, other)), whole=whole)


def document(passages: Sequence[Passage], seed: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        encode_corridor_figures(corridor_figures(passages, seed=seed), seed=seed, basis=FILES)
    )
    return found


def cell_of(told: dict[str, Any], part: str = WHOLE, **more: str) -> dict[str, Any]:
    (found,) = [
        each
        for each in told["cells"]
        if each["part"] == part and all(each[key] == value for key, value in more.items())
    ]
    return found


def test_every_figure_is_what_its_passages_say():
    draw = random.Random(3)
    hours = [draw.expovariate(0.2) + 1 for _ in range(40)]
    told = cell_of(document([passed(n, each) for n, each in enumerate(hours)]))
    # Each was an hour more or less uncertain: half before, half after.
    middles = [2 * each + 0.5 for each in hours]
    assert told["consignments"] == 40
    assert told["parties"] == 4
    assert told["mean_h"] == pytest.approx(mean(middles), abs=1e-3)
    assert told["median_h"] == pytest.approx(median(middles), abs=1e-3)
    assert told["coefficient_of_variation"] == pytest.approx(
        stdev(middles) / mean(middles), abs=1e-3
    )
    assert told["bound_h"] == pytest.approx(
        [mean(2 * each for each in hours), mean(2 * each + 1 for each in hours)], abs=1e-3
    )
    low, high = told["interval_90_h"]
    error = stdev(middles) / 40**0.5
    assert low == pytest.approx(mean(middles) - 1.645 * error, abs=0.5 * error)
    assert high == pytest.approx(mean(middles) + 1.645 * error, abs=0.5 * error)
    assert sum(each <= told["p90_h"] for each in middles) == 36


def test_the_same_passages_in_any_order_give_the_same_and_another_seed_another_interval():
    passages = [passed(n, 1 + n % 7) for n in range(30)]
    again = passages[::-1]
    assert document(passages) == document(again)
    one, other = cell_of(document(passages)), cell_of(document(passages, seed=2))
    assert one["interval_90_h"] != other["interval_90_h"]
    assert one["mean_h"] == other["mean_h"]
    assert document(passages, seed=2**63 - 1)["seed"] == str(2**63 - 1)


@pytest.mark.parametrize(
    ("count", "parties", "told"),
    [
        (CONSIGNMENTS_MIN, PARTIES_MIN, True),
        (CONSIGNMENTS_MIN - 1, PARTIES_MIN, False),
        (CONSIGNMENTS_MIN, PARTIES_MIN - 1, False),
    ],
)
def test_of_too_few_nothing_is_told(count: int, parties: int, *, told: bool):
    made = document([passed(n, 3, party=f"p{n % parties}") for n in range(count)])
    cell = cell_of(made)
    assert cell["told"] == told
    assert ("mean_h" in cell, "consignments" in cell) == (told, told)
    assert bool(made["totals"]) == told


def world(draw: random.Random, hours_of_few: float) -> list[Passage]:
    """Cells of many and of few; hours of the few are as asked, those of the many always the same."""
    passages: list[Passage] = []
    for quarter in range(3):
        for back in (False, True):
            for mode in ("road", "rail"):
                few = draw.random() < 0.5
                for number in range(draw.randrange(1, 5) if few else draw.randrange(5, 12)):
                    hours = hours_of_few * draw.random() if few else 2 + draw.random()
                    name = len(passages)
                    party = f"p{number % 4}"
                    told = passed(name, hours, party=party, mode=mode, quarter=quarter, back=back)
                    passages.append(told)
    return passages


@pytest.mark.parametrize("seed", range(8))
def test_nothing_that_is_told_depends_on_the_hours_of_what_is_withheld(seed: int):
    """So no report, nor two subtracted, nor all together say anything of them."""
    one = world(random.Random(seed), 1.0)
    other = world(random.Random(seed), 1000.0)
    assert [each.whole for each in one] != [each.whole for each in other]
    assert document(one) == document(other)
    # Nor does a report over a part of the time.
    assert document(one[: len(one) // 2]) == document(other[: len(other) // 2])


@pytest.mark.parametrize("seed", range(8))
def test_totals_are_those_of_the_cells_that_are_told(seed: int):
    told = document(world(random.Random(seed), 5.0))
    cells = defaultdict(list)
    for each in told["cells"]:
        if each["told"]:
            cells[each["part"]].append(each)
    assert {each["part"] for each in told["totals"]} == set(cells)
    for total in told["totals"]:
        mine = cells[total["part"]]
        assert total["consignments"] == sum(each["consignments"] for each in mine)
        weighted = sum(each["mean_h"] * each["consignments"] for each in mine)
        assert total["mean_h"] == pytest.approx(weighted / total["consignments"], abs=2e-3)


def test_what_is_missing_is_counted_and_both_cases_are_told():
    passages = [passed(n, 2) for n in range(8)] + [passed(n, 10) for n in range(8, 10)]
    lacking = [passed(n, None) for n in range(10, 15)]
    told = cell_of(document(passages + lacking), direction=f"{WEST} > {EAST}")
    assert (told["missing"], told["missing_share"]) == (5, 0.333)
    # The shortest took 4 hours at least, the longest 21 at most.
    middle = told["mean_h"] * 10
    assert told["with_missing_h"] == pytest.approx(
        [(middle + 20) / 15, (middle + 105) / 15], abs=1e-2
    )
    whole = document(passages + lacking)
    assert whole["declined"]["not_seen"] == 5
    assert [each["missing"] for each in whole["totals"]] == [5, 5, 5]
    without = document(passages)
    assert cell_of(without)["missing"] == 0
    assert cell_of(without)["mean_h"] == told["mean_h"]


def test_missing_ones_of_a_quarter_of_which_nothing_is_told_are_not_told_either():
    passages = [passed(n, 2) for n in range(8)]
    lacking = [passed(n, None, quarter=1) for n in range(8, 10)]
    assert document(passages + lacking)["totals"] == document(passages)["totals"]


def test_crossings_are_in_order_only_where_chance_would_not_turn_it():
    def at(name: str, hours: float, spread: float) -> list[Passage]:
        draw = random.Random(name)
        return [
            passed(n, hours + draw.random() * spread, crossing=name, party=f"p{n % 5}")
            for n in range(30)
        ]

    apart = document(at("slow", 9, 1) + at("fast", 2, 1))["ranks"]
    assert apart == [
        {"crossing": "fast", "from": 1, "to": 1, "simulated": False},
        {"crossing": "slow", "from": 2, "to": 2, "simulated": False},
    ]
    alike = document(at("one", 3, 5) + at("other", 3, 5))["ranks"]
    assert [(each["from"], each["to"]) for each in alike] == [(1, 2), (1, 2)]
    assert document(at("alone", 3, 5))["ranks"] == []


def test_what_was_played_is_in_no_figure_with_what_was_not():
    real = [passed(n, 2) for n in range(8)]
    played = [passed(n, 20, simulated=True) for n in range(8, 16)]
    told = document(real + played)
    assert {
        (each["simulated"], each["mean_h"] > 20) for each in told["totals"] if each["part"] == WHOLE
    } == {
        (False, False),
        (True, True),
    }
    assert [each for each in told["totals"] if not each["simulated"]] == document(real)["totals"]


def test_each_figure_names_the_leaves_that_it_rests_on():
    told = document(
        [passed(n, 2) for n in range(8)] + [passed(n, 2, quarter=1) for n in range(9, 11)]
    )
    for each in told["cells"]:
        assert each.get("leaves") == ([[0, 0, 7]] if each["told"] else None)


def test_of_fewer_than_five_passages_no_reason_is_told():
    assert document([passed(n, None) for n in range(4)])["declined"] == {}
    assert document([passed(n, None) for n in range(5)])["declined"]["not_seen"] == 5
    assert document([])["cells"] == []
