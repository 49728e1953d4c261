"""From raw observations to bounded positions: fit, test, exclude, bound, say why not."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final, TypeVar

import numpy as np

from zhidao.positioning.domain.integrity.error_models import (
    accounting,
    linear_model,
    total_strain,
    usual_variance,
)
from zhidao.positioning.domain.integrity.fault_detection import judge, range_variance
from zhidao.positioning.domain.integrity.fault_hypotheses import Accounting
from zhidao.positioning.domain.integrity.protection import bound
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    Observations,
)
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.least_squares import Fit, fit_with_model
from zhidao.positioning.domain.single_point.measurements import Measurements, measure
from zhidao.positioning.domain.single_point.receiver_delays import tied
from zhidao.positioning.domain.single_point.signal_choice import with_signals
from zhidao.positioning.domain.single_point.solution import Reason, Solution
from zhidao.positioning.domain.solver_settings import Settings

# Epochs worked on at once: keeps the matrices of a block small.
_BLOCK: Final = 1024
_HEIGHT_M: Final = (-1_000.0, 50_000.0)
_PPB: Final = 1e-9
DEFAULT_RISK: Final = 1e-4
_T = TypeVar("_T", Fit, "_Verdict")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Tests and bounds of each epoch, by whichever version of them; see `protection.Bounds`.

    total (e,): the squares of all residuals together over their limit, above 1 = alarm.
    """

    strain: Floats
    group_strain: Floats
    levels_m: Floats
    assumed: Bools
    detectable_m: Floats
    total: Floats


def solve(
    seen: Observations,
    navigation: Navigation,
    settings: Settings | None = None,
    *,
    risk: float = DEFAULT_RISK,
    tries: float = 1.0,
    exposure: float = 1.0,
) -> Solution:
    """A bounded position for every epoch, or the reason why there is none.

    risk: chance, at one epoch, that the horizontal (or vertical) error exceeds its protection level
    although nothing was flagged, under the assumptions of `integrity`. An epoch without a position
    is never an error: its `reason` tells. tries, exposure: of how many epochs at once, and of how
    long a time, that risk is asked; see `fault_hypotheses.Accounting`.
    """
    chosen = with_signals(settings or Settings(), seen)
    rule = _Rule(chosen, risk, accounting(chosen, tries=tries, exposure=exposure))
    data = measure(seen, navigation, chosen)
    if chosen.tie_delays:
        data = tied(data, navigation, chosen)
    blocks = [
        _solve_block(
            data.take(np.arange(start, min(start + _BLOCK, len(data.gpst_ns)))),
            navigation,
            rule,
        )
        for start in range(0, max(len(data.gpst_ns), 1), _BLOCK)
    ]
    return _joined(data, blocks)


def _solve_block(data: Measurements, navigation: Navigation, rule: _Rule) -> Solution:
    settings = rule.settings
    allowed = data.present.copy()
    found = fit_with_model(data, allowed, navigation, settings)
    verdict = _judged(data, found, rule, np.zeros(len(allowed), np.int64))
    for _ in range(settings.exclusions_max):
        epochs = np.flatnonzero(_alarmed(found, verdict))
        if not len(epochs):
            break
        _leave_out(data, allowed, found, verdict, epochs)
        part = data.take(epochs)
        again = fit_with_model(part, allowed[epochs], navigation, settings)
        put_out = (part.present & ~allowed[epochs]).sum(1)
        found = _replaced(found, again, epochs)
        verdict = _replaced(verdict, _judged(part, again, rule, put_out), epochs)
    return _solution(data, allowed, found, verdict, settings)


@dataclass(frozen=True, slots=True)
class _Rule:
    """By which errors, at what risk, and how summed up."""

    settings: Settings
    risk: float
    accounting: Accounting


