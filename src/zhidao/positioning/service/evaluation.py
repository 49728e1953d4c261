"""The pure way from stored bytes to evidence: no clock, no database, no network.

These functions run in worker processes and, offline, in whoever verifies a proof.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec
import numpy as np

from zhidao import __version__
from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.baseline_bound import bounded_by_baseline, proven_by_both
from zhidao.positioning.domain.environments import is_measured
from zhidao.positioning.domain.integrity.area_risk import Inside, inside
from zhidao.positioning.domain.integrity.arrival import (
    ArrivalCriteria,
    Decision,
    Outcome,
    decide,
    doubted,
    lacking,
    spare,
    suspect,
)
from zhidao.positioning.domain.integrity.authenticity import findings
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.integrity.suspicion import Finding
from zhidao.positioning.domain.integrity.window_checks import (
    apart,
    check_window,
    grid_count,
    unchecked,
)
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signal_codes import matched
from zhidao.positioning.domain.observables.signals import SYSTEMS, satellite_name
from zhidao.positioning.domain.rtk.baselines import Baselines, RtkReason, RtkStatus, nothing, table
from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
from zhidao.positioning.domain.rtk.rtk_settings import ALL_SIGNALS, RtkSettings
from zhidao.positioning.domain.satellites.ephemeris import Navigation, no_ephemerides
from zhidao.positioning.domain.satellites.joining import join_navigation
from zhidao.positioning.domain.single_point.signal_choice import with_signals
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire.position_evidence import (
    PROTECTION_MM_MAX,
    Noted,
    PositionEvidence,
    Question,
    Result,
    plain_settings,
)
from zhidao.positioning.wire.recognition import FileKind, kind_of
from zhidao.positioning.wire.rinex.concatenation import parts_of
from zhidao.positioning.wire.rinex.navigation import NAVIGATION_BYTES_MAX, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

WINDOW_BYTES_MAX: Final = 16 * 1024 * 1024
_PPB: Final = 1e-9
_SYSTEMS: Final = "CEGJ"
_NS: Final = 1_000_000_000


class Span(msgspec.Struct, frozen=True):
    """When a window was observed (RFC 3339, empty for a window without epochs), and by what.

    systems: letters of the constellations that arrivals are judged by.
    """

    first_at: str
    last_at: str
    simulated: bool
    systems: str = ""


def span_of(window: bytes) -> Span:
    """First and last epoch of a window. Raises MalformedInput if it is no RINEX."""
    seen = read_observations(window, bytes_max=WINDOW_BYTES_MAX)
    if not len(seen.gpst_ns):
        return Span("", "", seen.simulated)
    systems = "".join(sorted(set(seen.systems) & set(_SYSTEMS)))
    return Span(str(seen.utc(0)), str(seen.utc(-1)), seen.simulated, systems)


class Earlier(NamedTuple):
    """The terminal's window before one, and how often a question was asked with that one.

    attempt: windows near the site, the new one included.
    """

    window: bytes = b""
    attempt: int = 1


NOTHING_EARLIER: Final = Earlier()


def evaluate(
    question: Question,
    window: bytes,
    navigation: bytes,
    settings: Settings,
    *,
    earlier: Earlier = NOTHING_EARLIER,
    surroundings: str = "open_sky",
) -> bytes:
    """The evidence, as canonical bytes, that a window gives on a question.

    navigation: RINEX navigation, empty if there is none for that time. surroundings: the class that
    the terminal is registered with.
    Raises MalformedInput if the window or the navigation is no RINEX.
    """
    found = solve_window(question, window, navigation, settings, attempt=earlier.attempt)
    criteria = _criteria(question)
    outcome = decide(found.solved, criteria, settings, found.inside)
    if settings.version < 4:
        if settings.version > 1 and outcome.decision is Decision.INSIDE:
            doubts = findings(found.seen, found.navigation, found.solved, settings)
            outcome = doubted(outcome, doubts)
        return PositionEvidence(
            type=PositionEvidence.EARLIER,
            window=digest_of(window),
            navigation=digest_of(navigation) if navigation else "",
            question=question,
            settings=plain_settings(settings),
            software=f"zhidao {__version__}",
            result=_result(found.seen, found.solved, outcome),
        ).encode()
    checked = _checked(found, outcome, earlier.window)
    result = _result(found.seen, found.solved, checked.outcome)
    return PositionEvidence(
        type=PositionEvidence.TYPE,
        window=digest_of(window),
        navigation=digest_of(navigation) if navigation else "",
        question=question,
        settings=plain_settings(settings),
        software=f"zhidao {__version__}",
        result=_marked(result, checked, found, surroundings, earlier),
        before=digest_of(earlier.window) if earlier.window else "",
        attempt=earlier.attempt,
        surroundings=surroundings,
    ).encode()


def _criteria(question: Question) -> ArrivalCriteria:
    return ArrivalCriteria(
        question.site.area(), Utc.parse(question.not_before), Utc.parse(question.not_after)
    )


class _Checked(NamedTuple):
    """The outcome after all checks, with what they found in the window and in the one before."""

    outcome: Outcome
    found: list[Noted]
    before: list[Noted]
    before_solved: bool


def _checked(found: Solved, outcome: Outcome, before: bytes) -> _Checked:
    settings = found.settings
    here = check_window(found.seen, found.navigation, found.solved, settings)
    earlier: list[Finding] = []
    told: list[Noted] = []
    solved = False
    if before:
        # What cannot be read was never evaluated as a window either: it shows nothing.
        seen = _read_again(before)
        if seen is not None and len(seen.gpst_ns):
            first = solve(seen, found.navigation, settings)
            solved = bool(first.solved.any())
            earlier = check_window(seen, found.navigation, first, settings)
            here += apart(first, found.solved, settings)
            told = _noted(seen, earlier)
    if outcome.decision is Decision.INSIDE:
        lacks = unchecked(found.seen, found.navigation, found.solved, settings, outcome.stretch)
        outcome = suspect(lacking(outcome, lacks), here, earlier)
    elif not found.solved.measurements.observed.any() and len(found.seen.gpst_ns):
        sentence = "the window holds no code ranges, so there is no position to speak of"
        outcome = replace(outcome, decision=Decision.UNCHECKED_CODE, sentence=sentence)
    return _Checked(outcome, _noted(found.seen, here), told, solved)


def _read_again(window: bytes) -> Observations | None:
    try:
        return read_observations(window, bytes_max=WINDOW_BYTES_MAX)
    except MalformedInput:
        return None


def _noted(seen: Observations, found: list[Finding]) -> list[Noted]:
    return [
        Noted(
            reason=each.reason.value,
            epochs=len(each.epochs),
            first_at=str(seen.utc(int(each.epochs.min()))),
            last_at=str(seen.utc(int(each.epochs.max()))),
            satellites=list(each.satellites),
            sentence=each.sentence,
        )
        for each in found
    ]


def _marked(
    result: Result, checked: _Checked, found: Solved, surroundings: str, earlier: Earlier
) -> Result:
    """The result with its mark, its findings, and what remains possible."""
    inside_ = result.decision == Decision.INSIDE
    measured = is_measured(surroundings)
    systems = _systems(found.solved)
    open_ = []
    if inside_:
        open_ = [
            "coherent_simulator",
            "slow_drag_off",
            *([] if measured else ["surroundings_unmeasured"]),
            *(["one_constellation"] if len(systems) == 1 else []),
            *(["no_window_before"] if not earlier.window else []),
            *(["window_before_unsolved"] if earlier.window and not checked.before_solved else []),
        ]
    mark = ("inside_at_risk" if measured else "inside_open_sky_model") if inside_ else ""
    return msgspec.structs.replace(
        result,
        mark=mark,
        systems=systems,
        findings=checked.found,
        findings_before=checked.before,
        open=open_,
    )


def _systems(solved: Solution) -> str:
    """Letters of the constellations that any position stands on."""
    used = np.unique(solved.measurements.satellite[solved.used])
    return "".join(sorted({SYSTEMS[number // 100] for number in used.tolist()}))


class Solved(NamedTuple):
    """A window with its positions. `inside`: the chance of each to be outside, since version 3."""

    seen: Observations
    navigation: Navigation
    solved: Solution
    inside: Inside | None
    settings: Settings


def solve_window(
    question: Question, window: bytes, navigation: bytes, settings: Settings, *, attempt: int = 1
) -> Solved:
    """What a window holds, the positions that it gives, and their chances to be outside.

    `settings` of the answer name the signals of the window. attempt: see `PositionEvidence`.
    Raises MalformedInput if the window or the navigation is no RINEX.
    """
    seen = read_observations(window, systems=settings.systems, bytes_max=WINDOW_BYTES_MAX)
    known, base = _aids(navigation)
    risk = question.risk_ppb * _PPB
    settings = with_signals(settings, seen)
    tries, exposure = _asked(seen, question, settings, attempt)
    solved = solve(seen, known, settings, risk=risk, tries=tries, exposure=exposure)
    if settings.version < 3:
        return Solved(seen, known, solved, None, settings)
    area = question.site.area()
    found = inside(solved, known, settings, area, risk=risk, tries=tries, exposure=exposure)
    if settings.method == "rtk":
        solved = bounded_by_baseline(solved, _baselines(seen, base, known, settings))
        edge_m = settings.boundary_mm / 1000
        found = proven_by_both(found, solved, spare(solved, area), boundary_m=edge_m)
    return Solved(seen, known, solved, found, settings)


def _asked(
    seen: Observations, question: Question, settings: Settings, attempt: int
) -> tuple[float, float]:
    """Over how many tries and how long a time the risk of the question is summed up.

    A wrong proof needs a wrong epoch of the grid (`grid_count`); the k-th window near the site has
    1 / (k (k + 1)) of the risk of all that may follow; a fault at an instant of one of the windows
    so far has at most k + (time of this one) / (its duration) times its chance at an instant.
    """
    if settings.version < 4:
        return 1.0, 1.0
    low, high = (
        Gpst.from_utc(Utc.parse(each)).ns for each in (question.not_before, question.not_after)
    )
    at = seen.gpst_ns[(seen.gpst_ns >= low) & (seen.gpst_ns <= high)]
    if not len(at):
        return 1.0, 1.0
    tries = grid_count(at, settings.stretch_s_min) * attempt * (attempt + 1)
    span_s = float(at[-1] - at[0]) / _NS
    return float(tries), attempt + span_s / settings.fault_s


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
