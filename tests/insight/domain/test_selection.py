from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.insight.sample_log import BEGINNING, SampleLog, arrive, corridor, prepare, register

from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.timescale import NS, Utc
from zhidao.insight.domain.journeys import journeys
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.domain.report import make_report
from zhidao.insight.domain.selection import CONSIGNMENTS_NAMED_MAX, Selection
from zhidao.insight.wire.asked import decode_selection
from zhidao.insight.wire.document import encode_report


def document_of(log: OpenedLog, selection: Selection, **more: bool) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode_report(make_report(log, selection), **more))
    return document


def spread(leaves: list[list[int]]) -> list[int]:
    return [at for _, first, last in leaves for at in range(first, last + 1)]


def test_a_named_consignment_is_told_whole_and_nothing_of_the_others():
    log = corridor(paid=3, refused=2)
    own = {
        each.consignment: {leaf.at.index for leaf in each.leaves} for each in journeys(log.leaves)
    }
    document = document_of(log, Selection(("a1", "r0")))
    assert [each["consignment"] for each in document["consignments"]] == ["a1", "r0"]
    used = own["a1"] | own["r0"]
    for figure in document["overview"] + document["marks"] + document["simulated"]:
        assert set(spread(figure["leaves"])) <= used, figure["key"]
    told = [at for voice in document["voices"] for at in spread(voice["said"]["leaves"])]
    assert sorted(told) == sorted(used)
    chosen = document["selection"]
    assert (chosen["chosen"], chosen["of"], chosen["leaves_aside"]) == (
        2,
        5,
        len(log.leaves) - len(used),
    )
    aside = [gap for gap in document["missing"] if gap["key"] == "aside"]
    assert [gap["args"]["count"] for gap in aside] == [str(len(log.leaves) - len(used))]


def test_what_is_opened_is_told_of_the_whole_log_whatever_is_chosen():
    log = corridor(paid=2, refused=0)
    assert document_of(log, Selection(("a0",)))["opened"] == document_of(log, Selection())["opened"]


def test_a_history_of_which_a_part_is_chosen_has_no_hole():
    """One terminal serves all consignments; of its history only a part belongs to one of them."""
    document = document_of(corridor(paid=3, refused=0), Selection(("a1",)))
    assert [gap["key"] for gap in document["missing"] if gap["key"] == "history"] == []


def test_a_consignment_that_was_not_opened_is_no_empty_report():
    with pytest.raises(NotFound, match="nowhere"):
        make_report(corridor(), Selection(("a0", "nowhere")))


def test_a_time_takes_those_entered_in_it_its_beginning_and_not_its_end():
    log = corridor(paid=3, refused=0)
    entered = [each.entry.event.occurred_at for each in journeys(log.leaves)]

    def names(first: Utc | None, end: Utc | None) -> list[str]:
        document = document_of(log, Selection((), first, end))
        return [each["consignment"] for each in document["consignments"]]

    assert names(entered[1], None) == ["a1", "a2"]
    assert names(None, entered[1]) == ["a0"]
    assert names(entered[1], entered[2]) == ["a1"]
    assert names(entered[1].plus_ns(1), entered[2]) == []
    assert names(entered[2].plus_ns(1), None) == []


def test_an_entry_that_came_late_belongs_to_the_day_on_which_it_happened():
    book = SampleLog()
    register(book)
    prepare(book, "now", simulated=False)
    arrive(book, "now", simulated=False)
    log = book.log()
    earlier = BEGINNING.plus_ns(-5 * 86_400 * NS)
    leaves = [
        replace(leaf, event=replace(leaf.event, occurred_at=earlier))
        if "ConsignmentEntered" in leaf.event.type
        else leaf
        for leaf in log.leaves
    ]
    log = OpenedLog(log.heads, tuple(leaves))
    day = decode_selection(consignments=(), first="2026-02-24", last="2026-02-24")
    assert document_of(log, day)["selection"]["chosen"] == 1


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-03-01", "2026-03-01", ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")),
        ("2026-12-31", "", ("2026-12-31T00:00:00Z", "None")),
        ("", "2026-02-28", ("None", "2026-03-01T00:00:00Z")),
        (
            "2026-03-01T08:00:00+08:00",
            "2026-03-01T08:00:00Z",
            ("2026-03-01T00:00:00Z", "2026-03-01T08:00:00Z"),
        ),
    ],
)
def test_a_day_is_taken_whole_and_an_instant_exactly(
    first: str, last: str, expected: tuple[str, str]
):
    made = decode_selection(consignments=(), first=first, last=last)
    assert (str(made.first), str(made.end)) == expected


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("yesterday", ""),
        ("2026-02-30", ""),
        ("20260301", ""),
        ("", "2026-03-01T25:00:00Z"),
        ("2026-03-02", "2026-03-01"),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("1900-01-01", ""),
        ("", "9999-12-31"),
    ],
)
def test_what_is_no_time_is_refused(first: str, last: str):
    with pytest.raises(MalformedInput) as caught:
        decode_selection(consignments=(), first=first, last=last)
    assert caught.value.remedy


@pytest.mark.bound("insight.domain.selection.CONSIGNMENTS_NAMED_MAX")
def test_names_are_bounded():
    names = [f"c{number}" for number in range(CONSIGNMENTS_NAMED_MAX)]
    assert len(Selection(tuple(names)).consignments) == CONSIGNMENTS_NAMED_MAX
    with pytest.raises(MalformedInput):
        Selection((*names, "one more"))


def test_a_summary_has_no_consignment_and_counts_what_is_missing_of_them():
    log = corridor(paid=3, refused=2)
    whole, summary = document_of(log, Selection()), document_of(log, Selection(), is_summary=True)
    assert (whole["summary"], summary["summary"]) == (False, True)
    assert summary["consignments"] == []
    assert summary["missing_of_each"] == {"milestones": 2}
    same = ("overview", "steps", "marks", "refusals", "voices", "opened", "selection")
    assert all(summary[name] == whole[name] for name in same)
