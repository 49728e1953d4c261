"""The serving cell in vendors' items is read as its form says, and anything else names none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.reported_cell import CellName
from zhidao.connectivity.wire.reported_cells import (
    ELEMENTS,
    ITEMS,
    cell_of_elements,
    cell_of_items,
)

CELL = CellName(460, 0, 0x2535, 0x1026)


def item(number: int, text: str) -> tuple[tuple[int, bytes], ...]:
    return ((number, bytes.fromhex(text)),)


@pytest.mark.parametrize(
    ("items", "cell"),
    [
        (item(0xE1, "01cc 0000 002535 00001026 1c"), CELL),
        (item(0xE1, "01cc 0000 002535 00001026 1c 002535 0000100f 32"), CELL),
        (item(0xE1, "0208 0004 0013b2 02e46483 00"), CellName(520, 4, 0x13B2, 0x2E46483)),
        (item(0xEB, "01cc 00 2535 1026 01"), CELL),
        (item(0xEB, "01cc 00 2535 1026 01 2535 100f 32 0000 0000 00"), CELL),
        (item(0xEB, "0006 0089 fffffffe 000b 00d8 01cc 00 2535 00001026"), CELL),
        (item(0xF0, "01cc 0000 00001026 00002535 1c"), CELL),
        (item(0x30, "1f") + item(0xF0, "01cc 0000 00001026 00002535 1c"), CELL),
    ],
)
def test_each_form_names_the_serving_cell(items, cell):
    assert cell_of_items(items) == (cell,)


@pytest.mark.parametrize(
    "items",
    [
        (),
        item(0xE1, "64"),  # A battery under the same number.
        item(0xE1, "00735443"),
        item(0xE1, "01cc 0000 002535 00001026"),
        item(0xE1, "0000 0000 002535 00001026 1c"),  # No country has the code 0.
        item(0xE1, "01cc 0000 000000 00000000 00"),
        item(0xEB, "01cc 00 0000 0000 00 2535 1026 01"),  # A neighbour is not the serving cell.
        item(0xEB, "01cc 00 ffff ffff 00"),
        item(0xEB, "01cc 00 2535 1026"),
        item(0xEB, "5554432b30383a3030"),  # "UTC+08:00".
        item(0xEB, "000c 00b2 89882280666134274509"),
        item(0xEB, "000b 00d8 01cc"),
        item(0xEB, "0000 00d8 01cc 00 2535 00001026"),
        item(0xF0, "01cc 0000 00001026 00002535"),
        item(0xEE, "01cc 00 2535 00001026 00"),
    ],
)
def test_what_is_of_another_form_names_no_cell(items):
    assert cell_of_items(items) == ()


def elements(**told: str) -> tuple[tuple[int, bytes], ...]:
    return tuple((int(number[1:]), bytes.fromhex(value)) for number, value in told.items())


@pytest.mark.parametrize(
    ("told", "cell"),
    [
        (elements(_205="1026", _206="2535", _241="0000b3b0"), CELL),  # 46000.
        (
            elements(_241="00009ca5", _206="1002", _636="0123abcd"),
            CellName(401, 1, 4098, 0x123ABCD),
        ),
        (elements(_241="0004bbf4", _205="0007", _206="0001"), CellName(310, 260, 1, 7)),
        (elements(_205="0000", _206="2535", _241="0000b3b0", _636="00001026"), CELL),
    ],
)
def test_elements_of_teltonika_name_the_serving_cell(told, cell):
    assert cell_of_elements(told) == (cell,)


@pytest.mark.parametrize(
    "told",
    [
        (),
        elements(_205="1026", _206="2535"),
        elements(_205="1026", _241="0000b3b0"),
        elements(_206="2535", _241="0000b3b0"),
        elements(_205="ffff", _206="2535", _241="0000b3b0"),
        elements(_205="1026", _206="2535", _241="00000001"),
        elements(_205="1026", _206="2535", _241="ffffffff"),
    ],
)
def test_elements_without_a_network_or_a_cell_name_none(told):
    assert cell_of_elements(told) == ()


@given(st.lists(st.tuples(st.sampled_from(sorted(ITEMS)), st.binary(max_size=255)), max_size=8))
def test_no_item_whatever_breaks_the_reading(items):
    assert len(cell_of_items(items)) <= 1


@given(st.lists(st.tuples(st.sampled_from(sorted(ELEMENTS)), st.binary(max_size=16)), max_size=8))
def test_no_element_whatever_breaks_the_reading(told):
    assert len(cell_of_elements(told)) <= 1


def _items_of(frame: str) -> list[list[tuple[int, bytes]]]:
    """The items of each position in a frame, by the standard's layout and no code of ours."""
    inside = bytes.fromhex(frame).strip(b"\x7e")
    plain = inside.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
    identity, properties = plain[:2].hex(), int.from_bytes(plain[2:4], "big")
    body = plain[(17 if properties >> 14 & 1 else 12) + 4 * (properties >> 13 & 1) : -1]
    bodies = [body] if identity == "0200" else []
    if identity == "0704":
        at = 3
        while at + 2 <= len(body):
            size = int.from_bytes(body[at : at + 2], "big")
            bodies.append(body[at + 2 : at + 2 + size])
            at += 2 + size
    found = []
    for each in bodies:
        rest, items = each[28:], []
        while len(rest) >= 2:
            items.append((rest[0], rest[2 : 2 + rest[1]]))
            rest = rest[2 + rest[1] :]
        found.append(items)
    return found


def test_frames_of_real_devices_tell_the_cells_that_are_in_them(shared: Path):
    """In 75 frames of real devices thirteen positions name a cell in a form that is known here."""
    cases: list[dict[str, Any]] = json.loads(
        (shared / "connectivity" / "jt808" / "real_device_frames.json").read_bytes()
    )
    found: Counter[CellName] = Counter()
    for case in cases:
        for items in _items_of(case["frame"]):
            found.update(cell_of_items(items))
    assert found[CELL] == 5
    # Of China, Thailand, Brazil, Poland, Portugal and Germany.
    assert {each.mcc for each in found} == {460, 520, 724, 260, 268, 262}
    assert found.total() == 13
