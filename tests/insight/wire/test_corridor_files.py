from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.corridor_trips import as_csv, corridor
from tests.spoiling import BOUNDED

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.corridor.crossing_figures import corridor_figures
from zhidao.insight.domain.corridor.passages import passage
from zhidao.insight.wire import corridor_files
from zhidao.insight.wire.corridor_document import corridor_table
from zhidao.insight.wire.corridor_files import decode_corridor, decode_tracks

HEAD = b"consignment,party,mode,at,latitude_deg,longitude_deg,bound_m\n"
ROW = b"c1,p1,road,2026-03-01T08:00:00Z,44.2,80.2,10\n"


def changed(change: Callable[[Any], Any]) -> bytes:
    plain = json.loads(corridor())
    change(plain)
    return json.dumps(plain).encode()


def test_a_corridor_is_read_by_crossing_and_side():
    one, other = json.loads(corridor("One")), json.loads(corridor("Other"))
    one["features"] += other["features"]
    found = decode_corridor(json.dumps(one).encode())
    assert [(each.name, [side for side, _ in each.sides]) for each in found] == [
        ("One", ["west", "east"]),
        ("Other", ["west", "east"]),
    ]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda p: p["features"].pop(), ""),
        (lambda p: p["features"].clear(), ""),
        (lambda p: p.pop("features"), ""),
        (lambda p: p["features"][1].pop("properties"), "features[1]"),
        (lambda p: p["features"][1]["properties"].update(side="west"), "features[1]"),
        (lambda p: p["features"][1]["properties"].update(side="whole"), "features[1]"),
        (lambda p: p["features"][1]["properties"].update(side=" east"), "features[1]"),
        (lambda p: p["features"][1]["properties"].update(crossing="Else"), ""),
        (lambda p: p["features"][0]["geometry"].update(type="MultiPolygon"), "features[0]"),
        (lambda p: p["features"][0]["geometry"]["coordinates"].append([]), "features[0]"),
        (lambda p: p["features"][0]["geometry"]["coordinates"][0].pop(), "features[0]"),
        (lambda p: p["features"][0]["geometry"]["coordinates"][0].insert(1, [1]), "features[0]"),
        (
            lambda p: p["features"][0]["geometry"]["coordinates"][0].insert(1, [0, 95]),
            "features[0]",
        ),
        (lambda p: p["features"][0]["geometry"]["coordinates"][0].insert(1, [0, 0]), "features[0]"),
        (
            lambda p: p["features"][0]["geometry"]["coordinates"][0].insert(1, [True, 0]),
            "features[0]",
        ),
        (
            lambda p: p["features"][0]["geometry"]["coordinates"][0].insert(
                3, p["features"][0]["geometry"]["coordinates"][0].pop(2)
            ),
            "features[0]",
        ),
    ],
)
def test_what_is_no_corridor_is_refused_with_its_place(change: Callable[[Any], Any], where: str):
    with pytest.raises(MalformedInput) as caught:
        decode_corridor(changed(change))
    assert caught.value.where == where


