"""Whether bounds hold: tests, exclusion and levels over a great many epochs of drawn errors.

Skies come from real or simulated days, errors from a generator; everything after the linearisation
is what the solver itself runs. All of it is simulated: it shows whether the method keeps its word
under errors that are worse than it assumes, not what errors a place has.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from zhidao.positioning.domain.integrity.error_models import (
    accounting,
    linear_model,
    total_strain,
    usual_variance,
)
from zhidao.positioning.domain.integrity.fault_hypotheses import LinearModel, inverse_of
from zhidao.positioning.domain.integrity.protection import Bounds, bound
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints, Observations
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.least_squares import fit_with_model
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.solver_settings import Settings

_PPB: Final = 1e-9
# Degrees of freedom of drawn errors: far out their tails are a thousand times a normal one's.
_FREEDOM: Final = 4
_COMMON_FREEDOM: Final = 5
_FAULT_M: Final = (2.0, 300.0)
_GROUP_FAULT_M: Final = (3.0, 60.0)


@dataclass(frozen=True, slots=True)
class Skies:
    """Linearised epochs to draw from; errors_m (e, s): what ranges were off by, NaN if unknown."""

    model: LinearModel
    errors_m: Floats

    def __len__(self) -> int:
        return len(self.errors_m)


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of epochs. `weight` (n,) is 1 but for importance sampling.

    error_m, levels_m (n, 3) east, north, up; flagged (n,): no position was given; hit (n,): a test
    saw something.
    """

    error_m: Floats
    levels_m: Floats
    flagged: Bools
    hit: Bools
    weight: Floats

    @property
    def offered(self) -> Bools:
        """Which epochs had a position with bounds."""
        offered: Bools = ~self.flagged & np.asarray(np.isfinite(self.levels_m).all(1), bool)
        return offered

    def exceeded(self) -> Floats:
        """Chance an epoch that a bound is exceeded unnoticed: horizontal, vertical."""
        across = np.hypot(self.error_m[:, 0], self.error_m[:, 1])
        level = np.hypot(self.levels_m[:, 0], self.levels_m[:, 1])
        beyond = np.stack((across > level, np.abs(self.error_m[:, 2]) > self.levels_m[:, 2]), 1)
        counted = beyond & self.offered[:, None]
        out: Floats = (counted * self.weight[:, None]).sum(0) / len(self.weight)
        return out

    def available(self, horizontal_m: float, vertical_m: float) -> float:
        """Share of epochs whose levels lie within alert limits."""
        level = np.hypot(self.levels_m[:, 0], self.levels_m[:, 1])
        good = self.offered & (level <= horizontal_m) & (self.levels_m[:, 2] <= vertical_m)
        return float(good.mean())


def skies_of(
    seen: Observations,
    navigation: Navigation,
    settings: Settings,
    place_m: Floats | None = None,
) -> Skies:
    """Epochs of some observations; with the antenna's place (3,) also their real errors."""
    data = measure(seen, navigation, settings)
    found = fit_with_model(data, data.present, navigation, settings)
    model = linear_model(data, found, settings, np.zeros(len(data.gpst_ns), np.int64))
    errors_m = np.full(model.weight.shape, np.nan)
    if place_m is not None:
        latitude, longitude, _ = geodetic(place_m)
        shift = (found.ecef_m - place_m) @ enu_axes(latitude, longitude).T
        errors_m = np.nan_to_num(model.residual_m) + np.einsum(
            "esi,ei->es", model.design[..., :3], shift
        )
        # A receiver clock that all ranges of a system share is no error.
        errors_m = _without_clocks(model, errors_m)
    good = found.converged & (model.spare >= 1)
    return Skies(model.take(good), errors_m[good])


def _without_clocks(model: LinearModel, errors_m: Floats) -> Floats:
    out = errors_m.copy()
    for column in range(3, model.design.shape[2]):
        mine = model.design[..., column] * (model.weight > 0)
        middle = (mine * errors_m * model.weight).sum(1)
        middle /= np.maximum((mine * model.weight).sum(1), 1e-12)
        out -= mine * middle[:, None]
    return out


