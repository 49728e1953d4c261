from __future__ import annotations

import contextlib
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import (
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rtcm.ephemeris import decode_ephemeris, encode_ephemeris
from zhidao.positioning.wire.rtcm.frame import FrameReader, crc24q, frame, message_number, payloads
from zhidao.positioning.wire.rtcm.glonass_1020 import decode_glonass, encode_glonass
from zhidao.positioning.wire.rtcm.msm import (
    decode_msm,
    encode_msm,
    is_msm,
    plain_msm,
    read_msm,
)
from zhidao.positioning.wire.rtcm.msm_observations import (
    epoch_messages,
    lock_indicator,
    observations_of,
)
from zhidao.positioning.wire.rtcm.station import GlonassBiases, StationPlace
from zhidao.positioning.wire.rtcm.text import TextMessage


def cells_equal(one: Any, other: Any) -> bool:
    """Whether two tables hold the same values, NaN equal to NaN."""
    return all(
        np.array_equal(
            getattr(one, column.name),
            getattr(other, column.name),
            equal_nan=getattr(one, column.name).dtype.kind == "f",
        )
        for column in fields(type(one))
    )


def messages_of(
    seen: Observations, *, station: int = 0, channels: dict[int, int] | None = None
) -> list[bytes]:
    """All payloads of `epoch_messages` in one list."""
    return [m for part in epoch_messages(seen, station=station, channels=channels) for m in part]


STREAMS = ("GMSD7_20121014.rtcm3", "pygpsdata-NTRIP-USCL00CHL0.log")
PAYLOADS = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6)


@pytest.fixture(params=STREAMS)
def stream(request, shared):
    return (shared / "positioning" / "rtcm3" / request.param).read_bytes()


def test_the_checksum_is_crc_24q():
    assert crc24q(b"123456789") == 0xCDE703


@given(PAYLOADS, st.binary(max_size=40), st.integers(1, 17))
def test_frames_are_found_in_any_pieces_behind_any_noise(parts, noise, step):
    stream = noise + b"".join(map(frame, parts))
    reader = FrameReader()
    found = [p for at in range(0, len(stream), step) for p in reader.feed(stream[at : at + step])]
    found += reader.close()
    assert found[-len(parts) :] == parts
    assert found == payloads(stream)


@given(PAYLOADS, st.data())
def test_a_damaged_frame_does_not_take_its_neighbours_along(parts, data):
    framed = [bytearray(frame(part)) for part in parts]
    bad = data.draw(st.integers(0, len(parts) - 1))
    place = data.draw(st.integers(0, len(framed[bad]) - 1))
    framed[bad][place] ^= 1 << data.draw(st.integers(0, 7))
    found = payloads(b"".join(framed))
    expected = [part for index, part in enumerate(parts) if index != bad]
    remaining = iter(found)
    assert all(part in remaining for part in expected)


LAYOUT = Layout.of("a:3 b:i9 c:s6 d:1")


@given(st.integers(0, 7), st.integers(-256, 255), st.integers(-31, 31), st.integers(0, 1))
def test_fields_come_back_as_written(a, b, c, d):
    values = {"a": a, "b": b, "c": c, "d": d}
    assert LAYOUT.read(LAYOUT.write(values)) == values


def test_a_value_that_does_not_fit_is_refused():
    with pytest.raises(MalformedInput, match="does not fit"):
        LAYOUT.write({"b": 256})


@given(st.tuples(*[st.integers(-(10**10), 10**10)] * 3), st.none() | st.integers(0, 65535))
def test_a_station_place_comes_back_as_written(steps, height):
    place = StationPlace(
        17, tuple(n * 1e-4 for n in steps), None if height is None else height * 1e-4
    )
    again = StationPlace.decode(place.encode())
    assert np.allclose(again.ecef_m, place.ecef_m, atol=1e-6)
    assert again.antenna_height_m == pytest.approx(place.antenna_height_m)


def test_glonass_biases_come_back_as_written():
    biases = GlonassBiases(3, aligned=True, bias_m={"1C": -0.5, "2P": 1.24})
    again = GlonassBiases.decode(biases.encode())
    assert again.bias_m == pytest.approx(biases.bias_m)


