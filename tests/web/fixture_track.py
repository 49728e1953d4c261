"""Tracks of two windows: synthesized signals, solved and judged by the node's own code."""

from __future__ import annotations

from functools import cache

import numpy as np

from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.events import Site
from zhidao.positioning.service.evaluation import evaluate
from zhidao.positioning.service.track import Track, track_of
from zhidao.positioning.wire.position_evidence import Question
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

EPOCHS = 60
STEP_S = 5
_AT = Utc.parse("2026-03-05T10:59:10Z")


@cache
def track(consignment: str, name: str, radius_mm: int) -> Track:
    """The track of a receiver that stands at the site's centre."""
    place = Geodetic(41.3389, 69.1962, 455.0)
    at = Gpst.from_utc(_AT).ns + np.arange(EPOCHS, dtype=np.int64) * STEP_S * 10**9
    point = place.to_ecef()
    way = np.tile((point.x_m, point.y_m, point.z_m), (EPOCHS, 1))
    orbits = constellation(_AT, _AT.plus_ns(3600 * 10**9), seed=7, systems="CEG")
    window = write_observations(synthesize(Receiver(at, way, systems="CEG"), orbits, seed=7))
    navigation = write_navigation(orbits)
    question = Question(
        consignment=consignment,
        terminal=f"T-{consignment[2:]}",
        site=Site(
            name=name,
            latitude_ndeg=place.latitude_ndeg,
            longitude_ndeg=place.longitude_ndeg,
            radius_mm=radius_mm,
        ),
        not_before="2026-03-04T00:00:00Z",
        not_after="2026-03-09T00:00:00Z",
        risk_ppb=1_000,
    )
    return track_of(
        evaluate(question, window, navigation, Settings.of_arrivals()), window, navigation
    )
