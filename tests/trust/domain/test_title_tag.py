from __future__ import annotations

import dataclasses
import hashlib

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.title_tag import (
    Bill,
    Brought,
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


def test_a_code_and_a_number_fill_their_room_and_no_more() -> None:
    assert Bill("S" * 64, "Z" * 64).is_plain
    with pytest.raises(MalformedInput, match="at most 64 characters"):
        Bill("S" * 65, "Z")
    for bad in (("", "Z"), ("s", "Z")):
        with pytest.raises(MalformedInput, match="capitals without spaces"):
            Bill(*bad)


@pytest.mark.parametrize(("code", "number", "what"), [("Ж", "1", "code"), ("A", "Ж", "number")])
def test_a_title_is_minted_only_for_what_cannot_be_read_as_anothers(
    code: str, number: str, what: str
) -> None:
    bill = Bill(code, number)
    assert bill.is_plain is False
    with pytest.raises(MalformedInput, match=f"whose {what} is of A to Z") as refusal:
        bill.check_plain()
    assert refusal.value.code == "unclear_bill_number"
    assert refusal.value.remedy
    for plain in (("A", "1/B-2"), ("9", "Z")):
        Bill(*plain).check_plain()
    for unclear in ("-A", "/A", "A."):
        assert not Bill("A", unclear).is_plain


def test_what_is_signed_is_canonical_under_a_label_of_its_own() -> None:
    assert BILL.message == f'["zhidao title tag v1","{BILL.carrier_code}","{BILL.number}"]'.encode()
    assert LEAF.claim == (
        f'["zhidao title claim v1","{TAG}","{TITLE}","{LEAF.registry}",5]'.encode()
    )
    assert hashlib.sha256(OPENING).hexdigest() == TAG


def test_what_a_carrier_brings_is_signed_by_it_over_this_bill_and_this_leaf() -> None:
    brought = Brought(ISSUER.public, OPENING, ISSUER.sign(LEAF.claim))
    brought.check(BILL, LEAF)
    second = Bill("STPL", "ZD-2")
    wrong = [
        (dataclasses.replace(brought, claim=OTHER.sign(LEAF.claim)), BILL, LEAF),
        (dataclasses.replace(brought, opening=OTHER.sign(BILL.message)), BILL, LEAF),
        (brought, second, LEAF),
        (brought, BILL, dataclasses.replace(LEAF, title=SECOND)),
    ]
    elsewhere = dataclasses.replace(LEAF, tag="00" * 32)
    signed = dataclasses.replace(brought, claim=ISSUER.sign(elsewhere.claim))
    for one, bill, leaf in [*wrong, (signed, BILL, elsewhere)]:
        with pytest.raises(Refused) as refusal:
            one.check(bill, leaf)
        assert refusal.value.code == "bad_title_tag"
    p256 = SoftwareKey(Algorithm.P256, b"p" * 32)
    with pytest.raises(Refused) as refusal:
        Brought(p256.public, OPENING, OPENING).check(BILL, LEAF)
    assert refusal.value.code == "unknown_algorithm"
    with pytest.raises(Refused) as refusal:
        open_tag(BILL, p256)
    assert refusal.value.code == "unknown_algorithm"


def test_leaves_of_other_tags_say_nothing_about_this_bill() -> None:
    other = dataclasses.replace(LEAF, tag="00" * 32, title=SECOND)
    assert (
        check_registered(BILL, TITLE, issuer=ISSUER.public, opening=OPENING, leaves=[other, LEAF])
        is LEAF
    )
    assert double_titles([other, LEAF]) == ()
