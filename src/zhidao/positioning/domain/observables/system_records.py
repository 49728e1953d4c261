"""What systems broadcast besides ephemerides: time offsets, Earth orientation, ionosphere.

Source: RINEX 4.00 section 5.4 (not at hand; read from a day of merged records).
"""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.positioning.domain.observables.observations import Floats, Ints


@dataclass(frozen=True, slots=True)
class TimeOffset:
    """One time scale against another: to - from = a0 + a1 dt + a2 dt^2, dt since `gpst_ns`.

    pair: as RINEX names it, such as BDGA (BDT against Galileo time) or GLUT. satellite, message:
    what it came from; both are empty for lines of a RINEX 3 header. utc: the provider, if any.
    """

    pair: str
    gpst_ns: int
    terms: tuple[float, float, float]
    satellite: str = ""
    message: str = ""
    sent_s: float = 0.0
    sbas: str = ""
    utc: str = ""

    def seconds(self, gpst_ns: Ints) -> Floats:
        """The offset at instants of GPST, (n,)."""
        since_s = (gpst_ns - self.gpst_ns) / 1e9
        a0, a1, a2 = self.terms
        offset: Floats = a0 + since_s * (a1 + since_s * a2)
        return offset


@dataclass(frozen=True, slots=True)
class EarthOrientation:
    """Pole and UT1 as broadcast; each with its rate a day and acceleration a day squared.

    pole_x, pole_y: arcseconds. ut1: seconds against UTC (or GPST, by the message's definition).
    """

    gpst_ns: int
    pole_x: tuple[float, float, float]
    pole_y: tuple[float, float, float]
    ut1: tuple[float, float, float]
    satellite: str
    message: str
    sent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class IonosphereTerms:
    """Coefficients of an ionosphere model at a time, in the units of the message.

    Klobuchar has 8, BDGIM 9, NeQuick 3 and a flag of disturbance. region: of QZSS, WIDE or JAPN.
    """

    gpst_ns: int
    terms: tuple[float, ...]
    satellite: str
    message: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class SystemRecords:
    """All such records of a file, in its order."""

    offsets: tuple[TimeOffset, ...] = ()
    orientation: tuple[EarthOrientation, ...] = ()
    ionosphere: tuple[IonosphereTerms, ...] = ()
