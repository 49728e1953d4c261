"""Galileo pages and GLONASS strings, word by word."""

from __future__ import annotations

import contextlib
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst
from zhidao.positioning.domain.observables.observations import ObservationHeader, Observations
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.service.recordings import read_recordings
from zhidao.positioning.wire.broadcast.glonass_strings import (
    StringCollector,
    check_bits,
    encode_strings,
)
from zhidao.positioning.wire.broadcast.inav import (
    InavCollector,
    encode_pages,
    page_data,
    page_words,
)
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.streams import ubx_stream

_WORD = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def day(shared):
    path = shared / "positioning/esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
    return read_navigation(path.read_bytes(), messages=WITH_GLONASS)


def _rows(day, system):
    return np.flatnonzero(day.ephemerides.satellite // 100 == "GRECJ".index(system))


def _pages(day, row):
    second = int(day.ephemerides.toe_ns[row]) // 10**9 % 604_800
    return encode_pages(day.ephemerides, row, second_of_week=second)


def test_galileo_ephemerides_of_a_day_survive_their_pages(day):
    orbits = day.ephemerides
    for row in _rows(day, "E")[::40].tolist():
        prn, near = int(orbits.satellite[row]) % 100, int(orbits.toe_ns[row]) + 3600 * 10**9
        collector = InavCollector()
        found = [collector.add(prn, page, near_gpst_ns=near) for page in _pages(day, row)]
        assert [each is not None for each in found] == [False] * 5 + [True]
        for column in (c for c in fields(orbits) if c.name in found[-1]):
            value = getattr(orbits, column.name)[row]
            assert found[-1][column.name] == pytest.approx(value, rel=1e-11), column.name


def test_the_week_is_that_of_the_reference_time_and_not_of_the_page(day):
    orbits = day.ephemerides
    row = int(_rows(day, "E")[0])
    week_ns = 604_800 * 10**9
    late = orbits.take(np.array([row]))
    late.toe_ns[:] = late.toc_ns[:] = late.toe_ns // week_ns * week_ns + 60 * 10**9
    # Sent ten minutes before the week turns.
    pages = encode_pages(late, 0, second_of_week=604_800 - 600)
    collector = InavCollector()
    prn = int(late.satellite[0]) % 100
    rows = [collector.add(prn, page, near_gpst_ns=int(late.toe_ns[0])) for page in pages]
    assert rows[-1]["toe_ns"] == late.toe_ns[0]


def test_pages_of_two_issues_are_not_mixed(day):
    rows = _rows(day, "E")
    prn = day.ephemerides.satellite[rows[0]]
    one, other = [r for r in rows.tolist() if day.ephemerides.satellite[r] == prn][:2]
    collector = InavCollector()
    pages = [*_pages(day, one)[:3], *_pages(day, other)[3:]]
    near = int(day.ephemerides.toe_ns[one])
    assert not any(collector.add(int(prn) % 100, page, near_gpst_ns=near) for page in pages)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 195))
def test_a_page_comes_back_and_a_wrong_bit_is_found(data, at):
    words = page_words(data)
    assert page_data(words) == data
    # The 114 and 82 bits that the CRC covers, without the part's own marks.
    even = at < 114
    place = at if even else 128 + at - 114
    words[place // 32] ^= 1 << 31 - place % 32
    if at not in (1, 115):
        with pytest.raises(MalformedInput):
            page_data(words)


def test_glonass_ephemerides_of_a_day_survive_their_strings(day):
    store = day.glonass
    for row in range(0, len(store), 60):
        slot, channel = int(store.satellite[row]) % 100, int(store.channel[row])
        collector = StringCollector()
        near = int(store.toe_ns[row]) + 600 * 10**9
        strings = encode_strings(store, row)
        found = [collector.add(slot, s, channel=channel, near_gpst_ns=near) for s in strings]
        assert [each is not None for each in found] == [False, False, False, True, True]
        for column in fields(store):
            value = getattr(store, column.name)[row]
            told = found[-1][column.name]
            assert told == pytest.approx(value, rel=1e-11, nan_ok=True), column.name
        assert found[-2]["toe_ns"] == found[-1]["toe_ns"]


def test_strings_of_two_frames_are_not_mixed(day):
    slot = int(day.glonass.satellite[0]) % 100
    early, late = (encode_strings(day.glonass, 0, frame=frame) for frame in (1, 2))
    collector = StringCollector()
    near = int(day.glonass.toe_ns[0])
    for string in (*early[:3], late[3], late[4]):
        assert collector.add(slot, string, channel=0, near_gpst_ns=near) is None


@given(st.integers(0, 2**77 - 1), st.integers(0, 84))
def test_any_wrong_bit_of_a_string_is_found(data, at):
    whole = data << 8 | check_bits(data)
    wrong = whole ^ 1 << at
    assert check_bits(wrong >> 8) != wrong & 0xFF


@given(st.lists(_WORD, max_size=9), st.integers(0, 255))
def test_any_words_are_taken_or_refused(words, number):
    with contextlib.suppress(MalformedInput):
        InavCollector().add(number, words, near_gpst_ns=10**18)
    with contextlib.suppress(MalformedInput):
        StringCollector().add(number, words, channel=0, near_gpst_ns=10**18)


def test_a_receiver_s_log_brings_the_ephemerides_of_all_systems(day):
    at = Gpst(int(day.ephemerides.toe_ns[_rows(day, "E")[0]])).ns
    orbits = day.ephemerides
    near = np.abs(orbits.toe_ns - at) < 3600 * 10**9
    few = Navigation(orbits.take(near), glonass=day.glonass.take(day.glonass.toe_ns < at + 10**13))
    seen = Observations(ObservationHeader(), at + np.arange(3) * 10**9, np.zeros(3, bool), {})
    found = read_recordings([("log", ubx_stream(seen, few))]).broadcast()
    kinds = {"C", "E", "G", "J"} & {"GRECJ"[n // 100] for n in few.ephemerides.satellite.tolist()}
    assert {"GRECJ"[n // 100] for n in found.ephemerides.satellite.tolist()} == kinds
    assert found.glonass is not None
