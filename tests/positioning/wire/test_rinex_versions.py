"""RINEX 2 files, and records that only RINEX 4 has."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.satellites.ephemeris import choose
from zhidao.positioning.domain.satellites.orbits import satellite_states
from zhidao.positioning.wire.rinex.navigation import LEGACY, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations


def labelled(content, label):
    return f"{content:60s}{label}\n"


HEAD = (
    labelled("     2.11           OBSERVATION DATA    M (MIXED)", "RINEX VERSION / TYPE")
    + labelled("HERE", "MARKER NAME")
    + labelled("     7    C1    L1    P2    L2    S1    D1    C2", "# / TYPES OF OBSERV")
    + labelled("  2024     6    24     8    20    0.0000000     GPS", "TIME OF FIRST OBS")
    + labelled("", "END OF HEADER")
)
TWO = (
    " 24  6 24  8 20  0.0000000  0  2G05R11\n"
    "  24647457.010 7 129523292.34517  24647456.721    96721958.622 7        46.031\n"
    "      1345.146                  \n"
    "  20000000.000            .000" + " " * 34 + "        40.000\n"
    "\n"
)
SLIP = " 24  6 24  8 20  0.5000000  6  1G05\n" + "                " * 5 + "\n                \n"
EVENT = (
    "                            4  2\n"
    + labelled("     2    C1    S1", "# / TYPES OF OBSERV")
    + labelled("antenna moved", "COMMENT")
)
LATER = " 24  6 24  8 20  1.0000000  1  1  5\n  24647458.010          47.000\n"


def test_version_2_is_read_under_codes_of_version_3():
    seen = read_observations((HEAD + TWO).encode())
    gps, glonass = seen.systems["G"], seen.systems["R"]
    assert seen.gpst_ns.tolist() == [Gpst.from_utc(Utc.parse("2024-06-24T08:19:42Z")).ns]
    assert gps.codes == ("C1C", "L1C", "C2W", "L2W", "S1C", "D1C")
    assert gps.values[0].tolist() == [
        24647457.01,
        129523292.345,
        24647456.721,
        96721958.622,
        46.031,
        1345.146,
    ]
    assert gps.lost_lock[0].tolist() == [0, 1, 0, 0, 0, 0]
    assert gps.strength[0].tolist() == [7, 7, 0, 7, 0, 0]
    # A phase of zero is a missing one.
    assert glonass.codes == ("C1C", "S1C")


def test_a_header_may_change_on_the_way_and_slips_are_passed_over():
    seen = read_observations((HEAD + TWO + SLIP + EVENT + LATER).encode())
    gps = seen.systems["G"]
    assert len(seen.gpst_ns) == 2
    assert seen.power_failed.tolist() == [False, True]
    assert gps.epoch.tolist() == [0, 1]
    # A blank system letter is GPS in a mixed file.
    assert gps.prn.tolist() == [5, 5]
    assert gps.column("C1C").tolist() == [24647457.01, 24647458.01]
    assert np.isnan(gps.column("L1C")[1])


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: t.rstrip("\n")])
def test_line_ends_do_not_matter(change):
    one = read_observations((HEAD + TWO + EVENT + LATER).encode())
    other = read_observations(change(HEAD + TWO + EVENT + LATER).encode())
    assert one.systems["G"].column("C1C").tolist() == other.systems["G"].column("C1C").tolist()


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("G05R11", "G05G05", "line 6"),
        ("24647457.010", "2464745x.010", "line 7"),
        ("24  6 24  8 20  0", "24 13 24  8 20  0", "line 6"),
        ("0  2G05R11", "0 22G05R11", "line 6"),
        ("    L1    P2", "    L1    QQ", "line 3"),
    ],
)
def test_damage_is_refused_with_its_line(old, new, where):
    with pytest.raises(MalformedInput) as refused:
        read_observations((HEAD + TWO).replace(old, new, 1).encode())
    assert refused.value.where == where


def test_epochs_of_glonass_alone_count_utc():
    text = HEAD.replace("M (MIXED)", "R (GLO)  ").replace("     GPS", "        ") + TWO.replace(
        "2G05", "2R05"
    )
    seen = read_observations(text.encode())
    assert seen.utc(0) == Utc.parse("2024-06-24T08:20:00Z")


@pytest.mark.parametrize(
    ("date", "utc"),
    [
        (" 16 12 31 23 59 59.0000000", "2016-12-31T23:59:59Z"),
        (" 17  1  1  0  0  0.0000000", "2017-01-01T00:00:00Z"),
        (" 24  6 23  0  0  0.0000000", "2024-06-23T00:00:00Z"),
    ],
)
def test_glonass_time_keeps_utc_over_leap_second_and_week(date, utc):
    text = HEAD.replace("M (MIXED)", "R (GLO)  ").replace("     GPS", "        ")
    seen = read_observations(
        (text + TWO.replace("2G05", "2R05").replace(" 24  6 24  8 20  0.0000000", date)).encode()
    )
    assert seen.utc(0) == Utc.parse(utc)


def test_glonass_epochs_rise_through_a_leap_second():
    text = HEAD.replace("M (MIXED)", "R (GLO)  ").replace("     GPS", "        ")
    epochs = "".join(
        TWO.replace("2G05", "2R05").replace(" 24  6 24  8 20  0.0000000", date)
        for date in (" 16 12 31 23 59 59.0000000", " 17  1  1  0  0  0.0000000")
    )
    seen = read_observations((text + epochs).encode())
    assert np.diff(seen.gpst_ns).tolist() == [2 * 10**9]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_version_2_raises_nothing_but_malformed_input(data):
    text = bytearray((HEAD + TWO + SLIP + EVENT + LATER).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedInput):
        read_observations(bytes(text[: data.draw(st.integers(0, len(text)))]))


NAV2 = (
    labelled("     2              NAVIGATION DATA", "RINEX VERSION / TYPE")
    + labelled("     .1118D-07  -.1490D-07  -.5960D-07   .1192D-06", "ION ALPHA")
    + labelled("     .9830D+05  -.1147D+06  -.1966D+06   .7209D+06", "ION BETA")
    + labelled("", "END OF HEADER")
    + """ 1 17 11 17 00 00  0.0-1.082336530089D-05-2.387423592154D-12 0.000000000000D+00
    2.600000000000D+01 4.312500000000D+01 4.455542601534D-09 2.261013945883D+00
    2.192333340645D-06 7.114754174836D-03 7.407739758492D-06 5.153672552109D+03
    4.320000000000D+05-9.126961231232D-08 7.577775093435D-01-7.450580596924D-08
    9.691207199508D-01 2.407187500000D+02 6.318014759246D-01-7.981403982171D-09
    5.718095441587D-10 1.000000000000D+00 1.975000000000D+03 0.000000000000D+00
    2.000000000000D+00 0.000000000000D+00 5.587935447693D-09 2.600000000000D+01
    4.247400000000D+05
