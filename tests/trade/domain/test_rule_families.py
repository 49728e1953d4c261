"""What a profile asks for, and which of it nobody has."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.rule_families import (
    CII,
    CREDIT_NOTE,
    EN16931,
    FAMILIES,
    INVOICE,
    check_pattern,
    family_of_pack,
    fits,
    lack_of,
)
from zhidao.trade.domain.verdict import Flag, RulePack

XRECHNUNG = f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
EXTENSION = f"{XRECHNUNG}#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0"
CVD = f"{XRECHNUNG}#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9"
PEPPOL = f"{EN16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
SPACE = INVOICE[1:].partition("}")[0]
NORM, GERMAN = FAMILIES["en16931-ubl"], FAMILIES["xrechnung-ubl"]


@pytest.mark.parametrize(
    ("pattern", "profile", "whole"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "ab", True),
        ("a*", "a", True),
        ("*b", "ab", True),
        ("*b", "abc", False),
        ("a*c*e", "abcde", True),
        ("a*c*e", "aec", False),
        ("a*a", "a", False),
        ("a*b*b", "ab", False),
        ("a.c", "abc", False),
        ("[a]*", "a", False),
    ],
)
def test_a_pattern_is_for_whole_profiles_and_only_a_star_stands_for_anything(
    pattern, profile, whole
):
    assert fits(pattern, profile) is whole


@pytest.mark.bound("trade.domain.rule_families._PATTERN_CHARS_MAX")
def test_a_pattern_has_at_most_three_hundred_characters():
    check_pattern("x" * 300)
    with pytest.raises(MalformedInput, match="no pattern"):
        check_pattern("x" * 301)


def test_the_norms_own_profile_asks_for_the_norms_rules_alone():
    assert lack_of(INVOICE, EN16931, "2026-03-01", [NORM], []) is None
    lack = lack_of(INVOICE, EN16931, "2026-03-01", [], [])
    assert lack is not None
    assert "en16931-ubl" in lack.why


@pytest.mark.parametrize("profile", [XRECHNUNG, EXTENSION, CVD])
def test_a_profile_on_the_norm_asks_for_both(profile):
    assert lack_of(INVOICE, profile, "2026-09-01", [NORM, GERMAN], []) is None
    for applied, missing in (([GERMAN], "en16931-ubl"), ([NORM], "xrechnung-ubl")):
        lack = lack_of(INVOICE, profile, "2026-09-01", applied, [])
        assert lack is not None
        assert missing in lack.why
        assert missing in lack.remedy


def test_a_release_that_begins_later_is_named_with_the_day_that_it_lacks():
    later = RulePack("p", "1", "r", "d", "xrechnung-ubl", "2026-07-31")
    lack = lack_of(INVOICE, XRECHNUNG, "2026-03-01", [NORM], [later])
    assert lack is not None
    assert "xrechnung-ubl for 2026-03-01" in lack.why
    assert "2026-07-31" in lack.why


def test_a_profile_that_nobody_knows_is_named_with_the_command_for_it():
    lack = lack_of(INVOICE, f"{EN16931}#compliant#urn:mine", "2026-03-01", [NORM], [])
    assert lack is not None
    assert f"--applies-to {EN16931}#compliant#urn:mine" in lack.remedy
    own = family_of_pack(
        RulePack("p", "1", "r", "d", "own-1", applies_to="*#urn:mine", spaces=(INVOICE[1:-8],))
    )
    assert own is not None
    assert own.judges(INVOICE, f"{EN16931}#compliant#urn:mine")
    assert lack_of(INVOICE, f"{EN16931}#compliant#urn:mine", "", [NORM, own], []) is None


def test_without_a_profile_nothing_is_judged_whole():
    assert lack_of(INVOICE, "", "", [NORM], []) is not None


@pytest.mark.parametrize("root", [INVOICE, CREDIT_NOTE, CII])
def test_the_weights_of_code_rules_follow_the_kind_of_xrechnung(root):
    syntax = "cii" if root == CII else "ubl"
    family = FAMILIES[f"xrechnung-{syntax}"]
    plain = {"BR-CL-23": Flag.WARNING, "BR-CL-21": Flag.WARNING}
    assert family.judges(root, CVD)
    assert dict(family.overriding(XRECHNUNG)) == plain
    assert dict(family.overriding(CVD)) == {**plain, "BR-CL-13": Flag.INFORMATION}
    extended = family.overriding(EXTENSION)
    assert extended["BR-CL-21"] is Flag.INFORMATION
    assert ("BR-CO-16" in extended) is (syntax == "ubl")
    assert not FAMILIES[f"peppol-bis3-{syntax}"].judges(root, XRECHNUNG)
    assert FAMILIES[f"peppol-bis3-{syntax}"].judges(root, PEPPOL)


def own(pattern: str):
    pack = RulePack("p", "1", "r", "d", "own-1", "", spaces=(SPACE,), applies_to=pattern)
    family = family_of_pack(pack)
    assert family is not None
    return family


@pytest.mark.parametrize("pattern", ["urn:cen.eu:*", "*compliant*", XRECHNUNG, "*xrechnung*"])
@pytest.mark.parametrize("profile", [XRECHNUNG, PEPPOL])
def test_rules_of_ones_own_stand_in_for_none_of_a_known_profile(pattern, profile):
    lack = lack_of(INVOICE, profile, "2026-09-01", [NORM, own(pattern)], [])
    assert lack is not None
    assert ("xrechnung-ubl" if profile == XRECHNUNG else "peppol-bis3-ubl") in lack.why


@pytest.mark.parametrize(
    "profile",
    [
        f"{EN16931}#compliant#urn:foo.bar:anti-xrechnung",
        f"{EN16931}#conformant#urn:foo.bar:anti-xrechnung",
        f"{XRECHNUNG}#conformant#urn:foo:ext_1",
        XRECHNUNG.replace("3.0", "2.1"),
        XRECHNUNG.replace("3.0", "3.1"),
        f"{PEPPOL}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
        PEPPOL.replace("3.0", "4.0"),
        XRECHNUNG.upper(),
    ],
)
def test_a_profile_that_only_holds_a_known_ones_word_is_not_that_one(profile):
    every = [family for family in FAMILIES.values() if family.judges(INVOICE, profile)]
    assert lack_of(INVOICE, profile, "2026-09-01", every, []) is not None
    assert lack_of(INVOICE, profile, "2026-09-01", [*every, own("urn:cen.eu:*")], []) is not None
    # Who names the profile itself says that these are its rules.
    assert lack_of(INVOICE, profile, "2026-09-01", [*every, own(profile)], []) is None


def test_a_profile_of_ones_own_is_judged_by_rules_that_name_it_and_by_no_wider_ones():
    profile = f"{EN16931}#compliant#urn:example.org:ours"
    for pattern, whole in (
        *((profile, True), ("*urn:example.org:*", True), (f"{EN16931}#compliant#urn:e*", True)),
        *(("urn:cen.eu:*", False), ("*compliant*", False), (f"{EN16931}*", False)),
    ):
        lack = lack_of(INVOICE, profile, "2026-09-01", [NORM, own(pattern)], [])
        assert (lack is None) is whole, pattern
