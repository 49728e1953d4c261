"""Routes and cells of files: what they mean, and where one is wrong; answers that others read."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.connectivity.domain.bearer_policy import BearerPolicy
from zhidao.connectivity.domain.radio.path_loss import Model
from zhidao.connectivity.domain.radio.reception import CELLS_MAX, Radio, check_cell
from zhidao.connectivity.domain.radio.stretches import Terms
from zhidao.connectivity.service.corridor_coverage import coverage_along
from zhidao.connectivity.wire import cell_files, route_files
from zhidao.connectivity.wire.cell_files import read_cells
from zhidao.connectivity.wire.coverage_files import as_geojson, as_json
from zhidao.connectivity.wire.route_files import read_route
from zhidao.core.errors import MalformedInput

_HEAD = "latitude_deg,longitude_deg,frequency_mhz,height_m,eirp_dbm"
_ROW = "43.35,77.04,800,35,60"
_OBJECT = dict(zip(_HEAD.split(","), (43.35, 77.04, 800, 35, 60), strict=True))


def _cells(text: str, **more):
    return read_cells(text.encode(), model=Model.RMA, **more)


def test_csv_and_json_mean_the_same_cells() -> None:
    full = {
        "name": "哈尔果斯 1",
        "model": "uma",
        "bandwidth_mhz": 20,
        "gain_dbi": 17,
        "azimuth_deg": 120,
        "beamwidth_deg": 90,
    }
    rows = [_OBJECT, _OBJECT | full]
    columns = [*_OBJECT, *full]
    lines = [",".join(str(row.get(name, "")) for name in columns) for row in rows]
    text = "\ufeff" + ",".join(columns) + "\r\n" + "\r\n\r\n".join(lines) + "\r\n"
    by_csv = _cells(text)
    by_json = _cells(json.dumps(rows))
    assert repr(by_csv) == repr(by_json) == repr(_cells(json.dumps({"cells": rows})))
    plain, sector = by_csv
    assert (plain.name, plain.model, plain.bandwidth_mhz) == ("cell 1", Model.RMA, 10.0)
    assert math.isnan(plain.gain_dbi)
    assert math.isnan(plain.azimuth_deg)
    assert (sector.name, sector.model, sector.beam_deg) == ("哈尔果斯 1", Model.UMA, 90.0)


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "", "no cell"),
        (_HEAD, "", "no cell"),
        ("lat,lon\n", "line 1", "no such column of cells: 'lat'"),
        (f"{_HEAD},azimut_deg\n", "line 1", "did you mean azimuth_deg?"),
        (f"{_HEAD},eirp_dbm\n", "line 1", "two columns 'eirp_dbm'"),
        ("latitude_deg,longitude_deg\n", "line 1", "no column frequency_mhz, height_m, eirp_dbm"),
        (f"{_HEAD}\n{_ROW}\n\n{_ROW},1\n", "line 4", "6 fields under 5 columns"),
        (f"{_HEAD}\n43.35,77.04,800,,60\n", "line 2", "no height_m"),
        (f"{_HEAD}\n43.35,77.04,8oo,35,60\n", "line 2", "frequency_mhz is no number: '8oo'"),
        (f"{_HEAD}\n43.35,77.04,1_0,35,60\n", "line 2", "frequency_mhz is no number"),
        (f"{_HEAD}\nnan,77.04,800,35,60\n", "line 2", "latitude_deg is no number"),
        (f"{_HEAD}\n93.35,77.04,800,35,60\n", "line 2", "no such place"),
        (f"{_HEAD}\n43.35,77.04,450,35,60\n", "line 2", "RMa of TR 38.901"),
        (f"{_HEAD}\n43.35,77.04,800,9,60\n", "line 2", "10 to 150 m above the ground"),
        (f"{_HEAD}\n43.35,77.04,800,35,600\n", "line 2", "eirp_dbm is 600"),
        (f'{_HEAD}\n"43.35,77.04,800,35,60\n', "line 2", "not CSV"),
        (f"{_HEAD},model\n{_ROW},cost231\n", "line 2", "no model 'cost231'"),
        (f"{_HEAD},model\n{_ROW},uma\n", "line 2", "UMa of TR 38.901 table 7.4.1-1 is for 25 m"),
        (f"{_HEAD},beamwidth_deg\n{_ROW},90\n", "line 2", "beamwidth_deg without azimuth_deg"),
        (f"{_HEAD},name\n{_ROW},a\x1bb\n", "line 2", "characters to control"),
        ("[1]", "cell 1", "a cell is an object"),
        ('{"sites": []}', "", "no list of cells"),
        ('[{"latitude_deg": 43.35}]', "cell 1", "no longitude_deg, frequency_mhz"),
        (json.dumps([_OBJECT, _OBJECT | {"gain": 1}]), "cell 2", "no such column of cells: 'gain'"),
        (json.dumps([_OBJECT | {"height_m": True}]), "cell 1", "height_m is no number"),
        (json.dumps([_OBJECT | {"height_m": [1]}]), "cell 1", "height_m is no number"),
        ("[{", "line 1", "not JSON"),
    ],
)
def test_a_wrong_cell_is_told_with_its_place_and_what_to_do(text, where, says) -> None:
    radio = Radio()
    with pytest.raises(MalformedInput) as refused:
        _cells(text, check=lambda cell: check_cell(cell, radio))
    assert says in str(refused.value)
    assert refused.value.where.startswith(where)
    assert refused.value.remedy or "JSON" in str(refused.value)


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    for reader in (lambda data: read_cells(data, model=Model.RMA), read_route):
        with pytest.raises(MalformedInput) as refused:
            reader(f"{_HEAD}\n{_ROW}\n".encode() + b"\xff\n")
        assert refused.value.where == "line 3"


@pytest.mark.bound("connectivity.domain.radio.reception.CELLS_MAX")
def test_so_many_cells_and_no_more_are_read() -> None:
    text = f"{_HEAD}\n" + f"{_ROW}\n" * CELLS_MAX
    assert len(_cells(text)) == CELLS_MAX
    with pytest.raises(MalformedInput, match=f"more than {CELLS_MAX} cells"):
        _cells(text + _ROW)


@pytest.mark.bound("connectivity.wire.cell_files.CELL_FILE_BYTES_MAX")
def test_so_many_bytes_of_cells_and_no_more_are_read() -> None:
    text = json.dumps([_OBJECT]).encode()
    fits = text.ljust(cell_files.CELL_FILE_BYTES_MAX)
    assert len(read_cells(fits, model=Model.RMA)) == 1
    with pytest.raises(MalformedInput, match="bytes of cells"):
        read_cells(fits + b" ", model=Model.RMA)


@pytest.mark.bound("connectivity.wire.cell_files.NAME_CHARACTERS_MAX")
def test_a_name_of_a_cell_has_its_length() -> None:
    name = "界" * cell_files.NAME_CHARACTERS_MAX
    assert _cells(f"{_HEAD},name\n{_ROW},{name}\n")[0].name == name
    with pytest.raises(MalformedInput, match="a name has 1 to"):
        _cells(f"{_HEAD},name\n{_ROW},{name}x\n")


_LINE = {"type": "LineString", "coordinates": [[77.04, 43.35], [77.1, 43.4, 700.0]]}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(_LINE),
        json.dumps({"type": "Feature", "properties": None, "geometry": _LINE}),
        json.dumps(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": _LINE}]}
        ),
        "latitude_deg,longitude_deg\n43.35,77.04\n43.4,77.1\n",
        '\ufefftime_utc,Longitude,Latitude,note\r\n1,77.04,43.35,"a, b"\r\n\r\n2,77.1,43.4,\r\n',
        "lat,lon\n 43.35 , 77.04 \n43.4,77.1",
    ],
)
def test_a_line_and_columns_mean_the_same_route(text: str) -> None:
    route = read_route(text.encode())
    assert route.places(np.array([0.0, route.length_m])) == (
        pytest.approx([43.35, 43.4]),
        pytest.approx([77.04, 77.1]),
    )
    assert route.length_m == pytest.approx(7_380, abs=5)


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "", "fewer than two places"),
        ("lat,lon\n43,77\n", "", "fewer than two places"),
        ("43.35,77.04\n43.4,77.1\n", "line 1", "no columns of a route"),
        ("lat,lon,lat\n", "line 1", "no columns of a route"),
        ("lat,lon\n43,77\n43\n", "line 3", "1 fields"),
        ("lat,lon\n43,77\n43,x\n", "line 3", "no number: 'x'"),
        ("lat,lon\n43,77\n93,77\n", "line 3", "no such place"),
        ("lat,lon\n43,77\nnan,77\n", "line 3", "no such place"),
        ('lat,lon\n"43,77\n', "line 2", "not CSV"),
        (json.dumps({"type": "Point", "coordinates": [1, 2]}), "", "one LineString, not 'Point'"),
        (json.dumps([[1, 2], [3, 4]]), "", "one LineString, not 'list'"),
        (json.dumps(_LINE | {"crs": {}}), "", "coordinate system"),
        (json.dumps({"type": "FeatureCollection", "features": []}), "", "exactly one feature"),
        (json.dumps({"type": "LineString"}), "coordinates", "without coordinates"),
        (
            json.dumps({"type": "LineString", "coordinates": [[77, 43], [77, "43"]]}),
            "position 2",
            "longitude and latitude",
        ),
        (
            json.dumps({"type": "LineString", "coordinates": [[77, 43], [43, 97]]}),
            "position 2",
            "GeoJSON gives longitude first",
        ),
        ("{", "line 1", "not JSON"),
    ],
)
def test_a_wrong_route_is_told_with_its_place_and_what_to_do(text, where, says) -> None:
    with pytest.raises(MalformedInput) as refused:
        read_route(text.encode())
    assert says in str(refused.value)
    assert refused.value.where.startswith(where)
    assert refused.value.remedy or "JSON" in str(refused.value)


@pytest.mark.bound("connectivity.wire.route_files.ROUTE_POINTS_MAX")
def test_so_many_places_of_a_route_and_no_more_are_read() -> None:
    text = "lat,lon\n43,78\n" + "43,77\n" * (route_files.ROUTE_POINTS_MAX - 1)
    assert len(read_route(text.encode()).at_m) > route_files.ROUTE_POINTS_MAX
    with pytest.raises(MalformedInput, match="more than 200000 places"):
        read_route((text + "43,77\n").encode())


@pytest.mark.bound("connectivity.wire.route_files.ROUTE_BYTES_MAX")
def test_so_many_bytes_of_a_route_and_no_more_are_read() -> None:
    row = b"43,77," + b"x" * 130_000 + b"\n"
    rows = b"lat,lon,note\n43,78,\n" + row * (route_files.ROUTE_BYTES_MAX // len(row) - 1)
    fits = rows.ljust(route_files.ROUTE_BYTES_MAX, b"\n")
    assert read_route(fits).length_m == pytest.approx(81_500, abs=100)
    with pytest.raises(MalformedInput, match="bytes of a route"):
        read_route(fits + b"\n")


_TEXTS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.lists(st.sampled_from([*_HEAD.split(","), "43", "1e999", '"', "\n", ",", "-"])).map(
        lambda parts: "".join(parts).encode()
    ),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "coordinates", "geometry", "features", "cells", *_HEAD.split(",")]
                ),
                inner | st.sampled_from(["LineString", "Feature", "FeatureCollection"]),
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(data=_TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused_as_malformed(data: bytes) -> None:
    for reader in (lambda each: read_cells(each, model=Model.UMI), read_route):
        try:
            reader(data)
        except MalformedInput as error:
            assert str(error)  # noqa: PT017 (whatever else is raised fails the test)


@pytest.fixture(scope="module")
def found():
    cells = _cells(f"{_HEAD},name\n43.35,77.04,800,35,60,A\n43.35,77.9,800,35,60,B\n")
    return coverage_along(
        read_route(b"lat,lon\n43.35,77.0\n43.35,78.5\n"),
        cells,
        radio=Radio(),
        terms=Terms(),
        policy=BearerPolicy(),
        step_m=100.0,
    )


def test_the_answer_accounts_for_every_metre_and_names_what_it_rests_on(found) -> None:
    told = as_json(found)
    summary = told["summary"]
    parts = ("served_m", "borderline_m", "silent_m", "unjudged_m")
    assert sum(summary[name] for name in parts) == pytest.approx(summary["length_m"], abs=3)
    assert all(summary[name] > 0 for name in ("served_m", "silent_m", "unjudged_m"))
    assert told["stretches"][0]["from_m"] == 0
    assert told["stretches"][-1]["to_m"] == summary["length_m"]
    assert summary["longest_silence_s"] == max(g["expected_silence_s"] for g in told["gaps"])
    assumed = told["assumptions"]
    assert assumed["ranges_m"] == {
        "rma": {"from": 10, "to_with_line_of_sight": 10_000, "to_without": 5_000}
    }
    assert (assumed["line_of_sight"], assumed["cells_without_uplink"]) == ("expected", 2)
    silent = [each for each in told["stretches"] if each["service"] == "silent"]
    assert {each["short_message"] for each in silent} == {"must"}
    assert all(each["expected_silence_s"] > 0 for each in silent)
    json.dumps(told, allow_nan=False)


def test_geojson_is_lines_that_join_and_points_of_cells(found) -> None:
    document = json.loads(as_geojson(found))
    lines = [f for f in document["features"] if f["properties"]["kind"] == "stretch"]
    assert [f["geometry"]["coordinates"] for f in document["features"] if f not in lines] == [
        [77.04, 43.35],
        [77.9, 43.35],
    ]
    assert len(lines) == len(found.stretches)
    for one, two in itertools.pairwise(lines):
        assert one["geometry"]["coordinates"][-1] == two["geometry"]["coordinates"][0]
    assert lines[0]["geometry"]["coordinates"][0] == [77.0, 43.35]
    assert lines[-1]["geometry"]["coordinates"][-1] == [78.5, 43.35]
    gap = as_json(found)["gaps"][0]
    assert gap["from"] in [f["geometry"]["coordinates"][0] for f in lines]
    # What was written is a route again, stretch by stretch.
    again = read_route(json.dumps(lines[0]).encode())
    assert again.length_m == pytest.approx(found.stretches[0].length_m, abs=0.5)
