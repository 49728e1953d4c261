"""Ranges of one signal, or of two in the combination that is free of ionosphere, with their delays.

The first-order delay of the ionosphere goes with 1/f^2, so (f1^2 P1 - f2^2 P2) / (f1^2 - f2^2) is
free of it, at the price of about three times the noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import (
    Floats,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import carrier_hz
from zhidao.positioning.domain.satellites.ephemeris import MESSAGES, Ephemerides
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides
from zhidao.positioning.domain.solver_settings import Settings

_CNV1, _CNV2, _CNV3, _FNAV, _CNAV = map(MESSAGES.index, ("CNV1", "CNV2", "CNV3", "FNAV", "CNAV"))
# By constellation, the signals of which one counts where the settings name none: the one that most
# satellites of the window have, the first of equals. GLONASS is left out: receivers delay each of
# its carriers by another amount, and nothing at hand bounds that.
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "C": ("C2I", "C1P", "C1X"),
    "E": ("C1C", "C1X", "C1B"),
    "G": ("C1C", "C1W", "C1X"),
    "J": ("C1C", "C1X"),
}
_L1_OVER_L2: Final = (1575.42 / 1227.60) ** 2
_E1_OVER_E5A: Final = (1575.42 / 1176.45) ** 2
_E1_OVER_E5B: Final = (1575.42 / 1207.14) ** 2


@dataclass(frozen=True, slots=True)
class SignalChoice:
    """One or two observation codes of a system and the factors of their ranges."""

    system: str
    codes: tuple[str, ...]
    factors: tuple[float, ...]

    @classmethod
    def of(cls, system: str, text: str) -> SignalChoice:
        """From `C2I` or `C2I+C6I`. Raises MalformedInput for a signal without a known carrier."""
        codes = tuple(text.split("+"))
        squares = [carrier_hz(system, code) ** 2 for code in codes]
        if len(codes) == 1:
            return cls(system, codes, (1.0,))
        below = squares[0] - squares[1]
        return cls(system, codes, (squares[0] / below, -squares[1] / below))

    @property
    def carrier_hz(self) -> float:
        """The carrier, or infinity for a combination that no ionosphere delays."""
        return carrier_hz(self.system, self.codes[0]) if len(self.codes) == 1 else math.inf

    @property
    def noise(self) -> float:
        """Deviation of the combination over that of one range."""
        return math.hypot(*self.factors)

    def range_m(self, table: SystemObservations) -> Floats | None:
        """Ranges (n,), NaN where a part is missing; None where the file has no such column."""
        columns = [c for c in map(table.column, self.codes) if c is not None]
        if len(columns) < len(self.codes):
            return None
        return self._combined(columns)

    def delay_s(self, eph: Ephemerides) -> Floats:
        """Group delay against the clock that the messages describe; NaN where they do not tell."""
        return self._combined([_delay_s(self.system, code, eph) for code in self.codes])

    def glonass_delay_s(self, eph: GlonassEphemerides) -> Floats:
        """The same for GLONASS, whose clock is that of L1; NaN where L2's delay is not known."""
        parts = [np.zeros(len(eph)) if code[1] == "1" else eph.delay_s for code in self.codes]
        return self._combined(parts)

    def _combined(self, parts: list[Floats]) -> Floats:
        if len(parts) == 1:
            return parts[0]
        return self.factors[0] * parts[0] + self.factors[1] * parts[1]


def with_signals(settings: Settings, seen: Observations) -> Settings:
    """Settings with one signal of each constellation that a window has, if they name none."""
    if settings.signals:
        return settings
    found = {}
    for system, codes in _USUAL.items():
        table = seen.systems.get(system)
        if table is None or not len(table.prn):
            continue
        columns = {code: table.column(code) for code in codes}
        ranges = {code: int(np.isfinite(c).sum()) for code, c in columns.items() if c is not None}
        if any(ranges.values()):
            found[system] = max(ranges, key=lambda code: ranges[code])
    return replace(settings, signals=found or {"C": "C2I"})


def _delay_s(system: str, code: str, eph: Ephemerides) -> Floats:
    """Delay of one signal.

    BDS clocks refer to B3I: TGD1 takes them to B1I, TGD2 to B2I (BDS-SIS-ICD-B1I 3.0 section
    5.2.4.10), TGD and ISC of B-CNAV to B1C and B2a (ICD-B1C 1.0 section 7.6). GPS: TGD for L1 and
    its square-of-frequency multiple for L2 (IS-GPS-200 section 20.3.3.3.3). Galileo: BGD(E1,E5b)
    for the I/NAV clock, BGD(E1,E5a) for the F/NAV clock (OS SIS ICD section 5.1.5).
    """
    find = _DELAYS.get(system + code[1:2])
    return find(code, eph) if find else np.full(len(eph), np.nan)


def _bds(code: str, eph: Ephemerides) -> Floats:
    """BDS: what B1I, B2I, B1C, B2a and B2b have against B3I."""
    kind, band = eph.message, code[1]
    if band == "2":
        return np.where(kind < _CNV1, eph.delay1_s, np.nan)
    if band == "7" and code[2] in "DPZ":
        return np.where(kind == _CNV3, eph.delay1_s, np.nan)
    if band == "7":
        return np.where(kind < _CNV1, eph.delay2_s, np.nan)
    own, message = (eph.delay1_s, _CNV1) if band == "1" else (eph.delay2_s, _CNV2)
    # Only the message of the signal itself tells how its data component differs from its pilot.
    data = np.where(kind == message, eph.delay3_s, np.nan) if code[2] == "D" else 0.0
    return np.where((kind == _CNV1) | (kind == _CNV2), own + data, np.nan)


def _gps(eph: Ephemerides, by_tgd: float, civil: Floats) -> Floats:
    """GPS and QZSS: a multiple of TGD under LNAV, what CNAV tells of the signal under CNAV.

    The table's TGD of CNAV is already less the ISC of L1 C/A.
    """
    return np.where(eph.message == _CNAV, civil, by_tgd * eph.delay1_s)


def _l2(code: str, eph: Ephemerides) -> Floats:
    civil = eph.delay2_s if code[2] in "LSX" else np.full(len(eph), np.nan)
    return _gps(eph, _L1_OVER_L2, civil)


def _fnav(eph: Ephemerides, by_fnav: float, by_inav: float) -> Floats:
    """Galileo: multiples of BGD(E1,E5a) under the F/NAV clock, of BGD(E1,E5b) under I/NAV's."""
    return np.where(eph.message == _FNAV, by_fnav * eph.delay1_s, by_inav * eph.delay2_s)


_DELAYS: Final[Mapping[str, Callable[[str, Ephemerides], Floats]]] = {
    **dict.fromkeys(("C1", "C2", "C5", "C7"), _bds),
    "C6": lambda _, eph: np.zeros(len(eph)),
    "G1": lambda _, eph: eph.delay1_s,
    "J1": lambda _, eph: eph.delay1_s,
    "G2": _l2,
    "J2": lambda code, eph: _gps(eph, math.nan, _l2(code, eph)),
    **dict.fromkeys(("G5", "J5"), lambda _, eph: _gps(eph, math.nan, eph.delay3_s)),
    "E1": lambda _, eph: _fnav(eph, 1.0, 1.0),
    "E5": lambda _, eph: _fnav(eph, _E1_OVER_E5A, math.nan),
    "E7": lambda _, eph: _fnav(eph, math.nan, _E1_OVER_E5B),
}
