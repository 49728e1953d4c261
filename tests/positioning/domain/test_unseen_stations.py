"""Stations that no file of the shared data is like: places, rates, receivers and versions.

Simulated: these tests show that nothing depends on where and how was observed, not accuracy.
"""

from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.observables.signal_codes import SINGLE_SIGNALS
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.solution import Reason
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.receiver import ErrorModel, Receiver, synthesize
from zhidao.positioning.domain.synthesis.routes import rest
from zhidao.positioning.service.recordings import messages_for
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.writing import write_observations

# What the models do not tell is small here, so that an error of ours would stand out.
QUIET = ErrorModel(ionosphere=0.02, ionosphere_each=0.01)
ALMATY = (43.2, 76.9, 700.0)
START = "2026-03-09T06:00:00Z"
ALL = {"C": ("2I",), "E": ("1C",), "G": ("1C",)}
_MS_M = 299_792.458


@pytest.fixture(scope="module")
def broadcast(shared):
    folder = shared / "positioning" / "rinex4"
    data = (folder / "BRD400DLR_S_20260680000_01D_MN.rnx.gz").read_bytes()
    return lambda signals: read_navigation(data, messages=messages_for(signals))


@pytest.fixture(scope="module")
def legacy(broadcast):
    return broadcast(SINGLE_SIGNALS)


def _seen(navigation, signals, *, at=ALMATY, start=START, step_s=30, epochs=30, **more):
    way = rest(at, first_gpst_ns=Gpst.from_utc(Utc.parse(start)).ns, step_s=step_s, epochs=epochs)
    receiver = Receiver(
        way.gpst_ns, way.ecef_m, systems="".join(signals), signals=signals, errors=QUIET, **more
    )
    return synthesize(receiver, navigation, seed=3), way.ecef_m


def _errors_m(solved, truth_m):
    latitude, longitude, _ = geodetic(truth_m[:1])
    return (solved.ecef_m - truth_m) @ enu_axes(latitude, longitude)[0].T


def _holds(solved, truth_m, *, horizontal_m=1.5, vertical_m=4.0):
    off = _errors_m(solved, truth_m)
    level = np.hypot(off[:, 0], off[:, 1])
    assert solved.solved.all()
    assert np.sqrt(np.mean(level**2)) < horizontal_m
    assert np.sqrt(np.mean(off[:, 2] ** 2)) < vertical_m
    assert (level < solved.horizontal_m).all()


def _settings(signals):
    return Settings(signals={system: SINGLE_SIGNALS[system] for system in signals})


@pytest.mark.parametrize(
    "place",
    [
        pytest.param((-33.9, 151.2, 50.0), id="Sydney"),
        pytest.param((78.9, 11.9, 80.0), id="Svalbard"),
        pytest.param((-77.8, 166.7, 100.0), id="Antarctica"),
        pytest.param((-0.2, -78.5, 2850.0), id="Quito"),
        pytest.param((27.99, 86.92, 8848.0), id="Everest"),
        pytest.param((31.5, 35.5, -430.0), id="Dead Sea"),
        pytest.param((-16.8, 179.9999, 30.0), id="date line"),
        pytest.param((89.99, 0.0, 10.0), id="pole"),
    ],
)
@pytest.mark.parametrize("systems", ["C", "CEG"])
def test_every_region_is_solved_alike(legacy, place, systems):
    signals = {system: ALL[system] for system in systems}
    seen, truth_m = _seen(legacy, signals, at=place, epochs=20, step_s=60)
    _holds(solve(seen, legacy, _settings(signals)), truth_m)


@pytest.mark.parametrize("step_s", [1.0, 0.1])
def test_quick_receivers_are_solved_alike(legacy, step_s):
    seen, truth_m = _seen(legacy, ALL, step_s=step_s)
    again = read_observations(write_observations(seen))
    assert np.array_equal(again.gpst_ns, seen.gpst_ns)
    _holds(solve(again, legacy, _settings(ALL)), truth_m)


@pytest.mark.parametrize("start", ["2026-03-08T23:57:00Z", "2026-03-09T23:40:00Z"])
def test_the_edges_of_a_day_and_of_a_week_are_no_edges(legacy, start):
    # 2026-03-08 is a Sunday: the week of GPST turns in the first of them.
    seen, truth_m = _seen(legacy, ALL, start=start)
    _holds(solve(seen, legacy, _settings(ALL)), truth_m)


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param({"C": ("2X",), "E": ("1X",), "G": ("1W",)}, id="X"),
        pytest.param({"C": ("2Q",), "E": ("1B",), "G": ("1L",)}, id="QBL"),
    ],
)
def test_receivers_that_name_their_signals_otherwise_are_solved_alike(legacy, signals):
    seen, truth_m = _seen(legacy, signals)
    again = read_observations(write_observations(seen))
    _holds(solve(again, legacy, _settings(signals)), truth_m)


