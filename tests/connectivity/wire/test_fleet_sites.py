"""The table of the fleet's sites is read whole or refused with the line that is wrong."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.network_area import Sector
from zhidao.connectivity.domain.reported_cell import CellName
from zhidao.connectivity.wire import fleet_sites
from zhidao.connectivity.wire.fleet_sites import read_fleet_sites
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Utc

HEADER = b"area,cell,latitude_deg,longitude_deg,range_m,plmn,since,until\n"
AT = Utc.parse("2026-11-30T20:00:00Z")


def test_cells_are_read_by_their_names():
    sites = read_fleet_sites(
        HEADER + b"4098,77,43.35,77.04,5000,,,\n0x1002,0x4e,43.4,77.1,900,40177,,\n", "40101"
    )
    (first,) = sites.of(CellName(401, 1, 4098, 77), AT)
    assert (first.circle.centre.latitude_deg, first.circle.radius_m) == (43.35, 5000)
    (second,) = sites.of(CellName(401, 77, 4098, 78), AT)
    assert (second.circle.radius_m, second.areas) == (900, ())
    assert sites.of(CellName(401, 1, 4098, 78), AT) == ()
    assert len(sites) == 2


def test_a_sector_has_the_circle_of_a_core_s():
    header = b"area,cell,latitude_deg,longitude_deg,range_m,azimuth_deg,beamwidth_deg,behind_m\n"
    sites = read_fleet_sites(header + b"1,2,43,77,5000,90,60,200\n", "40101")
    (row,) = sites.of(CellName(401, 1, 1, 2), AT)
    assert row.circle.radius_m < 3_200
    assert row.circle.centre.longitude_deg > 77.02
    # And the sector itself, for whoever judges a way.
    assert row.areas == (Sector(Geodetic(43, 77), 5_000.0, 90.0, 60.0, 200.0),)


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        (b"4098,77,43.35,77.04,NaN,,,\n", "line 2", "range_m is no number"),
        (b"4098,77,43.35,77.04,1,,,\n", "line 2", "range_m is 1"),
        (b"4098,seven,43.35,77.04,900,,,\n", "line 2", "cell is no number"),
        (b"4098,-7,43.35,77.04,900,,,\n", "line 2", "cell is no number"),
        (b"0,77,43.35,77.04,900,,,\n", "line 2", "no cell: area 0"),
        (b",77,43.35,77.04,900,,,\n", "line 2", "no area"),
        (b"1,77,43.35,77.04,900,999,,\n", "line 2", "not a PLMN"),
        (b"1,77,43.35,77.04,900,10001,,\n", "line 2", "no network has the codes"),
        (b"1,77,43.35,77.04,900,,yesterday,\n", "line 2", "not an RFC 3339 date-time"),
        (
            b"1,77,43.35,77.04,900,,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z\n",
            "line 2",
            "is not behind",
        ),
        (
            b"1,77,43.35,77.04,900,,,\n1,77,43.36,77.04,900,,,\n",
            "line 3",
            "stands in the table already",
        ),
        (
            b"1,77,43,77,900,,,2026-02-01T00:00:00Z\n1,77,44,77,900,,2026-01-31T00:00:00Z,\n",
            "line 3",
            "stands in the table already",
        ),
        (b"", "", "no cell"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(rows, where, what):
    with pytest.raises(MalformedInput, match=what) as caught:
        read_fleet_sites(HEADER + rows, "40101")
    assert (caught.value.where, bool(caught.value.remedy)) == (where, True)


def test_a_cell_serves_where_it_stood_at_the_time():
    """A network gives an identity again: each row counts in its own window, to the second."""
    sites = read_fleet_sites(
        HEADER
        + b"1,77,43,77,900,,,2026-02-01T00:00:00Z\n"
        + b"1,77,44,77,900,,2026-02-01T00:00:00Z,2026-06-01T00:00:00Z\n",
        "40101",
    )
    cell = CellName(401, 1, 1, 77)
    for text, latitude in (
        ("2020-01-01T00:00:00Z", [43.0]),
        ("2026-01-31T23:59:59.999Z", [43.0]),
        ("2026-02-01T00:00:00Z", [44.0]),
        ("2026-05-31T23:59:59.999Z", [44.0]),
        ("2026-06-01T00:00:00Z", []),
    ):
        found = sites.of(cell, Utc.parse(text))
        assert [each.circle.centre.latitude_deg for each in found] == latitude, text
    assert sites.knows(cell)


def test_a_table_has_an_end(monkeypatch):
    rows = b"".join(b"1,%d,43,77,900,,,\n" % number for number in range(1, 5))
    monkeypatch.setattr(fleet_sites, "SERVED_CELLS_MAX", 4)
    assert len(read_fleet_sites(HEADER + rows, "40101")) == 4
    with pytest.raises(MalformedInput, match="more than 4 cells"):
        read_fleet_sites(HEADER + rows + b"1,9,43,77,900,,,\n", "40101")
    monkeypatch.setattr(fleet_sites, "TABLE_BYTES_MAX", len(HEADER + rows))
    assert read_fleet_sites(HEADER + rows, "40101")
    with pytest.raises(MalformedInput, match="bytes of a table"):
        read_fleet_sites(HEADER + rows + b"\n", "40101")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with suppress(MalformedInput):
        assert len(read_fleet_sites(HEADER + data, "40101")) > 0
