"""BeiDou and GNSS: from raw observations to a proven place [BeiDou navigation and positioning].

A library for those outside of this house; its names load when they are first used:

    from zhidao import positioning
    seen = positioning.read_observations(Path("day.crx.gz").read_bytes())
    navigation = positioning.read_navigation(Path("day_MN.rnx.gz").read_bytes())
    solved = positioning.solve(seen, navigation)      # every epoch, with bound and reason
    fixed = positioning.rtk(rover, base, navigation, base_ecef_m)  # millimetres, or why not
    precise = positioning.ppp(seen, orbits=orbits, clocks=clocks)  # and how it converged
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from zhidao.positioning.domain.authenticity import Finding, Suspicion, findings
    from zhidao.positioning.domain.ephemeris import Navigation
    from zhidao.positioning.domain.inside import inside
    from zhidao.positioning.domain.joining import join_navigation, join_observations
    from zhidao.positioning.domain.observations import Observations
    from zhidao.positioning.domain.positions import Positions, of_baselines, of_solution
    from zhidao.positioning.domain.ppp.settings import PppSettings
    from zhidao.positioning.domain.ppp.solving import PppReason, PppSolution
    from zhidao.positioning.domain.rtk.baselines import Baselines, RtkReason, RtkStatus
    from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
    from zhidao.positioning.domain.rtk.settings import RtkSettings
    from zhidao.positioning.domain.settings import Settings
    from zhidao.positioning.domain.smoothing import SmoothingSettings, smoothed
    from zhidao.positioning.domain.solution import Reason, Solution
    from zhidao.positioning.domain.solving import solve
    from zhidao.positioning.domain.stanford import AlertLimits, regions
    from zhidao.positioning.domain.support import Support
    from zhidao.positioning.domain.synthesis.constellation import constellation
    from zhidao.positioning.domain.synthesis.receiver import (
        ErrorModel,
        Receiver,
        SatelliteBias,
        spoofed,
        synthesize,
    )
    from zhidao.positioning.domain.synthesis.ways import MANNERS, rest, way
    from zhidao.positioning.domain.velocity import Velocities, velocities
    from zhidao.positioning.events import Site
    from zhidao.positioning.service.evaluation import evaluate
    from zhidao.positioning.service.evidence import Replay, replay
    from zhidao.positioning.service.recipes import ppp, ppp_b2b, rtk
    from zhidao.positioning.service.recordings import Recordings, read_recordings
    from zhidao.positioning.wire.antex import read_antennas
    from zhidao.positioning.wire.b2b_log import read_b2b_log
    from zhidao.positioning.wire.evidence import PositionEvidence, Question
    from zhidao.positioning.wire.nmea import sentences
    from zhidao.positioning.wire.plots import errors, levels, residuals, sky, stanford, track
    from zhidao.positioning.wire.position_files import written
    from zhidao.positioning.wire.ppp_b2b import decode_b2b
    from zhidao.positioning.wire.rinex_nav import read_navigation
    from zhidao.positioning.wire.rinex_obs import read_observations
    from zhidao.positioning.wire.rinex_write import write_navigation, write_observations
    from zhidao.positioning.wire.rtcm.msm import read_msm
    from zhidao.positioning.wire.rtcm.observations import observations_of
    from zhidao.positioning.wire.sp3 import read_clocks, read_sp3
    from zhidao.positioning.wire.streams import rtcm_stream, ubx_stream
    from zhidao.positioning.wire.ubx import read_raw, ubx_messages
    from zhidao.positioning.wire.window import cut_window

_PLACES: Final = {
    "domain.joining": ("join_navigation", "join_observations"),
    "domain.positions": ("Positions", "of_baselines", "of_solution"),
    "domain.synthesis.ways": ("MANNERS", "rest", "way"),
    "service.recordings": ("Recordings", "read_recordings"),
    "wire.position_files": ("written",),
    "wire.streams": ("rtcm_stream", "ubx_stream"),
    "wire.plots": ("errors", "levels", "residuals", "sky", "stanford", "track"),
    "domain.authenticity": ("Finding", "Suspicion", "findings"),
    "domain.inside": ("inside",),
    "domain.smoothing": ("SmoothingSettings", "smoothed"),
    "domain.stanford": ("AlertLimits", "regions"),
    "domain.support": ("Support",),
    "domain.velocity": ("Velocities", "velocities"),
    "domain.ephemeris": ("Navigation",),
    "domain.observations": ("Observations",),
    "domain.ppp.settings": ("PppSettings",),
    "domain.ppp.solving": ("PppReason", "PppSolution"),
    "domain.rtk.baselines": ("Baselines", "RtkReason", "RtkStatus"),
    "domain.rtk.instantaneous": ("solve_baselines",),
    "domain.rtk.settings": ("RtkSettings",),
    "domain.settings": ("Settings",),
    "domain.solution": ("Reason", "Solution"),
    "domain.solving": ("solve",),
    "domain.synthesis.constellation": ("constellation",),
    "domain.synthesis.receiver": (
        "ErrorModel",
        "Receiver",
        "SatelliteBias",
        "spoofed",
        "synthesize",
    ),
    "events": ("Site",),
    "service.evaluation": ("evaluate",),
    "service.evidence": ("Replay", "replay"),
    "service.recipes": ("ppp", "ppp_b2b", "rtk"),
    "wire.antex": ("read_antennas",),
    "wire.b2b_log": ("read_b2b_log",),
    "wire.evidence": ("PositionEvidence", "Question"),
    "wire.nmea": ("sentences",),
    "wire.ppp_b2b": ("decode_b2b",),
    "wire.rinex_nav": ("read_navigation",),
    "wire.rinex_obs": ("read_observations",),
    "wire.rinex_write": ("write_navigation", "write_observations"),
    "wire.rtcm.msm": ("read_msm",),
    "wire.rtcm.observations": ("observations_of",),
    "wire.sp3": ("read_clocks", "read_sp3"),
    "wire.ubx": ("read_raw", "ubx_messages"),
    "wire.window": ("cut_window",),
}
_PLACE_OF: Final = {name: place for place, names in _PLACES.items() for name in names}

__all__ = [
    "MANNERS",
    "AlertLimits",
    "Baselines",
    "ErrorModel",
    "Finding",
    "Navigation",
    "Observations",
    "PositionEvidence",
    "Positions",
    "PppReason",
    "PppSettings",
    "PppSolution",
    "Question",
    "Reason",
    "Receiver",
    "Recordings",
    "Replay",
    "RtkReason",
    "RtkSettings",
    "RtkStatus",
    "SatelliteBias",
    "Settings",
    "Site",
    "SmoothingSettings",
    "Solution",
    "Support",
    "Suspicion",
    "Velocities",
    "constellation",
    "cut_window",
    "decode_b2b",
    "errors",
    "evaluate",
    "findings",
    "inside",
    "join_navigation",
    "join_observations",
    "levels",
    "observations_of",
    "of_baselines",
    "of_solution",
    "ppp",
    "ppp_b2b",
    "read_antennas",
    "read_b2b_log",
    "read_clocks",
    "read_msm",
    "read_navigation",
    "read_observations",
    "read_raw",
    "read_recordings",
    "read_sp3",
    "regions",
    "replay",
    "residuals",
    "rest",
    "rtcm_stream",
    "rtk",
    "sentences",
    "sky",
    "smoothed",
    "solve",
    "solve_baselines",
    "spoofed",
    "stanford",
    "synthesize",
    "track",
    "ubx_messages",
    "ubx_stream",
    "velocities",
    "way",
    "write_navigation",
    "write_observations",
    "written",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACE_OF:
        raise AttributeError(f"zhidao.positioning has no {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACE_OF[name]}"), name)
