"""A route is sampled at equal steps, along the line that its file means."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zhidao.connectivity.domain.radio.route_line import (
    LENGTH_M_MAX,
    SAMPLES_MAX,
    RouteLine,
    ecef_m,
    route_line,
)
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, course


def _line(*places: tuple[float, float]) -> RouteLine:
    array = np.array(places, dtype=float)
    return route_line(array[:, 0], array[:, 1])


def test_places_are_those_of_the_ellipsoid() -> None:
    for latitude, longitude in ((0.0, 0.0), (43.35, 77.04), (-55.0, -179.9), (90.0, 12.0)):
        known = Geodetic(latitude, longitude).to_ecef()
        ours = ecef_m(np.array([latitude]), np.array([longitude]))[0]
        assert ours == pytest.approx([known.x_m, known.y_m, known.z_m], abs=1e-6)


def test_a_route_is_as_long_as_its_geodesics() -> None:
    places = [(43.0, 77.0), (43.5, 77.2), (44.2, 80.3), (44.2, 80.31)]
    exact_m = sum(
        course(Geodetic(*one), Geodetic(*two)).distance_m
        for one, two in zip(places[:1] + places[2:3], places[1:2] + places[3:], strict=True)
    )
    line = _line(*places[:2])
    assert line.length_m + _line(*places[2:]).length_m == pytest.approx(exact_m, rel=1e-5)
    # RFC 7946 section 3.1.1: a leg along a parallel is that parallel and no great circle.
    along = _line((60.0, 0.0), (60.0, 20.0))
    latitude_deg, _ = along.places(along.samples(1_000))
    assert latitude_deg == pytest.approx(np.full(len(latitude_deg), 60.0))


def test_samples_are_a_step_apart_and_end_with_the_route() -> None:
    line = _line((43.0, 77.0), (43.1, 77.0), (43.1, 77.3))
    at_m = line.samples(100)
    assert at_m[0] == 0
    assert at_m[-1] == line.length_m
    assert np.diff(at_m)[:-1] == pytest.approx(np.full(len(at_m) - 2, 100.0))
    x_m = ecef_m(*line.places(at_m))
    apart_m = np.linalg.norm(np.diff(x_m, axis=0), axis=1)[:-1]
    # But for the corner, which is cut.
    assert np.sum(np.abs(apart_m - 100) > 0.01) <= 1


def test_a_route_crosses_the_antimeridian_by_the_shorter_half() -> None:
    line = _line((65.0, 179.9), (65.0, -179.9))
    assert line.length_m == pytest.approx(9_431, abs=5)
    _, longitude_deg = line.places(np.array([0.0, line.length_m]))
    assert longitude_deg == pytest.approx([179.9, -179.9])


def test_a_route_without_length_or_without_end_is_refused() -> None:
    with pytest.raises(MalformedInput, match=r"1 m to"):
        _line((43.0, 77.0), (43.0, 77.0))
    there_and_back = [(0.0, 0.0), (0.0, 170.0)] * 2
    with pytest.raises(MalformedInput, match=r"1 m to"):
        _line(*there_and_back)
    with pytest.raises(MalformedInput, match="back and forth"):
        _line(*[(-89.0, 0.0), (89.0, 0.0)] * 60)


@pytest.mark.bound("connectivity.domain.radio.route_line._PIECES_MAX")
def test_a_route_of_too_many_pieces_is_refused() -> None:
    # Round and round a pole, where two million pieces of 0.005 degrees are some kilometres.
    rounds = [(89.9999, (n * 100.0 + 180) % 360 - 180) for n in range(101)]
    assert len(_line(*rounds).at_m) == 2_000_001
    with pytest.raises(MalformedInput, match="back and forth"):
        _line(*rounds, (89.9999, rounds[-1][1] + 0.005))


@pytest.mark.bound("connectivity.domain.radio.route_line.LENGTH_M_MAX")
def test_a_route_of_the_greatest_length_is_taken() -> None:
    degree_m = math.pi / 180 * 6_378_137.0
    # On the equator an arc is exactly so long; the chords are shorter by some millimetres.
    turns = [(0.0, 0.0), (0.0, 90.0), (0.0, 179.0)]
    fits = (LENGTH_M_MAX - 1) / degree_m - 0.0
    assert fits > 179
    line = _line(*turns, (0.0, fits - 360 if fits > 180 else fits))
    assert LENGTH_M_MAX - 2 < line.length_m <= LENGTH_M_MAX
    more = (LENGTH_M_MAX + 1) / degree_m
    with pytest.raises(MalformedInput):
        _line(*turns, (0.0, more - 360 if more > 180 else more))


@pytest.mark.bound("connectivity.domain.radio.route_line.SAMPLES_MAX")
def test_a_step_too_short_for_the_route_is_refused() -> None:
    def straight(length_m: float) -> RouteLine:
        return RouteLine(np.array([0.0, length_m]), np.zeros(2), np.zeros(2))

    assert len(straight((SAMPLES_MAX - 1) * 100.0).samples(100)) == SAMPLES_MAX
    with pytest.raises(MalformedInput, match="make --step longer"):
        straight((SAMPLES_MAX - 1) * 100.0 + 1).samples(100)
    for wrong in (9.99, 1_000.01, math.nan):
        with pytest.raises(MalformedInput, match="step"):
            straight(1_000.0).samples(wrong)
    for fine in (10.0, 1_000.0):
        straight(10_000.0).samples(fine)
