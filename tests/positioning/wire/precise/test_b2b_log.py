from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.positioning.ppp_b2b_messages import clock_message, mask_message, orbit_message

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.precise.b2b_log import B2bFrame, corrections_at, read_b2b_log
from zhidao.positioning.wire.precise.ppp_b2b import B2bOrbit

LINE = "2380\t370800\t 59\t34\t 64\t10c4b849\n"
_NS = 10**9


def test_a_line_is_a_frame():
    (frame,) = read_b2b_log(LINE.encode())
    assert frame == B2bFrame((2380 * 604_800 + 370_800) * _NS, 59, bytes.fromhex("10c4b849"))


@pytest.mark.parametrize(
    "line", ["2380 370800 59 34 64", "2380 604800 59 34 64 10", "2380 1 64 34 64 10", "a b c d e f"]
)
def test_what_is_no_frame_is_named_by_its_line(line):
    with pytest.raises(MalformedInput, match="no PPP-B2b frame") as caught:
        read_b2b_log((LINE + line).encode())
    assert caught.value.where == "line 2"


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_damaged_logs_are_read_or_refused(data):
    for text in (data, LINE.encode() + data):
        with contextlib.suppress(MalformedInput):
            read_b2b_log(text)


def _messages(second, issue, clock_m):
    orbit = B2bOrbit(321, 18, issue, 0.16, 0.0, 0.0, 0.1)
    yield mask_message([321], second=second, iod_ssr=0, iodp=1)
    yield orbit_message([orbit], second=second, iod_ssr=0)
    yield clock_message([(issue, clock_m)], second=second, iod_ssr=0, iodp=1, part=0)


def test_corrections_hold_from_their_coming_until_they_are_too_old():
    frames = [B2bFrame(1014 * _NS, 60, data) for data in _messages(1000, 3, 0.8)]
    frames.append(B2bFrame(1015 * _NS, 60, b"\x10"))  # a damaged frame
    at = np.array([1013, 1014, 1026, 1027]) * _NS
    series = corrections_at(frames, at)
    assert series.satellite.tolist() == [321]
    assert series.iodn[:, 0].tolist() == [-1, 18, 18, -1]
    assert series.clock_m[1, 0] == pytest.approx(0.8)
    issue, orbit_m, _ = series.at(np.array([321, 322]), at[[2, 2]])
    assert issue.tolist() == [18, -1]
    assert orbit_m[0].tolist() == pytest.approx([0.16, 0, 0])


def test_an_orbit_waits_for_the_clock_of_its_issue_while_the_last_one_holds():
    frames = [B2bFrame(1014 * _NS, 60, data) for data in _messages(1000, 3, 0.8)]
    later = list(_messages(1006, 4, 0.4))
    frames.append(B2bFrame(1020 * _NS, 60, later[1]))
    frames.append(B2bFrame(1023 * _NS, 60, later[2]))
    series = corrections_at(frames, np.array([1020, 1023]) * _NS)
    assert series.clock_m[:, 0] == pytest.approx([0.8, 0.4])
