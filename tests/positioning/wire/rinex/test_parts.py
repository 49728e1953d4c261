"""A file read part after part is the file read whole; a file cut at its end gives whole epochs."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.satellites.joining import join_observations
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.rinex import parts
from zhidao.positioning.wire.rinex.observation_files import read_observations

HOUR = "positioning/rinex4/KMS300DNK_R_20221591000_01H_30S_MO.crx"
PHONE = "positioning/phone_2024092/GEOP092I.24o.gz"


def same(one, other):
    assert np.array_equal(one.gpst_ns, other.gpst_ns)
    assert np.array_equal(one.power_failed, other.power_failed)
    assert one.systems.keys() == other.systems.keys()
    for system, left in one.systems.items():
        right = other.systems[system]
        assert left.codes == right.codes
        for name in ("epoch", "prn", "lost_lock", "strength"):
            assert np.array_equal(getattr(left, name), getattr(right, name)), name
        assert np.array_equal(left.values, right.values, equal_nan=True)


def chunked(data, size=5_000):
    return lambda: (data[at : at + size] for at in range(0, len(data), size))


def read(data, size=5_000, **options):
    # So large a file is worth the compiled kernels.
    options = {"bytes_hint": 10**8, "text_bytes": 9_000} | options
    return list(parts.observation_parts(chunked(data, size), **options))


@pytest.fixture(params=["plain", "compact", "gzip", "version 2"])
def file(request, shared, version2):
    compact = (shared / HOUR).read_bytes()
    if request.param == "version 2":
        return version2
    if request.param == "compact":
        return compact
    text = plain_text(compact)
    return gzip.compress(text) if request.param == "gzip" else text


@pytest.fixture(scope="module")
def version2():
    """Forty epochs of two satellites with seven types, two lines each."""
    head = [
        f"{'     2.11           OBSERVATION DATA    M':60}RINEX VERSION / TYPE",
        f"{'     7    C1    L1    D1    S1    P2    L2    S2':60}# / TYPES OF OBSERV",
        f"{'  2024     4     1     8     0    0.0000000     GPS':60}TIME OF FIRST OBS",
        f"{'':60}END OF HEADER",
    ]
    lines = []
    for second in range(40):
        lines.append(f" 24  4  1  8  0 {second:10.7f}  0  2G05R12")
        for row in range(2):
            value = 21_000_000 + second * 10 + row
            lines.append("".join(f"{value + column:14.3f}  " for column in range(5)).rstrip())
            lines.append(f"{value:14.3f} 6{45:14.3f}")
    return "\n".join([*head, *lines, ""]).encode()


def test_parts_together_are_the_file(file):
    found = read(file, rows=50)
    assert len(found) > 1
    same(join_observations(found), read_observations(file))
    (whole,) = read(file, rows=10**9)
    same(whole, read_observations(file))


def test_a_part_has_the_rows_asked_for_and_little_more(version2):
    rows = [
        sum(len(t.prn) for t in part.systems.values())
        for part in read(version2, 500, rows=20, text_bytes=500)
    ]
    assert all(20 <= count < 40 for count in rows[:-1])


@pytest.mark.parametrize("off", [1, 7, 70, 400, 2_000])
def test_a_file_cut_at_its_end_gives_its_whole_epochs_and_says_so(file, off):
    whole = read_observations(file)
    told = []
    found = join_observations(read(file[:-off], warned=told.append))
    count = len(found.gpst_ns)
    assert 0 < count <= len(whole.gpst_ns)
    same(found, whole.part(0, count))
    if count < len(whole.gpst_ns):
        assert told
    # Asked for strictly, the same file is refused, unless it may be one with blank fields.
    if off > 7 or not file.startswith(b"  "):
        with pytest.raises(MalformedInput):
            read(file[:-off])


def test_a_wrong_line_far_inside_is_refused_with_its_place_in_the_file(shared):
    lines = plain_text((shared / HOUR).read_bytes()).split(b"\n")
    at = len(lines) - 40
    while lines[at].startswith(b">"):
        at += 1
    lines[at] = lines[at][:8] + b"x" + lines[at][9:]
    with pytest.raises(MalformedInput) as caught:
        read(b"\n".join(lines), warned=lambda _: None)
    assert caught.value.where == f"line {at + 1}"


def test_an_event_inside_a_compact_file_is_read_by_way_of_the_plain_text(shared):
    import hatanaka

    text = plain_text((shared / HOUR).read_bytes())
    at = text.rindex(b"\n>") + 1
    event = text[at : at + 29].decode() + f"  4{1:3d}\n{'a note':60}COMMENT\n"
    data = hatanaka.rnx2crx(text[:at] + event.encode() + text[at:])
    same(join_observations(read(data, rows=50)), read_observations(text))


def test_what_is_no_observation_file_is_refused_before_much_is_read():
    def endless():
        while True:
            yield bytes(65_536)

    with pytest.raises(MalformedInput, match="not a RINEX file"):
        next(parts.observation_parts(endless))


def test_an_epoch_without_end_is_refused(shared):
    head = plain_text((shared / HOUR).read_bytes())
    head = head[: head.index(b"END OF HEADER") + 14]

    def endless():
        yield head
        while True:
            yield b"C01  23456789.123\n" * 4_096

    with pytest.raises(MalformedInput, match="no whole epoch"):
        next(parts.observation_parts(endless))


def test_epochs_must_rise_across_parts(version2):
    text = version2.decode()
    body = text[text.index("END OF HEADER") + 14 :]
    with pytest.raises(MalformedInput, match=r"not (later|after)"):
        read((text + body).encode(), text_bytes=1_000)
