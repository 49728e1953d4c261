"""A baseline from one epoch alone: no memory, so no cycle slip can hurt.

Each epoch: double differences of code and phase of all signals against the highest satellite of
its system, weighted least squares for baseline and float ambiguities, LAMBDA, tests, fixed
baseline. If the whole set does not pass, ambiguities of the lowest satellites are left out one
after another (partial fixing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from zhidao.positioning.domain.atmosphere import troposphere_m
from zhidao.positioning.domain.ephemeris import Navigation
from zhidao.positioning.domain.geometry import enu_axes, geodetic
from zhidao.positioning.domain.observations import Bools, Bytes, Floats, Ints, Observations
from zhidao.positioning.domain.rtk.ambiguities import Resolution, resolve
from zhidao.positioning.domain.rtk.receivers import Sightings, sightings
from zhidao.positioning.domain.signals import SPEED_OF_LIGHT_MPS

BDS_SIGNALS: Mapping[str, Sequence[str]] = {"C": ("C2I", "C6I", "C7I")}
ALL_SIGNALS: Mapping[str, Sequence[str]] = {
    "C": ("C2I", "C6I", "C7I"),
    "E": ("C1C", "C5Q", "C7Q"),
    "G": ("C1C", "C2W", "C5Q"),
    "J": ("C1C", "C2L", "C5Q"),
}


class RtkStatus(IntEnum):
    """What an epoch gave."""

    FIXED = 0
    FLOAT = 1  # ambiguities not believed; the place is good to decimetres at best
    TOO_FEW_SATELLITES = 2
    NO_BASE_EPOCH = 3


@dataclass(frozen=True, slots=True)
class RtkSettings:
    """Choices of the baseline solver. Deviations are of one range at the zenith, undifferenced.

    success_min: chance of right rounding that a set of ambiguities must promise. partial_min: the
    fewest ambiguities that partial fixing may keep.
    """

    signals: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict(BDS_SIGNALS))
    mask_rad: float = float(np.deg2rad(15.0))
    code_m: float = 0.3
    phase_m: float = 0.003
    ratio_min: float = 3.0
    success_min: float = 0.999
    partial_min: int = 6
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Baselines:
    """One entry an epoch of the rover. place_m (e, 3): NaN where there is none.

    covariance_m2 (e, 3, 3) in Earth-fixed axes. ratio, success, ambiguities (e,): what the fix
    stands on; ambiguities counts those that were fixed.
    """

    gpst_ns: Ints
    status: Bytes
    place_m: Floats
    float_place_m: Floats
    covariance_m2: Floats
    ratio: Floats
    success: Floats
    ambiguities: Ints
    satellites: Ints

    @property
    def fixed(self) -> Bools:
        """Which epochs are fixed."""
        fixed: Bools = self.status == RtkStatus.FIXED
        return fixed


def solve_baselines(
    rover: Observations,
    base: Observations,
    navigation: Navigation,
    base_ecef_m: Sequence[float],
    settings: RtkSettings | None = None,
) -> Baselines:
    """The rover's place at each of its epochs from that epoch alone, base_ecef_m being exact.

    Baselines should be short (some 10 km): the ionosphere is taken to cancel.
    """
    chosen = settings or RtkSettings()
    sights = {
        "rover": sightings(rover, navigation, chosen.signals),
        "base": sightings(base, navigation, chosen.signals),
    }
    partner = _partners(rover.gpst_ns, base.gpst_ns)
    origin = np.asarray(base_ecef_m, np.float64)
    rows = [
        _Epoch.of(sights, epoch, int(partner[epoch]), origin, chosen).solve()
        if partner[epoch] >= 0
        else _nothing(RtkStatus.NO_BASE_EPOCH)
        for epoch in range(len(rover.gpst_ns))
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 8
    return Baselines(rover.gpst_ns, columns[0].astype(np.uint8), *columns[1:])


_Row = tuple[int, Floats, Floats, Floats, float, float, int, int]


def _nothing(status: RtkStatus, satellites: int = 0) -> _Row:
    none = np.full(3, np.nan)
    return (int(status), none, none, np.full((3, 3), np.nan), 0.0, 0.0, 0, satellites)


def _partners(rover_ns: Ints, base_ns: Ints) -> Ints:
    """Epoch of the base within 5 ms of each of the rover's, or -1."""
    if not len(base_ns):
        return np.full(len(rover_ns), -1)
    after = np.clip(np.searchsorted(base_ns, rover_ns), 0, len(base_ns) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(base_ns[before] - rover_ns) < np.abs(base_ns[after] - rover_ns)
    best = np.where(nearer, before, after)
    return np.where(np.abs(base_ns[best] - rover_ns) <= 5_000_000, best, -1)


@dataclass(frozen=True, slots=True)
class _Common:
    """Satellites of one system that both receivers saw at one epoch."""

    wavelength_m: Floats
    rover_place_m: Floats
    rotation_radps: float
    # Single differences without what is known of them: base range, satellite clocks, air.
    code_m: Floats
    phase_m: Floats
    elevation: Floats
    rover_clock_m: Floats


@dataclass(frozen=True, slots=True)
class _Epoch:
    """One epoch of a pair of receivers."""

    common: list[_Common]
    origin_m: Floats
    settings: RtkSettings

    @classmethod
    def of(
        cls,
        sights: Mapping[str, Mapping[str, Sightings]],
        rover_epoch: int,
        base_epoch: int,
        origin_m: Floats,
        settings: RtkSettings,
    ) -> _Epoch:
        common = []
        for system, rover in sights["rover"].items():
            base = sights["base"].get(system)
            if base is None or base.signals != rover.signals:
                continue
            r = np.flatnonzero(rover.epoch == rover_epoch)
            b = np.flatnonzero(base.epoch == base_epoch)
            _, at_r, at_b = np.intersect1d(
                rover.satellite[r], base.satellite[b], return_indices=True
            )
            common.append(_paired(rover, r[at_r], base, b[at_b], origin_m, settings))
        return cls(common, origin_m, settings)

    def solve(self) -> _Row:
        """Float, whole-number and partial solutions, in this order."""
        satellites = sum(len(part.elevation) for part in self.common)
        place = self.origin_m.copy()
        for _ in range(self.settings.rounds):
            system = self._system(place)
            if system is None:
                return _nothing(RtkStatus.TOO_FEW_SATELLITES, satellites)
            estimate, covariance, elevation = system
            place = place + estimate[:3]
        # The last step moved the place; ambiguities belong to the place before it, by linearity.
        start = place - estimate[:3]
        fixed = self._fix(estimate, covariance, elevation)
        if fixed is None:
            q = covariance[:3, :3]
            return (int(RtkStatus.FLOAT), place, place, q, 0.0, 0.0, 0, satellites)
        found, kept, step, q = fixed
        return (
            int(RtkStatus.FIXED),
            start + step,
            place,
            q,
            found.ratio,
            found.success,
            int(kept.sum()),
            satellites,
        )

    def _fix(
        self, estimate: Floats, covariance: Floats, elevation: Floats
    ) -> tuple[Resolution, Bools, Floats, Floats] | None:
        order = np.argsort(-elevation, kind="stable")
        least = self.settings.partial_min
        for count in range(len(order), least - 1, -max(1, len(order) // 8)):
            kept = np.zeros(len(order), bool)
            kept[order[:count]] = True
            rows = np.flatnonzero(kept) + 3
            q_aa = covariance[np.ix_(rows, rows)]
            found = resolve(estimate[rows], (q_aa + q_aa.T) / 2)
            if (
                found.ratio >= self.settings.ratio_min
                and found.success >= self.settings.success_min
            ):
                gain = np.linalg.solve(q_aa, covariance[rows, :3]).T
                step = estimate[:3] - gain @ (estimate[rows] - found.integers)
                return found, kept, step, covariance[:3, :3] - gain @ covariance[rows, :3]
        return None

    def _system(self, place: Floats) -> tuple[Floats, Floats, Floats] | None:
        """Estimate (3 + n), covariance and elevations of the ambiguities' satellites."""
        groups = [(part, index) for part in self.common for index in range(len(part.wavelength_m))]
        blocks, elevations = [], []
        for part, index in groups:
            block = _differences(part, index, place)
            if block is not None:
                blocks.append(block)
                elevations.append(block[4])
        count = sum(len(block[1]) for block in blocks)
        if count < 4:
            return None
        normal, right = np.zeros((3 + count, 3 + count)), np.zeros(3 + count)
        at = 3
        for toward, code, phase, wavelength_m, elevation, shape in blocks:
            rows = slice(at, at + len(code))
            at = rows.stop
            w_code = shape / self.settings.code_m**2
            w_phase = shape / self.settings.phase_m**2
            normal[:3, :3] += toward.T @ (w_code + w_phase) @ toward
            normal[:3, rows] = toward.T @ w_phase * wavelength_m
            normal[rows, :3] = normal[:3, rows].T
            normal[rows, rows] = w_phase * wavelength_m**2
            right[:3] += toward.T @ (w_code @ code + w_phase @ phase)
            right[rows] = w_phase @ phase * wavelength_m
            assert len(elevation) == len(code)
        if np.linalg.matrix_rank(normal[:3, :3]) < 3:
            return None
        covariance: Floats = np.linalg.inv(normal).astype(np.float64)
        return covariance @ right, covariance, np.concatenate(elevations)


def _range_m(place_m: Floats, satellites_m: Floats, rotation_radps: float) -> tuple[Floats, Floats]:
    """Ranges and unit vectors towards the satellites, with the Earth's turn on the way."""
    between = satellites_m - place_m
    straight = np.sqrt(np.einsum("ni,ni->n", between, between))
    cross = satellites_m[:, 0] * place_m[1] - satellites_m[:, 1] * place_m[0]
    return straight + rotation_radps / SPEED_OF_LIGHT_MPS * cross, between / straight[:, None]


def _paired(
    rover: Sightings,
    r: Ints,
    base: Sightings,
    b: Ints,
    origin_m: Floats,
    settings: RtkSettings,
) -> _Common:
    range_m, toward = _range_m(origin_m, base.place_m[b], base.rotation_radps)
    latitude, longitude, height_m = geodetic(origin_m)
    elevation = np.arcsin(np.clip(toward @ enu_axes(latitude, longitude)[2], -1, 1))
    high = elevation > settings.mask_rad
    r, b, range_m, elevation = r[high], b[high], range_m[high], elevation[high]
    air_m = troposphere_m(latitude=latitude, height_m=height_m, elevation=elevation)
    base_m = (range_m - base.clock_m[b] + air_m)[:, None]
    clock_m = rover.clock_m[r][:, None]
    return _Common(
        rover.wavelength_m,
        rover.place_m[r],
        rover.rotation_radps,
        rover.code_m[r] + clock_m - (base.code_m[b] - base_m),
        rover.phase_m[r] + clock_m - (base.phase_m[b] - base_m),
        elevation,
        rover.clock_m[r],
    )


_Block = tuple[Floats, Floats, Floats, float, Floats, Floats]


def _differences(part: _Common, index: int, place: Floats) -> _Block | None:
    """One signal's differences: design, code, phase, wavelength, elevation, shape of weights."""
    use = np.flatnonzero(np.isfinite(part.code_m[:, index]) & np.isfinite(part.phase_m[:, index]))
    if len(use) < 2:
        return None
    top = use[np.argmax(part.elevation[use])]
    rest = use[use != top]
    range_m, toward = _range_m(place, part.rover_place_m, part.rotation_radps)
    latitude, _, height_m = geodetic(place)
    air_m = troposphere_m(latitude=latitude, height_m=height_m, elevation=part.elevation)
    code = part.code_m[:, index] - range_m - air_m
    phase = part.phase_m[:, index] - range_m - air_m
    # Variance of a difference between receivers, in units of the zenith variance of one range.
    spread = 2 * (1 + 1 / np.sin(part.elevation) ** 2)
    shape = np.linalg.inv(np.diag(spread[rest]) + spread[top])
    return (
        toward[top] - toward[rest],
        code[rest] - code[top],
        phase[rest] - phase[top],
        float(part.wavelength_m[index]),
        part.elevation[rest],
        shape,
    )
