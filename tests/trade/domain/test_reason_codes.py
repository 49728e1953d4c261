"""What a check says has words in both catalogues of the page, for every topic and note."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from zhidao.core.canonical import jcs
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.domain.clearance.risk import Look, RiskRule, RuleSet
from zhidao.trade.domain.comparison import Answer, Statement, near
from zhidao.trade.domain.reason_codes import About, Note, Noted, Topic
from zhidao.trade.wire.risk_file import read_rules

I18N = Path(__file__).resolve().parents[3] / "web" / "src" / "i18n"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_topic_and_note_has_words_in_both_catalogues(language: str) -> None:
    words: dict[str, str] = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    for topic in Topic:
        told = words[f"about.{topic}"]
        # The line stands in both languages or in neither.
        assert ("{of}" in told) is (str(About(topic, "L7")).endswith("L7")), topic
    for note in Note:
        assert ("{of}" in words[f"note.{note}"]) is ("L7" in str(Noted(note, "L7"))), note
    for answer in Answer:
        assert {"{about}", "{note}"} <= {
            part for part in ("{about}", "{note}") if part in words[f"about.{answer}"]
        }
    if language == "en":
        assert all(words[f"about.{t}"].format(of="3") == str(About(t, "3")) for t in Topic)
        assert all(words[f"note.{n}"].format(of="3") == str(Noted(n, "3")) for n in Note)


def test_a_sentence_is_also_told_by_codes() -> None:

    told = near(
        "XD-16",
        About(Topic.GROSS_WEIGHTS),
        Statement("a", "w", "10050"),
        Statement("b", "w", "10048"),
        one=Decimal(10050),
        two=Decimal(10048),
    )
    assert told.sentence == (
        "gross weights need a person's judgement; the difference of 2 may be rounding"
    )
    assert (told.about, told.note) == (About(Topic.GROSS_WEIGHTS), Noted(Note.MAY_BE_ROUNDING, "2"))


def test_reference_rules_have_reasons_in_chinese_and_a_file_keeps_them() -> None:

    assert all(rule.reason_zh for rule in REFERENCE.rules)
    assert read_rules(jcs(REFERENCE.plain())) == REFERENCE


def test_rules_without_a_chinese_reason_keep_their_digest() -> None:
    rule = RiskRule("r", "items.count", Look.ABOVE, "1", 5, "many")
    rules = RuleSet("n", "1", (rule,), yellow_from=1, red_from=2)
    assert rules.digest == "518fa553e6e7108cb5b77177514c04cc0e0a3c2ea105c4b77d39f005eae3da97"
