from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.rinex.navigation import LEGACY, WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

WANTED = {
    "legacy": WITH_GLONASS,
    "CNV1": {"C": ("CNV1",)},
    "CNV2": {"C": ("CNV2",)},
    "CNV3": {"C": ("CNV3",)},
    "FNAV": {"E": ("FNAV",)},
}


@pytest.fixture(scope="module")
def merged(shared):
    return (shared / "positioning/rinex4/BRD400DLR_S_20260680000_01D_MN.rnx.gz").read_bytes()


def thinned(navigation):
    eph, glonass = navigation.ephemerides, navigation.glonass
    if glonass is not None:
        glonass = glonass.take(np.arange(0, len(glonass), 29))
    return replace(navigation, ephemerides=eph.take(np.arange(0, len(eph), 29)), glonass=glonass)


def equal(one, other):
    for column in fields(one):
        left, right = getattr(one, column.name), getattr(other, column.name)
        same = np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
        # Twelve decimals; kilometres come back as metres within the last of them.
        assert same or np.allclose(left, right, rtol=1e-12, atol=0, equal_nan=True), column.name


@pytest.mark.parametrize("kind", sorted(WANTED))
def test_version_4_comes_back_the_same(merged, kind):
    first = thinned(read_navigation(merged, messages=WANTED[kind]))
    again = read_navigation(write_navigation(first, version="4.00"), messages=WANTED[kind])
    equal(first.ephemerides, again.ephemerides)
    assert again.records == first.records
    assert again.bdgim == first.bdgim
    assert again.klobuchar == first.klobuchar
    if first.glonass is not None:
        equal(first.glonass, again.glonass)


@pytest.mark.parametrize("kind", ["legacy", "FNAV"])
def test_version_3_comes_back_the_same(merged, kind):
    first = thinned(read_navigation(merged, messages=WANTED[kind]))
    again = read_navigation(write_navigation(first), messages=WANTED[kind])
    rows = first.ephemerides
    # The message of BDS and GPS rows is told by the satellite.
    equal(rows, again.ephemerides)
    if first.glonass is not None:
        equal(first.glonass, again.glonass)


def test_offsets_of_a_version_3_header_come_back(shared):
    file = shared / "positioning/esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
    first = read_navigation(file.read_bytes())
    again = read_navigation(write_navigation(thinned(first)))
    assert {offset.pair for offset in first.records.offsets} >= {"GPUT", "GAUT"}
    for one, other in zip(first.records.offsets, again.records.offsets, strict=True):
        assert (one.pair, one.gpst_ns, one.utc) == (other.pair, other.gpst_ns, other.utc)
        assert one.terms == pytest.approx(other.terms, rel=1e-9)


def test_messages_without_a_record_are_refused(merged):
    civil = thinned(read_navigation(merged, messages=WANTED["CNV1"]))
    with pytest.raises(MalformedInput, match="CNV1"):
        write_navigation(civil)
    gps = thinned(read_navigation(merged, messages={**LEGACY, "G": ("CNAV",)}))
    with pytest.raises(MalformedInput, match="not written"):
        write_navigation(gps, version="4.00")


def test_simulated_files_say_so_in_both_versions(afternoon):
    for version in ("3.05", "4.00"):
        assert read_navigation(write_navigation(afternoon.navigation, version=version)).simulated
        again = read_observations(write_observations(afternoon.seen, version=version))
        assert again.simulated
        assert again.header.version == version
