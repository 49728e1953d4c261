"""What a terminal noticed: an alarm, or the passing of a gate, with time, place and temperature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from zhidao.connectivity.domain.observation import Point
from zhidao.core.errors import MalformedInput

# 12 bits of tenths of a degree Celsius; the last value says that none was measured.
TEMPERATURE_DC_MAX: Final = 2046
TEMPERATURE_DC_MIN: Final = -2047


class Kind(IntEnum):
    """What happened."""

    SOS = 0
    SEAL_OPENED = 1
    SEAL_CUT = 2
    DOOR_OPENED = 3
    TEMPERATURE = 4
    POWER_CUT = 5
    BATTERY_LOW = 6
    OFF_ROUTE = 7
    JAMMED = 8
    SHOCK = 9
    STOPPED = 10
    GATE_IN = 32
    GATE_OUT = 33

    @property
    def is_alarm(self) -> bool:
        """Whether it goes before all else."""
        return self < Kind.GATE_IN


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them. `temperature_dc`: tenths of a degree Celsius, None if none was measured."""

    kind: Kind
    point: Point
    temperature_dc: int | None = None

    def __post_init__(self) -> None:
        dc = self.temperature_dc
        if dc is not None and not TEMPERATURE_DC_MIN <= dc <= TEMPERATURE_DC_MAX:
            raise MalformedInput(
                f"a temperature of {dc} tenths of a degree; {TEMPERATURE_DC_MIN} to"
                f" {TEMPERATURE_DC_MAX} are carried"
            )
