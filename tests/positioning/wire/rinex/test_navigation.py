from __future__ import annotations

import contextlib
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.writing import write_navigation


def test_reading_what_was_written_gives_the_same_ephemerides(afternoon):
    again = read_navigation(afternoon.navigation_file)
    for column in fields(Ephemerides):
        told = getattr(afternoon.navigation.ephemerides, column.name)
        found = getattr(again.ephemerides, column.name)
        assert np.allclose(told, found, rtol=1e-12, atol=1e-20, equal_nan=True), column.name
    assert again.klobuchar is not None
    assert again.klobuchar.bds
    assert again.simulated
    assert write_navigation(again) == afternoon.navigation_file


def _edit(data: bytes, line: int, start: int, text: str) -> bytes:
    lines = data.decode().split("\n")
    first = next(i for i, row in enumerate(lines) if "END OF HEADER" in row) + 1
    row = lines[first + line].ljust(80)
    lines[first + line] = row[:start] + text + row[start + len(text) :]
    return "\n".join(lines).encode()


def test_an_unknown_group_delay_is_absent_and_not_a_delay(afternoon):
    data = _edit(afternoon.navigation_file, 6, 42, " .999999999999E+09 ")
    found = read_navigation(data).ephemerides
    assert np.isnan(found.delay1_s).sum() == 1


@pytest.mark.parametrize(
    ("line", "start", "text", "match"),
    [
        (0, 0, "Q", "no satellite"),
        (0, 4, "20x6", "satellite and time"),
        (0, 9, "14", "satellite and time"),
        (2, 23, " 9.000000000000E-01", "no such orbit"),
        (2, 23, " not a number      ", "not a number"),
        (1, 42, " " * 19, "missing"),
        (5, 42, " 9.999999999999E+05", "week"),
    ],
)
def test_damage_is_refused(afternoon, line, start, text, match):
    with pytest.raises(MalformedInput, match=match):
        read_navigation(_edit(afternoon.navigation_file, line, start, text))


def test_a_cut_file_is_refused(afternoon):
    lines = afternoon.navigation_file.split(b"\n")
    with pytest.raises(MalformedInput, match="inside a navigation record"):
        read_navigation(b"\n".join(lines[:-4]))


@given(st.data())
@settings(max_examples=80)
def test_no_bytes_raise_anything_but_malformed_input(data):
    head = f"{'     3.05           N: GNSS NAV DATA    M':60s}RINEX VERSION / TYPE\n".encode()
    end = f"{'':60s}END OF HEADER\n".encode()
    record = b"C19 2026 11 21 06 00 00" + b" 1.000000000000E+00" * 3 + b"\n"
    record += (b"    " + b" 1.000000000000E+00" * 4 + b"\n") * 7
    text = bytearray(head + end + record)
    for _ in range(data.draw(st.integers(0, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    for attempt in (bytes(text), head + end + data.draw(st.binary(max_size=200))):
        with contextlib.suppress(MalformedInput):
            read_navigation(attempt)


def test_the_real_navigation_files_hold_what_is_known_of_them(shared):
    folder = shared / "positioning"
    esbc = read_navigation(
        (folder / "esbc_2020177" / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    )
    assert (esbc.ephemerides.satellite // 100 == 3).sum() == 357
    assert esbc.klobuchar is not None
    assert not esbc.klobuchar.bds
    newer = read_navigation(
        (folder / "rinex4" / "BRD400DLR_S_20260680000_01D_MN.rnx.gz").read_bytes()
    )
    # 963 D1 and 194 D2 records; two satellites and times of them stand twice.
    assert 1140 <= (newer.ephemerides.satellite // 100 == 3).sum() <= 1157
    assert newer.klobuchar is not None
    assert newer.klobuchar.bds