@given(
    st.binary(max_size=80),
    st.sampled_from([1005, 1006, 1019, 1020, 1029, 1042, 1044, 1045, 1046, 1230]),
)
def test_no_message_raises_anything_but_malformed_input(rest, number):
    data = number.to_bytes(2, "big") + rest
    data = (int.from_bytes(data, "big") << 4).to_bytes(len(data) + 1, "big")[1:]
    for read in (StationPlace.decode, GlonassBiases.decode, TextMessage.decode):
        with contextlib.suppress(MalformedInput):
            read(data)
    for read in (decode_ephemeris, decode_glonass):
        with contextlib.suppress(MalformedInput):
            read(data, near_gpst_ns=10**18)


def test_every_broadcast_ephemeris_of_a_day_survives_its_rtcm_message(shared):
    folder = shared / "positioning" / "esbc_2020177"
    store = read_navigation((folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes())
    eph = store.ephemerides
    for row in range(0, len(eph), 7):
        again = decode_ephemeris(encode_ephemeris(eph, row), near_gpst_ns=int(eph.toe_ns[row]))
        for column in (c for c in fields(eph) if c.name in again):
            value = getattr(eph, column.name)[row]
            if not np.isnan(value):
                # RINEX prints twelve decimals of what the message holds exactly.
                assert again[column.name] == pytest.approx(value, rel=1e-11), column.name


def test_every_glonass_ephemeris_of_a_day_survives_its_rtcm_message(shared):
    folder = shared / "positioning" / "esbc_2020177"
    data = (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    store = read_navigation(data, messages=WITH_GLONASS).glonass
    for row in range(0, len(store), 5):
        # Within half a day, on the other side of midnight.
        near = int(store.toe_ns[row]) + (-1) ** row * 11 * 3600 * 10**9
        again = decode_glonass(encode_glonass(store, row), near_gpst_ns=near)
        for name, value in again.items():
            expected = getattr(store, name)[row]
            # Six decimals of kilometres a second are printed of what the message holds exactly.
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-15, nan_ok=True), name


def test_glonass_ephemerides_of_a_stream_fit_its_time_and_orbit(shared):
    near = Utc.parse("2012-10-14T00:00:00Z")
    rows = [
        decode_glonass(payload, near_gpst_ns=Gpst.from_utc(near).ns)
        for payload in payloads((shared / "positioning" / "rtcm3" / STREAMS[0]).read_bytes())
        if message_number(payload) == 1020
    ]
    assert len(rows) == 16
    for row in rows:
        assert abs(row["toe_ns"] - Gpst.from_utc(near).ns) <= 3600 * 10**9
        assert 25.4e6 < np.linalg.norm(row["place_m"]) < 25.7e6
        assert -7 <= row["channel"] <= 6


def test_glonass_observations_come_back_where_channels_are_known(shared):
    near = Utc.parse("2012-10-14T00:00:00Z")
    data = (shared / "positioning" / "rtcm3" / STREAMS[0]).read_bytes()[:40_000]
    table = read_msm(data)
    glonass = (table.number == 1087)[table.message]
    channels = dict(
        zip(table.satellite[glonass].tolist(), (table.extended[glonass] - 7).tolist(), strict=True)
    )
    seen = observations_of(table, near=near)
    again = observations_of(decode_msm(messages_of(seen, channels=channels)), near=near)
    one, other = seen.systems["R"], again.systems["R"]
    assert one.codes == other.codes
    assert np.allclose(one.values, other.values, atol=1e-5, rtol=0, equal_nan=True)
    assert "R" not in observations_of(decode_msm(messages_of(seen)), near=near).systems


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-07T20:59:50Z",  # Moscow's day turns, and with it its week
        "2026-03-07T23:59:30Z",  # GPST's week turns, 18 s before UTC's day
        "2026-03-07T23:59:50Z",
        "2026-03-08T00:00:00Z",
        "2016-12-31T20:59:50Z",
        "2016-12-31T23:59:50Z",  # a leap second lies ahead
    ],
)
@pytest.mark.parametrize("away_s", [-7200, 0, 7200])
def test_glonass_epochs_survive_edges_of_days_and_weeks(at, away_s):
    start = Gpst.from_utc(Utc.parse(at)).ns
    epochs = start + np.arange(20) * 10**9
    rows = len(epochs)
    values = np.column_stack((np.full(rows, 2e7), np.full(rows, 2e7 / 0.187), np.full(rows, 45.0)))
    marks = np.zeros(values.shape, np.uint8)
    table = SystemObservations(
        "R", ("C1C", "L1C", "S1C"), np.arange(rows), np.full(rows, 5), values, marks, marks
    )
    seen = Observations(ObservationHeader(), epochs, np.zeros(rows, bool), {"R": table})
    near = Utc.parse(at).plus_ns(away_s * 10**9)
    parts = decode_msm(messages_of(seen, channels={5: 1}))
    again = observations_of(parts, near=near)
    # In MSM a leap second has the time of day of the second after it.
    leap = Gpst.from_utc(Utc.parse("2016-12-31T23:59:60Z")).ns
    assert again.gpst_ns.tolist() == epochs[epochs != leap].tolist()


