"""The positions behind an evidence, epoch by epoch, for people who want to see why.

A replay of the stored window by the settings of the evidence: nothing here is told, all is
computed again from the bytes that the evidence names.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np

from zhidao.core.archive import digest_of
from zhidao.positioning.domain.integrity.area_risk import Inside
from zhidao.positioning.domain.integrity.arrival import spare
from zhidao.positioning.domain.observables.observations import Floats, Observations
from zhidao.positioning.domain.observables.signals import satellite_name
from zhidao.positioning.domain.single_point.signal_choice import SignalChoice
from zhidao.positioning.domain.single_point.solution import Reason, Solution
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.events import Site
from zhidao.positioning.service.evaluation import (
    Solved,
    name_of,
    ndeg,
    protection_mm_of,
    solve_window,
)
from zhidao.positioning.wire.position_evidence import PositionEvidence

FIXES_MAX: Final = 300
_FAR_MM: Final = 1_000_000_000


class SkySatellite(msgspec.Struct, frozen=True, kw_only=True):
    """One satellite as seen at an epoch: degrees in thousandths, residual in millimetres.

    `strength_mdbhz`: C/N0 in thousandths of dB-Hz as the receiver told it, 0 where it did not.
    """

    satellite: str
    azimuth_mdeg: int
    elevation_mdeg: int
    residual_mm: int
    strength_mdbhz: int
    used: bool
    excluded: bool


class TrackFix(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch of a track. `reason` is `ok`, or why there is no position (fields are 0 then).

    `room_mm`: how far inside the nearest edge of the site the position lies (negative: outside).
    `outside_ppb`: chance, in parts per billion and rounded up, that the place is outside of the
    site; the epoch counts as inside where that is at most what was asked. It is -1 where evidence
    of before version 3 of the settings, or a baseline, decides by `protection_mm` below `room_mm`.
    """

    at: str
    reason: str
    latitude_ndeg: int
    longitude_ndeg: int
    height_mm: int
    protection_mm: int
    vertical_protection_mm: int
    room_mm: int
    outside_ppb: int
    satellites: int
    hdop_milli: int
    sky: list[SkySatellite]


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A window's positions with their bounds and skies, thinned to at most 300 epochs.

    `risk_ppb`, `not_before` and `not_after` are what was asked; `stretch_*` the proving stretch
    (RFC 3339, empty if there is none); `boundary_mm`, `mask_mdeg` and `stretch_s_min` settings.
    """

    consignment: str
    terminal: str
    window: str
    navigation: str
    evidence: str
    software: str
    site: Site
    not_before: str
    not_after: str
    risk_ppb: int
    decision: str
    observed_at: str
    stretch_from: str
    stretch_until: str
    epochs: int
    positions: int
    boundary_mm: int
    mask_mdeg: int
    stretch_s_min: int
    simulated: bool
    fixes: list[TrackFix]


def track_of(evidence: bytes, window: bytes, navigation: bytes) -> Track:
    """The positions behind an evidence, computed again from the window that it names.

    Raises MalformedInput if any of the three is not what it should be.
    """
    record = PositionEvidence.decode(evidence)
    question, result, settings = record.question, record.result, record.chosen()
    found = solve_window(question, window, navigation, settings, attempt=record.attempt)
    seen, solved, settings = found.seen, found.solved, found.settings
    room_m = spare(solved, question.site.area())
    step = max(1, -(-len(seen.gpst_ns) // FIXES_MAX))
    epochs = range(0, len(seen.gpst_ns), step)
    strengths = _strengths(seen, settings, frozenset(epochs))
    return Track(
        consignment=question.consignment,
        terminal=question.terminal,
        window=record.window,
        navigation=record.navigation,
        evidence=digest_of(evidence),
        software=record.software,
        site=question.site,
        not_before=question.not_before,
        not_after=question.not_after,
        risk_ppb=question.risk_ppb,
        decision=result.decision,
        observed_at=result.observed_at,
        stretch_from=result.stretch_from,
        stretch_until=result.stretch_until,
        epochs=len(seen.gpst_ns),
        positions=int(solved.solved.sum()),
        boundary_mm=settings.boundary_mm,
        mask_mdeg=settings.mask_mdeg,
        stretch_s_min=settings.stretch_s_min,
        simulated=seen.simulated,
        fixes=[_fix(found, room_m, epoch, strengths) for epoch in epochs],
    )


def _strengths(
    seen: Observations, settings: Settings, epochs: frozenset[int]
) -> dict[tuple[int, str], int]:
    """C/N0 of the ranges that count, by epoch and satellite; the weaker of a combination."""
    found: dict[tuple[int, str], int] = {}
    for system, texts in settings.signals.items():
        table = seen.systems.get(system)
        if table is None:
            continue
        codes = [code for text in texts.split("/") for code in SignalChoice.of(system, text).codes]
        columns = [c for code in codes if (c := table.column("S" + code[1:])) is not None]
        if not columns:
            continue
        weakest = np.nan_to_num(np.fmin.reduce(columns))
        for epoch, prn, value in zip(
            table.epoch.tolist(), table.prn.tolist(), weakest.tolist(), strict=True
        ):
            if epoch in epochs and value > 0:
                found[epoch, satellite_name(system, prn)] = round(value * 1000)
    return found


def _room_mm(room_m: float) -> int:
    """Whole millimetres, capped where the position is on the other side of the Earth."""
    return round(room_m * 1000) if math.isfinite(room_m) else -_FAR_MM


def _outside_ppb(chance: Inside | None, epoch: int) -> int:
    """Rounded up; the word for "not computed" is -1."""
    return -1 if chance is None else min(math.ceil(float(chance.outside[epoch]) * 1e9), 10**9)


def _fix(
    found: Solved, room_m: Floats, epoch: int, strengths: dict[tuple[int, str], int]
) -> TrackFix:
    seen, solved = found.seen, found.solved
    good = bool(solved.solved[epoch])
    return TrackFix(
        at=str(seen.utc(epoch)),
        reason=Reason(int(solved.reason[epoch])).name.lower(),
        latitude_ndeg=ndeg(solved.latitude[epoch]) if good else 0,
        longitude_ndeg=ndeg(solved.longitude[epoch]) if good else 0,
        height_mm=round(float(solved.height_m[epoch]) * 1000) if good else 0,
        protection_mm=protection_mm_of(solved.horizontal_m[epoch]) if good else 0,
        vertical_protection_mm=protection_mm_of(solved.vertical_m[epoch]) if good else 0,
        room_mm=_room_mm(float(room_m[epoch])) if good else 0,
        outside_ppb=_outside_ppb(found.inside, epoch),
        satellites=int(solved.satellites[epoch]),
        hdop_milli=round(float(solved.dilution[epoch, 2]) * 1000) if good else 0,
        sky=_sky(solved, epoch, strengths),
    )


def _sky(solved: Solution, epoch: int, strengths: dict[tuple[int, str], int]) -> list[SkySatellite]:
    seen = np.flatnonzero(np.isfinite(solved.elevation[epoch]))
    residual_m = np.nan_to_num(solved.residual_m[epoch])
    return [
        SkySatellite(
            satellite=(name := name_of(int(solved.measurements.satellite[epoch, cell]))),
            azimuth_mdeg=round(math.degrees(solved.azimuth[epoch, cell]) * 1000) % 360_000,
            elevation_mdeg=round(math.degrees(solved.elevation[epoch, cell]) * 1000),
            residual_mm=round(float(residual_m[cell]) * 1000),
            strength_mdbhz=strengths.get((epoch, name), 0),
            used=bool(solved.used[epoch, cell]),
            excluded=bool(solved.excluded[epoch, cell]),
        )
        for cell in seen.tolist()
    ]
