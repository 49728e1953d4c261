"""Ways and what networks said, from files: whole, or refused with the line or the element."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.network_area import STEP_M, Disc, Outline, Ring, Sector
from zhidao.connectivity.domain.subscriber_location import Presence
from zhidao.connectivity.domain.track_mark import Binding
from zhidao.connectivity.wire import seen_files, track_files
from zhidao.connectivity.wire.seen_files import read_seen
from zhidao.connectivity.wire.track_files import read_fixes
from zhidao.core.canonical import JSON_BYTES_MAX
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic
from zhidao.core.timescale import NS, Utc

HEADER = b"at,latitude_deg,longitude_deg,bound_m\n"
ROW = b"2026-11-30T20:00:00Z,43.35,77.04,12\n"
AT = Utc.parse("2026-11-30T20:00:00Z")
HERE = {"latitude_deg": 43.35, "longitude_deg": 77.04}
PLACE = Geodetic(43.35, 77.04)
ALL = {
    "network": "corridor",
    "at": "2026-11-30T20:00:00Z",
    "until": "2026-11-30T20:02:00Z",
    "circle": {**HERE, "radius_m": 5000},
    "sector": {
        **HERE,
        "range_m": 5000,
        "azimuth_deg": 90,
        "beamwidth_deg": 120,
        "behind_m": 300,
    },
    "timing_advance": {**HERE, "steps": 20, "detour_m": 300, "error_m": 60.5},
    "ring": {**HERE, "inner_m": 0, "outer_m": 9000},
    "roaming": {"country": "KZ", "corners": [[70, 42], [80, 42], [75, 50]], "margin_m": 30000},
    "presence": "reachable",
    "binding": "same",
    "simulated": True,
}


def seen(*rows: Any) -> bytes:
    return json.dumps(rows).encode()


def test_a_way_is_read_row_by_row():
    (one,) = read_fixes(HEADER + ROW)
    assert (one.at, one.place, one.bound_m) == (AT, PLACE, 12.0)
    assert len(read_fixes(HEADER + ROW + b"\n" + ROW)) == 2


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        (b"", "", "no fix"),
        (b"yesterday,43,77,1\n", "line 2", "not an RFC 3339 date-time"),
        (b"2026-11-30T20:00:00Z,93,77,1\n", "line 2", "latitude"),
        (b"2026-11-30T20:00:00Z,43,77,NaN\n", "line 2", "bound_m is no number"),
        (b"2026-11-30T20:00:00Z,43,77,-1\n", "line 2", "bound_m is -1"),
        (ROW + b"2026-11-30T20:00:00Z,43,77,\n", "line 3", "no bound_m"),
    ],
)
def test_a_wrong_row_of_a_way_is_refused_with_its_line(rows, where, what):
    with pytest.raises(MalformedInput, match=what) as caught:
        read_fixes(HEADER + rows)
    assert (caught.value.where, bool(caught.value.remedy)) == (where, True)


def test_what_a_network_said_is_read_in_all_its_kinds():
    (one,) = read_seen(seen(ALL))
    assert (one.network, one.at, one.until) == ("corridor", AT, AT.plus_ns(120 * NS))
    assert one.areas == (
        Disc(Circle(PLACE, 5_000.0)),
        Sector(PLACE, 5_000.0, 90.0, 120.0, 300.0),
        Ring(PLACE, 19.5 * STEP_M - 360.5, 20.5 * STEP_M + 60.5),
        Ring(PLACE, 0.0, 9_000.0),
        Outline("KZ", tuple(Geodetic(*c) for c in ((42, 70), (42, 80), (50, 75))), 30_000.0),
    )
    assert (one.presence, one.binding, one.simulated) == (
        *(Presence.REACHABLE, Binding.SAME, True),
    )
    bare, other = read_seen(
        seen(
            {"network": "a", "at": "2026-11-30T20:00:00Z", "why": "switched off"},
            {"network": "b", "at": "2026-11-30T20:05:00Z"},
        )
    )
    # Each network's words end where it said something else, and not where another did.
    assert (bare.areas, bare.why, bare.until) == ((), "switched off", AT.plus_ns(600 * NS))
    assert other.since == AT.plus_ns(-300 * NS)


def changed(**changes: Any) -> dict[str, Any]:
    return ALL | changes


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"network": "a"}, "no list"),
        ([], "no list"),
        (["a"], "an answer is an object"),
        ([changed(network="")], "network is no text"),
        ([changed(network="a\nb")], "characters to control"),
        ([changed(at="now")], "not an RFC 3339"),
        ([changed(cirle={})], "has no 'cirle'"),
        ([changed(circle=[])], "circle is an object"),
        ([changed(circle={**HERE, "radius_m": -1})], "radius_m is -1"),
        ([changed(circle={**HERE, "radius_m": "5"})], "radius_m is no number"),
        ([changed(circle={**HERE, "radius_m": True})], "radius_m is no number"),
        ([changed(circle={**HERE, "radius_km": 5})], "has no 'radius_km'"),
        ([changed(sector={**HERE, "range_m": 5})], "azimuth_deg is no number"),
        ([changed(ring={**HERE, "inner_m": 5, "outer_m": 4})], "no such ring"),
        ([changed(timing_advance=ALL["timing_advance"] | {"steps": 1.5})], "whole numbers"),
        ([changed(timing_advance=ALL["timing_advance"] | {"steps": 9999})], "no timing advance"),
        ([changed(roaming=ALL["roaming"] | {"corners": [[1, 2]]})], "outline of 1 corners"),
        ([changed(roaming=ALL["roaming"] | {"corners": [[1, 2, 3]]})], "a corner of a country"),
        ([changed(roaming=ALL["roaming"] | {"corners": 7})], "a list of"),
        ([changed(presence="here")], "no presence 'here'"),
        ([changed(binding="maybe")], "no binding 'maybe'"),
        ([changed(simulated="no")], "simulated is true or false"),
    ],
)
def test_what_no_network_can_have_said_is_refused_with_its_place(document, what):
    with pytest.raises(MalformedInput, match=what) as caught:
        read_seen(json.dumps(document).encode())
    assert caught.value.remedy
    if isinstance(document, list) and document:
        assert caught.value.where == "answer 1"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    for read in (lambda given: read_fixes(HEADER + given), read_fixes, read_seen):
        with suppress(MalformedInput):
            read(data)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9999) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(st.sampled_from(sorted(ALL)), _VALUES)
def test_any_value_of_a_member_is_read_or_refused(name, value):
    try:
        document = json.dumps([ALL | {name: value}], allow_nan=False).encode()
    except ValueError:
        return
    with suppress(MalformedInput):
        assert len(read_seen(document)) == 1


@pytest.mark.bound("connectivity.wire.track_files.TRACK_BYTES_MAX")
@pytest.mark.bound("connectivity.wire.seen_files.SEEN_BYTES_MAX")
@pytest.mark.bound("connectivity.wire.seen_files.SEEN_MAX")
def test_files_have_an_end(monkeypatch):
    assert seen_files.SEEN_BYTES_MAX <= JSON_BYTES_MAX
    monkeypatch.setattr(track_files, "TRACK_BYTES_MAX", len(HEADER + ROW))
    read_fixes(HEADER + ROW)
    with pytest.raises(MalformedInput, match="bytes of a way"):
        read_fixes(HEADER + ROW + b"\n")
    monkeypatch.setattr(track_files, "TRACK_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(track_files, "FIXES_MAX", 2)
    assert len(read_fixes(HEADER + ROW * 2)) == 2
    with pytest.raises(MalformedInput, match="more than 2 fixes"):
        read_fixes(HEADER + ROW * 3)
    monkeypatch.setattr(seen_files, "SEEN_MAX", 2)
    assert len(read_seen(seen(ALL, ALL))) == 2
    with pytest.raises(MalformedInput, match="3 answers"):
        read_seen(seen(ALL, ALL, ALL))
    monkeypatch.setattr(seen_files, "SEEN_BYTES_MAX", len(seen(ALL)))
    read_seen(seen(ALL))
    with pytest.raises(MalformedInput):
        read_seen(seen(ALL) + b" ")
