from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.wire.precise.antex import read_antennas

AT = Gpst.from_utc(Utc.parse("2020-06-25T00:00:00Z")).ns


def _line(text, label):
    return f"{text:60}{label}\n"


def _antenna(name, *, until="", first="G01", second="G02", z=(1600.0, 1500.0)):
    out = _line("", "START OF ANTENNA")
    out += _line(f"{'BLOCK IIF':20}{name:20}", "TYPE / SERIAL NO")
    out += _line("  2010     5    28     0     0    0.0000000", "VALID FROM")
    if until:
        out += _line(until, "VALID UNTIL")
    for frequency, up in ((first, z[0]), (second, z[1])):
        out += _line(f"   {frequency}", "START OF FREQUENCY")
        out += _line(f"{394.0:10.2f}{0.0:10.2f}{up:10.2f}", "NORTH / EAST / UP")
        out += "   NOAZI   -0.80   -0.90\n"
        out += _line(f"   {frequency}", "END OF FREQUENCY")
    return out + _line("", "END OF ANTENNA")


HEAD = _line("     1.4            M", "ANTEX VERSION / SYST")
TEXT = HEAD + _antenna("G25") + _antenna("ASH701945E_M    SCIS") + _antenna("X01")


def test_the_offset_is_that_of_the_pair_free_of_ionosphere():
    found = read_antennas(TEXT.encode(), gpst_ns=AT)
    assert found.keys() == {25}
    x, y, z = found[25]
    assert (x, y) == pytest.approx((0.394, 0.0))
    assert z == pytest.approx(1.6 * 2.5457 - 1.5 * 1.5457, abs=1e-4)


def test_an_antenna_counts_while_it_flew_under_its_number():
    gone = "  2015     1     1    23    59   59.9999999"
    text = HEAD + _antenna("G25", until=gone, z=(900.0, 900.0)) + _antenna("G26", until=gone)
    text += _antenna("G25")
    found = read_antennas(text.encode(), gpst_ns=AT)
    assert found.keys() == {25}
    assert found[25][2] > 1.5
    assert read_antennas(text.encode(), gpst_ns=0) == {}


def test_one_frequency_is_not_enough():
    text = HEAD + _antenna("E01", first="E01", second="E06")
    assert read_antennas(text.encode(), gpst_ns=AT) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "ANTEX"),
        (TEXT.replace("394.00", "  x.xx"), "offset"),
        (TEXT.replace("  2010     5", "  2010    15"), "time"),
    ],
)
def test_what_is_wrong_is_said(text, word):
    with pytest.raises(MalformedInput, match=word):
        read_antennas(text.encode(), gpst_ns=AT)


@given(st.data())
@settings(max_examples=60)
def test_damaged_files_are_read_or_refused(data):
    changed = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedInput):
        read_antennas(bytes(changed), gpst_ns=AT)
