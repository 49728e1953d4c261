"""Compiled reading and its numpy twin give the same tables, value for value."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core import compiling
from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.compression import unpacked
from zhidao.positioning.wire.fixed import Lines, decimals
from zhidao.positioning.wire.rinex.compact import read_compact
from zhidao.positioning.wire.rinex.observation_files import (
    _compiled_fields,
    plain_fields,
    read_plain,
)

pytest.importorskip("numba")

KMS3 = "positioning/rinex4/KMS300DNK_R_20221591000_01H_30S_MO.crx"


def _same(one, other):
    assert np.array_equal(one.gpst_ns, other.gpst_ns)
    assert np.array_equal(one.power_failed, other.power_failed)
    assert one.systems.keys() == other.systems.keys()
    for system, left in one.systems.items():
        right = other.systems[system]
        assert left.codes == right.codes
        for name in ("epoch", "prn", "lost_lock", "strength"):
            assert np.array_equal(getattr(left, name), getattr(right, name)), name
        assert np.array_equal(left.values, right.values, equal_nan=True)


def _plain(data):
    return read_plain(data, systems="", bytes_max=1 << 28)


@pytest.fixture(scope="module")
def compact(shared):
    assert compiling.ready(pays=True)
    return (shared / KMS3).read_bytes()


def test_compact_rinex_decoded_directly_equals_the_expanded_text(compact):
    direct = read_compact(compact, "")
    assert direct is not None
    _same(direct, _plain(compact))


def test_systems_can_be_chosen_in_compact_rinex(compact):
    assert read_compact(compact, "C").systems.keys() == {"C"}


def test_the_whole_station_day_is_the_same_by_both_ways(shared):
    path = shared / "positioning/esbc_2020177/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz"
    data = unpacked(path.read_bytes(), bytes_max=1 << 28)
    _same(read_compact(data, ""), _plain(data))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_compact_rinex_is_never_read_directly_as_something_else(compact, data):
    """Wherever the direct way gives an answer, the programs that define the format agree."""
    text = bytearray(compact[:9000])
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(3600, len(text) - 1))] = data.draw(st.integers(0, 127))
    direct = read_compact(bytes(text), "")
    if direct is not None:
        with contextlib.suppress(MalformedInput), warnings.catch_warnings():
            _same(direct, _plain(bytes(text)))


_FIELD = st.one_of(
    st.text("0123456789.- x", min_size=0, max_size=16),
    st.integers(-(10**9), 10**10).map(lambda n: f"{n / 1000:14.3f}"),
    st.tuples(st.integers(0, 10**10), st.sampled_from(["1 ", " 9", "7 ", "9 ", " x"])).map(
        lambda t: f"{t[0] / 1000:14.3f}{t[1]}"
    ),
)


@given(st.lists(st.lists(_FIELD, max_size=3), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_fixed_columns_read_the_same_by_both_ways(rows):
    text = "\n".join("C01" + "".join(f.ljust(16)[:16] for f in row).rstrip() for row in rows)
    lines = Lines(text.encode())
    numbers = np.arange(len(rows))
    ranges = np.zeros(3, bool)
    try:
        wanted = plain_fields(lines, numbers, 3)
    except MalformedInput:
        with pytest.raises(MalformedInput):
            _compiled_fields(lines, numbers, ranges)
        return
    for one, other in zip(_compiled_fields(lines, numbers, ranges), wanted, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def test_decimals_are_exact():
    field = np.frombuffer(b"  20000000.123", np.uint8)[None]
    assert decimals(field, 3)[0][0] == 20000000.123
