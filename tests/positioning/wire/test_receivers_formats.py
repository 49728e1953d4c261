"""u-blox UBX, broadcast subframes and NMEA 0183."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.broadcast.subframes import SubframeCollector, encode_subframes
from zhidao.positioning.wire.receivers.nmea import Sentence, fix_of, gga, sentences
from zhidao.positioning.wire.receivers.ubx import (
    RAWX,
    SFRBX,
    Subframe,
    UbxMessage,
    UbxReader,
    read_raw,
    ubx_messages,
    write_raw,
)
from zhidao.positioning.wire.rinex.navigation import read_navigation

_MESSAGES = st.lists(
    st.builds(UbxMessage, st.just((2, 0x15)), st.binary(max_size=50)), min_size=1, max_size=5
)


@given(_MESSAGES, st.binary(max_size=30), st.integers(1, 13))
def test_ubx_messages_are_found_in_any_pieces_behind_any_noise(messages, noise, step):
    stream = noise + b"".join(m.encode() for m in messages)
    reader = UbxReader()
    found = [m for at in range(0, len(stream), step) for m in reader.feed(stream[at : at + step])]
    found += reader.close()
    assert found[-len(messages) :] == messages
    assert found == ubx_messages(stream)


@given(st.binary(max_size=120))
def test_no_ubx_payload_raises_anything_but_malformed_input(data):
    with contextlib.suppress(MalformedInput):
        read_raw([UbxMessage(RAWX, data)])
    with contextlib.suppress(MalformedInput):
        Subframe.decode(UbxMessage(SFRBX, data))


@pytest.mark.parametrize(("second", "week"), [(0.0, 15_001), (0.0, 65_535), (604_800.0, 2111)])
def test_a_time_that_no_receiver_lives_to_see_is_refused(second, week):
    payload = struct.pack("<dH6x", second, week)
    with pytest.raises(MalformedInput, match=f"week {week}"):
        read_raw([UbxMessage(RAWX, payload)])


def test_raw_measurements_come_back_as_written(afternoon):
    again = read_raw(ubx_messages(b"".join(m.encode() for m in write_raw(afternoon.seen))))
    assert np.array_equal(again.gpst_ns, afternoon.gpst_ns)
    one, other = afternoon.seen.systems["C"], again.systems["C"]
    assert np.array_equal(one.prn, other.prn)
    assert np.array_equal(one.column("C2I"), other.column("C2I"))
    assert np.array_equal(one.column("L2I"), other.column("L2I"), equal_nan=True)


def test_every_bds_ephemeris_of_a_day_survives_its_subframes(shared):
    path = shared / "positioning/esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
    eph = read_navigation(path.read_bytes()).ephemerides
    kinds = set()
    for row in np.flatnonzero(eph.satellite // 100 == 3)[::3].tolist():
        prn = int(eph.satellite[row]) % 100
        kinds.add(prn <= 5)
        collector = SubframeCollector()
        rows = [
            collector.add(
                "C",
                prn,
                Subframe.decode(Subframe("C", prn, 0, tuple(words)).encode()).words,
                near_gpst_ns=int(eph.toe_ns[row]),
            )
            for words in encode_subframes(eph, row, second_of_week=518_400)
        ]
        assert [r is not None for r in rows] == [False] * (len(rows) - 1) + [True]
        for column in (c for c in fields(eph) if c.name in rows[-1]):
            value = getattr(eph, column.name)[row]
            assert rows[-1][column.name] == pytest.approx(value, rel=1e-11), column.name
    assert kinds == {True, False}


def test_subframes_of_different_times_are_not_mixed(afternoon):
    eph = afternoon.navigation.ephemerides
    row = int(np.flatnonzero((eph.satellite % 100 > 5) & (eph.satellite % 100 < 59))[0])
    prn = int(eph.satellite[row]) % 100
    early = encode_subframes(eph, row, second_of_week=0)
    late = encode_subframes(eph, row, second_of_week=3600)
    collector = SubframeCollector()
    parts = [early[0], early[1], late[2]]
    found = [collector.add("C", prn, w, near_gpst_ns=int(eph.toe_ns[row])) for w in parts]
    assert found == [None, None, None]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=12), st.integers(1, 63))
def test_any_words_are_taken_or_refused(words, prn):
    with contextlib.suppress(MalformedInput):
        SubframeCollector().add("C", prn, words, near_gpst_ns=10**18)


@pytest.mark.parametrize("talker", ["GB", "BD", "GN", "GP"])
def test_a_place_comes_back_from_its_sentence(talker):
    written = gga(
        talker,
        latitude_deg=-44.21234567,
        longitude_deg=80.4001,
        height_m=701.25,
        second_of_day=86399.5,
        quality=4,
        satellites=17,
        hdop=0.7,
    )
    fix = fix_of(sentences(b"noise" + written.encode())[0])
    assert fix.latitude_deg == pytest.approx(-44.21234567, abs=1e-9)
    assert fix.longitude_deg == pytest.approx(80.4001, abs=1e-9)
    assert fix.height_m == 701.25
    assert fix.second_of_day == 86399.5
    assert (fix.quality, fix.satellites) == (4, 17)
    assert fix.system == {"GN": "several systems", "GP": "GPS"}.get(talker, "BeiDou")


def test_a_known_sentence_reads_as_published():
    line = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n"
    fix = fix_of(sentences(line)[0])
    assert fix.latitude_deg == pytest.approx(48.1173)
    assert fix.longitude_deg == pytest.approx(11.516667, abs=1e-6)
    assert fix.date == (23, 3, 1994)
    assert fix.speed_mps == pytest.approx(11.5235, abs=1e-3)


def test_a_wrong_checksum_is_passed_over():
    assert sentences(b"$GPGLL,4916.45,N,12311.12,W,225444,A*00\r\n") == []


@given(st.lists(st.text("0123456789.,-NSEWAM", max_size=12), max_size=16))
def test_no_sentence_raises_anything_but_malformed_input(parts):
    for kind in ("GGA", "GNS", "RMC", "GLL", "GSV"):
        with contextlib.suppress(MalformedInput):
            fix_of(Sentence("BD", kind, tuple(parts)))


@given(st.binary(max_size=200))
def test_any_bytes_may_come_as_nmea(data):
    sentences(data)


@pytest.mark.bound("positioning.wire.receivers.ubx._PAYLOAD_BYTES_MAX")
@pytest.mark.parametrize(("size", "found"), [(16_384, 1), (16_385, 0)])
def test_a_payload_past_its_bound_is_noise_and_hides_no_message_behind_it(size, found):
    small = UbxMessage((2, 0x15), b"small")
    stream = UbxMessage((2, 0x15), b"x" * size).encode() + small.encode()
    assert len(ubx_messages(stream)) == found + 1
    assert ubx_messages(stream)[-1] == small
    # What claims to be longer than any message is not waited for.
    reader = UbxReader()
    told = [*reader.feed(b"\xb5\x62\x02\x15" + size.to_bytes(2, "little") + small.encode())]
    assert len(told) == 1 - found
