"""Honest windows of arrivals, made from a seed, to count how many of them checks block.

Simulated, with noise fitted to recordings (`FITTED_ERRORS`): that shows how the bounds fit the
noise that they are derived from, and says nothing of receivers that nobody recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.geo import Geodetic, destination
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Floats, Observations
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import FITTED_ERRORS, Receiver, synthesize
from zhidao.positioning.domain.synthesis.routes import MANNERS, rest, route

_START: Final = Utc.parse("2026-11-21T00:00:00Z")
_SKY_S: Final = 7_200
_NS: Final = 1_000_000_000
# Steps of windows in seconds, each with epochs for a stretch of a minute and more.
_FORMS: Final = ((1, 75), (5, 24), (10, 16), (30, 12))
_MILLISECOND_M: Final = 299_792.458


@dataclass(frozen=True, slots=True)
class HonestWindow:
    """Observations of an arrival that happened, and the place where it ended, metres ECEF."""

    seen: Observations
    place: Geodetic


def sky(seed: int) -> Navigation:
    """Two hours of three constellations, of the day by turns another two."""
    first = _begins(seed)
    return constellation(first, first.plus_ns(_SKY_S * _NS), seed=seed, systems="CEG")


def _begins(seed: int) -> Utc:
    return _START.plus_ns(seed % 12 * _SKY_S * _NS)


def honest_window(navigation: Navigation, *, of_sky: int, number: int) -> HonestWindow:
    """A lorry or a train that comes to rest, or stands, anywhere between 65 S and 65 N.

    One in ten receivers sets its clock by a millisecond on its way, one in ten loses all signals
    for some epochs.
    """
    chance = np.random.default_rng(np.random.SeedSequence([0xA441, of_sky, number]))
    latitude, longitude = float(chance.uniform(-65, 65)), float(chance.uniform(-180, 180))
    place = Geodetic(latitude, longitude, float(chance.uniform(0, 1500)))
    step_s, epochs = _FORMS[int(chance.integers(len(_FORMS)))]
    first_ns = Gpst.from_utc(_begins(of_sky)).ns + int(chance.integers(_SKY_S - 1_000)) * _NS
    way_m = _arriving(place, step_s, epochs, chance)
    receiver = Receiver(
        first_ns + np.arange(epochs, dtype=np.int64) * step_s * _NS,
        way_m,
        systems="CEG",
        errors=FITTED_ERRORS,
        clock_jumps=[(int(chance.integers(1, epochs)), _MILLISECOND_M)]
        if chance.random() < 0.1
        else (),
        outages=[(2, 4)] if chance.random() < 0.1 else (),
    )
    return HonestWindow(synthesize(receiver, navigation, seed=of_sky * 1_000_000 + number), place)


def _arriving(place: Geodetic, step_s: int, epochs: int, chance: np.random.Generator) -> Floats:
    """The last metres of a way, or none."""
    at = (place.latitude_deg, place.longitude_deg, place.height_m)
    whole = rest(at, first_gpst_ns=0, step_s=step_s, epochs=epochs).ecef_m
    if chance.random() < 0.5:
        return whole
    # Inside of the site, so that the window can prove what it is asked.
    from_m = float(chance.uniform(5, 60))
    start = destination(place, azimuth_deg=float(chance.uniform(0, 360)), distance_m=from_m)
    begins = (start.latitude_deg, start.longitude_deg, place.height_m)
    manner = MANNERS["road" if chance.random() < 0.5 else "rail"]
    moving = route([begins, at], manner, first_gpst_ns=0, step_s=step_s, epochs_max=epochs).ecef_m
    whole[: len(moving)] = moving
    return whole
