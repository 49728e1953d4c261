"""The pure way from stored bytes to evidence: no clock, no database, no network.

These functions run in worker processes and, offline, in whoever verifies a proof.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import msgspec
import numpy as np

from zhidao import __version__
from zhidao.core.archive import digest_of
from zhidao.core.timescale import Utc
from zhidao.positioning.domain.arrival import Decision, Errand, Outcome, decide, doubted, spare
from zhidao.positioning.domain.authenticity import findings
from zhidao.positioning.domain.ephemeris import Navigation, no_ephemerides
from zhidao.positioning.domain.inside import Inside, inside
from zhidao.positioning.domain.joining import join_navigation
from zhidao.positioning.domain.observations import Observations
from zhidao.positioning.domain.refined import proven_by_both, refined
from zhidao.positioning.domain.rtk.baselines import Baselines, RtkReason, RtkStatus, nothing, table
from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
from zhidao.positioning.domain.rtk.settings import ALL_SIGNALS, RtkSettings
from zhidao.positioning.domain.settings import Settings
from zhidao.positioning.domain.signals import SYSTEMS, satellite_name
from zhidao.positioning.domain.solution import Solution
from zhidao.positioning.domain.solving import solve
from zhidao.positioning.domain.tracked import matched
from zhidao.positioning.wire.evidence import (
    PROTECTION_MM_MAX,
    PositionEvidence,
    Question,
    Result,
    plain_settings,
)
from zhidao.positioning.wire.recognition import FileKind, kind_of
from zhidao.positioning.wire.rinex_nav import NAVIGATION_BYTES_MAX, read_navigation
from zhidao.positioning.wire.rinex_obs import read_observations
from zhidao.positioning.wire.several import parts_of

WINDOW_BYTES_MAX: Final = 16 * 1024 * 1024
_PPB: Final = 1e-9


class Span(msgspec.Struct, frozen=True):
    """When a window was observed (RFC 3339, empty for a window without epochs)."""

    first_at: str
    last_at: str
    simulated: bool


def span_of(window: bytes) -> Span:
    """First and last epoch of a window. Raises MalformedInput if it is no RINEX."""
    seen = read_observations(window, bytes_max=WINDOW_BYTES_MAX)
    if not len(seen.gpst_ns):
        return Span("", "", seen.simulated)
    return Span(str(seen.utc(0)), str(seen.utc(-1)), seen.simulated)


def evaluate(question: Question, window: bytes, navigation: bytes, settings: Settings) -> bytes:
    """The evidence, as canonical bytes, that a window gives on a question.

    navigation: RINEX navigation, empty if there is none for that time.
    Raises MalformedInput if the window or the navigation is no RINEX.
    """
    found = solve_window(question, window, navigation, settings)
    errand = Errand(
        question.site.area(), Utc.parse(question.not_before), Utc.parse(question.not_after)
    )
    outcome = decide(found.solved, errand, settings, found.inside)
    if settings.version > 1 and outcome.decision is Decision.INSIDE:
        doubts = findings(found.seen, found.navigation, found.solved, settings)
        outcome = doubted(outcome, doubts)
    return PositionEvidence(
        type=PositionEvidence.TYPE,
        window=digest_of(window),
        navigation=digest_of(navigation) if navigation else "",
        question=question,
        settings=plain_settings(settings),
        software=f"zhidao {__version__}",
        result=_result(found.seen, found.solved, outcome),
    ).encode()


class Solved(NamedTuple):
    """A window with its positions. `inside`: the chance of each to be outside, since version 3."""

    seen: Observations
    navigation: Navigation
    solved: Solution
    inside: Inside | None


def solve_window(
    question: Question, window: bytes, navigation: bytes, settings: Settings
) -> Solved:
    """What a window holds, the positions that it gives, and their chances to be outside.

    Raises MalformedInput if the window or the navigation is no RINEX.
    """
    seen = read_observations(window, systems=settings.systems, bytes_max=WINDOW_BYTES_MAX)
    known, base = _aids(navigation)
    risk = question.risk_ppb * _PPB
    solved = solve(seen, known, settings, risk=risk)
    if settings.version < 3:
        return Solved(seen, known, solved, None)
    area = question.site.area()
    found = inside(solved, known, settings, area, risk=risk)
    if settings.method == "rtk":
        solved = refined(solved, _baselines(seen, base, known, settings))
        edge_m = settings.boundary_mm / 1000
        found = proven_by_both(found, solved, spare(solved, area), boundary_m=edge_m)
    return Solved(seen, known, solved, found)


def _baselines(
    seen: Observations, base: Observations | None, known: Navigation, settings: Settings
) -> Baselines:
    """Each epoch alone beside the base, by the systems of the settings; none without a base."""
    wanted = {system: ALL_SIGNALS[system] for system in settings.systems if system in ALL_SIGNALS}
    pair = matched(seen, base, wanted) if base else None
    if pair is None or not pair.signals:
        rows = [nothing(RtkStatus.NO_BASE_EPOCH, RtkReason.NO_BASE_EPOCH)] * len(seen.gpst_ns)
        return table(seen.gpst_ns, rows, np.full(len(rows), np.nan))
    chosen = RtkSettings(signals=pair.signals)
    place_m = pair.base.header.approximate_ecef_m
    return solve_baselines(seen, pair.base, known, place_m, chosen)


def _aids(navigation: bytes) -> tuple[Navigation, Observations | None]:
    """What the file, or each of several in one, tells: ephemerides, and perhaps a base."""
    if not navigation:
        return Navigation(no_ephemerides()), None
    parts = parts_of(navigation, bytes_max=NAVIGATION_BYTES_MAX)
    bases = [part for part in parts if len(parts) > 1 and kind_of(part) is FileKind.OBSERVATIONS]
    files = [read_navigation(part) for part in parts if part not in bases]
    base = read_observations(bases[0], bytes_max=WINDOW_BYTES_MAX) if bases else None
    return join_navigation(files) if files else Navigation(no_ephemerides()), base


def _result(seen: Observations, solved: Solution, outcome: Outcome) -> Result:
    at = outcome.epoch
    first, last = outcome.stretch
    fixed = at >= 0
    return Result(
        decision=outcome.decision.value,
        sentence=outcome.sentence,
        observed_at=str(seen.utc(at)) if fixed else "",
        latitude_ndeg=ndeg(solved.latitude[at]) if fixed else 0,
        longitude_ndeg=ndeg(solved.longitude[at]) if fixed else 0,
        height_mm=round(float(solved.height_m[at]) * 1000) if fixed else 0,
        protection_mm=protection_mm_of(solved.horizontal_m[at]) if fixed else PROTECTION_MM_MAX,
        satellites=int(solved.satellites[at]) if fixed else 0,
        excluded=_names(solved, at) if fixed else [],
        epochs=len(seen.gpst_ns),
        fixes=int(solved.solved.sum()),
        first_at=str(seen.utc(0)) if len(seen.gpst_ns) else "",
        last_at=str(seen.utc(-1)) if len(seen.gpst_ns) else "",
        stretch_from=str(seen.utc(first)) if first >= 0 else "",
        stretch_until=str(seen.utc(last)) if first >= 0 else "",
        stretch_epochs=last - first + 1 if first >= 0 else 0,
        simulated=seen.simulated,
    )


def ndeg(angle_rad: float) -> int:
    """Radians as whole nanodegrees."""
    return round(math.degrees(angle_rad) * 1e9)


def protection_mm_of(level_m: float) -> int:
    """Rounded up to a millimetre, capped where there is no bound."""
    if not math.isfinite(level_m):
        return PROTECTION_MM_MAX
    return min(math.ceil(level_m * 1000), PROTECTION_MM_MAX)


def name_of(number: int) -> str:
    """A satellite's RINEX name, such as C21."""
    return satellite_name(SYSTEMS[number // 100], number % 100)


def _names(solved: Solution, epoch: int) -> list[str]:
    numbers = solved.measurements.satellite[epoch][solved.excluded[epoch]]
    return sorted(name_of(number) for number in numbers.tolist())
