"""How far each constellation is to be trusted, as data: an Integrity Support Message of our own.

Fields as in Blanch et al. 2012, "Advanced RAIM user algorithm description" (ION GNSS): deviations
for integrity (URA) and for accuracy and continuity (URE), nominal bias, and chances of faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from zhidao.core.errors import MalformedInput

_NUMBER_MAX: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Support:
    """What is known of one constellation; lengths in millimetres, chances in parts per billion.

    ura_mm: deviation of orbit and clock that bounds errors, if the broadcast accuracy is not
    greater. ure_mm: what it is mostly. bias_mm: error that may stand for long, b_nom.
    satellite_ppb: chance that a satellite is in an unannounced fault at an instant, P_sat.
    constellation_ppb: that one cause makes several of its satellites faulty, P_const.
    """

    ura_mm: int
    ure_mm: int
    bias_mm: int
    satellite_ppb: int
    constellation_ppb: int

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= _NUMBER_MAX:
                raise MalformedInput(f"integrity support: {name} is {value}; 0 to {_NUMBER_MAX}")
        if not self.ura_mm or not self.ure_mm:
            raise MalformedInput("integrity support: a deviation of 0 mm")


# GPS: P_sat 1e-5 and P_const 1e-8 as its service standard commits (not checked). Galileo: 3e-5 and
# 2e-4, as WG-C studies use (not checked). BDS: 8e-5 from ten faults seen in a year, Wang et al.,
# NAVIGATION 70(1), navi.553 (abstract checked), whose P_const of 1e-3 stands for "none seen in one
# year"; 6e-5 is what its provider is said to commit (not checked). Its errors on B1I are below
# 0.6 m RMS and, at their worst, bounded by a deviation of 4.0 m at a chance of 4e-5: Geng et al.,
# NAVIGATION 72(3), navi.712 (abstract checked). Up to version 3 of the settings it was 2.0 m.
# QZSS as GPS with a larger chance of faults, GLONASS 1e-4 for both: no source at hand. Biases are
# chosen, none is published.
BASELINE: Final[Mapping[str, Support]] = {
    "C": Support(4_000, 1_000, 300, 80_000, 60_000),
    "E": Support(2_000, 1_000, 300, 30_000, 200_000),
    "G": Support(2_000, 1_000, 300, 10_000, 10),
    "J": Support(2_400, 1_200, 300, 100_000, 100_000),
    "R": Support(4_000, 2_500, 500, 100_000, 100_000),
}

# What evidence of up to version 3 of the settings stands on.
BASELINE_OF_VERSION_3: Final[Mapping[str, Support]] = {
    **BASELINE,
    "C": Support(2_000, 1_000, 300, 80_000, 60_000),
}