@pytest.mark.parametrize(
    ("tracked", "chosen"),
    [
        (("1X", "5X"), "C1X+C5X"),
        (("1P", "5P"), "C1P+C5P"),
        (("1D",), "C1D"),
        (("7Z",), "C7Z"),
        (("7D",), "C7D"),
    ],
)
def test_modern_codes_of_bds_go_by_their_own_messages(broadcast, tracked, chosen):
    navigation = broadcast({"C": chosen})
    seen, truth_m = _seen(navigation, {"C": tracked})
    again = read_observations(write_observations(seen, version="4.02"))
    solved = solve(again, navigation, Settings(signals={"C": chosen}))
    _holds(solved, truth_m, horizontal_m=4, vertical_m=12)


@pytest.mark.parametrize("milliseconds", [1, -1, 5])
def test_a_jump_of_the_clock_by_milliseconds_costs_nothing(legacy, milliseconds):
    jumps = ((10, milliseconds * _MS_M), (20, -milliseconds * _MS_M))
    seen, truth_m = _seen(legacy, ALL, clock_jumps=jumps)
    _holds(solve(seen, legacy, _settings(ALL)), truth_m)


def test_few_satellites_give_a_place_with_a_bound_or_a_reason(legacy):
    seen, truth_m = _seen(legacy, {"C": ("2I",)}, at=(-12.0, -77.0, 100.0), mask_deg=30, epochs=60)
    solved = solve(seen, legacy, _settings("C"))
    known = {Reason.OK, Reason.TOO_FEW_SATELLITES, Reason.WEAK_GEOMETRY}
    assert set(np.unique(solved.reason).tolist()) <= known
    off = _errors_m(solved, truth_m)[solved.solved]
    assert (np.hypot(off[:, 0], off[:, 1]) < solved.horizontal_m[solved.solved]).all()


def _changed(text, version):
    return text.replace("     3.05", f"     {version}", 1)


@pytest.mark.parametrize("version", "3.00 3.01 3.02 3.03 3.04 4.00 4.01 4.02".split())
def test_every_version_of_rinex_3_and_4_holds_the_same(legacy, version):
    seen, truth_m = _seen(legacy, ALL, epochs=5)
    text = _changed(write_observations(seen).decode(), version)
    _holds(solve(read_observations(text.encode()), legacy, _settings(ALL)), truth_m)


def test_b1i_is_found_under_the_name_that_rinex_302_gave_it(legacy):
    seen, truth_m = _seen(legacy, {"C": ("2I",)}, epochs=5)
    text = _changed(write_observations(seen).decode(), "3.02")
    again = read_observations(text.replace(" C2I L2I D2I S2I", " C1I L1I D1I S1I").encode())
    assert again.systems["C"].codes == ("C2I", "L2I", "D2I", "S2I")
    _holds(solve(again, legacy, _settings("C")), truth_m)


def test_events_between_epochs_change_nothing(legacy):
    seen, _ = _seen(legacy, ALL, epochs=8)
    lines = write_observations(seen).decode().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(">")]
    event = lambda flag, count: f"{'>':31}{flag}{count:3d}"  # noqa: E731
    slips = [lines[starts[5]][:31] + "6  1", lines[starts[5] + 1]]
    parts = [
        (2, [event(2, 0)]),
        (3, [event(3, 2), f"{'NEW SITE':60}MARKER NAME", f"{'':60}COMMENT"]),
        (4, [event(4, 1), f"{'antenna turned':60}COMMENT"]),
        (5, slips),
        (6, [lines[starts[6]][:31] + "5  0"]),
    ]
    for at, more in reversed(parts):
        lines[starts[at] : starts[at]] = more
    again = read_observations("\r\n".join(lines).encode())
    assert np.array_equal(again.gpst_ns, seen.gpst_ns)
    assert all(
        np.array_equal(again.systems[s].values.round(3), seen.systems[s].values.round(3), True)
        for s in seen.systems
    )


def test_scaled_numbers_are_read_in_plain_units(legacy):
    seen, _ = _seen(legacy, {"G": ("1C",)}, epochs=2)
    plain = read_observations(write_observations(seen))
    scaled = write_observations(seen).decode()
    line = f"{'G   10   1 D1C':60}SYS / SCALE FACTOR\n"
    where = scaled.index(f"{'':60}END OF HEADER")
    again = read_observations((scaled[:where] + line + scaled[where:]).encode())
    one, other = (each.systems["G"].column("D1C") for each in (plain, again))
    assert np.allclose(one, other * 10)
    assert np.array_equal(
        plain.systems["G"].column("C1C"), again.systems["G"].column("C1C"), equal_nan=True
    )


@pytest.mark.parametrize(("letter", "shift_s"), [("C", 14), ("G", 0), ("M", 0), ("R", 18)])
def test_a_file_of_one_system_that_names_no_time_system_counts_its_own(legacy, letter, shift_s):
    seen, _ = _seen(legacy, {"C": ("2I",)}, epochs=2)
    text = write_observations(seen).decode()
    text = text.replace("OBSERVATION DATA    M", f"OBSERVATION DATA    {letter}", 1)
    again = read_observations(
        text.replace("     GPS         TIME OF", "                 TIME OF").encode()
    )
    assert (again.gpst_ns - seen.gpst_ns).tolist() == [shift_s * 10**9] * 2
