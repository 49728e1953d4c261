"""A simulated afternoon that the tests of this room share; made once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

START = Utc.parse("2026-11-21T06:00:00Z")
PLACE = Geodetic(44.2, 80.4, 700.0)
EPOCHS = 40
STEP_S = 30


@dataclass(frozen=True)
class Afternoon:
    """A receiver at rest at PLACE for 40 epochs of 30 s."""

    navigation: Navigation
    gpst_ns: np.ndarray
    ecef_m: np.ndarray
    seen: Observations
    window: bytes
    navigation_file: bytes


def times(epochs: int = EPOCHS, step_s: int = STEP_S) -> np.ndarray:
    return Gpst.from_utc(START).ns + np.arange(epochs) * step_s * 10**9


def still(epochs: int = EPOCHS) -> np.ndarray:
    place = PLACE.to_ecef()
    return np.tile((place.x_m, place.y_m, place.z_m), (epochs, 1))


@pytest.fixture(scope="session")
def afternoon() -> Afternoon:
    navigation = constellation(START, START.plus_ns(3600 * 10**9), seed=5)
    seen = synthesize(Receiver(times(), still()), navigation, seed=11)
    return Afternoon(
        navigation,
        times(),
        still(),
        seen,
        write_observations(seen),
        write_navigation(navigation),
    )
