from __future__ import annotations

import gzip
import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.positioning.wire.receivers.ubx import UbxMessage

Run = Callable[..., tuple[int, bytes, str]]
PLACE = ("--at", 44.2, 80.4, 700)


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*words: object) -> tuple[int, bytes, str]:
        status = main(["positioning", *map(str, words)])
        told = capfdbinary.readouterr()
        return status, told.out, told.err.decode()

    return call


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("simulated")
    found = {name: folder / name for name in ("rest.rnx", "rest.nav", "rest.rtcm3", "rest.ubx")}
    for form, name in (("rinex", "rest.rnx"), ("rtcm", "rest.rtcm3"), ("ubx", "rest.ubx")):
        words = ["simulate", *PLACE, "--epochs", 20, "--form", form, "-o", found[name]]
        words += ["--navigation-output", found["rest.nav"]]
        assert main(["positioning", *map(str, words)]) == 0
    return found


def test_simulated_epochs_are_solved_near_the_place_and_called_simulated(run, files):
    status, out, told = run("solve", files["rest.rnx"], files["rest.nav"], "--json")
    document = json.loads(out)
    assert status == 0
    assert document["simulated"] is True
    assert len(document["epochs"]) == document["solved"] == 20
    for epoch in document["epochs"]:
        assert abs(epoch["latitude_deg"] - 44.2) * 111_000 < epoch["horizontal_protection_m"]
    assert "simulated" in told


@pytest.mark.parametrize("name", ["rest.rtcm3", "rest.ubx"])
def test_a_simulated_stream_alone_is_solved_and_keeps_its_mark(run, files, name):
    status, out, told = run("solve", files[name], "--near", "2026-11-21T06:00:00Z")
    assert status == 0
    rows = out.decode().splitlines()
    assert len(rows) == 21
    assert all(row.endswith(",True") for row in rows[1:])
    assert "(simulated observations)" in told


@pytest.mark.parametrize("form", ["rinex", "rtcm", "ubx"])
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(run, form):
    words = ("simulate", *PLACE, "--epochs", 3, "--form", form)
    first, again, other = run(*words), run(*words), run(*words, "--seed", 1)
    assert first == again
    assert first[1] != other[1]
    assert b"SIMULATED" in first[1]


def test_a_great_bias_is_excluded_or_the_epoch_flagged(run, files, tmp_path):
    clean = [json.loads(line) for line in run("decode", files["rest.rnx"])[1].splitlines()]
    strongest = max(clean, key=lambda row: row["S2I"])["satellite"]
    words = ("simulate", *PLACE, "--epochs", 6, "--bias", f"{strongest}:500:2:3")
    run(*words, "-o", tmp_path / "bad.rnx")
    _, out, _ = run("solve", tmp_path / "bad.rnx", files["rest.nav"], "--json")
    for index, epoch in enumerate(json.loads(out)["epochs"]):
        flagged = epoch["excluded"] > 0 or epoch["reason"] != "ok"
        assert flagged == (index in (2, 3))


def test_an_outage_leaves_epochs_without_a_position_and_says_why(run, files, tmp_path):
    run("simulate", *PLACE, "--epochs", 5, "--outage", "1:2", "-o", tmp_path / "gap.rnx")
    status, out, told = run("solve", tmp_path / "gap.rnx", files["rest.nav"], "--json")
    reasons = [epoch["reason"] for epoch in json.loads(out)["epochs"]]
    assert status == 0
    assert [reason == "ok" for reason in reasons] == [True, False, False, True, True]
    assert "3 of 5 epochs" in told


@pytest.mark.parametrize("kind", ["sky", "track", "error", "levels", "stanford", "residuals"])
def test_every_plot_is_well_formed_and_called_simulated(run, files, kind):
    words = ("plot", kind, files["rest.rnx"], files["rest.nav"], "--reference", 44.2, 80.4, 700)
    status, out, _ = run(*words)
    root = ET.fromstring(out)
    assert status == 0
    assert root.tag.endswith("svg")
    assert "SIMULATED" in root[0].text
    assert len(root) > 10


