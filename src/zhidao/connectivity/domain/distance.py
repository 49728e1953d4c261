"""How far two places are apart, whichever they are."""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.geo import Geodetic, course

# Farther apart than any two places on Earth; stands for pairs that the geodesic refuses.
_ANTIPODAL_M: Final = 20_000_000.0


def apart_m(one: Geodetic, other: Geodetic) -> float:
    """Geodesic distance in metres; for nearly antipodal points half way round the Earth."""
    try:
        return course(one, other).distance_m
    except Refused:
        return _ANTIPODAL_M
