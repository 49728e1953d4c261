"""Packed positions come back exactly, and many fit one message."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire.compact import CARD_BYTES, Track, pack, unpack
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc

points = st.builds(
    Point,
    st.integers(0, 2**33 - 1),
    st.integers(-9_000_000, 9_000_000),
    st.integers(-18_000_000, 18_000_000),
)
tracks = st.builds(Track, st.lists(points, min_size=1, max_size=64).map(tuple), st.booleans())


@given(tracks)
def test_a_track_comes_back_exactly(track: Track):
    assert unpack(pack(track)) == track


@given(st.binary(max_size=120))
def test_any_bytes_are_a_track_or_malformed(data: bytes):
    try:
        track = unpack(data)
    except MalformedInput:
        return
    assert unpack(pack(track)) == track


@given(tracks, st.data())
def test_any_flipped_bit_is_noticed(track: Track, data: st.DataObject):
    packed = bytearray(pack(track))
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    packed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedInput):
        unpack(bytes(packed))


def _truck(count: int) -> Track:
    """A truck on a winding road at 70 to 90 km/h, one point a minute."""
    latitude, longitude, out = 43.2, 76.9, []
    for minute in range(count):
        out.append(
            Point(1_795_000_000 + 60 * minute, round(latitude * 1e5), round(longitude * 1e5))
        )
        metres = 60 * (80 + 10 * math.sin(minute / 7)) / 3.6
        course = 0.6 + 0.5 * math.sin(minute / 11)
        latitude += metres * math.cos(course) / 111_000
        longitude += metres * math.sin(course) / (111_000 * math.cos(math.radians(latitude)))
    return Track(tuple(out), simulated=True)


def test_thirty_points_a_minute_apart_fit_the_card_of_a_truck():
    newest = _truck(60).points[-30:]
    packed = pack(Track(newest, simulated=True))
    assert len(packed) <= CARD_BYTES
    assert unpack(packed).points == newest


def test_a_single_point_takes_fourteen_bytes():
    assert len(pack(_truck(1))) == 14


def test_no_points_and_too_many_are_malformed():
    for count in (0, 65):
        with pytest.raises(MalformedInput):
            pack(_truck(count))


def test_the_grid_rounds_both_hemispheres_alike():
    at = Utc.parse("2026-11-24T08:00:00.9Z")
    north = Point.on_grid(at=at, latitude_ndeg=55_123_456_789, longitude_ndeg=15_000)
    south = Point.on_grid(at=at, latitude_ndeg=-55_123_456_789, longitude_ndeg=-15_000)
    assert (north.latitude_e5, north.longitude_e5) == (5_512_346, 2)
    assert (south.latitude_e5, south.longitude_e5) == (-5_512_346, -2)
    assert str(north.observed_at) == "2026-11-24T08:00:00Z"
