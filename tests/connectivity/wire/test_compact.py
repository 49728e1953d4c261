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


def zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def rice(value: int, parameter: int) -> str:
    """A number as ones, a zero, and its lowest bits: Rice and Plaunt 1971, over zigzag."""
    high, low = divmod(zigzag(value), 1 << parameter)
    return "1" * high + "0" + (f"{low:0{parameter}b}" if parameter else "")


def head(count: int, *, simulated: int = 0, version: int = 1) -> str:
    return f"{version:03b}{simulated:b}{count - 1:06b}"


def place(unix_s: int, latitude_e5: int, longitude_e5: int) -> str:
    """Time without a sign, latitude and longitude as two's complement."""
    return f"{unix_s:033b}{latitude_e5 % 2**25:025b}{longitude_e5 % 2**26:026b}"


def message(bits: str) -> bytes:
    """The bits, filled up to a byte, with their CRC-16/XMODEM taken bit by bit."""
    bits += "0" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big")
    crc = 0
    for bit in bits:
        top = crc >> 15 ^ int(bit)
        crc = (crc << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return body + crc.to_bytes(2, "big")


def of(*rows: tuple[int, int, int], simulated: bool = False) -> Track:
    return Track(tuple(Point(*row) for row in rows), simulated)


def test_the_checksum_is_xmodems() -> None:
    """Its check value over the nine digits (Greg Cook's catalogue, CRC-16/XMODEM)."""
    assert message("".join(f"{byte:08b}" for byte in b"123456789"))[-2:] == b"\x31\xc3"


@pytest.mark.parametrize(
    "row",
    [
        *((0, 0, 0), (2**33 - 1, 9_000_000, 18_000_000), (2**32, -9_000_000, -18_000_000)),
        *((2**32 - 1, -1, 1), (1_795_000_000, 4_320_000, 7_690_000)),
    ],
)
@pytest.mark.parametrize("simulated", [False, True])
def test_a_point_is_a_head_and_three_numbers(row, simulated) -> None:
    data = message(head(1, simulated=simulated) + place(*row))
    assert len(data) == 14
    assert pack(of(row, simulated=simulated)) == data
    assert unpack(data) == of(row, simulated=simulated)


def test_steps_and_their_changes_follow_under_parameters_of_their_own() -> None:
    """60 s, 10 and -7 further; then 2 s more, 1 less and 3 more; then the same step again."""
    rows = [(1_000, 500, -500), (1_060, 510, -507), (1_122, 519, -511), (1_184, 528, -515)]
    two = head(2) + place(*rows[0])
    # The fewest bits: of two parameters that need as many, the lower one.
    step = "".join(f"{each:05b}" for each in (6, 3, 3))
    step += rice(60, 6) + rice(10, 3) + rice(-7, 3)
    assert pack(of(*rows[:2])) == message(two + step)
    changes = "".join(f"{each:05b}" for each in (1, 0, 1))
    changes += rice(2, 1) + rice(-1, 0) + rice(3, 1) + rice(0, 1) + rice(0, 0) + rice(0, 1)
    four = head(4) + place(*rows[0]) + step + changes
    packed = pack(of(*rows))
    assert unpack(message(four)) == of(*rows)
    assert len(packed) <= len(message(four))
    assert unpack(packed) == of(*rows)


def parameter_of(step: int) -> int:
    """The Rice parameter that a first step in time was written under."""
    data = pack(of((1_000, 0, 0), (1_000 + step, 0, 0)))
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
    return int(bits[94:99], 2)


@pytest.mark.parametrize("step", [0, 1, 2, 3, 24, 60, 1_000, 86_400, 10**6, 2**31])
def test_a_number_is_written_under_the_parameter_with_the_fewest_bits(step: int) -> None:
    sizes = {k: len(rice(step, k)) for k in range(32) if zigzag(step) >> k <= 48}
    assert sizes[parameter_of(step)] == min(sizes.values())
    # Of several the lowest.
    assert parameter_of(step) == min(k for k, size in sizes.items() if size == min(sizes.values()))


def refused(data: bytes) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        unpack(data)
    return caught.value


ONE = head(1) + place(1_000, 500, -500)


def test_bits_behind_the_last_point_are_zeros_and_fewer_than_a_byte() -> None:
    # 94 bits are two short of twelve bytes.
    assert len(ONE) == 94
    assert unpack(message(ONE)) == of((1_000, 500, -500))
    for spare in ("01", "10", "11", "00" + "0" * 8, "00" + "0" * 800, "00" + "1" * 8):
        error = refused(message(ONE + spare))
        assert (error.code, "bits too many" in str(error)) == ("trailing", True)


def test_a_message_that_ends_too_early_is_truncated() -> None:
    for count in (8, 10, 43, 68, 88):
        assert refused(message(ONE[:count])).code == "truncated"
    two = head(2) + place(1_000, 500, -500) + "00000" * 3
    assert refused(message(two[:100])).code == "truncated"


@pytest.mark.parametrize("version", [0, 2, 7])
def test_another_version_is_told(version: int) -> None:
    data = message(head(1, version=version) + place(1_000, 500, -500))
    assert f"compact positions of version {version}" in str(refused(data))


def test_a_run_of_48_ones_is_a_number_and_one_of_49_is_none() -> None:
    def with_run(ones: int) -> bytes:
        return message(
            head(2) + place(1_000, 0, 0) + "00000" * 3 + "1" * ones + "0" + rice(0, 0) * 2
        )

    assert unpack(with_run(48)) == of((1_000, 0, 0), (1_024, 0, 0))
    assert "a number without end" in str(refused(with_run(49)))
    # An encoder that would need a longer run takes the next parameter.
    assert parameter_of(24) > 0


def test_a_message_has_3_to_1750_bytes() -> None:
    assert "of 2 bytes; 3 to 1750 are read" in str(refused(bytes(2)))
    assert "of 0 bytes; 3 to 1750 are read" in str(refused(b""))
    assert refused(b"\0" * 3).code != "bad_checksum"
    assert refused(message("00100000")).code == "truncated"
    longest = message(ONE + "00" + "0" * 8 * (1_748 - 12))
    assert len(longest) == 1_750
    assert refused(longest).code == "trailing"
    assert "of 1751 bytes; 3 to 1750 are read" in str(
        refused(message(ONE + "00" + "0" * 8 * 1_737))
    )


def test_64_points_are_read_and_written() -> None:
    track = _truck(64)
    assert unpack(pack(track)) == track
    assert pack(track)[0] >> 1 & 0b1111000 == 0b0011000