def test_a_picture_is_not_written_under_the_name_of_another_form(run, files, tmp_path):
    words = ("plot", "sky", files["rest.rnx"], files["rest.nav"], "-o", tmp_path / "sky.pdf")
    status, _, told = run(*words)
    assert status == 2
    assert "sky.svg" in told
    assert not list(tmp_path.iterdir())


def test_a_picture_as_png_has_twice_the_pixels_of_the_drawing(run, files, tmp_path):
    pytest.importorskip("typst", reason="typst is an extra")
    file = tmp_path / "sky.png"
    assert run("plot", "sky", files["rest.rnx"], files["rest.nav"], "-o", file)[0] == 0
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    # IHDR: width and height (PNG, third edition, section 11.2.1).
    size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    assert size == (1120, 1200)
    assert len(data) > 10_000


def test_png_without_its_extra_says_how_to_get_it(run, files, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    file = tmp_path / "sky.png"
    status, _, told = run("plot", "sky", files["rest.rnx"], files["rest.nav"], "-o", file)
    assert status == 3
    assert "./run setup print" in told
    assert not file.exists()


def test_a_stanford_diagram_with_limits_counts_positions_by_region(run, files, tmp_path):
    words = ("plot", "stanford", files["rest.rnx"], files["rest.nav"])
    place = ("--reference", 44.2, 80.4, 700)
    status, out, told = run(*words, *place, "--alert", 60, 100)
    assert status == 0
    assert "horizontal: 20 normal, 0 misleading, 0 hazardous" in told
    assert "available 100.0%" in told
    text = ET.fromstring(out)
    words_shown = " ".join(each.text or "" for each in text.iter() if each.tag.endswith("text"))
    for word in ("normal 20", "misleading 0", "hazardous 0", "unavailable 0"):
        assert word in words_shown
    # Five kilometres off every position is wrong beyond its level, and beyond the limit.
    far = ("--reference", 44.25, 80.4, 700)
    _, _, told = run(*words, *far, "--alert", 60, 100)
    assert "horizontal: 0 normal, 0 misleading, 20 hazardous" in told
    assert run("plot", "sky", *words[2:], "--alert", 60, 100)[0] == 2
    assert run(*words, *place, "--alert", 0, 100)[0] == 2


def test_a_stanford_diagram_without_the_true_place_is_refused(run, files):
    status, _, told = run("plot", "stanford", files["rest.rnx"], files["rest.nav"])
    assert status == 1
    assert "--reference" in told


def test_the_ending_of_the_output_says_the_form(run, files, tmp_path):
    for name, start in (
        ("a.pos", b"% program"),
        ("a.geojson", b'{"type":"FeatureC'),
        ("a.nmea", b"$GN"),
    ):
        assert run("solve", files["rest.rnx"], files["rest.nav"], "-o", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_bytes().startswith(start)


def test_a_failing_command_leaves_the_old_output_alone(run, files, tmp_path):
    kept = tmp_path / "kept.csv"
    kept.write_bytes(b"old")
    broken = tmp_path / "broken.rnx"
    broken.write_bytes(files["rest.rnx"].read_bytes()[:-40])
    status, _, told = run("solve", broken, files["rest.nav"], "--strict", "-o", kept)
    assert status == 2
    assert "line" in told
    assert kept.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.rnx", "kept.csv"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("info", "/etc/passwd"), 2),
        (("solve", "/nowhere/day.rnx"), 2),
        (("solve", "/tmp"), 2),
        (("simulate", "--at", 95, 0, 0), 2),
        (("simulate", "--at", "nan", 0, 0), 2),
        (("simulate", *PLACE, "--systems", "X"), 2),
        (("simulate", *PLACE, "--mask", "nan"), 2),
        (("simulate", *PLACE, "--start", "yesterday"), 2),
        (("simulate", *PLACE, "-o", "/nowhere/at/all.rnx", "--epochs", 1), 2),
        (("simulate", *PLACE, "--bias", "C20:x"), 2),
        (("simulate", *PLACE, "--bias", "X99:4", "--epochs", 2), 1),
        (("simulate", *PLACE, *PLACE), 1),
    ],
)
def test_refusals_are_one_json_object_with_a_status(run, words, status):
    found, out, _ = run(*words, "--json")
    assert found == status
    assert set(json.loads(out)) >= {"error", "detail"}


