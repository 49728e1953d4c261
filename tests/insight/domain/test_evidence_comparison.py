from __future__ import annotations

from zhidao.insight.domain.assessment import Cited, Counted
from zhidao.insight.domain.evidence_comparison import lost_evidence, lost_verdicts


def cited(path: str, kind: str = "readme", quotation: str = "x") -> tuple[str, str, Cited]:
    return "dpg", "1", Cited(kind, path, 1, 1, "a" * 40, quotation)


def test_a_line_that_went_is_lost_unless_another_of_its_kind_came():
    before = [cited("README"), cited("README.zh")]
    assert lost_evidence(before, before) == []
    assert lost_evidence(before, [cited("README"), cited("READ.me")]) == []
    (loss,) = lost_evidence(before, [cited("README"), cited("guide", "documentation")])
    assert (loss.item, loss.was) == ("1", "README.zh")
    assert len(lost_evidence(before, [])) == 2


def test_a_line_that_was_declared_is_itself_alone():
    (loss,) = lost_evidence([cited("a", "declared", "one")], [cited("a", "declared", "two")])
    assert loss.was == "a: one"


def test_a_figure_may_grow_or_shrink_and_is_lost_when_it_is_gone():
    before = [("dpg", "1", Counted("history", "commits", "9"))]
    assert lost_evidence(before, [("dpg", "1", Counted("history", "commits", "3"))]) == []
    assert [loss.was for loss in lost_evidence(before, [])] == ["commits"]


def test_a_verdict_falls_and_never_rises_unnoticed_the_other_way():
    order = ("contradicted", "needs_person", "claimed", "shown")
    for place, was in enumerate(order):
        for other, now in enumerate(order):
            losses = lost_verdicts([("dpg", "1", was)], [("dpg", "1", now)])
            assert bool(losses) is (other < place)


def test_a_question_that_is_asked_no_more_and_a_verdict_that_is_none_are_lost():
    assert [loss.what for loss in lost_verdicts([("dpg", "1", "shown")], [])] == ["question"]
    (loss,) = lost_verdicts([("dpg", "1", "perfect")], [("dpg", "1", "claimed")])
    assert (loss.was, loss.now) == ("perfect", "claimed")
