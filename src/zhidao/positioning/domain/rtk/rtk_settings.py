"""Choices of the baseline solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS

BDS_SIGNALS: Final[Mapping[str, Sequence[str]]] = {"C": ("C2I", "C6I", "C7I")}
ALL_SIGNALS: Final[Mapping[str, Sequence[str]]] = {
    "C": ("C2I", "C6I", "C7I"),
    "E": ("C1C", "C5Q", "C7Q"),
    "G": ("C1C", "C2W", "C5Q"),
    "J": ("C1C", "C2L", "C5Q"),
    "R": ("C1C", "C2C"),
}
INSTANTANEOUS: Final = "instantaneous"  # every epoch from itself alone
CONTINUOUS: Final = "continuous"  # a Kalman filter carries float ambiguities; fixes are not kept
HOLD: Final = "hold"  # fixed ambiguities go back into the filter
RATIO: Final = "ratio"
FAILURE_RATE: Final = "failure_rate"


@dataclass(frozen=True, slots=True)
class RtkSettings:
    """Choices of the baseline solver. Deviations are of one range at the zenith, undifferenced.

    mode: instantaneous, continuous or hold (fix and hold). moving: the place is found anew at each
    epoch; else the filter takes the rover to be at rest.
    test: `ratio` asks for ratio_min; `failure_rate` for the ratio at which wrong whole numbers pass
    no more often than failure_rate by the model, found by simulation for that geometry. Both ask
    for success_min, the chance of right rounding that a set must promise, and that the distance of
    the whole numbers from the float ones, squared and by degree of freedom, is at most fit_max:
    more says that the model does not hold.
    partial_min: the fewest ambiguities that partial fixing may keep. base_age_s_max: how much older
    than the rover's epoch the base's may be; its phases count less by age_mps a second.
    glonass: how many times the noise of a GLONASS code, whose channels have delays of their own;
    GLONASS ambiguities stay float for the same reason. gap_s_max: after a longer silence an
    ambiguity begins anew. memory_s: how long reflections keep a range off to one side, so that
    those of that time together say hardly more than one of them. strain_max: residuals beyond so
    many deviations are slips (phases) or left out (codes). hold_after: fixed epochs in a row before
    ambiguities are held.
    """

    signals: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict(BDS_SIGNALS))
    mask_rad: float = float(math.radians(15.0))
    code_m: float = 0.3
    phase_m: float = 0.003
    ratio_min: float = 3.0
    success_min: float = 0.999
    partial_min: int = 6
    rounds: int = 3
    mode: str = INSTANTANEOUS
    moving: bool = True
    test: str = RATIO
    failure_rate: float = 0.001
    fit_max: float = 3.0
    base_age_s_max: float = 10.0
    age_mps: float = 0.0005
    glonass: float = 3.0
    gap_s_max: float = 3.0
    memory_s: float = 60.0
    strain_max: float = 5.0
    hold_after: int = 5

    def __post_init__(self) -> None:
        self._check_numbers()
        if self.mode not in (INSTANTANEOUS, CONTINUOUS, HOLD):
            raise MalformedInput(f"RTK settings: no mode {self.mode!r}")
        if self.test not in (RATIO, FAILURE_RATE):
            raise MalformedInput(f"RTK settings: no test {self.test!r}")
        if not self.signals or any(len(s) != 1 or s not in SYSTEMS for s in self.signals):
            raise MalformedInput(f"RTK settings: signals {dict(self.signals)}")

    def _check_numbers(self) -> None:
        positive = (
            *(self.code_m, self.phase_m, self.ratio_min, self.fit_max, self.glonass),
            *(self.gap_s_max, self.memory_s, self.strain_max, self.mask_rad),
        )
        if not all(math.isfinite(n) and n > 0 for n in positive) or self.mask_rad >= math.pi / 2:
            raise MalformedInput("RTK settings: a number is not positive, or no such mask")
        shares = 0 <= self.success_min < 1 and 0 < self.failure_rate < 1
        ages = 0 <= self.base_age_s_max <= 3600 and 0 <= self.age_mps < 1
        counts = self.partial_min >= 4 and 1 <= self.rounds <= 20 and self.hold_after >= 1
        if not (shares and ages and counts):
            raise MalformedInput("RTK settings: a share, an age or a count is out of bounds")