def test_an_environment_without_evidence_gets_positions_and_no_bound(run, files):
    words = ("solve", files["rest.rnx"], files["rest.nav"], "--json", "--environment")
    status, out, _ = run(*words, "vehicle")
    epochs = [epoch for epoch in json.loads(out)["epochs"] if epoch["quality"]]
    assert status == 0
    assert epochs
    assert all(epoch["horizontal_protection_m"] is None for epoch in epochs)
    assert run(*words, "forest")[0] == 2


def test_observations_alone_ask_for_ephemerides(run, files):
    status, _, told = run("solve", files["rest.rnx"])
    assert status == 2
    assert "navigation" in told


def test_precise_points_ask_for_orbits(run, files):
    status, out, _ = run("ppp", files["rest.rnx"], files["rest.nav"], "--json")
    assert status == 1
    assert json.loads(out)["error"] == "no_orbits"


@pytest.mark.slow
def test_precise_points_of_a_real_half_hour(run, shared, tmp_path):
    folder = shared / "positioning" / "esbc_2020177"
    names = ("*MO.crx.gz", "*MN.rnx.gz", "*_ORB.SP3.gz", "*CLK.CLK.gz")
    given = [file for name in names for file in sorted(folder.glob(name))]
    from zhidao.core.timescale import Utc
    from zhidao.positioning import cut_window

    part = tmp_path / "part.rnx"
    first, last = (Utc.parse(f"2020-06-25T12:{minute}:00Z") for minute in ("00", "30"))
    part.write_bytes(cut_window(given[0].read_bytes(), first, last, systems="GE"))
    status, out, told = run("ppp", part, *given[1:], "--systems", "GE", "--json")
    last = json.loads(out)["epochs"][-1]
    assert status == 0
    assert last["quality"] == 6
    # The place stated with the data, in degrees; a tenth of a microdegree is a centimetre.
    assert abs(last["latitude_deg"] - 55.49356778) < 5e-6
    assert abs(last["longitude_deg"] - 8.45682957) < 1e-5
    assert "agreement" in told


def test_streams_convert_to_rinex_and_back(run, files, tmp_path):
    near = ("--near", "2026-11-21T06:00:00Z")
    out = tmp_path / "again.rnx"
    assert run("decode", files["rest.rtcm3"], *near, "--to", "rinex", "-o", out)[0] == 0
    first = [json.loads(line) for line in run("decode", files["rest.rnx"])[1].splitlines()]
    again = [json.loads(line) for line in run("decode", out)[1].splitlines()]
    assert [row["satellite"] for row in first] == [row["satellite"] for row in again]
    for one, other in zip(first, again, strict=True):
        # An MSM7 cell has steps of half a millimetre.
        assert abs(one["C2I"] - other["C2I"]) < 2e-3
        apart = one["L2I"] - other["L2I"]
        assert abs(apart - round(apart)) < 5e-3


def test_info_tells_what_a_file_holds(run, files):
    _, out, _ = run("info", files["rest.rnx"], files["rest.nav"], "--json")
    observations, navigation = json.loads(out)
    assert observations["observations"]["epochs"] == 20
    assert observations["observations"]["simulated"] is True
    assert navigation["navigation"]["systems"] == "C"


@pytest.mark.slow
def test_info_counts_the_messages_of_a_stream_without_its_week(run, files):
    status, out, _ = run("info", files["rest.rtcm3"], "--json")
    (told,) = json.loads(out)
    assert status == 0
    assert told["messages"]["1127"] == 20
    assert "--near" in told["more"]


