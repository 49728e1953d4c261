"""Two reports subtracted show no few consignments, whoever subtracts them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.domain.corridor.test_crossing_figures import passed
from tests.spoiling import BOUNDED

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.corridor.passages import Passage
from zhidao.insight.service.crossings import AskedFigures
from zhidao.insight.wire.corridor_document import encode_corridor_figures
from zhidao.insight.wire.corridor_published import decode_published

ORIGIN = "node.example/log"
LOG: Any = {"kind": "log", "logs": [{"origin": ORIGIN}], "opened": 1, "leaves": 1}
FILES: Any = {"kind": "files"}


def report(
    passages: Sequence[Passage],
    *earlier: bytes,
    basis: Any = LOG,
    origins: Sequence[str] = (ORIGIN,),
) -> bytes:
    asked = AskedFigures(1, tuple(map(decode_published, earlier)))
    figures = asked.figures(passages, origins)
    return encode_corridor_figures(figures, seed=1, basis=basis)


def told(document: bytes) -> set[str]:
    return {each["part"] for each in json.loads(document)["cells"] if each["told"]}


MANY = [passed(n, 2 + n % 5) for n in range(20)]


def more(count: int, parties: int = 4) -> list[Passage]:
    return [passed(n, 3, party=f"p{n % parties}") for n in range(20, 20 + count)]


@pytest.mark.parametrize(
    ("came", "parties", "is_told"),
    [(0, 4, True), (1, 4, False), (4, 4, False), (5, 4, True), (5, 2, False), (9, 3, True)],
)
def test_what_came_in_between_is_enough_or_nothing_is_told(
    came: int, parties: int, *, is_told: bool
):
    first = report(MANY)
    second = report([*MANY, *more(came, parties)], first)
    assert bool(told(second)) is is_told
    assert bool(json.loads(second)["totals"]) is is_told
    assert bool(told(report([*MANY, *more(came, parties)])))


def test_what_is_left_out_the_second_time_is_not_told_of_the_others():
    assert told(report(MANY[:-1], report(MANY))) == set()
    exchanged = [*MANY[:-1], *more(1)]
    assert told(report(exchanged, report(MANY))) == set()


def test_each_report_before_counts_and_none_of_another_cell_or_log():
    first, second = report(MANY[:15]), report(MANY)
    assert told(report([*MANY, *more(6)], first, second))
    assert not told(report([*MANY, *more(2)], first, second))
    other = [passed(n, 2, quarter=1) for n in range(30)]
    assert told(report(other, first, second))
    # Nobody can say which leaves of another log they were.
    assert not told(report([*MANY, *more(9)], first, origins=("other",)))
    assert told(report(MANY, first, origins=("other",))) == set()
    assert told(report(MANY[:15], first, origins=("other",)))


def test_of_files_the_same_is_told_again_and_nothing_else():
    bare = list(MANY)
    first = report(bare, basis=FILES, origins=())
    assert told(report(bare, first, basis=FILES, origins=()))
    assert not told(report([*bare, *more(9)], first, basis=FILES, origins=()))


@pytest.mark.parametrize("seed", range(6))
def test_no_subtraction_of_two_reports_is_of_few(seed: int):
    """Sums of hours of both reports, subtracted cell by cell and in total."""
    draw = random.Random(seed)
    passages = [
        passed(n, 1 + draw.random() * 9, mode=draw.choice(("road", "rail")), quarter=n // 8 % 2)
        for n in range(60)
    ]
    cut = draw.randrange(30, 60)
    first = report(passages[:cut])
    second = report(passages, first)
    before = {key(each): each for each in json.loads(first)["cells"] if each["told"]}
    after = {key(each): each for each in json.loads(second)["cells"] if each["told"]}
    assert before
    for name in before.keys() & after.keys():
        apart = after[name]["consignments"] - before[name]["consignments"]
        assert apart == 0 or apart >= 5
    sums = [
        {each["part"]: each["consignments"] for each in json.loads(one)["totals"]}
        for one in (first, second)
    ]
    for part in sums[0].keys() & sums[1].keys():
        mine = [each["consignments"] for name, each in after.items() if name[1] == part]
        assert sums[1][part] == sum(mine)


def key(cell: dict[str, Any]) -> tuple[str, ...]:
    names = ("crossing", "part", "mode", "direction", "quarter")
    return tuple(cell[name] for name in names)


CORRIDOR = report(MANY)
WHOLE = json.loads(CORRIDOR)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("format", "zhidao.assessment"),
        ("v", 2),
        ("cells", {}),
        ("cells", [1]),
        ("basis", []),
        ("basis", {"logs": [{}]}),
        ("basis", {"logs": [{"origin": "a"}, {"origin": "a"}]}),
    ],
)
def test_what_is_no_report_is_refused(place: str, value: Any):
    with pytest.raises(MalformedInput):
        decode_published(jcs(WHOLE | {place: value}))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("told", "yes"),
        ("mean_h", "3"),
        ("bound_h", [1]),
        ("leaves", [[0, 5, 3]]),
        ("leaves", [[0, -1, 3]]),
        ("leaves", "all"),
        ("crossing", None),
    ],
)
def test_a_cell_that_was_edited_is_refused(place: str, value: Any):
    edited = json.loads(report(MANY))
    edited["cells"][0][place] = value
    with pytest.raises(MalformedInput) as refused:
        decode_published(jcs(edited))
    assert refused.value.where == "cells[0]"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab0", max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@BOUNDED
@given(st.sampled_from(sorted(WHOLE["cells"][0])), JSON, st.binary(max_size=60))
def test_any_input_is_a_report_or_refused(place: str, value: Any, data: bytes):
    edited = WHOLE | {"cells": [WHOLE["cells"][0] | {place: value}]}
    for each in (data, jcs(edited)):
        try:
            found = decode_published(each)
        except MalformedInput:
            continue
        assert len(found.cells) <= 1
        report(MANY, each)


def test_leaves_without_end_take_no_memory_and_withhold():
    edited = json.loads(report(MANY))
    for cell in edited["cells"]:
        cell["leaves"] = [[0, 0, 2**52], [0, 0, 2**52]]
    assert told(report(MANY, jcs(edited))) == set()