def test_reports_come_in_any_order_and_twice():
    rows = [
        b"b,p2,rail,2026-03-01T08:00:00.5Z,1,2,3\n",
        b"a,p1,road,2026-03-01T10:00:00+02:00,3,3,5\n",
        b"a,p1,road,2026-03-01T07:59:59Z,2,2,5\n",
        b"a,p1,road,2026-03-01T08:00:00Z,3,3,5\n",
    ]
    one, other = decode_tracks([HEAD, *rows])
    assert (one.consignment, one.party, one.mode) == ("a", "p1", "road")
    assert one.latitude_deg.tolist() == [2, 3]
    assert (one.at_ns[1] - one.at_ns[0]) == 1_000_000_000
    assert other.at_ns.tolist() == [1_772_352_000_500_000_000]
    assert (other.bound_m[0], other.longitude_deg[0]) == (3, 2)
    again = decode_tracks(as_csv([one, other]))
    assert [each.at_ns.tolist() for each in again] == [each.at_ns.tolist() for each in (one, other)]


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ([], "line 1"),
        ([b"consignment,party\n"], "line 1"),
        ([HEAD, ROW, b"c1,p1,road\n"], "line 3"),
        ([HEAD, ROW, b"\n"], "line 3"),
        ([HEAD, ROW, ROW.replace(b"p1", b"p2")], "line 3"),
        ([HEAD, ROW, ROW.replace(b"road", b"rail")], "line 3"),
        ([HEAD, ROW.replace(b"c1", b"")], "line 2"),
        ([HEAD, ROW.replace(b"c1", "c\u202e1".encode())], "line 2"),
        ([HEAD, ROW.replace(b"c1", b"c" * 65)], "line 2"),
        ([HEAD, ROW.replace(b"08:00:00Z", b"08:00:00")], "line 2"),
        ([HEAD, ROW.replace(b"08:00:00Z", b"25:00:00Z")], "line 2"),
        ([HEAD, ROW.replace(b"2026-03-01T08:00:00Z", b"20260301T080000Z")], "line 2"),
        ([HEAD, ROW.replace(b"44.2", b"94.2")], "line 2"),
        ([HEAD, ROW.replace(b"44.2", b"nan")], "line 2"),
        ([HEAD, ROW.replace(b",10\n", b",-1\n")], "line 2"),
        ([HEAD, ROW.replace(b",10\n", b",inf\n")], "line 2"),
        ([HEAD, ROW.replace(b"44.2", b"x")], "line 2"),
        ([HEAD, b'"c1,p1\n'], "line 2"),
        ([HEAD, b"c1\xff,p1\n"], "line 1"),
    ],
)
def test_what_is_no_report_is_refused_with_its_line(lines: list[bytes], where: str):
    with pytest.raises(MalformedInput) as caught:
        decode_tracks(lines)
    assert caught.value.where == where


def test_nobody_is_in_two_places_at_once():
    with pytest.raises(MalformedInput, match="c1 is in two places at 2026-03-01T08:00:00Z"):
        decode_tracks([HEAD, ROW, ROW.replace(b"44.2", b"44.3")])


@pytest.mark.bound("insight.wire.corridor_files.CORRIDOR_BYTES_MAX")
@pytest.mark.bound("insight.wire.corridor_files.CROSSINGS_MAX")
@pytest.mark.bound("insight.wire.corridor_files.REPORTS_MAX")
@pytest.mark.bound("insight.wire.corridor_files.NAME_LETTERS_MAX")
@pytest.mark.parametrize(
    ("name", "taken", "read"),
    [
        ("CORRIDOR_BYTES_MAX", len(corridor()), lambda: decode_corridor(corridor())),
        ("CROSSINGS_MAX", 1, lambda: decode_corridor(corridor())),
        ("REPORTS_MAX", 2, lambda: decode_tracks([HEAD, ROW, ROW])),
        ("NAME_LETTERS_MAX", 4, lambda: decode_tracks([HEAD, ROW])),
    ],
)
def test_both_files_are_bounded(
    monkeypatch: pytest.MonkeyPatch, name: str, taken: int, read: Callable[[], Any]
):
    monkeypatch.setattr(corridor_files, name, taken)
    assert read()
    monkeypatch.setattr(corridor_files, name, taken - 1)
    with pytest.raises(MalformedInput):
        read()


@BOUNDED
@given(st.binary(max_size=200) | st.integers(0, len(corridor()) - 1).map(lambda n: corridor()[:n]))
def test_any_bytes_are_a_corridor_or_refused(data: bytes):
    with pytest.raises(MalformedInput):
        decode_corridor(data)


@BOUNDED
@given(st.lists(st.binary(max_size=60) | st.just(ROW), max_size=6))
def test_any_lines_are_tracks_or_refused(rows: list[bytes]):
    try:
        tracks = decode_tracks([HEAD, *rows])
    except MalformedInput:
        return
    (crossing,) = decode_corridor(corridor())
    found = [passage(track, crossing) for track in tracks]
    figures = corridor_figures([each for each in found if each], seed=1)
    for language in ("en", "zh"):
        assert corridor_table(figures, seed=1, basis={"kind": "files"}, language=language).endswith(
            "\n"
        )
