"""BeiDou and GNSS: from raw observations to a proven place [BeiDou navigation and positioning].

A library for those outside of this house; its names load when they are first used:

    from zhidao import positioning
    places = positioning.solve_files("day.crx.gz", "day_MN.rnx.gz")  # of any length
    table = places.to_pandas()
    found = positioning.read("day.crx.gz", "day_MN.rnx.gz")
    seen, navigation = found.receiver(), found.broadcast()
    solved = positioning.solve(seen, navigation)      # every epoch, with bound and reason
    fixed = positioning.rtk(rover, base, navigation, base_ecef_m)  # millimetres, or why not
    precise = positioning.ppp(seen, orbits=orbits, clocks=clocks)  # and how it converged
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from zhidao.positioning.domain.integrity.area_risk import inside
    from zhidao.positioning.domain.integrity.authenticity import findings
    from zhidao.positioning.domain.integrity.solving import solve
    from zhidao.positioning.domain.integrity.stanford import AlertLimits, regions
    from zhidao.positioning.domain.integrity.suspicion import Finding, Suspicion
    from zhidao.positioning.domain.integrity.velocity import Velocities, velocities
    from zhidao.positioning.domain.observables.observations import Observations
    from zhidao.positioning.domain.positions import Positions, of_baselines, of_solution
    from zhidao.positioning.domain.ppp.ppp_settings import PppSettings
    from zhidao.positioning.domain.ppp.solving import PppReason, PppSolution
    from zhidao.positioning.domain.rtk.baselines import Baselines, RtkReason, RtkStatus
    from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
    from zhidao.positioning.domain.rtk.rtk_settings import RtkSettings
    from zhidao.positioning.domain.satellites.ephemeris import Navigation
    from zhidao.positioning.domain.satellites.joining import join_navigation, join_observations
    from zhidao.positioning.domain.single_point.smoothing import SmoothingSettings, smoothed
    from zhidao.positioning.domain.single_point.solution import Reason, Solution
    from zhidao.positioning.domain.solver_settings import Settings
    from zhidao.positioning.domain.support import Support
    from zhidao.positioning.domain.synthesis.constellation import constellation
    from zhidao.positioning.domain.synthesis.receiver import (
        ErrorModel,
        Receiver,
        SatelliteBias,
        spoofed,
        synthesize,
    )
    from zhidao.positioning.domain.synthesis.routes import MANNERS, rest, route
    from zhidao.positioning.events import Site
    from zhidao.positioning.library import read, solve_files
    from zhidao.positioning.service.by_parts import Wanted
    from zhidao.positioning.service.evaluation import evaluate
    from zhidao.positioning.service.evidence_replay import Replay, replay
    from zhidao.positioning.service.high_level import ppp, ppp_b2b, rtk
    from zhidao.positioning.service.recordings import Recordings, read_recordings
    from zhidao.positioning.wire.output.plots import errors, levels, residuals, sky, track
    from zhidao.positioning.wire.output.position_files import written
    from zhidao.positioning.wire.output.stanford_plot import stanford, stanford_regions
    from zhidao.positioning.wire.position_evidence import PositionEvidence, Question
    from zhidao.positioning.wire.precise.antex import read_antennas
    from zhidao.positioning.wire.precise.b2b_log import read_b2b_log
    from zhidao.positioning.wire.precise.ppp_b2b import decode_b2b
    from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
    from zhidao.positioning.wire.receivers.nmea import sentences
    from zhidao.positioning.wire.receivers.ubx import read_raw, ubx_messages
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations
    from zhidao.positioning.wire.rinex.window import cut_window
    from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
    from zhidao.positioning.wire.rtcm.msm import read_msm
    from zhidao.positioning.wire.rtcm.msm_observations import observations_of
    from zhidao.positioning.wire.streams import rtcm_stream, ubx_stream

_PLACES: Final = {
    "domain.satellites.joining": ("join_navigation", "join_observations"),
    "domain.positions": ("Positions", "of_baselines", "of_solution"),
    "domain.synthesis.routes": ("MANNERS", "rest", "route"),
    "service.recordings": ("Recordings", "read_recordings"),
    "wire.output.position_files": ("written",),
    "wire.streams": ("rtcm_stream", "ubx_stream"),
    "wire.output.plots": ("errors", "levels", "residuals", "sky", "track"),
    "wire.output.stanford_plot": ("stanford", "stanford_regions"),
    "domain.integrity.authenticity": ("findings",),
    "domain.integrity.suspicion": ("Finding", "Suspicion"),
    "domain.integrity.area_risk": ("inside",),
    "domain.single_point.smoothing": ("SmoothingSettings", "smoothed"),
    "domain.integrity.stanford": ("AlertLimits", "regions"),
    "domain.support": ("Support",),
    "domain.integrity.velocity": ("Velocities", "velocities"),
    "domain.satellites.ephemeris": ("Navigation",),
    "domain.observables.observations": ("Observations",),
    "domain.ppp.ppp_settings": ("PppSettings",),
    "domain.ppp.solving": ("PppReason", "PppSolution"),
    "domain.rtk.baselines": ("Baselines", "RtkReason", "RtkStatus"),
    "domain.rtk.instantaneous": ("solve_baselines",),
    "domain.rtk.rtk_settings": ("RtkSettings",),
    "domain.solver_settings": ("Settings",),
    "domain.single_point.solution": ("Reason", "Solution"),
    "domain.integrity.solving": ("solve",),
    "domain.synthesis.constellation": ("constellation",),
    "domain.synthesis.receiver": (
        "ErrorModel",
        "Receiver",
        "SatelliteBias",
        "spoofed",
        "synthesize",
    ),
    "events": ("Site",),
    "library": ("read", "solve_files"),
    "service.by_parts": ("Wanted",),
    "service.evaluation": ("evaluate",),
    "service.evidence_replay": ("Replay", "replay"),
    "service.high_level": ("ppp", "ppp_b2b", "rtk"),
    "wire.precise.antex": ("read_antennas",),
    "wire.precise.b2b_log": ("read_b2b_log",),
    "wire.position_evidence": ("PositionEvidence", "Question"),
    "wire.receivers.nmea": ("sentences",),
    "wire.precise.ppp_b2b": ("decode_b2b",),
    "wire.rinex.navigation": ("read_navigation",),
    "wire.rinex.observation_files": ("read_observations",),
    "wire.rinex.writing": ("write_navigation", "write_observations"),
    "wire.rtcm.msm": ("read_msm",),
    "wire.rtcm.msm_observations": ("observations_of",),
    "wire.precise.sp3": ("read_clocks", "read_sp3"),
    "wire.receivers.ubx": ("read_raw", "ubx_messages"),
    "wire.rinex.window": ("cut_window",),
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
    "Wanted",
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
    "read",
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
    "route",
    "rtcm_stream",
    "rtk",
    "sentences",
    "sky",
    "smoothed",
    "solve",
    "solve_baselines",
    "solve_files",
    "spoofed",
    "stanford",
    "stanford_regions",
    "synthesize",
    "track",
    "ubx_messages",
    "ubx_stream",
    "velocities",
    "write_navigation",
    "write_observations",
    "written",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACE_OF:
        raise AttributeError(f"zhidao.positioning has no {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACE_OF[name]}"), name)