def test_info_tells_of_frames_antennas_and_every_kind_of_message(run, files, tmp_path):
    log, antennas = tmp_path / "b2b.log", tmp_path / "igs.atx"
    log.write_text(
        f"2380 345600 59 1 61 {bytes(61).hex()}\n2380 345601 60 1 61 {bytes(61).hex()}\n"
    )
    antennas.write_text(f"{'     1.4            M':60}ANTEX VERSION / SYST\n")
    status, out, _ = run("info", log, antennas, files["rest.nav"], "--json")
    frames, offsets, navigation = json.loads(out)
    assert status == 0
    assert (frames["frames"]["C59"], frames["frames"]["C60"]) == (1, 1)
    assert offsets["antennas"] == {"satellites_now": 0}
    assert set(navigation["navigation"]["messages"]) <= {"D1", "D2"}


def test_precise_points_by_b2b_ask_for_frames(run, files):
    status, out, _ = run("ppp", files["rest.rnx"], files["rest.nav"], "--b2b", "--json")
    assert status == 1
    assert json.loads(out)["error"] == "no_frames"


def test_a_rover_beside_its_base_is_fixed(run, tmp_path, files):
    for name, place in (("base", (44.2, 80.4, 700)), ("rover", (44.20003, 80.4, 700))):
        words = ("simulate", "--at", *place, "--epochs", 3, "-o", tmp_path / name)
        assert run(*words)[0] == 0
    words = ("rtk", tmp_path / "rover", files["rest.nav"], "--base", tmp_path / "base")
    status, out, told = run(*words, "--systems", "C", "--base-place", 44.2, 80.4, 700, "--json")
    assert status == 0
    assert json.loads(out)["simulated"] is True
    assert "epochs" in told


def test_velocities_come_as_further_columns_of_a_receiver_at_rest(run, files):
    _, out, _ = run("solve", files["rest.rnx"], files["rest.nav"], "--velocity")
    head, *rows = out.decode().splitlines()
    assert head.endswith(",simulated,east_mps,north_mps,up_mps")
    speeds = [[float(cell) for cell in row.split(",")[-3:]] for row in rows]
    assert all(abs(part) < 0.5 for speed in speeds for part in speed)


def test_smoothed_codes_scatter_less(run, files):
    words = ("solve", files["rest.rnx"], files["rest.nav"], "--json")
    plain, smooth = (json.loads(run(*words, *more)[1])["epochs"] for more in ((), ("--smooth",)))

    def scatter(epochs):
        heights = [epoch["height_m"] for epoch in epochs[8:]]
        return max(heights) - min(heights)

    assert plain[0] == smooth[0]
    assert scatter(smooth) < scatter(plain)


def test_what_looks_like_false_signals_is_told(run, files, tmp_path):
    words = ("simulate", *PLACE, "--epochs", 20, "--step", 1, "--clock-jump", "10:150")
    run(*words, "-o", tmp_path / "false.rnx")
    _, _, told = run("solve", tmp_path / "false.rnx", files["rest.nav"])
    assert "clock_jump: the receiver's clock jumps 1 times" in told
    assert "clock_jump" not in run("solve", files["rest.rnx"], files["rest.nav"])[2]


def test_a_strength_beyond_all_signals_is_refused(run, files):
    status, _, told = run("solve", files["rest.rnx"], files["rest.nav"], "--strength", 99)
    assert status == 2
    assert "0 to 60 dB-Hz" in told


def test_two_simulated_receivers_under_one_sky_are_a_pair(run, tmp_path):
    base, rover, sky = (tmp_path / name for name in ("base.rnx", "rover.rnx", "sky.nav"))
    more = ("--bands", "C=2I+6I+7I", "--errors", "own", "--epochs", 3, "--step", 1)
    run("simulate", *PLACE, *more, "--seed", 1, "--navigation-output", sky, "-o", base)
    run("simulate", "--at", 44.21, 80.4, 705, *more, "--navigation", sky, "--seed", 2, "-o", rover)
    _, out, told = run("rtk", rover, sky, "--base", base, "--base-place", *PLACE[1:], "--json")
    assert "3 of 3 epochs fixed" in told
    for epoch in json.loads(out)["epochs"]:
        assert abs(epoch["latitude_deg"] - 44.21) * 111_000 < 0.05
        assert abs(epoch["height_m"] - 705) < 0.1