def joined(parts: list[Skies]) -> Skies:
    """Skies of several places with the same systems, padded to the widest."""
    cells = max(part.errors_m.shape[1] for part in parts)
    columns: dict[str, Any] = {}
    for column in fields(LinearModel):
        values = [getattr(part.model, column.name) for part in parts]
        if column.name in ("group_fault", "usual"):
            columns[column.name] = values[0]
            continue
        wide = [
            _padded(v, cells) if column.name not in ("inverse", "suspected") else v for v in values
        ]
        columns[column.name] = np.concatenate(wide)
    errors_m = np.concatenate([_padded(part.errors_m, cells) for part in parts])
    return Skies(LinearModel(**columns), errors_m)


def _padded(values: Any, cells: int) -> Any:
    width = [(0, 0)] * values.ndim
    width[1] = (0, cells - values.shape[1])
    # Variances of cells that hold nothing must not be zero, since residuals are divided by them.
    return np.pad(values, width, mode="edge") if values.shape[1] else values


def drawn_errors(skies: Skies, rows: Ints, pool: Floats, chance: np.random.Generator) -> Floats:
    """Errors of worse tails than the bound assumes, with faults as often as it assumes, (n, s).

    Own and common errors follow Student's t with 4 and 5 degrees of freedom, scaled to what errors
    mostly are. In one third of the epochs, own errors are real ones instead: drawn from `pool`,
    residuals of a real day over their usual deviation. Faults are drawn per satellite and, in
    constellations, one alone too, for all of its satellites, each by a size of its own.
    """
    model = skies.model.take(rows)
    shape = model.weight.shape
    own = chance.standard_t(_FREEDOM, shape)
    if len(pool):
        real = np.asarray(chance.random(shape[0]) < 1 / 3, bool)
        own[real] = chance.choice(pool, (int(real.sum()), shape[1]))
    errors = own * np.sqrt(model.usual_m2)
    causes = chance.standard_t(_COMMON_FREEDOM, (shape[0], model.common_m.shape[2]))
    errors += model.usual * np.einsum("ec,esc->es", causes, model.common_m)
    errors += model.bias_m * chance.choice((-1.0, 1.0), shape)
    faulty = chance.random(shape) < model.fault
    errors += np.where(faulty, _sizes(shape, _FAULT_M, chance), 0)
    for index, often in enumerate(model.group_fault.tolist()):
        struck = np.asarray(chance.random(shape[0]) < often, bool)
        hit = struck[:, None] & (model.group == index)
        errors += np.where(hit, _sizes(shape, _GROUP_FAULT_M, chance), 0)
    return errors


def _sizes(
    shape: tuple[int, ...], between_m: tuple[float, float], chance: np.random.Generator
) -> Floats:
    """Sizes of either sign, even in their logarithm."""
    low, high = np.log(between_m)
    sign = chance.choice((-1.0, 1.0), shape)
    return sign * np.exp(chance.uniform(low, high, shape))


@dataclass(frozen=True, slots=True)
class Judged:
    """Epochs after tests and exclusions, with their levels; error_m (n, 3) as in `Tally`."""

    model: LinearModel
    bounds: Bounds
    flagged: Bools
    hit: Bools
    error_m: Floats


def examine(model: LinearModel, errors_m: Floats, settings: Settings, *, risk: float) -> Tally:
    """Tests, exclusions and levels of linearised epochs whose ranges are off by errors_m (e, s)."""
    found = judged(model, errors_m, settings, risk=risk)
    weight = np.ones(len(found.error_m))
    return Tally(found.error_m, found.bounds.levels_m, found.flagged, found.hit, weight)


