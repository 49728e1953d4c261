"""Every figure is computed again here, by other code, from the leaves that it names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import pytest
from tests.insight.sample_log import SampleLog, corridor, prepare

from zhidao.core.timescale import NS, Utc
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.domain.report import make_report
from zhidao.insight.wire.document import encode_report

# How a stranger with the JSON and the events would answer each question again.
AGAIN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "lots_within_limits": lambda p: p["within_limits"],
    "documents_valid": lambda p: p["valid"],
    "documents_with_credential": lambda p: p["credential"] != "",
    "papers_agree": lambda p: p["agree"],
    "seals_intact": lambda p: p["intact"],
    "arrivals_proven": lambda p: "navigation" in p,
    "network_agrees": lambda p: p["verdict"] != "mismatch",
    "decided_release": lambda p: p["outcome"] == "release",
    "settled_paid": lambda p: p["paid"],
    "simulated_events": lambda p: p["simulated"],
}


def document_of(log: OpenedLog) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode_report(make_report(log)))
    return document


def spread(leaves: list[list[int]]) -> list[int]:
    return [at for _, first, last in leaves for at in range(first, last + 1)]


@pytest.fixture(scope="module")
def log() -> OpenedLog:
    return corridor(paid=4, refused=3)


@pytest.fixture(scope="module")
def document(log: OpenedLog) -> dict[str, Any]:
    return document_of(log)


def test_every_share_is_what_its_leaves_say(log: OpenedLog, document: dict[str, Any]):
    payloads = {leaf.at.index: dict(leaf.event.payload) for leaf in log.leaves}
    figures = {f["key"]: f for f in document["overview"] + document["simulated"]}
    for key, holds in AGAIN.items():
        figure = figures[key]
        again = [at for at in spread(figure["leaves"]) if holds(payloads[at])]
        assert len(again) == figure["value"], key
        assert again == spread(figure.get("counted", [])), key
        assert len(spread(figure["leaves"])) == figure["total"], key


def test_every_mark_is_what_its_leaves_say(log: OpenedLog, document: dict[str, Any]):
    payloads = {leaf.at.index: dict(leaf.event.payload) for leaf in log.leaves}
    assert len(document["marks"]) == 7
    for figure in document["marks"]:
        name = figure["args"]["mark"]
        again = [at for at in spread(figure["leaves"]) if payloads[at]["marks"][name]]
        assert (len(again), figure["total"]) == (figure["value"], 7)


def test_every_median_is_that_of_the_steps_beside_it(document: dict[str, Any]):
    for figure in document["steps"]:
        if not figure["key"].startswith("step_"):
            continue
        took = [
            step["took_ms"]
            for consignment in document["consignments"]
            if figure["key"] == f"step_{consignment['clock']}"
            for step in consignment["steps"]
            if step["key"] == figure["args"]["milestone"] and step["took_ms"] is not None
        ]
        assert figure["total"] == len(took)
        wanted = int(median(took)) if len(took) >= document["events_min"] else None
        assert figure["median_ms"] == wanted


@pytest.mark.parametrize("clock", ["occurred", "recorded"])
def test_every_step_is_the_time_between_its_two_leaves(log: OpenedLog, clock: str):
    # Nothing happened when it was written down: all a day before, and the settlement five.
    moved = [
        replace(leaf, event=replace(leaf.event, occurred_at=leaf.event.recorded_at.plus_ns(-ago)))
        for leaf in log.leaves
        for ago in [432_000 * NS if "Settled" in leaf.event.type else 86_400 * NS]
        if clock == "occurred" or leaf.event.type.startswith("finance.")
    ]
    apart = {leaf.at: leaf for leaf in moved}
    told = OpenedLog(log.heads, tuple(apart.get(leaf.at, leaf) for leaf in log.leaves))
    events = {leaf.at.index: leaf.event for leaf in told.leaves}
    at = {index: getattr(event, f"{clock}_at") for index, event in events.items()}
    for consignment in document_of(told)["consignments"]:
        assert consignment["clock"] == clock
        for step in consignment["steps"]:
            assert Utc.parse(step["recorded_at"]) == events[step["leaf"]].recorded_at
            assert Utc.parse(step["occurred_at"]) == events[step["leaf"]].occurred_at
            if step["before"] is not None:
                passed_ns = at[step["leaf"]].since_ns(at[step["before"]])
                assert step["took_ms"] == passed_ns // 1_000_000


def test_every_voice_is_the_signer_of_its_leaves(log: OpenedLog, document: dict[str, Any]):
    events = {leaf.at.index: leaf.event for leaf in log.leaves}
    told = 0
    for voice in document["voices"]:
        mine = [events[at] for at in spread(voice["said"]["leaves"])]
        assert {event.asserted_by.party for event in mine} == {voice["party"]}
        assert sum(event.custodian for event in mine) == voice["kept_key"]["value"]
        told += voice["said"]["value"]
    assert told == len(events)


def test_refusals_are_counted_by_reason_and_keep_their_words(document: dict[str, Any]):
    found = {(r["kind"], r["reason"]): r for r in document["refusals"]}
    assert set(found) == {
        ("abort", "network_disagrees"),
        ("arrival", "network_disagrees"),
        ("network", "mismatch"),
        ("papers", "ZD-7"),
        ("submission", "replayed_nonce"),
    }
    assert {r["said"]["value"] for r in found.values()} == {3}
    assert found["papers", "ZD-7"]["sentence"] == "12 is not 13"


def test_what_is_missing_is_said(document: dict[str, Any]):
    gaps = [(gap["key"], gap["args"]) for gap in document["missing"]]
    assert ("unopened", {"count": "16", "origin": "log"}) in gaps
    assert ("no_witness", {}) in gaps
    late = [args for key, args in gaps if key == "milestones"]
    assert [args["consignment"] for args in late] == ["r0", "r1", "r2"]


def test_an_aggregate_opened_in_part_is_named():
    log = corridor(paid=1, refused=0)
    kept = tuple(leaf for leaf in log.leaves if "PapersChecked" not in leaf.event.type)
    gaps = [
        gap for gap in document_of(OpenedLog(log.heads, kept))["missing"] if gap["key"] == "history"
    ]
    assert [gap["args"]["aggregate"] for gap in gaps] == ["consignment/a0"]


def test_a_log_of_which_nothing_is_opened_gives_a_report_of_nothing():
    log = SampleLog()
    log.closed(9)
    document = document_of(log.log())
    assert (document["as_of"], document["consignments"], document["refusals"]) == ("", [], [])
    assert (document["opened"]["value"], document["opened"]["total"]) == (0, 9)


def test_facts_of_another_shape_are_counted_and_not_believed():
    book = SampleLog()
    prepare(book, "c")
    log = book.log()
    for leaf in log.leaves:
        leaf.event.payload.clear()  # type: ignore[attr-defined]
    document = document_of(log)
    assert document["opened"]["value"] == len(log.leaves)
    assert all(f["value"] == 0 for f in document["overview"] if f["kind"] == "share")