@pytest.mark.parametrize("bands", ["C=2I+9X", "C=2", "X=1C", "C"])
def test_bands_that_there_are_not_are_refused(run, bands):
    assert run("simulate", *PLACE, "--bands", bands)[0] == 2


def test_a_file_cut_at_its_end_gives_its_whole_epochs_with_a_warning(run, files, tmp_path):
    cut = tmp_path / "cut.rnx"
    cut.write_bytes(files["rest.rnx"].read_bytes()[:-300])
    status, out, told = run("solve", cut, files["rest.nav"], "--json")
    assert status == 0
    assert len(json.loads(out)["epochs"]) == 19
    assert f"warning: {cut}: the file is cut at its end" in told
    status, out, told = run("info", cut, "--json")
    assert json.loads(out)[0]["observations"]["epochs"] == 19
    assert "warning" in told
    packed = tmp_path / "cut.rnx.gz"
    packed.write_bytes(gzip.compress(files["rest.rnx"].read_bytes())[:-2_000])
    status, out, told = run("solve", packed, files["rest.nav"], "--json")
    assert status == 0
    assert 0 < len(json.loads(out)["epochs"]) < 20
    assert "the gzip data ends too early" in told
    assert run("solve", packed, files["rest.nav"], "--strict")[0] == 2


def test_signals_that_are_not_there_are_refused_with_those_that_are(run, files):
    status, _, told = run("solve", files["rest.rnx"], files["rest.nav"], "--signals", "C=C1P")
    assert status == 2
    assert "C=C1P" in told
    assert "C=C2I" in told


def test_files_without_ephemerides_or_observations_are_bad_input(run, files):
    assert run("solve", files["rest.rnx"])[0] == 2
    assert run("solve", files["rest.nav"])[0] == 2


def test_parts_of_a_recording_are_solved_as_the_whole_is(run, files, monkeypatch):
    from zhidao.positioning.wire.rinex import parts

    whole = run("solve", files["rest.rnx"], files["rest.nav"])
    monkeypatch.setattr(
        parts.observation_parts,
        "__kwdefaults__",
        {
            **parts.observation_parts.__kwdefaults__,
            "epochs": 7,
            "text_bytes": 4_000,
        },
    )
    assert run("solve", files["rest.rnx"], files["rest.nav"]) == whole
    assert run("info", files["rest.rnx"])[0] == 0


def test_recordings_of_one_receiver_are_taken_in_the_order_of_time(run, files, tmp_path):
    text = files["rest.rnx"].read_text()
    head, *epochs = text.split("\n> ")
    early, late = tmp_path / "a.rnx", tmp_path / "b.rnx"
    late.write_text("\n> ".join([head, *epochs[:8]]) + "\n")
    early.write_text("\n> ".join([head, *epochs[8:]]))
    whole = run("solve", files["rest.rnx"], files["rest.nav"])
    assert run("solve", early, late, files["rest.nav"]) == whole
    status, _, told = run("solve", early, late, early, files["rest.nav"])
    assert status == 1
    assert "overlap" in told


def test_info_lists_the_messages_of_a_receivers_log(run, files, tmp_path):
    status, out, _ = run("info", files["rest.ubx"], "--json")
    (told,) = json.loads(out)
    assert status == 0
    assert told["messages"]["RXM-RAWX"] == 20
    assert told["observations"]["epochs"] == 20
    silent = tmp_path / "silent.ubx"
    silent.write_bytes(UbxMessage((0x01, 0x07), bytes(92)).encode() * 3)
    (told,) = json.loads(run("info", silent, "--json")[1])
    assert told["messages"] == {"NAV-PVT": 3}
    assert "RXM-RAWX" in told["more"]


def test_info_counts_every_civil_message_of_one_satellite_and_time(run, shared, tmp_path):
    file = shared / "positioning/rinex4/BRD400DLR_S_20260680000_01D_MN.rnx.gz"
    counts = Counter(
        line.split()[3]
        for line in gzip.decompress(file.read_bytes()).decode().splitlines()
        if line.startswith("> EPH")
    )
    (told,) = json.loads(run("info", file, "--json")[1])
    assert told["navigation"]["messages"] == dict(counts)
