"""What each event of another room means for a deal, and what it never means."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.finance.domain.deals.histories import at, history
from tests.finance.domain.deals.test_deal import CONDITIONS, OPENED, SITE, conditions, met

from zhidao.devices.events import SubmissionRefused
from zhidao.finance.domain.deals.deal import (
    ARRIVAL,
    ARRIVAL_GRACE_S,
    CUSTOMS,
    MARKS,
    PAPERS,
    REST_GRACE_S,
    Deal,
    fold,
)
from zhidao.finance.domain.deals.verdict import (
    Abort,
    Verdict,
    of_arrival,
    of_customs,
    of_deadline,
    of_no_arrival,
    of_papers,
    of_refusal,
)
from zhidao.finance.events import ConditionLapsed, ConditionMet, Conditions, ObstacleNoted
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven, Marks
from zhidao.trade.events import CrossCheckFinding, CustomsReleased, PapersChecked

BEARS_ALL = Marks(
    signed_by_terminal=True,
    bound_to_goods=True,
    recomputed=True,
    corroborated_by=["network"],
    disagreed_by=[],
    inside_risk_ppb=1,
)
PROVEN = ArrivalProven(
    consignment="C-1",
    terminal="T-1",
    site=SITE,
    observed_at=str(at(500)),
    latitude_ndeg=1,
    longitude_ndeg=2,
    height_mm=3,
    protection_mm=4,
    satellites=8,
    epochs=60,
    marks=BEARS_ALL,
    window="w",
    navigation="n",
    evidence="e",
    simulated=False,
)
FAILED = ArrivalNotProven(
    consignment="C-1",
    terminal="T-1",
    reason="too_late",
    sentence="It came too late.",
    observed_at=str(at(500)),
    latitude_ndeg=1,
    longitude_ndeg=2,
    protection_mm=4,
    marks=BEARS_ALL,
    window="w",
    evidence="e",
    simulated=False,
)
NOTHING = Verdict()


def deal_of(*facts: object, asked: Conditions = CONDITIONS) -> Deal:
    opened = msgspec.structs.replace(OPENED, conditions=asked)
    deal = fold(history("deal/D-1", opened, *facts))
    assert deal is not None
    return deal


def noted(reason: str) -> ObstacleNoted:
    return ObstacleNoted(deal="D-1", reason=reason, sentence=f"sentence of {reason}")


def proven(**changes: Any) -> ArrivalProven:
    return msgspec.structs.replace(PROVEN, **changes)


def bearing(**changes: Any) -> ArrivalProven:
    return proven(marks=msgspec.structs.replace(BEARS_ALL, **changes))


def only(verdict: Verdict) -> Any:
    """The one fact of a verdict that aborts nothing."""
    assert verdict.abort is None
    (fact,) = verdict.facts
    return fact


def reason_of(verdict: Verdict) -> str:
    fact = only(verdict)
    assert isinstance(fact, ObstacleNoted)
    return fact.reason


def test_an_arrival_that_bears_all_is_met_once() -> None:
    fact = only(of_arrival(deal_of(asked=conditions(marks=sorted(MARKS))), PROVEN))
    assert isinstance(fact, ConditionMet)
    assert (fact.deal, fact.name) == ("D-1", ARRIVAL)
    assert fact.because == f"arrival at yard proven for {at(500)}, evidence e"
    assert of_arrival(deal_of(met(ARRIVAL)), PROVEN) == NOTHING


def test_another_terminals_arrival_is_nothing_to_a_deal() -> None:
    assert of_arrival(deal_of(), proven(terminal="T-2")) == NOTHING
    contradicted = msgspec.structs.replace(bearing(disagreed_by=["network"]), terminal="T-2")
    assert of_arrival(deal_of(), contradicted) == NOTHING


def test_whoever_contradicts_the_fix_ends_the_deal() -> None:
    verdict = of_arrival(deal_of(), bearing(disagreed_by=["network", "camera"]))
    assert verdict == Verdict(
        abort=Abort("network_disagrees", "network, camera contradicts the fix.")
    )


@pytest.mark.parametrize(
    ("mark", "without"),
    [
        ("signed_by_terminal", {"signed_by_terminal": False}),
        ("bound_to_goods", {"bound_to_goods": False}),
        ("recomputed", {"recomputed": False}),
        ("corroborated", {"corroborated_by": []}),
        ("inside", {"inside_risk_ppb": 0, "inside_open_sky_model_ppb": 1}),
        ("inside_open_sky_model", {"inside_risk_ppb": 0}),
    ],
)
def test_only_a_mark_that_is_asked_for_can_be_lacking(mark: str, without: dict[str, Any]) -> None:
    others = [each for each in sorted(MARKS - {mark}) if mark != "inside_open_sky_model"]
    lacks = bearing(**without)
    assert reason_of(of_arrival(deal_of(asked=conditions(marks=[mark])), lacks)) == (
        "arrival_lacks_marks"
    )
    assert isinstance(
        only(of_arrival(deal_of(asked=conditions(marks=others)), lacks)), ConditionMet
    )


def test_what_an_arrival_lacks_is_told_by_name() -> None:
    asked = deal_of(asked=conditions(marks=["recomputed", "corroborated"]))
    elsewhere = msgspec.structs.replace(SITE, name="field")
    late = msgspec.structs.replace(
        bearing(recomputed=False), observed_at=str(at(1_001)), site=elsewhere
    )
    assert only(of_arrival(asked, late)).sentence == (
        f"The arrival at {at(1_001)} lacks: recomputed, the asked time, the asked place."
    )


@pytest.mark.parametrize("mark", ["inside", "inside_open_sky_model"])
def test_the_risk_is_from_1_to_what_is_accepted(mark: str) -> None:
    asked = deal_of(asked=conditions(marks=[mark], risk_ppb=7))
    for risk_ppb in (1, 7):
        assert isinstance(only(of_arrival(asked, bearing(inside_risk_ppb=risk_ppb))), ConditionMet)
    for risk_ppb in (0, 8):
        told = of_arrival(asked, bearing(inside_risk_ppb=risk_ppb))
        assert reason_of(told) == "arrival_lacks_marks"


def test_the_time_counts_to_both_ends_of_the_window() -> None:
    for second in (0, 1_000):
        told = of_arrival(deal_of(), proven(observed_at=str(at(second))))
        assert isinstance(only(told), ConditionMet)
    for second in (-1, 1_001):
        told = of_arrival(deal_of(), proven(observed_at=str(at(second))))
        assert "lacks: the asked time." in only(told).sentence


@pytest.mark.parametrize("reason", ["network_disagrees", "too_late", "terminal_not_bound"])
def test_what_the_terminal_itself_signed_ends_the_deal(reason: str) -> None:
    failed = msgspec.structs.replace(FAILED, reason=reason)
    assert of_no_arrival(deal_of(), failed) == Verdict(abort=Abort(reason, "It came too late."))
    unsigned = msgspec.structs.replace(
        failed, marks=msgspec.structs.replace(BEARS_ALL, signed_by_terminal=False)
    )
    assert only(of_no_arrival(deal_of(), unsigned)) == ObstacleNoted(
        deal="D-1", reason=reason, sentence="It came too late."
    )


def test_every_other_reason_leaves_room_for_a_better_window() -> None:
    failed = msgspec.structs.replace(FAILED, reason="outside")
    assert reason_of(of_no_arrival(deal_of(), failed)) == "outside"


@pytest.mark.parametrize("reason", ["too_late", "outside"])
def test_a_later_window_undoes_no_arrival_nor_does_another_terminals(reason: str) -> None:
    failed = msgspec.structs.replace(FAILED, reason=reason)
    assert of_no_arrival(deal_of(met(ARRIVAL)), failed) == NOTHING
    other = msgspec.structs.replace(failed, terminal="T-2")
    assert of_no_arrival(deal_of(), other) == NOTHING


def test_what_a_stranger_sends_explains_and_ends_nothing() -> None:
    refused = SubmissionRefused(terminal="T-1", reason="wrong_token", sentence="Not it.")
    assert only(of_refusal(deal_of(), refused)) == ObstacleNoted(
        deal="D-1", reason="wrong_token", sentence="Not it."
    )
    assert of_refusal(deal_of(met(ARRIVAL)), refused) == NOTHING
    other = msgspec.structs.replace(refused, terminal="T-2")
    assert of_refusal(deal_of(), other) == NOTHING


def test_each_reason_is_noted_once_however_often_it_comes() -> None:
    refused = SubmissionRefused(terminal="T-1", reason="wrong_token", sentence="Not it.")
    assert of_refusal(deal_of(noted("wrong_token")), refused) == NOTHING
    assert reason_of(of_refusal(deal_of(noted("outside")), refused)) == "wrong_token"


def papers(*findings: CrossCheckFinding, agree: bool = False) -> PapersChecked:
    return PapersChecked(
        consignment="C-1",
        agree=agree,
        checks=12,
        documents=["a", "b", "c"],
        findings=list(findings),
    )


def finding(verdict: str, sentence: str = "Amounts differ.") -> CrossCheckFinding:
    return CrossCheckFinding(
        rule="amount", verdict=verdict, sentence=sentence, left="a:x = 1", right="b:x = 2"
    )


def test_papers_that_agree_are_met_with_how_much_was_looked_at() -> None:
    fact = only(of_papers(deal_of(), papers(agree=True)))
    assert fact == ConditionMet(deal="D-1", name=PAPERS, because="12 checks over 3 papers")
    assert of_papers(deal_of(met(PAPERS)), papers(agree=True)) == NOTHING


def test_the_first_conflict_of_the_papers_ends_the_deal() -> None:
    told = papers(finding("undecided", "?"), finding("conflict"), finding("conflict", "More."))
    abort = Abort("papers_conflict", "Amounts differ. (a:x = 1; b:x = 2)")
    assert of_papers(deal_of(), told) == Verdict(abort=abort)
    assert of_papers(deal_of(met(PAPERS)), told) == Verdict(abort=abort)


def test_what_is_left_undecided_takes_back_what_held_and_ends_nothing() -> None:
    undecided = papers(finding("undecided"))
    assert only(of_papers(deal_of(met(PAPERS)), undecided)) == ConditionLapsed(
        deal="D-1", name=PAPERS, because="a later check left something undecided"
    )
    assert of_papers(deal_of(), undecided) == NOTHING


def test_papers_and_customs_are_nothing_to_a_deal_that_does_not_ask() -> None:
    asked = deal_of(asked=conditions(needs=[]))
    assert of_papers(asked, papers(finding("conflict"))) == NOTHING
    assert of_papers(asked, papers(agree=True)) == NOTHING
    assert of_customs(
        asked, CustomsReleased(consignment="C-1", declaration="D", decision="released")
    ) == (NOTHING)


def test_customs_let_goods_go_or_hold_them() -> None:
    released = CustomsReleased(consignment="C-1", declaration="CD-1", decision="released")
    assert only(of_customs(deal_of(), released)) == ConditionMet(
        deal="D-1", name=CUSTOMS, because="declaration CD-1"
    )
    held = msgspec.structs.replace(released, decision="seized")
    assert only(of_customs(deal_of(), held)) == ObstacleNoted(
        deal="D-1", reason="customs_held", sentence="Customs decided 'seized' on CD-1."
    )


def test_when_the_time_is_over_the_newest_obstacle_tells_why() -> None:
    deal = deal_of(noted("outside"), noted("wrong_token"))
    until = at(1_000 + ARRIVAL_GRACE_S)
    assert of_deadline(deal) == Abort(
        "wrong_token", f"sentence of wrong_token Nothing better came until {until}."
    )


def test_when_the_time_is_over_without_an_obstacle_what_is_missing_is_told() -> None:
    until = at(1_000 + ARRIVAL_GRACE_S)
    assert of_deadline(deal_of(met(PAPERS))) == Abort(
        "too_late",
        f"Until {until} these conditions did not hold: arrival, customs_released.",
    )
    later = at(1_000 + REST_GRACE_S)
    # What stood in the way of an arrival does not tell why the rest is missing.
    assert of_deadline(deal_of(noted("outside"), met(ARRIVAL), met(PAPERS))) == Abort(
        "too_late", f"Until {later} these conditions did not hold: customs_released."
    )
