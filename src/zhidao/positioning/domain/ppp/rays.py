"""Code and phase of one receiver in the combination free of ionosphere, and where phases slip."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
    SYSTEMS,
    carrier_hz,
    glonass_carrier_hz,
)
from zhidao.positioning.domain.ppp.ppp_settings import PppSettings
from zhidao.positioning.domain.satellites.ephemeris import satellite_number

_RANGE_M: Final = (1e6, 1e8)
_CYCLES_MAX: Final = 1e11
# Two codes of one satellite differ by the ionosphere, some hundred metres at most.
_APART_M: Final = 500.0
# A step of the difference of both phases, and of the wide-lane, that no quiet sky explains.
_GEOMETRY_M: Final = 0.05
_GEOMETRY_MPS: Final = 0.001
_WIDE_CYCLES: Final = 4.0


@dataclass(frozen=True, slots=True)
class Rays:
    """One row a satellite and epoch, by epoch; shapes (n,).

    code_m, phase_m: free of ionosphere. code_hint_m: the first code alone, which tells the time of
    sending. noise: how many times the noise of one range the combination has. narrow_m: length of
    one turn of the antenna. slipped: the phase may have begun anew.
    """

    epoch: Ints
    satellite: Ints
    code_m: Floats
    phase_m: Floats
    code_hint_m: Floats
    noise: Floats
    narrow_m: Floats
    slipped: Bools

    def take(self, rows: Ints | Bools) -> Rays:
        """The given rows, in the given order."""
        return Rays(*(getattr(self, column.name)[rows] for column in fields(self)))


def rays(
    seen: Observations,
    settings: PppSettings,
    *,
    glonass_channels: dict[int, int],
    code_bias_m: dict[tuple[int, str], float] | None = None,
) -> Rays:
    """Rays of all systems of the settings. Satellites with one band only are left out.

    glonass_channels: by satellite number. code_bias_m: taken off a code, by satellite and signal.
    """
    parts = []
    for system, pair in settings.pairs.items():
        table = seen.systems.get(system)
        if table is not None:
            part = _system_rays(seen, table, pair, glonass_channels, code_bias_m or {}, settings)
            if part is not None:
                parts.append(part)
    if not parts:
        none, zero = np.zeros(0, np.int64), np.zeros(0)
        return Rays(none, none, zero, zero, zero, zero, zero, np.zeros(0, bool))
    joined = Rays(
        *(np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(Rays))
    )
    joined = joined.take(np.lexsort((joined.satellite, joined.epoch)))
    # Of a satellite that is written twice at one epoch the first row counts.
    again = (np.diff(joined.epoch) == 0) & (np.diff(joined.satellite) == 0)
    return joined.take(np.append(True, ~again)[: len(joined.epoch)])


def _system_rays(
    seen: Observations,
    table: SystemObservations,
    pair: tuple[str, str],
    channels: dict[int, int],
    code_bias_m: dict[tuple[int, str], float],
    settings: PppSettings,
) -> Rays | None:
    codes = [table.column("C" + signal) for signal in pair]
    phases = [_phase(table, signal) for signal in pair]
    if codes[0] is None or codes[1] is None or phases[0] is None or phases[1] is None:
        return None
    satellite = satellite_number(table.system, table.prn)
    hertz = [_hertz(table.system, signal, satellite, channels) for signal in pair]
    bias_m = [
        np.array([code_bias_m.get((number, signal), 0.0) for number in satellite.tolist()])
        for signal in pair
    ]
    c1, c2 = (_near(code_m) - bias for code_m, bias in zip(codes, bias_m, strict=True))
    (l1, lost1), (l2, lost2) = phases[0], phases[1]
    l1, l2 = l1 * SPEED_OF_LIGHT_MPS / hertz[0], l2 * SPEED_OF_LIGHT_MPS / hertz[1]
    good = np.abs(c2 - c1) < _APART_M
    good &= np.isfinite(l1) & np.isfinite(l2) & np.isfinite(bias_m[0] + bias_m[1])
    square1, square2 = hertz[0] ** 2, hertz[1] ** 2
    a, b = square1 / (square1 - square2), -square2 / (square1 - square2)
    wide_m = SPEED_OF_LIGHT_MPS / (hertz[0] - hertz[1])
    code_narrow = (hertz[0] * c1 + hertz[1] * c2) / (hertz[0] + hertz[1])
    phase_wide = (hertz[0] * l1 - hertz[1] * l2) / (hertz[0] - hertz[1])
    found = Rays(
        table.epoch,
        satellite,
        a * c1 + b * c2,
        a * l1 + b * l2,
        c1,
        np.hypot(a, b),
        SPEED_OF_LIGHT_MPS / (hertz[0] + hertz[1]),
        lost1 | lost2,
    ).take(good)
    order = np.lexsort((found.epoch, found.satellite))
    jumps = _jumps(
        found.satellite[order],
        seen.gpst_ns[found.epoch[order]],
        np.cumsum(seen.power_failed, dtype=np.int64)[found.epoch[order]],
        (l1 - l2)[good][order],
        ((phase_wide - code_narrow) / wide_m)[good][order],
        settings.gap_s_max,
    )
    found.slipped[order] |= jumps
    return found


def _jumps(
    satellite: Ints,
    at_ns: Ints,
    failures: Ints,
    geometry_m: Floats,
    wide_cycles: Floats,
    gap_s_max: float,
) -> Bools:
    """Rows, sorted by satellite and time, whose phases do not follow from the row before.

    failures: how often the receiver had lost power until then.
    """
    out = np.ones(len(satellite), bool)
    step_s = np.diff(at_ns) * 1e-9
    limit_m = _GEOMETRY_M + _GEOMETRY_MPS * step_s
    steady = (np.diff(satellite) == 0) & (step_s <= gap_s_max) & (np.diff(failures) == 0)
    steady &= np.abs(np.diff(geometry_m)) < limit_m
    steady &= np.abs(np.diff(wide_cycles)) < _WIDE_CYCLES
    out[1:] = ~steady
    return out


def _phase(table: SystemObservations, signal: str) -> tuple[Floats, Bools] | None:
    """Cycles and the flag of lost lock, of the signal or of the first that its band has."""
    own = "L" + signal
    names = [own] if own in table.codes else [c for c in table.codes if c[:2] == own[:2]]
    if not names:
        return None
    place = table.codes.index(names[0])
    flag: Bytes = table.lost_lock[:, place]
    values = table.values[:, place]
    # Bit 1 says that half a cycle is open: such a phase does not count.
    good = (flag & 2 == 0) & (np.abs(values) < _CYCLES_MAX)
    return np.where(good, values, np.nan), (flag & 1).astype(bool)


def _near(range_m: Floats | None) -> Floats:
    """Codes that a receiver near the Earth may measure; the others NaN."""
    assert range_m is not None
    return np.where((range_m > _RANGE_M[0]) & (range_m < _RANGE_M[1]), range_m, np.nan)


def _hertz(system: str, signal: str, satellite: Ints, channels: dict[int, int]) -> Floats:
    if system != "R":
        return np.full(len(satellite), carrier_hz(system, "C" + signal))
    known = np.array([channels.get(number, 99) for number in satellite.tolist()], np.float64)
    # Without its channel a satellite has no wavelength, and so no phase.
    known[known == 99] = np.nan
    return glonass_carrier_hz("C" + signal, known)


def glonass_channels_of(satellites: Ints, channels: Ints) -> dict[int, int]:
    """Channel of each satellite number by rows of navigation messages; the last row counts."""
    rows = zip(satellites.tolist(), channels.tolist(), strict=True)
    return {number: channel for number, channel in rows if number // 100 == SYSTEMS.index("R")}
