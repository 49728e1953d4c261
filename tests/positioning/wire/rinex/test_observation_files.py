from __future__ import annotations

import contextlib
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import (
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.writing import write_observations


def _header(*codes: str) -> str:
    lines = [
        ("     3.05           OBSERVATION DATA    M", "RINEX VERSION / TYPE"),
        ("HERE", "MARKER NAME"),
        *((line, "SYS / # / OBS TYPES") for line in codes),
        ("  2026    11    21     6     0    0.0000000     GPS", "TIME OF FIRST OBS"),
        ("", "END OF HEADER"),
    ]
    return "".join(f"{content:60s}{label}\n" for content, label in lines)


HEAD = _header("C    2 C2I S2I")
EPOCH = "> 2026 11 21 06 00 00.0000000  0  2\n"
FIRST = "C19  21000000.123 7        45.500\n"
SECOND = "C21  22000000.456\n"
FILE = HEAD + EPOCH + FIRST + SECOND


def _read(text: str) -> Observations:
    return read_observations(text.encode())


def test_values_flags_and_blanks_come_out_as_written():
    seen = _read(FILE)
    table = seen.systems["C"]
    assert table.prn.tolist() == [19, 21]
    assert table.values[:, 0].tolist() == [21000000.123, 22000000.456]
    assert table.values[0, 1] == 45.5
    assert np.isnan(table.values[1, 1])
    assert table.strength.tolist() == [[7, 0], [0, 0]]
    assert str(seen.utc(0)) == "2026-11-21T05:59:42Z"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace("> 2026 11 21 06 00 00", "> 2026 11 21  6  0  0"),
    ],
    ids=["crlf", "no last line feed", "blank lines at the end", "blanks instead of zeros"],
)
def test_what_receivers_really_write_reads_the_same(change):
    assert _same(_read(change(FILE)), _read(FILE))


def test_gzip_is_transparent_and_bounded():
    packed = gzip.compress(FILE.encode())
    assert _same(read_observations(packed), _read(FILE))
    with pytest.raises(MalformedInput, match="expands beyond"):
        read_observations(gzip.compress(FILE.encode() + b"\n" * 10**6), bytes_max=10**5)
    with pytest.raises(MalformedInput, match="ends too early"):
        read_observations(packed[:-9])


def test_events_pass_and_a_header_may_change_on_the_way():
    event = ">                              4  1\n" + f"{'C    1 C7I':60s}SYS / # / OBS TYPES\n"
    later = "> 2026 11 21 06 00 30.0000000  0  1\nC19  23000000.000\n"
    table = _read(FILE + event + later).systems["C"]
    assert table.codes == ("C2I", "S2I", "C7I")
    assert table.values[2, 2] == 23000000.0
    assert np.isnan(table.values[2, 0])
    assert np.isnan(table.values[0, 2])


def test_a_power_failure_is_noted():
    assert _read(FILE.replace("  0  2\n", "  1  2\n")).power_failed.tolist() == [True]


def test_a_zero_range_is_no_range_but_a_zero_doppler_is_one():
    head = _header("C    2 C2I D2I")
    seen = _read(head + EPOCH.replace("2\n", "1\n") + "C19         0.000           0.000\n")
    assert np.isnan(seen.systems["C"].values[0, 0])
    assert seen.systems["C"].values[0, 1] == 0


