"""A position that may come over several bearers and counts once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import NS, Utc

# 1e-5 degree is 1.1 m on the meridian: what a short message carries of a coordinate.
GRID_NDEG: Final = 10_000
_LATITUDE_MAX: Final = 9_000_000
_LONGITUDE_MAX: Final = 18_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the grid of 1e-5 degree (WGS 84) at a whole second of Unix time."""

    unix_s: int
    latitude_e5: int
    longitude_e5: int

    def __post_init__(self) -> None:
        if abs(self.latitude_e5) > _LATITUDE_MAX or abs(self.longitude_e5) > _LONGITUDE_MAX:
            raise MalformedInput(
                f"no such place: {self.latitude_e5}e-5, {self.longitude_e5}e-5 degrees; at most"
                f" {_LATITUDE_MAX}e-5 and {_LONGITUDE_MAX}e-5"
            )
        if not 0 <= self.unix_s < 1 << 33:
            raise MalformedInput(f"no such time: {self.unix_s} s of Unix time")

    @classmethod
    def on_grid(cls, *, at: Utc, latitude_ndeg: int, longitude_ndeg: int) -> Point:
        """The grid point nearest to a place; ties go away from zero, as on every bearer."""
        return cls(at.unix_ns // NS, _rounded(latitude_ndeg), _rounded(longitude_ndeg))

    @property
    def observed_at(self) -> Utc:
        """The instant."""
        return Utc.from_unix_ns(self.unix_s * NS)

    def digest(self, terminal: str) -> str:
        """SHA-256 of terminal, time and place: the same whatever the bearer."""
        text = f"{terminal}\n{self.unix_s}\n{self.latitude_e5}\n{self.longitude_e5}"
        return hashlib.sha256(text.encode()).hexdigest()


def _rounded(ndeg: int) -> int:
    size = (abs(ndeg) * 2 + GRID_NDEG) // (2 * GRID_NDEG)
    return -size if ndeg < 0 else size
