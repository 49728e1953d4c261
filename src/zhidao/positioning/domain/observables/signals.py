"""Satellite systems, their signals and carrier frequencies.

Frequencies: RINEX 3.05 tables 4 to 10 give band numbers; B1I 1561.098 MHz, B3I 1268.52 MHz and
B2I/B2b 1207.14 MHz are the BDS open-service carriers, 1575.42 MHz is L1, E1 and B1C.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import Floats, Ints

SPEED_OF_LIGHT_MPS: Final = 299_792_458.0

# Order fixes the numbers that columnar tables hold.
SYSTEMS: Final = "GRECJIS"

_CARRIER_HZ: Final = {
    ("G", "1"): 1575.42e6,
    ("G", "2"): 1227.60e6,
    ("G", "5"): 1176.45e6,
    ("E", "1"): 1575.42e6,
    ("E", "5"): 1176.45e6,
    ("E", "6"): 1278.75e6,
    ("E", "7"): 1207.14e6,
    ("E", "8"): 1191.795e6,
    ("C", "1"): 1575.42e6,
    ("C", "2"): 1561.098e6,
    ("C", "5"): 1176.45e6,
    ("C", "6"): 1268.52e6,
    ("C", "7"): 1207.14e6,
    ("C", "8"): 1191.795e6,
    ("J", "1"): 1575.42e6,
    ("J", "2"): 1227.60e6,
    ("J", "5"): 1176.45e6,
    ("J", "6"): 1278.75e6,
    # GLONASS: of channel 0; see glonass_carrier_hz. The ratio is the same on every channel.
    ("R", "1"): 1602.0e6,
    ("R", "2"): 1246.0e6,
    ("S", "1"): 1575.42e6,
    ("S", "5"): 1176.45e6,
    ("I", "1"): 1575.42e6,
    ("I", "5"): 1176.45e6,
    ("I", "9"): 2492.028e6,
}
_GLONASS_HZ: Final = {"1": (1602.0e6, 562_500.0), "2": (1246.0e6, 437_500.0)}
L1_HZ: Final = 1575.42e6
B1I_HZ: Final = 1561.098e6


def carrier_hz(system: str, code: str) -> float:
    """Carrier frequency of an observation code such as C2I.

    Raises MalformedInput for a signal that is not in the table.
    """
    try:
        return _CARRIER_HZ[system, code[1:2]]
    except KeyError:
        raise MalformedInput(
            f"no known carrier for the signal {code[:8]!r} of {system!r}"
        ) from None


def satellite_name(system: str, prn: int) -> str:
    """RINEX name of a satellite, such as C05."""
    return f"{system}{prn:02d}"


def glonass_carrier_hz(code: str, channel: Ints | Floats) -> Floats:
    """Carriers of GLONASS FDMA signals, one a channel (-7 to 6). Source: GLONASS ICD 5.1 3.3.1.1.

    Raises MalformedInput for a code of another band than 1 and 2.
    """
    if code[1:2] not in _GLONASS_HZ:
        raise MalformedInput(f"no GLONASS carrier that depends on a channel for {code[:8]!r}")
    base, step = _GLONASS_HZ[code[1:2]]
    return base + step * np.asarray(channel, np.float64)