def test_beidou_time_is_fourteen_seconds_behind_gpst():
    seen = _read(FILE.replace("     GPS     ", "     BDT     "))
    assert str(seen.utc(0)) == "2026-11-21T05:59:56Z"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "RINEX VERSION"),
        ("hello\n", "RINEX VERSION"),
        (FILE.replace("3.05", "1.00"), "1.00"),
        (FILE.replace("OBSERVATION DATA", "NAVIGATION DATA "), "type 'N'"),
        (HEAD.replace("END OF HEADER", "END OF HEAD"), "does not end"),
        (HEAD.replace("C    2 C2I S2I", "C    3 C2I S2I"), "announced"),
        (HEAD.replace("C    2 C2I S2I", "C    1 C2I S2I"), "announced"),
        (FILE.replace("21000000.123", "210x0000.123"), "line 7"),
        (FILE.replace("21000000.123", "2100000.1234"), "line 7"),
        (FILE.replace("21000000.123", "21 00000.123"), "line 7"),
        (FILE.replace("C21", "C19"), "stands twice"),
        (FILE.replace("C21", "G21"), "line 8"),
        (FILE.replace("  0  2\n", "  0  3\n"), "seems to be cut"),
        (FILE.replace("  0  2\n", "  0  1\n"), "announces 1 lines, 2 follow"),
        (FILE.replace("11 21 06", "13 21 06"), "epoch line"),
        (FILE.replace("11 21 06", "02 30 06"), "date"),
        (FILE + EPOCH.replace("2\n", "0\n"), "not later"),
        (FILE.replace("        45.500", "        45.500          1"), "too long"),
        (FILE.replace("     GPS     ", "     XYZ     "), "time system"),
    ],
)
def test_damage_is_refused_with_its_place(text, match):
    with pytest.raises(MalformedInput, match=match):
        _read(text)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_malformed_input(data):
    for attempt in (data, HEAD.encode() + data, FILE.encode() + data):
        with contextlib.suppress(MalformedInput):
            read_observations(attempt)


@given(st.data())
@settings(max_examples=60)
def test_a_file_with_some_bytes_changed_is_read_or_refused(data):
    text = bytearray(FILE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedInput):
        read_observations(bytes(text))


_values = st.one_of(
    st.just(float("nan")),
    st.integers(-(10**9) + 1, 10**10 - 1).filter(bool).map(lambda n: n / 1000),
)


@st.composite
def _tables(draw):
    epochs = draw(st.integers(1, 4))
    systems = {}
    for system in draw(st.sets(st.sampled_from("CGE"), min_size=1)):
        width = draw(st.integers(1, 15))
        codes = tuple(f"{'CLDS'[i % 4]}{i // 4 + 1}I" for i in range(width))
        rows = sorted(
            draw(st.sets(st.tuples(st.integers(0, epochs - 1), st.integers(1, 63)), min_size=1))
        )
        cells = draw(st.lists(_values, min_size=len(rows) * width, max_size=len(rows) * width))
        digits = draw(st.binary(min_size=len(rows) * width, max_size=len(rows) * width))
        marks = np.frombuffer(digits, np.uint8).reshape(len(rows), width)
        systems[system] = SystemObservations(
            system,
            codes,
            np.array([row[0] for row in rows]),
            np.array([row[1] for row in rows]),
            np.array(cells).reshape(len(rows), width),
            marks % 8,
            marks % 10,
        )
    first = draw(st.integers(0, 10**10)) * 10**8
    times = first + np.cumsum([draw(st.integers(1, 10**9)) * 100 for _ in range(epochs)])
    return Observations(ObservationHeader(), times, np.zeros(epochs, bool), systems)


@given(_tables())
@settings(max_examples=60)
def test_reading_what_was_written_gives_the_same_table(table):
    assert _same(read_observations(write_observations(table)), table)


def _same(one: Observations, other: Observations) -> bool:
    assert np.array_equal(one.gpst_ns, other.gpst_ns)
    assert one.systems.keys() == other.systems.keys()
    for system, left in one.systems.items():
        right = other.systems[system]
        assert left.codes == right.codes
        for name in ("epoch", "prn", "lost_lock", "strength"):
            assert np.array_equal(getattr(left, name), getattr(right, name)), name
        assert np.array_equal(left.values, right.values, equal_nan=True)
    return True


def test_the_real_station_day_reads_to_its_known_counts(shared):
    folder = shared / "positioning" / "esbc_2020177"
    data = (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    seen = read_observations(data)
    counts = {system: len(table.prn) for system, table in seen.systems.items()}
    assert len(seen.gpst_ns) == 2880
    assert counts == {"C": 33325, "G": 33406, "E": 24362, "R": 25790, "J": 1481, "S": 12435}
    assert not seen.simulated


def test_version_4_and_phone_files_are_read(shared):
    compact = shared / "positioning" / "rinex4" / "KMS300DNK_R_20221591000_01H_30S_MO.crx"
    assert len(read_observations(compact.read_bytes()).gpst_ns) == 19
    phone = shared / "positioning" / "phone_2024092" / "GEOP092I.24o.gz"
    assert len(read_observations(phone.read_bytes()).gpst_ns) == 599
