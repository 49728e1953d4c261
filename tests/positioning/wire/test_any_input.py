"""Files, streams and pictures of positioning: any input is read or refused, what is written reads."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import math
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED, json_values, spoiled, with_another_value

from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.timescale import Utc
from zhidao.positioning.domain.positions import Positions
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire import recognition
from zhidao.positioning.wire.output import plots, position_files, stanford_plot
from zhidao.positioning.wire.output.svg import Sheet, round_steps
from zhidao.positioning.wire.position_evidence import plain_settings, settings_of
from zhidao.positioning.wire.receivers import ntrip, ubx_names
from zhidao.positioning.wire.rinex import concatenation, navigation_counts, parts, window

malformed = contextlib.suppress(MalformedInput)
refused = contextlib.suppress(MalformedInput, Refused)


def text_of(*lines: tuple[str, str] | str) -> bytes:
    return b"".join(
        (line if isinstance(line, str) else f"{line[0]:60}{line[1]}").encode() + b"\n"
        for line in lines
    )


NAVIGATION = text_of(
    ("     3.05           N: GNSS NAV DATA    M", "RINEX VERSION / TYPE"),
    ("", "END OF HEADER"),
    "C19 2026 11 21 06 00 00" + " 1.000000000000E+00" * 3,
    "    " + " 1.000000000000E+00" * 4,
    "    " + " 1.000000000000E-06" * 3 + " 5.282600000000E+03",
    *["    " + " 1.000000000000E+00" * 4] * 5,
)
EPOCHS = [
    line
    for second in range(0, 50, 10)
    for line in (
        f"> 2026 11 21 06 00 {second:02d}.0000000  0  2",
        f"C19{21_000_000 + second:14.3f}  {40.0:14.3f}",
        f"C20{22_000_000 + second:14.3f}  {41.0:14.3f}",
    )
]
OBSERVATIONS = text_of(
    ("     3.05           OBSERVATION DATA    M", "RINEX VERSION / TYPE"),
    ("C    2 C2I S2I", "SYS / # / OBS TYPES"),
    ("  2026    11    21     6     0    0.0000000     GPS", "TIME OF FIRST OBS"),
    ("", "END OF HEADER"),
    *EPOCHS,
)


# --- files --------------------------------------------------------------------------------------


@BOUNDED
@given(st.binary(max_size=120), spoiled(OBSERVATIONS), spoiled(gzip.compress(NAVIGATION)))
def test_any_bytes_are_of_a_known_kind_or_malformed(data: bytes, one: bytes, two: bytes) -> None:
    assert recognition.kind_of(OBSERVATIONS) is recognition.FileKind.OBSERVATIONS
    assert recognition.kind_of(gzip.compress(NAVIGATION)) is recognition.FileKind.NAVIGATION
    for told in (data, one, two, OBSERVATIONS[:80] + data):
        with malformed:
            assert recognition.kind_of(told) in recognition.FileKind


@BOUNDED
@given(
    st.lists(st.sampled_from((OBSERVATIONS, NAVIGATION)), min_size=1, max_size=8),
    spoiled(gzip.compress(OBSERVATIONS + NAVIGATION)),
)
def test_files_put_together_come_apart_again(files: list[bytes], changed: bytes) -> None:
    whole = concatenation.concatenated(files, bytes_max=100_000)
    found = concatenation.parts_of(whole, bytes_max=100_000)
    assert found == (files if len(files) > 1 else [whole])
    with malformed:
        concatenation.parts_of(changed, bytes_max=100_000)
    with pytest.raises(MalformedInput):
        concatenation.concatenated([*files, *[OBSERVATIONS] * 8], bytes_max=100_000)


@BOUNDED
@given(spoiled(NAVIGATION), st.binary(max_size=80))
def test_any_navigation_file_is_counted_or_malformed(changed: bytes, data: bytes) -> None:
    assert sum(navigation_counts.message_counts(NAVIGATION).values()) == 1
    for told in (changed, data, NAVIGATION + data):
        with malformed:
            assert all(navigation_counts.message_counts(told).values())


def epochs_of(data: bytes, step: int) -> list[int]:
    chunks = [data[at : at + step] for at in range(0, len(data), step)]
    found = parts.observation_parts(lambda: iter(chunks), text_bytes=400)
    return [ns for part in found for ns in part.gpst_ns.tolist()]


@BOUNDED
@given(st.integers(1, 400), spoiled(OBSERVATIONS))
def test_a_file_in_pieces_of_any_size_gives_the_same_epochs(step: int, changed: bytes) -> None:
    assert epochs_of(OBSERVATIONS, step) == epochs_of(OBSERVATIONS, len(OBSERVATIONS))
    assert len(epochs_of(OBSERVATIONS, step)) == 5
    with refused:
        epochs_of(changed, step)


START = Utc.parse("2026-11-21T05:59:42Z")  # GPS time is 18 s ahead.


@BOUNDED
@given(st.integers(0, 40), st.integers(0, 20), spoiled(OBSERVATIONS))
def test_a_window_holds_the_epochs_inside_it_and_no_other(
    first_s: int, more_s: int, changed: bytes
) -> None:
    low, high = (START.plus_ns(s * 10**9) for s in (first_s, first_s + more_s))
    wanted = sum(first_s <= second <= first_s + more_s for second in range(0, 50, 10))
    if wanted:
        assert len(epochs_of(window.cut_window(OBSERVATIONS, low, high), 10_000)) == wanted
    else:
        with pytest.raises(Refused):
            window.cut_window(OBSERVATIONS, low, high)
    with refused:
        window.cut_window(changed, low, high)


@BOUNDED
@given(st.builds(Settings), json_values)
def test_settings_are_the_same_after_their_json_and_no_other_json_is_one(
    settings: Settings, value: object
) -> None:
    plain = plain_settings(settings)
    assert settings_of(json.loads(json.dumps(plain))) == settings
    if isinstance(value, dict):
        with pytest.raises(MalformedInput):
            settings_of(value)


@BOUNDED
@given(with_another_value(plain_settings(Settings())))
def test_changed_settings_are_read_as_they_stand_or_malformed(changed: object) -> None:
    if isinstance(changed, dict):
        with malformed:
            assert plain_settings(settings_of(changed)) == changed


# --- casters and receivers ----------------------------------------------------------------------

words = st.text("abcXYZ019-_.", min_size=1, max_size=12)
TABLE = b"STR;MOUNT;Place;RTCM 3.2;1077;2;GPS+BDS;NET;CHN;31.20;120.60;1;0;x;none;B;N;9600;\r\n"
TABLE += b"ENDSOURCETABLE\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: gnss/data\r\n\r\n"
ANSWER += b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


@BOUNDED
@given(words, st.integers(1, 65_535), st.booleans(), st.text(max_size=40))
def test_an_address_is_read_as_written_and_other_text_is_none(
    mount: str,
    port: int,
    tls: bool,  # noqa: FBT001 (drawn)
    text: str,
) -> None:
    scheme = "ntrips" if tls else "ntrip"
    found = ntrip.address_of(f"{scheme}://caster.example:{port}/{mount}")
    assert found == ("caster.example", port, mount, tls)
    for told in (text, f"ntrip://{text}", f"ntrip://a/{text}"):
        with malformed:
            assert ntrip.address_of(told).host


@BOUNDED
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.binary(max_size=30))
def test_no_name_or_password_breaks_out_of_the_lines_of_a_request(
    mount: str, user: str, password: str, login: bytes
) -> None:
    with malformed:
        data = ntrip.request(
            mount, host="caster.example", agent="x", login=ntrip.Login(user, password), gga=user
        )
        lines = data.split(b"\r\n")
        assert data.endswith(b"\r\n\r\n")
        assert all(b": " in line for line in lines[1:-2])
        assert len(lines) == 8 + bool(user)
    with malformed:
        assert ntrip.login_of(login).user


@BOUNDED
@given(st.integers(1, 40), spoiled(ANSWER), spoiled(TABLE), st.binary(max_size=60))
def test_an_answer_is_read_however_it_is_cut_and_any_other_is_refused(
    step: int, changed: bytes, table: bytes, data: bytes
) -> None:
    def body(told: bytes) -> bytes:
        reader = ntrip.AnswerReader()
        pieces = (told[at : at + step] for at in range(0, len(told), step))
        return b"".join(part for piece in pieces for part in reader.feed(piece))

    assert body(ANSWER) == b"abcde"
    for told in (changed, data, ANSWER[:60] + data):
        with contextlib.suppress(ZhidaoError):
            body(told)
    [source] = ntrip.sources_of(TABLE)
    assert (source.mount, source.latitude_deg, source.bits_per_s) == ("MOUNT", 31.2, 9600)
    for told in (table, data, data + TABLE):
        with malformed:
            assert all(isinstance(each.bits_per_s, int) for each in ntrip.sources_of(told))


def test_every_message_of_a_receiver_has_a_name_of_its_own() -> None:
    kinds = [(family, number) for family in range(256) for number in range(256)]
    assert len({ubx_names.name_of(kind) for kind in kinds}) == len(kinds)


# --- pictures and tables ------------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> Positions:
    count = draw(st.integers(1, 6))
    solved = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    spread = np.array(
        draw(st.lists(st.floats(-1e-4, 1e-4), min_size=2 * count, max_size=2 * count))
    ).reshape(2, count)
    hidden = np.where(solved, 1.0, np.nan)
    latitude, longitude = (0.5 + spread[0]) * hidden, (2.1 + spread[1]) * hidden
    radius = 6_378_137.0
    place = np.stack(
        (
            radius * np.cos(latitude) * np.cos(longitude),
            radius * np.cos(latitude) * np.sin(longitude),
            radius * np.sin(latitude),
        ),
        1,
    )
    return Positions(
        gpst_ns=np.arange(count) * 10**9 + 1_400_000_000 * 10**9,
        quality=np.where(solved, 5, 0),
        reason=tuple("" if good else "too_few_satellites" for good in solved),
        ecef_m=place,
        latitude=latitude,
        longitude=longitude,
        height_m=10.0 * hidden,
        covariance_m2=np.eye(3)[None] * hidden[:, None, None],
        satellites=np.full(count, 9),
        excluded=np.zeros(count, int),
        horizontal_m=5.0 * hidden,
        vertical_m=7.0 * hidden,
        ratio=np.full(count, np.nan),
        frame="WGS84",
        simulated=draw(st.booleans()),
    )


@BOUNDED
@given(tables())
def test_every_form_of_a_table_holds_its_rows_and_says_what_was_simulated(table: Positions) -> None:
    solved = len(table.solved)
    written = {form: position_files.written(form, table) for form in position_files.FORMS}
    rows = list(csv.DictReader(io.StringIO(position_files.csv(table).decode())))
    assert len(rows) == len(table)
    found = [float(row["latitude_deg"]) for row in rows if row["latitude_deg"]]
    assert found == pytest.approx(np.degrees(table.latitude[table.solved]).tolist(), abs=1e-8)
    assert json.loads(position_files.as_json(table))
    assert json.loads(position_files.geojson(table))["type"] == "FeatureCollection"
    lines = position_files.pos(table).decode().splitlines()
    assert len([line for line in lines if line and line[0] != "%"]) == solved
    if table.simulated:
        assert all(b"imulated" in data or b"SIMULATED" in data for data in written.values())


@BOUNDED
@given(tables(), st.text(max_size=20))
def test_every_picture_is_well_formed_whatever_the_table(table: Positions, title: str) -> None:
    reference_m = np.array((-2_800_000.0, 4_700_000.0, 3_100_000.0))
    for draw in (plots.track, plots.errors, plots.levels, stanford_plot.stanford):
        with refused:
            ET.fromstring(draw(table, reference_m))
    told = "".join(c for c in title if c.isprintable())
    sheet = Sheet(100, 100, told)
    sheet.words(1, 1, told)
    sheet.line(table.latitude, table.longitude, "#000000")
    sheet.dots(table.latitude, table.longitude, "#000000")
    assert told in "".join(ET.fromstring(sheet.encode()).itertext())


@BOUNDED
@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_steps_of_an_axis_lie_inside_it_and_are_even(low: float, width: float) -> None:
    steps = round_steps(low, low + width)
    assert all(low - width * 1e-6 <= step <= low + width * (1 + 1e-6) for step in steps)
    gaps = np.diff(steps)
    assert len(gaps) == 0 or math.isclose(
        gaps.min(), gaps.max(), rel_tol=1e-3, abs_tol=1e-6 * width
    )
