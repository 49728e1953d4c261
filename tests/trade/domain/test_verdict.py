"""Only rules that were run and all answered make a document valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.trade.domain.verdict import (
    Flag,
    Outcome,
    RuleFinding,
    RulePack,
    UndecidedRule,
    Verdict,
    judged,
    not_checked,
)

RULES = ("EN 16931", "CIUS")
FATAL = RuleFinding("BR-1", Flag.FATAL, "/a", "It is missing.")
WARNING = replace(FATAL, flag=Flag.WARNING)
OPEN = UndecidedRule("BR-2", Flag.FATAL, "/b", "FORG0001")


def test_outcomes_and_flags_are_told_in_words_that_do_not_change() -> None:
    told = ["valid", "partly judged", "invalid", "undecided", "not checked"]
    assert [str(each) for each in Outcome] == told
    assert [str(each) for each in Flag] == ["fatal", "warning", "information"]


@pytest.mark.parametrize(
    ("findings", "undecided", "outcome"),
    [
        ((), (), Outcome.VALID),
        ((WARNING,), (), Outcome.VALID),
        ((), (replace(OPEN, flag=Flag.WARNING),), Outcome.VALID),
        ((WARNING,), (OPEN,), Outcome.UNDECIDED),
        ((), (replace(OPEN, flag=Flag.INFORMATION), OPEN), Outcome.UNDECIDED),
        ((WARNING, FATAL), (), Outcome.INVALID),
        ((FATAL,), (OPEN,), Outcome.INVALID),
    ],
)
def test_a_fatal_finding_outweighs_what_is_undecided_and_that_all_else(
    findings: tuple[RuleFinding, ...], undecided: tuple[UndecidedRule, ...], outcome: Outcome
) -> None:
    verdict = judged(RULES, findings, undecided)
    assert verdict == Verdict(outcome, RULES, findings, "", undecided, ())
    assert verdict.fatal == tuple(each for each in findings if each is FATAL)


def test_what_was_judged_in_part_is_never_valid_and_a_fatal_finding_still_counts() -> None:
    lacks = {"unjudged": ("no pack of it",), "remedy": "add one"}
    partly = judged(RULES, (WARNING,), (), **lacks)
    assert (partly.outcome, partly.remedy) == (Outcome.PARTLY_JUDGED, "add one")
    assert partly.summary() == "partly judged: no pack of it; add one"
    assert judged(RULES, (FATAL,), (), **lacks).outcome is Outcome.INVALID
    assert judged(RULES, (), (OPEN,), **lacks).outcome is Outcome.UNDECIDED


def test_what_was_not_checked_says_why_and_what_to_do() -> None:
    verdict = not_checked("no pack", "install it")
    assert verdict == Verdict(Outcome.NOT_CHECKED, ("not checked: no pack",), (), "install it")
    assert verdict.summary() == "not checked: not checked: no pack; install it"
    assert judged(RULES, ()).differences == ()


def test_a_summary_names_the_first_five_findings_and_counts_the_rest() -> None:
    found = [replace(FATAL, rule=f"BR-{n}") for n in range(7)]
    five = " | ".join(f"BR-{n} at /a: It is missing." for n in range(5))
    assert judged(RULES, (WARNING, *found[:5])).summary() == five
    assert judged(RULES, tuple(found[:6])).summary() == f"{five} and 1 more"
    assert judged(RULES, tuple(found)).summary() == f"{five} and 2 more"


def test_a_summary_says_by_which_rules_it_is_valid_or_what_is_open() -> None:
    assert judged(RULES, (WARNING,)).summary() == "valid by EN 16931; CIUS"
    open_rules = tuple(replace(OPEN, rule=f"BR-{n}") for n in range(6))
    assert judged(RULES, (), open_rules).summary() == "undecided: " + " | ".join(
        f"BR-{n} at /b: undecided (FORG0001)" for n in range(5)
    )
    assert judged(RULES, (FATAL,), open_rules).summary() == "BR-1 at /a: It is missing."


def test_a_pack_is_known_by_release_package_version_and_digest() -> None:
    pack = RulePack("pack", "2.6.0", "1.3.13", "ab12")
    assert str(pack) == "1.3.13 from pack 2.6.0 sha256:ab12"
    assert (pack.family, pack.valid_from) == ("", "")
    assert (FATAL.seen, FATAL.wanted) == ("", "")
