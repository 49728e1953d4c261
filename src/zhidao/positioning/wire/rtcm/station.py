"""Station messages 1005, 1006 and 1230.

Source: RTCM 10403.3 tables 3.5-6, 3.5-7 and 3.5-74 (not at hand; checked on recorded streams).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.frame import message_number

_STEP_M: Final = 1e-4
_BIAS_STEP_M: Final = 0.02
_BIAS_SIGNALS: Final = ("1C", "1P", "2C", "2P")
_PLACE: Final = (
    "number:12 station:12 itrf_year:6 gps:1 glonass:1 galileo:1 physical:1 x:i38 oscillator:1 "
    "reserved:1 y:i38 quarter:2 z:i38"
)
_LAYOUT: Final = {1005: Layout.of(_PLACE), 1006: Layout.of(_PLACE + " height:16")}
_BIASES: Final = Layout.of("number:12 station:12 aligned:1 reserved:3 mask:4")


@dataclass(frozen=True, slots=True)
class StationPlace:
    """Antenna reference point in the stated ITRF frame's axes; height is the antenna's, 1006."""

    station: int
    ecef_m: tuple[float, float, float]
    antenna_height_m: float | None = None
    itrf_year: int = 0

    def encode(self) -> bytes:
        """Message 1006 where the antenna's height is known, else 1005."""
        number = 1005 if self.antenna_height_m is None else 1006
        values = {"number": number, "station": self.station, "itrf_year": self.itrf_year}
        values |= {"gps": 1, "glonass": 1, "galileo": 1}
        values |= {k: round(v / _STEP_M) for k, v in zip("xyz", self.ecef_m, strict=True)}
        values["height"] = round((self.antenna_height_m or 0) / _STEP_M)
        return _LAYOUT[number].write(values)

    @classmethod
    def decode(cls, payload: bytes) -> StationPlace:
        """Raises MalformedInput for another or a cut message."""
        number = message_number(payload)
        if number not in _LAYOUT:
            raise MalformedInput(f"RTCM {number} is no 1005 or 1006")
        v = _LAYOUT[number].read(payload)
        place = (v["x"] * _STEP_M, v["y"] * _STEP_M, v["z"] * _STEP_M)
        height = v["height"] * _STEP_M if number == 1006 else None
        return cls(v["station"], place, height, v["itrf_year"])


@dataclass(frozen=True, slots=True)
class GlonassBiases:
    """Code-phase biases of a station's GLONASS signals in metres, by RINEX band and attribute."""

    station: int
    aligned: bool
    bias_m: dict[str, float]

    def encode(self) -> bytes:
        """Message 1230."""
        chosen = [name for name in _BIAS_SIGNALS if name in self.bias_m]
        mask = sum(8 >> _BIAS_SIGNALS.index(name) for name in chosen)
        head = _BIASES.write(
            {"number": 1230, "station": self.station, "aligned": self.aligned, "mask": mask}
        )
        rest = Layout.of(" ".join(f"{name}:i16" for name in chosen))
        return head + rest.write({n: round(self.bias_m[n] / _BIAS_STEP_M) for n in chosen})

    @classmethod
    def decode(cls, payload: bytes) -> GlonassBiases:
        """Raises MalformedInput for another or a cut message."""
        v = _BIASES.read(payload)
        if v["number"] != 1230:
            raise MalformedInput(f"RTCM {v['number']} is no 1230")
        chosen = [name for bit, name in enumerate(_BIAS_SIGNALS) if v["mask"] & 8 >> bit]
        rest = Layout.of(" ".join(f"{name}:i16" for name in chosen))
        found = rest.read(payload, start=_BIASES.width)
        return cls(v["station"], bool(v["aligned"]), {n: found[n] * _BIAS_STEP_M for n in chosen})