@pytest.mark.parametrize(
    ("held_ms", "indicator"),
    [(0, 0), (63, 63), (64, 64), (65, 64), (127, 95), (128, 96), (67_108_863, 703)],
)
def test_lock_indicators_follow_the_table(held_ms, indicator):
    assert lock_indicator(np.array([held_ms])).tolist() == [indicator]


def test_a_loss_of_lock_survives_the_stream(afternoon):
    table = afternoon.seen.systems["C"]
    marks = table.lost_lock.copy()
    row = int(np.flatnonzero(table.epoch == 20)[0])
    marks[row, table.codes.index("L2I")] = 1
    seen = replace(afternoon.seen, systems={"C": replace(table, lost_lock=marks)})
    near = Gpst(int(afternoon.gpst_ns[0])).to_utc()
    again = observations_of(decode_msm(messages_of(seen)), near=near).systems["C"]
    lost = np.argwhere(again.lost_lock & 1)
    assert [(int(again.epoch[r]), int(again.prn[r])) for r, _ in lost] == [
        (20, int(table.prn[row]))
    ]


def test_a_text_comes_back_and_a_cut_one_is_refused():
    text = TextMessage.at(Utc.parse("2026-03-09T12:00:00Z"), "模拟 simulated", station=3)
    assert TextMessage.decode(text.encode()) == text
    with pytest.raises(MalformedInput):
        TextMessage.decode(text.encode()[:-1])


def test_all_cells_of_recorded_streams_survive_encoding(stream):
    table = plain_msm([p for p in payloads(stream) if is_msm(message_number(p))][::9])
    again = plain_msm([encode_msm(table, index) for index in range(len(table.number))])
    assert cells_equal(table, again)


def test_compiled_and_plain_decoding_agree(stream):
    pytest.importorskip("numba")
    import numba  # noqa: F401

    table = plain_msm(payloads_of_msm(stream))
    assert cells_equal(read_msm(stream), table)
    assert cells_equal(decode_msm(payloads(stream)), table)


def payloads_of_msm(stream):
    return [p for p in payloads(stream) if is_msm(message_number(p))]


@given(st.binary(max_size=120), st.sampled_from([1074, 1087, 1127, 1117, 1096]))
@settings(max_examples=200)
def test_damaged_cells_are_passed_over_by_both_ways(rest, number):
    pytest.importorskip("numba")
    import numba  # noqa: F401

    data = bytes([number >> 4, (number & 15) << 4]) + rest
    assert cells_equal(plain_msm([data]), decode_msm([data]))


def test_a_recorded_stream_becomes_observations_and_messages_again(shared):
    data = (shared / "positioning" / "rtcm3" / STREAMS[0]).read_bytes()
    near = Utc.parse("2012-10-14T00:00:00Z")
    seen = observations_of(read_msm(data), near=near)
    assert {s: len(t.prn) for s, t in seen.systems.items()} == {
        "C": 2068, "G": 3084, "J": 257, "R": 1542,
    }  # fmt: skip
    again = observations_of(decode_msm(messages_of(seen)), near=near)
    for system in "CGJ":
        one, other = seen.systems[system], again.systems[system]
        assert one.codes == other.codes
        assert np.allclose(one.values, other.values, atol=1e-5, rtol=0, equal_nan=True)


def test_the_week_of_a_message_is_the_one_nearest_to_the_given_time(afternoon):
    observed = messages_of(afternoon.seen)
    near = Gpst(int(afternoon.gpst_ns[0])).to_utc()
    seen = observations_of(decode_msm(observed), near=near)
    assert np.array_equal(seen.gpst_ns, afternoon.gpst_ns)
