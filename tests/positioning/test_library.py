"""What a scientist types: paths in, tables out, and short words at the prompt."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.positioning.conftest import PLACE, START, times

from zhidao import positioning
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    sky = constellation(START, START.plus_ns(3600 * 10**9), seed=5)
    here = PLACE.to_ecef()
    place_m = np.tile((here.x_m, here.y_m, here.z_m), (20, 1))
    seen = synthesize(Receiver(times(20, 30), place_m, signals={"C": ("2I", "6I")}), sky, seed=1)
    (folder / "day.nav").write_bytes(write_navigation(sky))
    (folder / "day.rnx").write_bytes(write_observations(seen))
    return folder


def test_paths_are_read_and_solved(files):
    found = positioning.read(files / "day.rnx", str(files / "day.nav"))
    solved = positioning.solve(found.receiver(), found.broadcast())
    places = positioning.solve_files(files / "day.rnx", files / "day.nav")
    assert len(places.solved) == 20
    assert np.array_equal(places.ecef_m, solved.ecef_m)


@pytest.mark.parametrize(
    "call",
    [
        lambda: positioning.read_observations("day.rnx"),
        lambda: positioning.read_navigation("day.nav"),
    ],
)
def test_a_path_where_bytes_are_wanted_is_told_of_the_call_that_takes_one(call):
    with pytest.raises(MalformedInput, match=r"positioning\.read"):
        call()


def test_nothing_and_a_folder_are_refused(files):
    with pytest.raises(MalformedInput, match="no file to read"):
        positioning.read()
    with pytest.raises(MalformedInput, match="folder"):
        positioning.read(files)


def test_a_cut_file_warns_and_strictly_is_refused(files, tmp_path):
    cut = tmp_path / "cut.rnx"
    cut.write_bytes((files / "day.rnx").read_bytes()[:-200])
    with pytest.warns(UserWarning, match="cut at its end"):
        assert len(positioning.solve_files(cut, files / "day.nav")) == 19
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MalformedInput, match="cut"):
            positioning.solve_files(cut, files / "day.nav", strict=True)


def test_everything_shows_itself_in_one_short_line(files):
    found = positioning.read(files / "day.rnx", files / "day.nav")
    seen, navigation = found.receiver(), found.broadcast()
    solved = positioning.solve(seen, navigation)
    places = positioning.of_solution(solved, simulated=True)
    for each in (seen, seen.systems["C"], navigation, navigation.ephemerides, solved, places):
        text = repr(each)
        assert text.startswith(type(each).__name__ + "(")
        assert len(text) < 900
        assert "\n" not in text
        assert "array(" not in text
    assert "gpst_ns=int64[20]" in repr(places)


def test_tables_go_to_pandas(files):
    pytest.importorskip("pandas", reason="pandas is an extra: ./run setup analysis")
    found = positioning.read(files / "day.rnx", files / "day.nav")
    seen = found.receiver()
    table = seen.to_pandas()
    assert list(table.index.names) == ["gpst", "satellite"]
    assert list(table.columns) == list(seen.systems["C"].codes)
    first = table.iloc[0]
    row = np.flatnonzero(seen.systems["C"].epoch == 0)[0]
    assert first["C2I"] == seen.systems["C"].values[row, 0]
    solved = positioning.solve(seen, found.broadcast())
    places = positioning.of_solution(solved, simulated=True).to_pandas()
    assert len(places) == 20
    assert places.equals(solved.to_pandas())
    assert abs(places["latitude_deg"].iloc[0] - PLACE.latitude_ndeg * 1e-9) < 1e-3
    step = places.index[1] - places.index[0]
    assert step.total_seconds() == 30


def test_without_pandas_it_says_how_to_get_it(files, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Unavailable, match="pandas is not installed"):
        positioning.solve_files(files / "day.rnx", files / "day.nav").to_pandas()