def judged(model: LinearModel, errors_m: Floats, settings: Settings, *, risk: float) -> Judged:
    """What `examine` counts, with the models that are left after exclusions."""
    alarm = settings.alarm_ppb * _PPB
    model = _solved(model, errors_m)
    bounds = bound(model, risk=risk, alarm=alarm, accounting=accounting(settings))
    alarmed = _alarm(model, bounds, alarm)
    hit = alarmed.copy()
    for _ in range(settings.exclusions_max):
        epochs = np.flatnonzero(alarmed & (model.spare > 0))
        if not len(epochs):
            break
        part = _without_worst(model.take(epochs), bounds, epochs)
        part = _solved(part, errors_m[epochs])
        again = bound(part, risk=risk, alarm=alarm, accounting=accounting(settings))
        model, bounds = _put(model, part, epochs), _put(bounds, again, epochs)
        alarmed[epochs] = _alarm(part, again, alarm)
    gain = np.nan_to_num(model.inverse[:, :3]) @ np.swapaxes(
        model.design * model.weight[..., None], 1, 2
    )
    error = np.einsum("eqs,es->eq", gain, errors_m)
    return Judged(model, bounds, alarmed, hit, error)


def _solved(model: LinearModel, errors_m: Floats) -> LinearModel:
    """With the residuals that errors leave; solved anew where a weight has changed."""
    inverse = model.inverse
    if model.suspected.any():
        inverse = inverse_of(model.design, model.weight)
    right = np.einsum("esp,es->ep", model.design * model.weight[..., None], errors_m)
    shift = np.einsum("epq,eq->ep", np.nan_to_num(inverse), right)
    residual = errors_m - np.einsum("esp,ep->es", model.design, shift)
    return replace(model, inverse=inverse, residual_m=residual)


def _alarm(model: LinearModel, bounds: Bounds, alarm: float) -> Bools:
    total = total_strain(
        model.weight > 0, model.residual_m, usual_variance(model), model.spare, alarm=alarm
    )
    single = np.asarray((bounds.strain > 1).any(1) | (bounds.group_strain > 1).any(1), bool)
    return single | (total > 1)


def _without_worst(model: LinearModel, bounds: Bounds, epochs: Ints) -> LinearModel:
    """The range of the greatest strain is left out, or the constellation that alone shows."""
    strain, groups = bounds.strain[epochs], bounds.group_strain[epochs]
    together = np.asarray((groups > 1).any(1) & ~(strain > 1).any(1), bool)
    weight = model.weight.copy()
    one = np.flatnonzero(~together)
    weight[one, strain[one].argmax(1)] = 0
    out = together[:, None] & (model.group == groups.argmax(1)[:, None])
    weight[out] = 0
    put_out = model.suspected + (model.weight > 0).sum(1) - (weight > 0).sum(1)
    return replace(model, weight=weight, suspected=put_out)


def _put(old: Any, new: Any, epochs: Ints) -> Any:
    columns = {}
    for column in fields(old):
        if column.name in ("group_fault", "usual"):
            continue
        values = getattr(old, column.name).copy()
        values[epochs] = getattr(new, column.name)
        columns[column.name] = values
    return replace(old, **columns)


def tilted(
    skies: Skies, rows: Ints, settings: Settings, *, risk: float, chance: np.random.Generator
) -> tuple[Tally, Tally]:
    """Importance sampling of small risks: epochs without a fault, and with one; both weighted.

    Errors are normal with just the deviations that the bound assumes (heavier tails have no small
    risk to sample), drawn around a shift that brings the position to its level east, west, north,
    south, up or down, each as often, and weighted by the ratio of densities. In the second tally
    one range is faulty by up to twice its detectable bias and all weights carry that chance.
    """
    model = skies.model.take(rows)
    first = _first_bound(model, settings, risk=risk)
    found = []
    for faulty in (False, True):
        bias, times = _one_fault(model, first, chance) if faulty else (0.0, 1.0)
        # A fault brings part of the way by itself.
        reach = np.where(np.isfinite(first.levels_m), first.levels_m, 0)
        errors, weight = _tilted_errors(model, reach * (0.5 if faulty else 1.0), chance)
        tally = examine(model, errors + bias, settings, risk=risk)
        found.append(replace(tally, weight=weight * times))
    return found[0], found[1]


def _first_bound(model: LinearModel, settings: Settings, *, risk: float) -> Bounds:
    alarm = settings.alarm_ppb * _PPB
    return bound(model, risk=risk, alarm=alarm, accounting=accounting(settings))


