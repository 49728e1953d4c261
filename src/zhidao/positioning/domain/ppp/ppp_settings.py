"""Choices of precise point positioning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS

# Two bands of each system, by the codes that clocks of analysis centres refer to.
LEGACY_PAIRS: Final[Mapping[str, tuple[str, str]]] = {
    "G": ("1W", "2W"),
    "R": ("1P", "2P"),
    "E": ("1C", "5Q"),
}
B2B_PAIRS: Final[Mapping[str, tuple[str, str]]] = {"C": ("1P", "5P"), "G": ("1C", "2W")}


@dataclass(frozen=True, slots=True)
class PppSettings:
    """How a precise point is solved. Deviations are of one range at the zenith, before combining.

    pairs: two signals of each system, as RINEX band and attribute; the phase of the same signal is
    taken, or, where the receiver tells none, of the first signal of that band.
    glonass: how many times the noise of a GLONASS code: each channel has a delay of its own.
    moving: the place is found anew at each epoch. wet_m: deviation of the first zenith wet delay;
    wet_m_per_sqrt_s: how it wanders. clock_m_per_sqrt_s: how clocks of systems wander apart.
    gap_s_max: after a longer silence a satellite begins anew. strain_max: residuals beyond so many
    deviations are slips (phases) or left out (codes).
    """

    pairs: Mapping[str, tuple[str, str]] = field(default_factory=lambda: dict(LEGACY_PAIRS))
    mask_rad: float = math.radians(7.0)
    code_m: float = 0.3
    phase_m: float = 0.003
    glonass: float = 3.0
    moving: bool = False
    wet_m: float = 0.3
    wet_m_per_sqrt_s: float = 0.005 / 60
    clock_m_per_sqrt_s: float = 0.001
    gap_s_max: float = 300.0
    strain_max: float = 5.0
    satellites_min: int = 5

    def __post_init__(self) -> None:
        numbers = (
            *(self.mask_rad, self.code_m, self.phase_m, self.glonass, self.wet_m),
            *(self.wet_m_per_sqrt_s, self.clock_m_per_sqrt_s, self.gap_s_max, self.strain_max),
        )
        if not all(math.isfinite(n) and n > 0 for n in numbers) or self.mask_rad >= math.pi / 2:
            raise MalformedInput("PPP settings: a number is not positive, or no such mask")
        known = all(
            system in SYSTEMS and len(pair) == 2 and len({code[:1] for code in pair}) == 2
            for system, pair in self.pairs.items()
        )
        if not self.pairs or not known or self.satellites_min < 4:
            raise MalformedInput(f"PPP settings: pairs {dict(self.pairs)}")
