"""A long message is divided into sub-packets and put together again, within bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.jt808.frame import BODY_BYTES_MAX, Edition, Frame
from zhidao.devices.wire.jt808.messages import Transparent, encode_message
from zhidao.devices.wire.jt808.packets import Gap, Reassembler, frames_of

MESSAGES = 4
"""So many unfinished messages a session may have."""


def _message(body_bytes: int) -> Transparent:
    message = Transparent(kind=0xF0, content=bytes(index % 251 for index in range(body_bytes - 1)))
    assert len(encode_message(message, Edition.E2019)) == body_bytes
    return message


def _frames(body_bytes: int, serial: int = 7, edition: Edition = Edition.E2019) -> list[Frame]:
    phone = "13800000000".zfill(20 if edition is Edition.E2019 else 12)
    return frames_of(_message(body_bytes), phone=phone, edition=edition, serial=serial)


def _body(body_bytes: int) -> bytes:
    return encode_message(_message(body_bytes), Edition.E2019)


def test_a_message_that_fits_one_frame_is_not_divided() -> None:
    (frame,) = _frames(BODY_BYTES_MAX)
    assert (frame.header.packets_total, frame.header.packet_number) == (0, 0)
    assert Reassembler().add(frame) == frame.body == _body(BODY_BYTES_MAX)


def test_one_byte_more_makes_two_frames_that_are_numbered_from_one() -> None:
    frames = _frames(1 + BODY_BYTES_MAX)
    numbers = [(frame.header.packets_total, frame.header.packet_number) for frame in frames]
    assert numbers == [(2, 1), (2, 2)]
    assert [len(frame.body) for frame in frames] == [BODY_BYTES_MAX, 1]


def test_serials_follow_one_another_and_begin_again_after_65535() -> None:
    frames = _frames(3 * BODY_BYTES_MAX, serial=65_534)
    assert [frame.header.serial for frame in frames] == [65_534, 65_535, 0]
    whole = Reassembler()
    assert [whole.add(frame) for frame in frames] == [None, None, _body(3 * BODY_BYTES_MAX)]


@pytest.mark.parametrize(("edition", "version"), [(Edition.E2019, 1), (Edition.E2013, 0)])
def test_only_the_edition_of_2019_tells_a_version(edition: Edition, version: int) -> None:
    (frame,) = _frames(20, edition=edition)
    assert (frame.header.edition, frame.header.protocol_version) == (edition, version)


@given(st.integers(2, 6), st.randoms(use_true_random=False))
def test_in_any_order_and_with_repeats_the_last_missing_one_makes_it_whole(count, rng) -> None:
    frames = _frames(count * BODY_BYTES_MAX - 3)
    sent = [*frames[:-1], frames[0]]
    rng.shuffle(sent)
    whole = Reassembler()
    assert [whole.add(frame) for frame in sent] == [None] * len(sent)
    assert whole.pending is True
    assert whole.add(frames[-1]) == _body(count * BODY_BYTES_MAX - 3)
    assert whole.pending is False


def test_sixty_four_sub_packets_are_written_and_read_and_no_more() -> None:
    frames = _frames(64 * BODY_BYTES_MAX)
    whole = Reassembler()
    assert [whole.add(frame) for frame in frames][-1] == _body(64 * BODY_BYTES_MAX)
    with pytest.raises(MalformedInput, match="over 64 sub-packets"):
        _frames(64 * BODY_BYTES_MAX + 1)
    with pytest.raises(MalformedInput, match="65 sub-packets"):
        whole.add(_with(frames[0], packets_total=65))


@pytest.mark.bound("devices.wire.jt808.packets._MESSAGES_MAX")
def test_four_messages_may_be_unfinished_and_for_a_fifth_the_oldest_is_given_up() -> None:
    whole = Reassembler()
    begun = [_frames(2 * BODY_BYTES_MAX, serial=100 * each) for each in range(MESSAGES + 1)]
    for first, _ in begun[:MESSAGES]:
        assert whole.add(first) is None
    assert whole.given_up() == []
    assert whole.add(begun[MESSAGES][0]) is None
    (oldest,) = whole.given_up()
    assert (oldest.first_serial, [number for number, _ in oldest.pieces]) == (0, [1])
    for _, second in begun[1:]:
        assert whole.add(second) == _body(2 * BODY_BYTES_MAX)


def test_a_message_that_changes_its_number_of_packets_is_dropped() -> None:
    frames, whole = _frames(3 * BODY_BYTES_MAX), Reassembler()
    whole.add(frames[0])
    with pytest.raises(MalformedInput, match="changed from 3 to 4"):
        whole.add(_with(frames[1], packets_total=4))
    assert whole.pending is False


def test_what_is_missing_is_asked_for_three_times_and_then_given_up() -> None:
    whole = Reassembler()
    first, second = (_frames(4 * BODY_BYTES_MAX, serial=serial) for serial in (65_535, 200))
    whole.add(first[2])
    asked = Gap(first[0].header.message_id, 65_535, (1, 2, 4))
    assert whole.gaps() == [asked]
    whole.add(second[0])
    other = Gap(asked.message_id, 200, (2, 3, 4))
    assert whole.gaps() == [asked, other]
    assert whole.gaps() == [asked, other]
    # One that is given up does not stand in the way of the next.
    assert whole.gaps() == [other]
    assert whole.gaps() == []
    assert whole.pending is False


def test_each_message_is_asked_for_by_its_own_clock() -> None:
    whole = Reassembler()
    first, second = (_frames(3 * BODY_BYTES_MAX, serial=serial) for serial in (100, 200))
    whole.add(first[0], 0)
    whole.add(second[0], 1)
    assert whole.gaps(1, quiet_ns=2) == []
    assert [each.first_serial for each in whole.gaps(2, quiet_ns=2)] == [100]
    # A piece again is nothing new; another is.
    whole.add(second[0], 3)
    assert [each.first_serial for each in whole.gaps(3, quiet_ns=2)] == [200]
    whole.add(first[1], 4)
    assert [each.first_serial for each in whole.gaps(5, quiet_ns=2)] == [200]
    assert [each.packets for each in whole.gaps(6, quiet_ns=2)] == [(3,)]


def _with(frame: Frame, **changes: int) -> Frame:
    return replace(frame, header=replace(frame.header, **changes))