def _one_fault(
    model: LinearModel, bounds: Bounds, chance: np.random.Generator
) -> tuple[Floats, Floats]:
    """A bias in one tested range (e, s), and the chance of a fault in any (e,)."""
    tested = np.isfinite(bounds.detectable_m) & (model.weight > 0)
    pick = np.where(tested, chance.random(tested.shape), -1).argmax(1)
    size = np.where(tested, bounds.detectable_m, 0) * chance.uniform(0, 2, tested.shape)
    size *= chance.choice((-1.0, 1.0), tested.shape)
    bias = np.where(np.arange(tested.shape[1]) == pick[:, None], size, 0)
    return bias, np.where(tested, model.fault, 0).sum(1)


def _tilted_errors(
    model: LinearModel, reach_m: Floats, chance: np.random.Generator
) -> tuple[Floats, Floats]:
    """Normal errors around shifts, and the ratio of the plain density to the one drawn from."""
    gain = np.nan_to_num(model.inverse[:, :3]) @ np.swapaxes(
        model.design * model.weight[..., None], 1, 2
    )
    causes = model.common_m.shape[2]
    # Standard normal sources: one a range, one a common cause.
    scale = np.concatenate(
        (
            gain * np.sqrt(model.variance_m2)[:, None],
            np.einsum("eqs,esc->eqc", gain, model.common_m),
        ),
        2,
    )
    size = (scale**2).sum(2)
    shifts = scale * (reach_m / np.maximum(size, 1e-12))[..., None]
    which = chance.integers(0, 3, len(gain))
    sign = chance.choice((-1.0, 1.0), len(gain))
    shift = shifts[np.arange(len(gain)), which] * sign[:, None]
    source = chance.normal(size=shift.shape) + shift
    inner = np.einsum("eqk,ek->eq", shifts, source)
    half = 0.5 * (shifts**2).sum(2)
    top = np.maximum(np.abs(inner) - half, -700).max(1)
    parts = np.exp(inner - half - top[:, None]) + np.exp(-inner - half - top[:, None])
    errors = source[:, :-causes] * np.sqrt(model.variance_m2)
    errors += np.einsum("esc,ec->es", model.common_m, source[:, -causes:])
    return errors, np.exp(-np.minimum(top, 700)) * 2 / np.maximum(parts.mean(1), 1e-300)


def biased(
    skies: Skies, rows: Ints, settings: Settings, *, risk: float, chance: np.random.Generator
) -> tuple[int, int]:
    """Biases from their detectable size up, amid usual errors: how many, and how many were missed.

    The tests of the first look count; what is put out after it does not matter here.
    """
    model = skies.model.take(rows)
    first = _first_bound(model, settings, risk=risk)
    tested = np.isfinite(first.detectable_m) & (model.weight > 0)
    some = np.flatnonzero(tested.any(1))
    model, first_m, tested = model.take(some), first.detectable_m[some], tested[some]
    pick = np.where(tested, chance.random(tested.shape), -1).argmax(1)
    cells = np.arange(tested.shape[1]) == pick[:, None]
    errors = chance.normal(size=tested.shape) * np.sqrt(model.usual_m2)
    causes = chance.normal(size=(len(errors), model.common_m.shape[2]))
    errors += model.usual * np.einsum("ec,esc->es", causes, model.common_m)
    size = np.where(tested, first_m, 0) * chance.uniform(1, 3, tested.shape)
    errors += np.where(cells, size * chance.choice((-1.0, 1.0), tested.shape), 0)
    seen = examine(model, errors, replace(settings, exclusions_max=0), risk=risk)
    return len(errors), int((~seen.hit).sum())


def standard_residuals(skies: Skies) -> Floats:
    """Real errors over their usual deviation, (n,), of the ranges that were used."""
    known = np.isfinite(skies.errors_m) & (skies.model.weight > 0)
    deviation = np.sqrt(skies.model.usual_m2)
    found: Floats = skies.errors_m[known] / deviation[known]
    return found