def _judged(data: Measurements, found: Fit, rule: _Rule, put_out: Ints) -> _Verdict:
    """Tests and bounds by the version that the settings ask for."""
    settings, risk = rule.settings, rule.risk
    if settings.version == 1:
        first = judge(data, found, settings, risk=risk)
        variance = range_variance(data, found, settings) * (settings.alarm_percent / 100) ** 2
        return _Verdict(
            first.strain,
            np.zeros((len(first.strain), len(set(data.systems)))),
            first.levels,
            np.ones(len(first.strain), bool),
            np.full(first.strain.shape, np.inf),
            _total(found, variance, settings),
        )
    model = linear_model(data, found, settings, put_out)
    alarm = settings.alarm_ppb * _PPB
    bounds = bound(model, risk=risk, alarm=alarm, accounting=rule.accounting)
    levels_m = bounds.levels_m
    levels_m[~found.converged] = np.inf
    if not settings.surroundings.evidence:
        levels_m[:] = np.inf
    return _Verdict(
        bounds.strain,
        bounds.group_strain,
        levels_m,
        bounds.assumed,
        bounds.detectable_m,
        _total(found, usual_variance(model), settings),
    )


def _alarmed(found: Fit, verdict: _Verdict) -> Bools:
    """Epochs where one range, or all together, do not fit; only where another could be left out."""
    spare = _redundancy(found)
    rough = ~found.near_earth & ((found.rough_m != 0).sum(1) > 4 + _clocks(found))
    alarmed: Bools = (found.converged & _alarm(verdict) & (spare > 0)) | rough
    return alarmed


def _alarm(verdict: _Verdict) -> Bools:
    one = np.asarray((verdict.strain > 1).any(1), bool)
    group = np.asarray((verdict.group_strain > 1).any(1), bool)
    alarm: Bools = one | group | (verdict.total > 1)
    return alarm


def _leave_out(
    data: Measurements, allowed: Bools, found: Fit, verdict: _Verdict, epochs: Ints
) -> None:
    """Takes out the range that fits least; a whole constellation where only that one shows."""
    worst = _suspicion(found, verdict)[epochs].argmax(1)
    groups = np.asarray((verdict.group_strain[epochs] > 1).any(1), bool)
    ranges = np.asarray((verdict.strain[epochs] > 1).any(1), bool)
    together = groups & ~ranges & found.near_earth[epochs]
    one = epochs[~together]
    allowed[one, worst[~together]] = False
    letters = sorted(set(data.systems))
    group = np.array([letters.index(letter) for letter in data.systems])[data.system]
    for epoch in epochs[together].tolist():
        allowed[epoch] &= group[epoch] != int(verdict.group_strain[epoch].argmax())


def _clocks(found: Fit) -> int:
    return int(found.design.shape[2]) - 3


def _redundancy(found: Fit) -> Ints:
    used = found.weight > 0
    clocks = (found.design[..., 3:] * used[..., None]).any(1).sum(1)
    spare: Ints = used.sum(1) - 3 - clocks
    return spare


def _suspicion(found: Fit, verdict: _Verdict) -> Floats:
    """What to leave out first: the greatest strain, or far from Earth the greatest residual."""
    return np.where(found.near_earth[:, None], verdict.strain, np.abs(found.rough_m))


def _total(found: Fit, variance: Floats, settings: Settings) -> Floats:
    return total_strain(
        found.weight > 0,
        found.residual_m,
        variance,
        _redundancy(found),
        alarm=settings.alarm_ppb * _PPB,
    )


def _replaced(old: _T, new: _T, epochs: Ints) -> _T:
    """The old result with some epochs renewed."""
    columns = {}
    for column in fields(old):
        values = getattr(old, column.name).copy()
        values[epochs] = getattr(new, column.name)
        columns[column.name] = values
    return replace(old, **columns)


