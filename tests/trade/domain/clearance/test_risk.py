"""Risk explains itself, screening names its list, and both give the same answer again."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.clearance.risk import Channel, Look, RiskRule, RuleSet, decide
from zhidao.trade.domain.clearance.screening import read_list, screen
from zhidao.trade.wire.risk_file import read_rules

RULES = RuleSet(
    name="reference",
    version="2026-09",
    rules=(
        RiskRule("cheap", "value.perKilogram", Look.BELOW, "10", 40, "below the usual price"),
        RiskRule("papers", "crosscheck.*", Look.EQUALS, "conflict", 30, "papers conflict"),
        RiskRule("listed", "screening.hits", Look.ABOVE, "0", 100, "a name or code is listed"),
        RiskRule("dual", "item.typeCode", Look.STARTS, "85", 10, "dual-use chapter"),
    ),
    yellow_from=30,
    red_from=70,
)


@pytest.mark.parametrize(
    ("facts", "channel", "score"),
    [
        ({}, Channel.GREEN, 0),
        ({"value.perKilogram": "10"}, Channel.GREEN, 0),
        ({"value.perKilogram": "9.999"}, Channel.YELLOW, 40),
        ({"crosscheck.XD-14": "conflict", "crosscheck.XD-15": "agree"}, Channel.YELLOW, 30),
        ({"crosscheck.XD-14": "conflict", "value.perKilogram": "1"}, Channel.RED, 70),
        ({"screening.hits": "1"}, Channel.RED, 100),
        ({"item.typeCode": "850760"}, Channel.GREEN, 10),
    ],
)
def test_the_channel_follows_from_named_rules(facts, channel, score):
    decision = decide(facts, RULES)
    assert (decision.channel, decision.score) == (channel, score)
    assert sum(match.weight for match in decision.matches) == score
    assert all(facts[match.fact] == match.value for match in decision.matches)


@given(st.dictionaries(st.sampled_from(["crosscheck.a", "crosscheck.b", "x"]), st.text(max_size=9)))
def test_facts_in_another_order_and_rules_from_their_file_decide_the_same(facts):
    again = dict(sorted(facts.items(), reverse=True))
    assert decide(again, read_rules(jcs(RULES.plain()))) == decide(facts, RULES)


def test_a_fact_at_the_limit_is_neither_above_nor_below_it():
    for look, counted in ((Look.ABOVE, ["11"]), (Look.BELOW, ["9"])):
        rules = RuleSet("r", "1", (RiskRule("x", "f", look, "10", 5, "r"),), 5, 5)
        seen = [value for value in ("9", "10", "11") if decide({"f": value}, rules).score]
        assert seen == counted


def test_a_star_stands_for_the_rest_of_a_name_and_for_no_other_part():
    facts = dict.fromkeys(("crosscheck.a", "crosscheck.b", "crosscheck", "crossing", "x"), "y")
    rule = RiskRule("x", "crosscheck.*", Look.EQUALS, "y", 1, "r")
    decision = decide(facts, RuleSet("r", "1", (rule,), 1, 9))
    assert [match.fact for match in decision.matches] == ["crosscheck.a", "crosscheck.b"]


def test_what_is_drawn_is_the_digest_of_seed_and_facts_over_a_thousand():
    facts = {"n": "1"}
    digest = hashlib.sha256(b'{"n":"1"}').hexdigest()
    drawn = hashlib.sha256(f"s:{digest}".encode()).digest()
    box = int.from_bytes(drawn[:8], "big") % 1000
    for permille, at_random in ((0, False), (box, False), (box + 1, True), (1000, True)):
        rules = RuleSet("r", "1", (), 1, 1, random_permille=permille, seed="s")
        assert decide(facts, rules).at_random is at_random
        assert decide(facts, rules).channel == ("yellow" if at_random else "green")


@pytest.mark.parametrize(
    ("yellow", "red", "permille"),
    [(0, 1, 0), (-1, 1, 0), (3, 2, 0), (1, 1, -1), (1, 1, 1001)],
)
def test_scores_rise_from_one_and_permille_are_of_a_thousand(yellow, red, permille):
    RuleSet("r", "1", (), 1, 1, random_permille=1000)
    with pytest.raises(MalformedInput, match="scores rise"):
        RuleSet("r", "1", (), yellow, red, random_permille=permille)


@pytest.mark.bound("trade.domain.clearance.risk.RULES_MAX")
def test_a_thousand_rules_are_a_set_and_one_more_is_refused():
    rules = tuple(RiskRule(str(n), "f", Look.EQUALS, "v", 1, "r") for n in range(1001))
    assert len(RuleSet("r", "1", rules[:1000], 1, 1).rules) == 1000
    with pytest.raises(MalformedInput, match="1,000 at most"):
        RuleSet("r", "1", rules, 1, 1)


def test_the_words_that_stand_in_files_of_rules_and_in_decisions_are_these():
    assert [*Channel] == ["green", "yellow", "red"]
    assert [*Look] == ["equals", "starts", "above", "below"]


def test_random_checks_are_drawn_the_same_by_everybody_and_as_often_as_said():
    rules = RuleSet("r", "1", (), yellow_from=1, red_from=1, random_permille=100, seed="s")
    drawn = [decide({"n": str(n)}, rules).at_random for n in range(2000)]
    assert drawn == [decide({"n": str(n)}, rules).at_random for n in range(2000)]
    # Binomial: 200 of 2000 with a deviation of 13.4; five of them.
    assert abs(sum(drawn) - 200) < 67


def test_wrong_rules_and_facts_are_named():
    with pytest.raises(MalformedInput, match="rule"):
        RiskRule("x", "f", Look.ABOVE, "much", 1, "r")
    with pytest.raises(MalformedInput, match="one id each"):
        RuleSet("r", "1", (RULES.rules[0], RULES.rules[0]), yellow_from=1, red_from=1)
    with pytest.raises(MalformedInput, match="not a number"):
        decide({"value.perKilogram": "NaN"}, RULES)


def test_a_name_is_found_in_any_order_of_its_words_and_a_part_is_not_enough():
    # Made-up names: no list of real people or firms is used here.
    listing = read_list(
        b"kind,value\nname,Zorvan Qelt Trading\nhs,8401\n", issued_on=date(2026, 9, 1)
    )
    hits = screen(listing, ["QELT-ZORVAN trading Ltd", "Zorvan Trading"], ["840110", "850760"])
    assert [(hit.text, hit.listed) for hit in hits] == [
        ("840110", "8401"),
        ("QELT-ZORVAN trading Ltd", "qelt trading zorvan"),
    ]
    assert len(listing.digest) == 64
    with pytest.raises(MalformedInput, match="line 2"):
        read_list(b"kind,value\nfirm,X\n", issued_on=date(2026, 9, 1))
