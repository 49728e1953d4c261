"""FIN messages of credits: read back as written, strict to what is unknown, missing or doubled."""

from __future__ import annotations

import random
import re
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finance.credit_cases import CREDIT

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.credit.credit_terms import Credit, Goods, Line
from zhidao.finance.wire.mt.blocks import (
    MtMessage,
    amount_of,
    amount_text,
    check,
    day_of,
    read,
    write,
)
from zhidao.finance.wire.mt.credits import discrepancy_advice, issue, refusal
from zhidao.finance.wire.mt.fields import MESSAGES, WORDS, Field
from zhidao.finance.wire.mt.formats import pattern_of

TERMS = msgspec.convert(CREDIT, Credit)
ISSUE = issue(TERMS, sender="VESTDK22", receiver="XIANCNBJ")


def drawn(field: Field, kind: str, draw: random.Random) -> tuple[str, str]:
    """A field with a text of its form."""
    option = draw.choice(list(field.formats))
    tag = field.tag[:-1] + option if field.tag[-1].islower() else field.tag
    words = WORDS.get((kind, tag))
    if words:
        return tag, draw.choice(words)
    notation = re.sub(
        r"\[[^\]]*\]", lambda part: draw.choice(("", part[0][1:-1])), field.formats[option]
    )
    text = ""
    for token in re.finditer(r"(\d+)\*(\d+)[xz]|(\d+)(!?)([nacxzd])|(.)", notation):
        many, wide, size, exact, letters, other = token.groups()
        if many:
            lines = draw.randint(1, int(many))
            text += "\n".join("A 1,b" * draw.randint(1, int(wide) // 5) for _ in range(lines))
        elif letters == "d":
            text += draw.choice(("42000,", "0,5", "123456789012,"))
        elif letters:
            length = int(size) if exact else draw.randint(1, int(size))
            text += {"n": "1", "a": "K", "c": "7", "x": "x", "z": "@"}[letters] * length
        else:
            text += "\n" if other == "$" else other
    if "15d" in notation:
        text = text.replace("KKK", "CNY")
    if notation.startswith("6!n"):
        text = "260513" + text[6:]
    return tag, text


@pytest.mark.parametrize("kind", sorted(MESSAGES))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_message_reads_back_as_what_was_written(kind: str, seed: int) -> None:
    draw = random.Random(seed)
    fields = tuple(
        drawn(field, kind, draw) for field in MESSAGES[kind] if field.must or draw.random() < 0.4
    )
    uetr = draw.choice(("", "174c245f-2682-4291-ad67-2a41e530cd27"))
    message = MtMessage(kind, "ALMAKZKA", "XIANCNBJ123", fields, "R-1", uetr)
    assert read(write(message)) == message
    assert len(message.named()) == len(fields)


def test_a_credits_terms_become_a_message() -> None:
    text = write(ISSUE).decode()
    assert text.startswith("{1:F01VESTDK22AXXX0000000000}{2:I700XIANCNBJXXXXN}{4:\r\n:27:1/1\r\n")
    assert text.endswith("\r\n-}")
    assert ":32B:EUR44400,\r\n" in text
    assert ":31D:261015Suzhou\r\n" in text
    assert ":42C:90 DAYS AFTER SIGHT\r\n" in text
    again = read(text.encode())
    assert again == ISSUE
    assert again.named()["number"] == "LC-2026-0042"
    assert amount_of(again.get("32B"), "32B") == (TERMS.amount_minor, "EUR")
    assert day_of(again.get("44C"), "44C") == TERMS.shipment.latest_on


def test_letters_that_a_message_has_not_are_marked() -> None:
    goods = Goods(description="离心泵 Ø40 naïve -x", quantity=1, unit="H87", unit_price_minor=1)
    text = write(
        issue(msgspec.structs.replace(TERMS, goods=goods), sender="VESTDK22", receiver="XIANCNBJ")
    )
    assert b":45A:??? ?40 naive -x" in text


def test_the_goods_are_told_kind_by_kind() -> None:
    lines = [
        Line(description="Impeller pump", quantity=20, unit_price_minor=185_000),
        Line(description="Seal kit", quantity=4, unit_price_minor=0),
    ]
    goods = msgspec.structs.replace(
        TERMS.goods, quantity=24, lines=lines, about=True, origin="CN", rule="CIF", place="Almaty"
    )
    terms = msgspec.structs.replace(TERMS, goods=goods)
    message = read(write(issue(terms, sender="VESTDK22", receiver="XIANCNBJ")))
    assert message.get("45A").split("\n") == [
        goods.description,
        "+ ABOUT 20 H87 AT EUR1850, EACH: Impeller pump",
        "+ ABOUT 4 H87: Seal kit",
        "ORIGIN CN",
        "CIF Almaty",
    ]


def test_a_refusal_tells_every_discrepancy_once() -> None:
    wrong = [
        f"discrepancy {number}: a text that is longer than one line of the field"
        for number in range(12)
    ]
    message = refusal(
        TERMS,
        sender="VESTDK22",
        receiver="XIANCNBJ",
        presenter_reference="B-7",
        utilised_on=date(2026, 9, 20),
        amount_minor=4_440_000,
        discrepancies=wrong,
    )
    again = read(write(message))
    told = again.get("77J").replace("\n", " ")
    assert all(one in told for one in wrong)
    assert again.get("77B") == "/HOLD/"
    assert again.get("32A") == "260920EUR44400,"
    advice = discrepancy_advice(
        TERMS,
        sender="XIANCNBJ",
        receiver="VESTDK22",
        reference="B-7",
        amount_minor=1,
        discrepancies=wrong[:2],
    )
    assert read(write(advice)).get("32B") == "EUR0,01"


GOOD = write(ISSUE).decode()


@pytest.mark.parametrize(
    ("old", "new", "says", "where"),
    [
        (":20:LC-2026-0042\r\n", "", "(number) is missing", "field 20"),
        (":27:1/1\r\n", ":27:1/1\r\n:27:1/1\r\n", "stands twice", "field 27"),
        (":20:", ":99Z:x\r\n:20:", "is not known in MT 700", "field 99Z"),
        (":27:1/1\r\n", ":40E:UCP LATEST VERSION\r\n:27:1/1\r\n", "too late", "field 27"),
        (":27:1/1", ":27:11/1", "not of the form", "field 27"),
        (":31C:260801", ":31C:260231", "no such day", "field 31C"),
        (":32B:EUR44400,", ":32B:EUR44400.00", "not of the form", "field 32B"),
        (":32B:EUR44400,", ":32B:EUR44400,001", "2 decimals", "field 32B"),
        (":32B:EUR44400,", ":32B:XAU44400,", "commodity", "field 32B"),
        (":40A:IRREVOCABLE", ":40A:REVOCABLE", "is none of", "field 40A"),
        (":45A:", ":45A:^", "not of the form", "field 45A"),
        ("{2:I700", "{2:I799", "MT 799 is not read", "block 2"),
        ("{1:F01", "{1:F99", "no header", "block 1"),
        ("XIANCNBJXXXXN}", "XIANCNBJXXXXN}{3:{999:x}}", "999 is not known", "block 3"),
        ("XIANCNBJXXXXN}", "XIANCNBJXXXXN}{3:{108:a}{108:b}}", "stands twice", "block 3"),
        ("XIANCNBJXXXXN}", "XIANCNBJXXXXN}{3:{121:x}}", "form of field 121", "block 3"),
        ("\r\n-}", "", "does not end", "block 4"),
        ("{4:\r\n", "{4:", "line of their own", "block 4"),
        ("{4:\r\n", "{4:\r\nx\r\n", "a field is expected", "block 4, line 1"),
        ("{2:", "{2:I700XIANCNBJXXXXN}{2:", "twice", "block 2"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, says: str, where: str) -> None:
    assert old in GOOD
    with pytest.raises(MalformedInput, match=re.escape(says)) as refused:
        read(GOOD.replace(old, new, 1).encode())
    assert refused.value.where == where


def test_a_delivered_message_names_the_same_ends() -> None:
    delivered = GOOD.replace("{1:F01VESTDK22AXXX", "{1:F01XIANCNBJAXXX").replace(
        "{2:I700XIANCNBJXXXXN}", "{2:O7001200260801VESTDK22AXXX00000000002608011201N}"
    )
    message = read((delivered + "{5:{CHK:123456789ABC}}").encode())
    assert (message.sender, message.receiver) == ("VESTDK22", "XIANCNBJ")
    assert message.fields == ISSUE.fields


@pytest.mark.parametrize("text", ["", "{", "{1:}", "{9:x}", "{4:\n-}", "é", "{1:{2:}"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        read(text.encode())


def test_a_message_of_a_hundred_kilobytes_is_refused_unread() -> None:
    with pytest.raises(MalformedInput, match="more than"):
        read(b"x" * 100_000)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_spoiled_message_is_refused_or_means_what_it_says(data: st.DataObject) -> None:
    message = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place : place + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=6))
    try:
        again = read(bytes(message))
    except MalformedInput:
        return
    check(again)
    assert read(write(again)) == again


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (4200000, "CNY", "CNY42000,"),
        (50, "CNY", "CNY0,5"),
        (7, "JPY", "JPY7,"),
        (1, "KWD", "KWD0,001"),
    ],
)
def test_amounts_are_written_with_a_comma(minor: int, currency: str, text: str) -> None:
    assert amount_text(minor, currency) == text
    assert amount_of(text, "32B") == (minor, currency)


@pytest.mark.parametrize(
    ("notation", "good", "bad"),
    [
        ("3n[/35x]", "21/DAYS", "21/"),
        ("[/34x$]4*35x", "/12\nA\nB", "A\nB\nC\nD\nE"),
        ("6!n3!a15d", "260101CNY1,", "260101CNY1"),
        ("15d", "12345678901234,", "123456789012345,"),
    ],
)
def test_formats_mean_what_they_say(notation: str, good: str, bad: str) -> None:
    assert pattern_of(notation).fullmatch(good)
    assert not pattern_of(notation).fullmatch(bad)
