from __future__ import annotations

import dataclasses

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.title_tag import (
    Bill,
    DoubleTitle,
    Registered,
    check_registered,
    double_titles,
    open_tag,
)

ISSUER = SoftwareKey(Algorithm.ED25519, b"i" * 32)
OTHER = SoftwareKey(Algorithm.ED25519, b"o" * 32)
BILL = Bill("STPL", "ZD-2026/0001")
TITLE, SECOND = "ab" * 32, "cd" * 32
TAG, OPENING = open_tag(BILL, ISSUER)
LEAF = Registered(TAG, TITLE, "0x" + "1" * 40, 5)


def code(leaves: list[Registered], **more: object) -> str:
    told = {"issuer": ISSUER.public, "opening": OPENING, "leaves": leaves} | more
    try:
        check_registered(BILL, TITLE, **told)
    except Refused as refusal:
        return refusal.code
    return ""


def test_a_registered_title_is_found_by_its_opening() -> None:
    assert code([LEAF]) == ""
    # The same leaf seen in two mirrors is one leaf.
    assert code([LEAF, LEAF]) == ""
    assert open_tag(BILL, ISSUER) == (TAG, OPENING)


def test_a_title_without_its_leaf_is_unregistered() -> None:
    assert code([]) == "unregistered_title"
    assert code([dataclasses.replace(LEAF, title=SECOND)]) == "unregistered_title"
    assert code([dataclasses.replace(LEAF, tag="00" * 32)]) == "unregistered_title"


def test_two_titles_on_one_bill_are_a_fraud_that_two_leaves_show() -> None:
    for change in ({"title": SECOND}, {"registry": "0x" + "2" * 40}, {"chain_id": 6}):
        other = dataclasses.replace(LEAF, **change)
        assert code([LEAF, other]) == "double_title"
        assert double_titles([LEAF, other, LEAF]) == (DoubleTitle(LEAF, other),)
    assert double_titles([LEAF, LEAF]) == ()


def test_an_opening_by_another_key_or_of_another_bill_opens_nothing() -> None:
    assert code([LEAF], opening=open_tag(BILL, OTHER)[1]) == "bad_title_tag"
    assert code([LEAF], opening=open_tag(Bill("STPL", "ZD-2"), ISSUER)[1]) == "bad_title_tag"
    assert code([LEAF], opening=b"") == "bad_title_tag"


@pytest.mark.parametrize("number", ["", "zd-1", "ZD 1", " ZD1", "ZD1\u00a0", "Ｚ1", "Z" * 65])
def test_a_bill_has_one_spelling(number: str) -> None:
    with pytest.raises(MalformedInput):
        Bill("STPL", number)


def test_only_keys_that_sign_one_way_make_tags() -> None:
    with pytest.raises(Refused):
        open_tag(BILL, SoftwareKey(Algorithm.P256, b"p" * 32))
