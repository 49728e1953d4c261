from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.ppp.attitude import antenna_offsets_m, satellite_axes, winding_cycles
from zhidao.positioning.domain.ppp.bodies import moon_m, solid_tide_m, sun_m
from zhidao.positioning.domain.single_point.geometry import ecef, enu_axes


def _ns(text):
    return np.array([Gpst.from_utc(Utc.parse(text)).ns])


def test_the_sun_stands_in_the_south_at_noon_and_high_at_midsummer():
    (place,) = sun_m(_ns("2020-06-20T21:44:00Z"))  # the solstice
    assert np.rad2deg(np.arcsin(place[2] / np.linalg.norm(place))) == pytest.approx(
        23.436, abs=0.01
    )
    # The equation of time that day is near minus a minute and a half: noon at 146 degrees west.
    assert np.rad2deg(np.arctan2(place[1], place[0])) == pytest.approx(-145.6, abs=0.3)


def test_sun_and_moon_cover_each_other_in_an_eclipse():
    # Greatest eclipse of 2020-06-21 at 30.5 N 79.7 E (published by NASA).
    at = _ns("2020-06-21T06:40:04Z")
    here = ecef(np.deg2rad(30.5), np.deg2rad(79.7), np.float64(0))
    sun, moon = sun_m(at)[0] - here, moon_m(at)[0] - here
    cosine = sun @ moon / np.linalg.norm(sun) / np.linalg.norm(moon)
    assert np.rad2deg(np.arccos(cosine)) < 0.5


def test_the_ground_rises_and_falls_by_decimetres_twice_a_day():
    day = _ns("2020-06-25T00:00:00Z") + np.arange(0, 86_400, 300) * 10**9
    place = ecef(np.deg2rad(20.0), np.deg2rad(100.0), np.float64(0))
    moved = solid_tide_m(place, day) @ enu_axes(np.deg2rad(20.0), np.deg2rad(100.0)).T
    up = moved[:, 2]
    assert 0.2 < np.ptp(up) < 0.7
    assert np.abs(moved[:, :2]).max() < 0.1
    turns = np.flatnonzero(np.diff(np.sign(np.diff(up))))
    assert 3 <= len(turns) <= 5


def test_antennas_look_down_and_winding_follows_a_turn_of_the_satellite():
    place = ecef(np.deg2rad(55.0), np.deg2rad(8.0), np.float64(0))
    satellite = np.array([[1.5e7, 5e6, 2.1e7]])
    axes = satellite_axes(satellite, sun_m(_ns("2020-06-25T00:00:00Z")))
    assert axes[0] @ axes[0].T == pytest.approx(np.eye(3), abs=1e-12)
    toward = (satellite - place) / np.linalg.norm(satellite - place)
    turned = []
    for degrees in range(0, 360, 30):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        spun = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) @ axes[0]
        turned.append(winding_cycles(spun[None], toward, place)[0])
    steps = np.diff(np.unwrap(turned, period=1.0)) * 360
    assert np.abs(steps).mean() == pytest.approx(30, abs=1)
    assert (np.sign(steps) == np.sign(steps[0])).all()


def test_offsets_know_what_flies_under_a_number():
    at = int(_ns("2020-06-25T00:00:00Z")[0])
    later = int(_ns("2022-06-25T00:00:00Z")[0])
    satellites = np.array([1, 11, 101, 202, 305])
    assert antenna_offsets_m(satellites, at)[:, 2].tolist() == [1.56, 1.30, 2.30, 0.80, 0.0]
    assert antenna_offsets_m(satellites[1:2], later)[0, 2] == 1.10
