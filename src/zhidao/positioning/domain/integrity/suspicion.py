"""What may speak against the signals of a window, and which of it keeps an arrival from proof."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.positioning.domain.observables.observations import Ints


class Suspicion(StrEnum):
    """What a finding is about. The second half is looked for since version 4 of the settings."""

    CLOCK_JUMP = "clock_jump"
    STRENGTHS_ALIKE = "strengths_alike"
    STRENGTHS_RISE = "strengths_rise"
    STRENGTHS_FALL = "strengths_fall"
    RANGE_AGAINST_DOPPLER = "range_against_doppler"
    OUTSIDE_NETWORK_CIRCLE = "outside_network_circle"
    GAIN_FALLS = "gain_falls"
    RANGE_AGAINST_PHASE = "range_against_phase"
    PHASE_AGAINST_DOPPLER = "phase_against_doppler"
    POSITION_AGAINST_DOPPLER = "position_against_doppler"
    TOO_FAST = "too_fast"
    DOPPLER_DISAGREES = "doppler_disagrees"
    PHASE_DISAGREES = "phase_disagrees"
    CONSTELLATIONS_DISAGREE = "constellations_disagree"
    APART_FROM_LAST_WINDOW = "apart_from_last_window"


# What may happen to an honest receiver on its way (a hall, a tunnel) only informs.
INFORMING: Final = frozenset(
    (Suspicion.STRENGTHS_RISE, Suspicion.STRENGTHS_FALL, Suspicion.GAIN_FALLS)
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. epochs (k,): indices; `sentence` is for a person."""

    reason: Suspicion
    epochs: Ints
    satellites: tuple[str, ...]
    sentence: str
