"""Two real receivers a metre apart, and two simulated ones of which one drives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tests.positioning.conftest import PLACE, START, times

from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.geometry import ecef, enu_axes, geodetic
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import ErrorModel, Receiver, synthesize
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations


@dataclass(frozen=True)
class Pair:
    """Rover and base, orbits, the base's place and the rover's at each epoch."""

    rover: Observations
    base: Observations
    navigation: Navigation
    base_m: np.ndarray
    rover_m: np.ndarray

    def off_m(self, place_m: np.ndarray) -> np.ndarray:
        """East, north and up of places against the rover's, (e, 3)."""
        latitude, longitude, _ = geodetic(self.base_m)
        return (place_m - self.rover_m[: len(place_m)]) @ enu_axes(latitude, longitude).T


@pytest.fixture(scope="session")
def nagoya(shared) -> Pair:
    """Two receivers a metre apart, from the sky."""
    folder = shared / "positioning" / "rtk_static_pair"

    def place(name):
        latitude, longitude, height_m = map(float, (folder / name).read_text().split())
        return ecef(np.deg2rad(latitude), np.deg2rad(longitude), np.float64(height_m))

    rover = read_observations((folder / "rover.obs.gz").read_bytes())
    return Pair(
        rover,
        read_observations((folder / "base.obs.gz").read_bytes()),
        read_navigation((folder / "base.nav.gz").read_bytes(), messages=WITH_GLONASS),
        place("base_position.txt"),
        np.tile(place("rover_position.txt"), (len(rover.gpst_ns), 1)),
    )


# Under one sky both receivers have the same errors of orbits and air; these are their own.
_OWN = ErrorModel(
    orbit_m=0.0, ionosphere=0.0, ionosphere_each=0.0, troposphere=0.0, multipath_m=0.1, noise_m=0.1
)


@pytest.fixture(scope="session")
def drive() -> Pair:
    """A minute at 20 m/s, a kilometre from its base, simulated; the base speaks every fifth second."""
    navigation = constellation(START, START.plus_ns(600 * 10**9), seed=5)
    centre = PLACE.to_ecef()
    base_m = np.array((centre.x_m, centre.y_m, centre.z_m))
    at = times(60, 1)
    latitude, longitude, _ = geodetic(base_m)
    east, north = enu_axes(latitude, longitude)[:2]
    seconds = np.arange(60)[:, None]
    rover_m = base_m + 700 * north + 20 * seconds * east + 30 * np.sin(seconds / 9) * north
    seen = synthesize(Receiver(at, rover_m, errors=_OWN), navigation, seed=1)
    still_m = np.tile(base_m, (12, 1))
    base = synthesize(Receiver(at[::5], still_m, errors=_OWN), navigation, seed=2)
    return Pair(seen, base, navigation, base_m, rover_m)
