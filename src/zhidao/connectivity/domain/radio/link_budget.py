"""How much path loss a link may have before the terminal is silent, both ways.

Powers in dBm over the whole channel, gains in dBi, losses in dB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from zhidao.connectivity.domain.radio.path_loss import Floats, Model
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic

# Boltzmann's constant times 290 K, in 1 Hz.
THERMAL_DBM_HZ: Final = -174.0
# Horizontal cut of TR 38.901 table 7.3-1, which was not at hand: as public implementations have it.
BEAM_DEG: Final = 65.0
_BACK_DB: Final = 30.0


class Inside(StrEnum):
    """What stands around a terminal, by TR 38.901 clause 7.4.3.2 (0.6 to 60 GHz)."""

    NOTHING = "nothing"
    CAR = "car"
    METALLIZED = "metallized"

    @property
    def mean_db(self) -> float:
        """The mean of the loss through it."""
        return {Inside.NOTHING: 0.0, Inside.CAR: 9.0, Inside.METALLIZED: 20.0}[self]

    @property
    def deviation_db(self) -> float:
        """Its standard deviation."""
        return 0.0 if self is Inside.NOTHING else 5.0


INSIDE_GHZ: Final = (0.6, 60.0)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one antenna of a site sends: eirp_dbm in its main direction, over bandwidth_mhz.

    gain_dbi: nan where nobody told it; then only what the terminal hears counts. azimuth_deg: nan
    for an antenna that sends all around alike. Raises MalformedInput.
    """

    name: str
    place: Geodetic
    height_m: float
    frequency_mhz: float
    eirp_dbm: float
    model: Model = Model.RMA
    bandwidth_mhz: float = 10.0
    gain_dbi: float = math.nan
    azimuth_deg: float = math.nan
    beam_deg: float = BEAM_DEG

    def __post_init__(self) -> None:
        _within("eirp_dbm", self.eirp_dbm, (-30, 100))
        _within("bandwidth_mhz", self.bandwidth_mhz, (0.18, 400))
        _within("beam_deg", self.beam_deg, (1, 360))
        if not math.isnan(self.gain_dbi):
            _within("gain_dbi", self.gain_dbi, (-20, 40))
        if not math.isnan(self.azimuth_deg):
            _within("azimuth_deg", self.azimuth_deg, (0, 360))


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a terminal has, and the receivers at both ends. Raises MalformedInput."""

    gain_dbi: float = 0.0
    power_dbm: float = 23.0
    noise_figure_db: float = 9.0
    snr_db: float = 0.0
    uplink_khz: float = 180.0
    site_noise_figure_db: float = 5.0
    loss_db: float = 0.0
    inside: Inside = Inside.NOTHING

    def __post_init__(self) -> None:
        _within("terminal gain in dBi", self.gain_dbi, (-30, 30))
        _within("terminal power in dBm", self.power_dbm, (-10, 40))
        _within("noise figure in dB", self.noise_figure_db, (0, 30))
        _within("signal to noise in dB", self.snr_db, (-30, 40))
        _within("uplink in kHz", self.uplink_khz, (3.75, 100_000))
        _within("noise figure of a site in dB", self.site_noise_figure_db, (0, 30))
        _within("further loss in dB", self.loss_db, (0, 60))


def carried_db(cell: Cell, terminal: Terminal) -> float:
    """The greatest path loss in the main direction at which both ends still hear each other."""
    noise_dbm = THERMAL_DBM_HZ + _decibels(cell.bandwidth_mhz * 1e6) + terminal.noise_figure_db
    down_db = cell.eirp_dbm - (noise_dbm + terminal.snr_db)
    if math.isnan(cell.gain_dbi):
        both_db = down_db
    else:
        at_site_dbm = (
            THERMAL_DBM_HZ + _decibels(terminal.uplink_khz * 1e3) + terminal.site_noise_figure_db
        )
        up_db = terminal.power_dbm + cell.gain_dbi - (at_site_dbm + terminal.snr_db)
        both_db = min(down_db, up_db)
    return both_db + terminal.gain_dbi - terminal.loss_db - terminal.inside.mean_db


def aside_db(azimuth_deg: Floats, beam_deg: Floats, towards_deg: Floats) -> Floats:
    """What an antenna loses beside its main direction; 0 where azimuth_deg is nan.

    Source: TR 38.901 table 7.3-1, horizontal cut. The vertical cut is not applied.
    """
    off_deg = np.abs((towards_deg - azimuth_deg + 180) % 360 - 180)
    return np.nan_to_num(np.minimum(12 * (off_deg / beam_deg) ** 2, _BACK_DB), nan=0.0)


def _decibels(ratio: float) -> float:
    return 10 * math.log10(ratio)


def _within(what: str, value: float, ends: tuple[float, float]) -> None:
    if not ends[0] <= value <= ends[1]:
        raise MalformedInput(f"{what} is {value:g}; it is {ends[0]:g} to {ends[1]:g}")