def _dilution(found: Fit) -> Floats:
    """GDOP, PDOP, HDOP, VDOP of the used satellites, (e, 4); infinite where undefined.

    GDOP counts the first clock that is in use for every system alike.
    """
    used = (found.weight > 0).astype(float)
    normal = np.swapaxes(found.design * used[..., None], 1, 2) @ found.design
    places = np.arange(3, normal.shape[1])
    normal[:, places, places] += normal[:, places, places] == 0
    good = found.converged & (np.linalg.cond(normal) < 1e12)
    normal[~good] = np.eye(normal.shape[1])
    diagonal = np.einsum("eii->ei", np.linalg.inv(normal))
    idle = ~(found.design[..., 3:] * used[..., None]).any(1)
    clocks = np.where(idle, 0, diagonal[:, 3:]).sum(1)
    horizontal, vertical = diagonal[:, 0] + diagonal[:, 1], diagonal[:, 2]
    parts = (horizontal + vertical + clocks, horizontal + vertical, horizontal, vertical)
    out: Floats = np.sqrt(np.maximum(np.stack(parts, 1), 0))
    out[~good] = np.inf
    return out


def _reasons(
    data: Measurements, found: Fit, verdict: _Verdict, dilution: Floats, settings: Settings
) -> Bytes:
    """The first thing that speaks against each epoch, OK where nothing does."""
    spare = _redundancy(found)
    enough = data.present.sum(1) >= 4
    low, high = _HEIGHT_M
    conditions = (
        (~enough & (data.observed >= 4), Reason.NO_NAVIGATION),
        (~enough | (found.near_earth & (spare < 0)), Reason.TOO_FEW_SATELLITES),
        (~found.near_earth, Reason.IMPLAUSIBLE),
        (~found.converged, Reason.NOT_CONVERGED),
        (dilution[:, 0] > settings.gdop_max_milli / 1000, Reason.WEAK_GEOMETRY),
        (_alarm(verdict), Reason.FAULT_NOT_EXCLUDED),
        ((found.height_m < low) | (found.height_m > high), Reason.IMPLAUSIBLE),
    )
    return np.select([c for c, _ in conditions], [r for _, r in conditions], 0).astype(np.uint8)


def _solution(
    data: Measurements, allowed: Bools, found: Fit, verdict: _Verdict, settings: Settings
) -> Solution:
    dilution = _dilution(found)
    reason = _reasons(data, found, verdict, dilution, settings)
    lost = reason != Reason.OK
    used = (found.weight > 0) & ~lost[:, None]
    idle = ~(found.design[..., 3:] * used[..., None]).any(1)
    return Solution(
        measurements=data,
        reason=reason,
        ecef_m=_blank(found.ecef_m, lost),
        latitude=_blank(found.latitude, lost),
        longitude=_blank(found.longitude, lost),
        height_m=_blank(found.height_m, lost),
        clock_m=np.where(idle, np.nan, found.clock_m),
        covariance_m2=_blank(found.inverse[:, :3, :3], lost),
        dilution=_blank(dilution, lost),
        elevation=np.where(data.present & ~lost[:, None], found.elevation, np.nan),
        azimuth=np.where(data.present & ~lost[:, None], found.azimuth, np.nan),
        residual_m=np.where(used, found.residual_m, np.nan),
        used=used,
        excluded=data.present & ~allowed,
        horizontal_m=_blank(np.hypot(verdict.levels_m[:, 0], verdict.levels_m[:, 1]), lost),
        vertical_m=_blank(verdict.levels_m[:, 2], lost),
        detectable_m=np.where(used, verdict.detectable_m, np.inf),
        one_constellation=verdict.assumed,
    )


def _blank(values: Floats, lost: Bools) -> Floats:
    out = values.copy()
    out[lost] = np.nan
    return out


def _joined(data: Measurements, blocks: list[Solution]) -> Solution:
    if len(blocks) == 1:
        return blocks[0]
    return Solution(
        data,
        **{
            column.name: np.concatenate([getattr(block, column.name) for block in blocks])
            for column in fields(Solution)
            if column.name != "measurements"
        },
    )
