"""Every message of JT/T 808 is read into values by name, and written back byte by byte."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.jt808 import layout as parts
from zhidao.devices.wire.jt808.bodies import KINDS, read_body, write_body
from zhidao.devices.wire.jt808.downlinks import ANSWERS, DOWNLINKS
from zhidao.devices.wire.jt808.explained import explained
from zhidao.devices.wire.jt808.fields import Items, Parameter
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.messages import _DECODE, decode_message, encode_message
from zhidao.devices.wire.jt808.uplinks import UPLINKS
from zhidao.devices.wire.jt808.vocabulary import PARAMETERS

# As the standard numbers them: 29 from a terminal, 42 to it.
UP = (
    *(0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0100, 0x0102, 0x0104, 0x0107, 0x0108),
    *(0x0200, 0x0201, 0x0301, 0x0302, 0x0303, 0x0500, 0x0608, 0x0700, 0x0701, 0x0702),
    *(0x0704, 0x0705, 0x0800, 0x0801, 0x0802, 0x0805, 0x0900, 0x0901, 0x0A00),
)
DOWN = (
    *(0x8001, 0x8003, 0x8004, 0x8100, *range(0x8103, 0x8109), *range(0x8201, 0x8205)),
    *(*range(0x8300, 0x8305), 0x8400, 0x8401, 0x8500, *range(0x8600, 0x8609)),
    *(*range(0x8700, 0x8703), *range(0x8800, 0x8806), 0x8900, 0x8A00),
)
FORMS = [
    (message, edition, number)
    for message in (*UP, *DOWN)
    for edition in Edition
    for number, _ in KINDS[message].of(edition)
]


def test_all_ids_of_the_standard_are_here_and_no_others() -> None:
    assert (len(UP), len(DOWN)) == (29, 42)
    assert sorted(UPLINKS) == sorted(UP)
    assert sorted(DOWNLINKS) == sorted(DOWN)
    assert set(ANSWERS) <= set(DOWN)
    assert set(ANSWERS.values()) <= set(UP)


def _made(part: Any, told: dict[str, Any], edition: Edition, rng: random.Random) -> Any:  # noqa: PLR0911 (a line a kind)
    """A value that a part can hold; None where nothing stands."""
    match part:
        case None:
            return None
        case parts.When(holds, inner):
            return _made(inner, told, edition, rng) if holds(told, edition) else None
        case parts.IfLeft(inner):
            # One of no bytes cannot be told from none.
            return _made(inner, told, edition, rng) or None if rng.random() < 0.7 else None
        case parts.By(since, before):
            return _made(since if edition is Edition.E2019 else before, told, edition, rng)
        case parts.Number(size, names):
            wide = rng.randrange(1 << 8 * size)
            return rng.choice([*names, wide]) if names else rng.choice([0, 1, 3, wide])
        case parts.Bytes(size):
            return rng.randbytes(rng.randrange(1, 40) if size is None else size)
        case parts.Bcd(size):
            return rng.randbytes(size).hex()
        case parts.Text(size):
            return "".join(rng.choices("京A0,;卡é", k=rng.randrange(0, (size or 20) // 2)))
        case parts.Sized(_, True):
            return "".join(rng.choices("京A0,;卡", k=rng.randrange(0, 20)))
        case parts.Sized():
            return rng.randbytes(rng.randrange(0, 60))
        case parts.Many(_, layout):
            return [_group(layout, edition, rng) for _ in range(rng.randrange(0, 4))]
        case parts.Group(layout) | parts.SizedGroup(_, layout):
            return _group(layout, edition, rng)
        case Items():
            return [
                {"id": rng.randrange(256), "value": rng.randbytes(rng.randrange(9))}
                for _ in range(rng.randrange(4))
            ]
        case Parameter():
            kind, _ = PARAMETERS.get(told["id"], (0, ""))
            if isinstance(kind, int) and kind:
                return rng.randrange(1 << 8 * kind)
            return rng.randbytes(3) if kind == 0 else "测试 abc"
        case _:
            raise AssertionError(part)


def _group(layout: parts.Layout, edition: Edition, rng: random.Random) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, part in layout:
        if name == parts.REST:
            continue  # What is truncated: bytes that no item can be read from.
        value = _made(part, told, edition, rng)
        if name == "id" and rng.random() < 0.8 and layout[1:] and layout[1][0] == "value":
            value = rng.choice(sorted(PARAMETERS)) if isinstance(part, parts.Number) else value
        if value is not None:
            told[name] = value
    return told


@pytest.mark.parametrize(("message", "edition", "form"), FORMS)
def test_what_is_written_is_read_and_written_again(
    message: int, edition: Edition, form: int
) -> None:
    layout = KINDS[message].forms[form].layout
    for seed in range(40):
        values = _group(layout, edition, random.Random(f"{message} {edition} {form} {seed}"))
        body = write_body(message, values, edition, form=form)
        found = read_body(message, body, edition)
        assert found.encode() == body
        if found.form == form:
            assert found.values == values
        # Each byte is explained, once, in order.
        ends = [0, *(each.end for each in found.explained)]
        assert all(each.start >= end for each, end in zip(found.explained, ends, strict=False))
        assert max(ends) == len(body)


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(list(Edition)), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_come_back_the_same(message, edition, body) -> None:
    try:
        found = read_body(message, body, edition)
    except MalformedInput:
        return
    assert found.encode() == body


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_explained_or_said_to_be_no_frame(data, delimited) -> None:
    try:
        told = explained(b"\x7e" + data + b"\x7e" if delimited else data)
    except MalformedInput:
        return
    for each in told:
        assert each.wrong or each.about
        assert all(0 <= one.start <= one.end <= len(each.body) for one in each.fields)


def test_the_messages_that_a_session_acts_upon_are_read_as_it_reads_them() -> None:
    for number in _DECODE:
        # Those of 2011 and 2013 share a header: a session tells them by the length alone.
        for edition in (Edition.E2013, Edition.E2019):
            layout = KINDS[number].of(edition)[0][1].layout
            values = _group(layout, edition, random.Random(number))
            if number == 0x8004:
                values = {"time_utc": "261130041500"}
            if number == 0x0704:
                values["count"] = len(values["reports"])
            body = write_body(number, values, edition)
            assert encode_message(decode_message(number, body, edition), edition) == body


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "interval_s is missing"),
        ({"interval_s": 1 << 16}, "no number of 2 bytes"),
        ({"interval_s": -1}, "no number of 2 bytes"),
        ({"interval_s": "5"}, "no number"),
        ({"interval_s": 5, "speed": 1}, "there is no field speed"),
    ],
)
def test_an_order_that_does_not_fit_is_refused_with_its_field(values, said) -> None:
    with pytest.raises(MalformedInput, match=said):
        write_body(0x8202, values, Edition.E2013)


def test_a_makers_own_message_is_none_of_the_standards() -> None:
    with pytest.raises(MalformedInput) as refused:
        read_body(0x0F01, b"", Edition.E2013)
    assert refused.value.code == "unknown_message"


@pytest.mark.parametrize(
    ("message", "edition", "values", "hexadecimal"),
    [
        # From the layouts in words, byte by byte.
        (0x8104, Edition.E2013, {}, ""),
        (
            0x8103,
            Edition.E2013,
            {"parameters": [{"id": 0x29, "value": 10}, {"id": 0x83, "value": "京A"}]},
            "02 00000029 04 0000000a 00000083 03 bea941",
        ),
        (0x8202, Edition.E2013, {"interval_s": 5, "valid_s": 600}, "0005 00000258"),
        (0x8202, Edition.E2013, {"interval_s": 0}, "0000"),
        (0x8300, Edition.E2013, {"flags": 4, "text": "停"}, "04 cda3"),
        (0x8300, Edition.E2019, {"flags": 4, "kind": 1, "text": "停"}, "04 01 cda3"),
        (0x8003, Edition.E2013, {"first_serial": 9, "packets": [{"number": 2}]}, "0009 01 0002"),
        (
            0x8003,
            Edition.E2019,
            {"first_serial": 9, "packets": [{"number": 2}]},
            "0009 0001 0002",
        ),
        (0x8601, Edition.E2013, {"areas": []}, "00"),
        (0x8500, Edition.E2013, {"flag": 1}, "01"),
        (0x8500, Edition.E2019, {"controls": [{"type": 1, "value": 1}]}, "0001 0001 01"),
        (0x8105, Edition.E2013, {"command": 4}, "04"),
    ],
)  # fmt: skip
def test_orders_are_written_as_their_layouts_say(message, edition, values, hexadecimal) -> None:
    assert write_body(message, values, edition) == bytes.fromhex(hexadecimal)