"""
)


def as_version_3(text):
    body = text.split("END OF HEADER\n")[1].splitlines()
    body[0] = "G01 2017 11 17 00 00 00" + body[0][22:]
    body[1:] = [" " + line for line in body[1:]]
    head = labelled(
        "     3.02           N: GNSS NAV DATA    G: GPS", "RINEX VERSION / TYPE"
    ) + labelled("", "END OF HEADER")
    return head + "\n".join(body) + "\n"


def test_navigation_of_version_2_says_the_same_as_version_3():
    one, other = read_navigation(NAV2.encode()), read_navigation(as_version_3(NAV2).encode())
    for name in ("satellite", "toe_ns", "toc_ns", "root_a", "clock_bias_s", "delay1_s", "healthy"):
        assert getattr(one.ephemerides, name).tolist() == getattr(other.ephemerides, name).tolist()
    assert one.klobuchar.alpha == (0.1118e-07, -0.1490e-07, -0.5960e-07, 0.1192e-06)
    assert one.klobuchar.beta[0] == 98300


def test_glonass_navigation_of_version_2_is_read():
    head = labelled("     2.01           GLONASS NAV DATA", "RINEX VERSION / TYPE").replace(
        "GLONASS", "G      "
    )
    body = """ 3 17 11 17 00 15  0.0-1.082336530089D-05 0.000000000000D+00 0.000000000000D+00
    1.000000000000D+04 1.000000000000D+00 0.000000000000D+00 0.000000000000D+00
    1.600000000000D+04 2.000000000000D+00 0.000000000000D+00 5.000000000000D+00
    1.700000000000D+04 1.000000000000D+00 0.000000000000D+00 0.000000000000D+00
"""
    text = head + labelled("", "END OF HEADER") + body
    table = read_navigation(text.encode(), messages={"R": ("FDMA",)}).glonass
    assert table.satellite.tolist() == [103]
    assert table.channel.tolist() == [5]
    assert str(Gpst(int(table.toe_ns[0])).to_utc()) == "2017-11-17T00:15:00Z"


@pytest.fixture(scope="module")
def merged(shared_day):
    messages = {**LEGACY, "G": ("LNAV",), "J": ("LNAV",)}
    civil = {"G": ("CNAV",), "J": ("CNAV", "CNV2")}
    return read_navigation(shared_day, messages=messages), read_navigation(
        shared_day, messages=civil
    )


@pytest.fixture(scope="module")
def shared_day(shared):
    file = shared / "positioning/rinex4/BRD400DLR_S_20260680000_01D_MN.rnx.gz"
    return file.read_bytes()


def test_records_of_time_earth_and_ionosphere_are_all_read(merged):
    records = merged[0].records
    assert (len(records.offsets), len(records.orientation), len(records.ionosphere)) == (
        142,
        32,
        123,
    )
    first = records.orientation[0]
    assert first.satellite
    assert abs(first.pole_x[0] - 0.108) < 0.01
    assert abs(first.pole_y[0] - 0.398) < 0.01
    bdt_galileo = [o for o in records.offsets if o.pair == "BDGA"]
    assert all(abs(o.terms[0]) < 1e-7 for o in bdt_galileo)


def test_orbits_of_cnav_agree_with_those_of_lnav(merged):
    legacy, civil = merged[0].ephemerides, merged[1].ephemerides
    rows = np.flatnonzero((civil.satellite // 100 == 0) & civil.healthy)
    civil = civil.take(rows)
    other = choose(legacy, civil.satellite, civil.toe_ns)
    civil, legacy = civil.take(np.flatnonzero(other >= 0)), legacy.take(other[other >= 0])
    at = civil.toe_ns
    one, two = (satellite_states(e, at, np.zeros(len(at))) for e in (civil, legacy))
    apart_m = np.linalg.norm(one.ecef_m - two.ecef_m, axis=1)
    assert len(at) > 50
    assert np.median(apart_m) < 1.5
    assert np.abs(one.clock_s - two.clock_s).max() < 1e-8
    assert set(
        merged[1].ephemerides.satellite[merged[1].ephemerides.satellite // 100 == 4].tolist()
    )
    # TGD less the ISC of L1 C/A is TGD itself within a nanosecond or two.
    assert np.nanmax(np.abs(civil.delay1_s - legacy.delay1_s)) < 3e-9
