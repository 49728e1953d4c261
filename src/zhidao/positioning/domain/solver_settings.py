"""All choices of the solver and of the bound, as whole numbers that stand in the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_version
from zhidao.positioning.domain.environments import ENVIRONMENTS, Environment, is_measured
from zhidao.positioning.domain.support import BASELINE, BASELINE_OF_VERSION_3, Support

# Signals whose group delay the broadcast messages give: see `measurements`.
_CODES: Final = {
    "C": {"1": "PDX", "2": "IQX", "5": "PDX", "6": "IQX", "7": "IQXDPZ"},
    "E": {"1": "BCX", "5": "IQX", "7": "IQX"},
    "G": {"1": "CWPXLS", "2": "WPCDLSX", "5": "IQX"},
    "J": {"1": "CXLSZ", "2": "LSX", "5": "IQX"},
    "R": {"1": "CP", "2": "CP"},
}
_SIGNALS: Final = {
    system: frozenset(f"C{band}{each}" for band, attributes in bands.items() for each in attributes)
    for system, bands in _CODES.items()
}
_AT_LEAST_ONE: Final = frozenset(
    "mask_mdeg range_slant_mm orbit_mm_min multipath_slant_mm fault_ppb alarm_ppb alarm_percent "
    "gdop_max_milli stretch_epochs_min gap_s_max fault_s".split()
)
_NUMBER_MAX: Final = 100_000_000
_NO_NUMBERS: Final = frozenset(
    "signals version environment support ionosphere tie_delays method".split()
)
B1I_ONLY: Mapping[str, str] = {"C": "C2I"}
B1I_L1_E1: Mapping[str, str] = {"C": "C2I", "E": "C1C", "G": "C1C"}
# Version 4 counts nothing as sure that was not looked at (`integrity.md`): its risk holds every
# term, and findings count over the whole window. Version 3 finds a place inside by its chance to be
# outside of the area (`inside`) at one epoch; version 2 by its protection level, of `protection`
# (support data, constellation faults, common errors); version 1 by that of `integrity`. The older
# ones are kept for the evidence that stands on them.
VERSION: Final = 4
SINCE_VERSION_2: Final = frozenset(
    "version environment support ionosphere ionosphere_each_percent tie_delays".split()
)
SINCE_VERSION_3: Final = frozenset({"strength_mdbhz", "method"})
SINCE_VERSION_4: Final = frozenset({"ionosphere_unknown_mm", "fault_s"})
METHODS: Final = ("points", "rtk")
_IONOSPHERES: Final = ("klobuchar", "bdgim", "none")


@dataclass(frozen=True, slots=True)
class Settings:
    """How positions are solved and bounded. Lengths in millimetres, angles in millidegrees.

    signals: which range of which system counts. `C2I+C6I` is the combination of two that is free
    of ionosphere; `C2I+C6I/C2I` takes for each satellite the first that it has.
    range_*: the variance that weighs ranges, zenith^2 + (slant / sin elevation)^2.
    geostationary_mm: added to both variances for GEO satellites, whose broadcast orbits are known
    to be weaker since they hardly move as seen from the ground stations.
    The bound stands on a wider variance of each range, and on these terms:
    orbit_mm_min: broadcast accuracy counts, but never less than this (satellite orbit and clock);
    ionosphere_percent: of the modelled delay is taken as its standard deviation;
    troposphere_mm: at the zenith; multipath_*: code noise and reflections, as range_*.
    fault_ppb: chance that one satellite's range is wrong at an instant beyond that variance.
    alarm_ppb: chance of a false alarm an epoch, if errors had `alarm_percent` of the assumed
    deviation, as they mostly have. exclusions_max: satellites that may be put out.
    stretch_*: an arrival needs that many epochs, that many seconds, without a gap longer than
    gap_s_max. boundary_mm: nearer to the edge than this is not inside.
    Since version 2: `environment` names the class of `environments` whose evidence the bound
    stands on; `support` tells of each constellation how far it is to be trusted, `orbit_mm_min` and
    `fault_ppb` being floors under it; ionosphere_percent is the error that all satellites share,
    ionosphere_each_percent each one's own; `ionosphere` chooses the model (klobuchar, bdgim, none);
    tie_delays holds the receiver's delays between signals of one system constant over the window.
    Since version 3: strength_mdbhz is the C/N0 below which a range counts less, its noise growing
    as the signal falls (thousandths of dB-Hz; 0: strengths do not count). method: `points`, or
    `rtk`, by which an arrival also has to agree with a baseline that tells it to the centimetre.
    Since version 4: no signals at all stand for one of each constellation that a window has.
    ionosphere_unknown_mm: at the zenith and on L1, what the delay may be where no model is known,
    and what it is at most; its deviations are the same shares of it. fault_s: how long a fault
    lasts, so that the chance of one grows with the time looked at.
    """

    signals: Mapping[str, str] = field(default_factory=lambda: dict(B1I_ONLY))
    mask_mdeg: int = 10_000
    range_zenith_mm: int = 300
    range_slant_mm: int = 300
    geostationary_mm: int = 1_500
    orbit_mm_min: int = 1_000
    ionosphere_percent: int = 50
    troposphere_mm: int = 120
    multipath_zenith_mm: int = 300
    multipath_slant_mm: int = 500
    fault_ppb: int = 10_000
    alarm_ppb: int = 10_000
    alarm_percent: int = 60
    exclusions_max: int = 3
    gdop_max_milli: int = 20_000
    stretch_s_min: int = 60
    stretch_epochs_min: int = 3
    gap_s_max: int = 60
    boundary_mm: int = 1
    version: int = VERSION
    environment: str = "open_sky"
    support: Mapping[str, Support] = field(default_factory=lambda: dict(BASELINE))
    ionosphere: str = "klobuchar"
    ionosphere_each_percent: int = 25
    tie_delays: bool = True
    strength_mdbhz: int = 0
    method: str = "points"
    ionosphere_unknown_mm: int = 30_000
    fault_s: int = 3_600

    def __post_init__(self) -> None:
        known = tuple(range(1, VERSION + 1))
        check_version(self.version, form="positioning settings", known=known, where="version")
        self._check_numbers()
        if self.version not in range(1, VERSION + 1) or self.ionosphere not in _IONOSPHERES:
            raise MalformedInput(
                f"positioning settings: version {self.version}, ionosphere {self.ionosphere[:20]!r}"
            )
        if self.environment not in ENVIRONMENTS:
            raise MalformedInput(
                f"positioning settings: environment {self.environment[:40]!r}",
                remedy=f"one of {', '.join(ENVIRONMENTS)}",
            )
        if self.method not in METHODS:
            raise MalformedInput(f"positioning settings: method {self.method[:20]!r}")
        if self.version < 3 and (self.strength_mdbhz or self.method != "points"):
            raise MalformedInput("positioning settings: strengths and methods are of version 3")
        if self.version < 4 and (self.ionosphere_unknown_mm, self.fault_s) != (0, 1):
            raise MalformedInput("positioning settings: unknown delays are of version 4")
        are_choices = all(_are_choices(*each) for each in self.signals.items())
        if not are_choices or (not self.signals and self.version < 4):
            raise MalformedInput(f"positioning settings: signals {dict(self.signals)}")

    def _check_numbers(self) -> None:
        numbers: dict[str, Any] = {
            name: value for name, value in asdict(self).items() if name not in _NO_NUMBERS
        }
        for name, value in numbers.items():
            least = 1 if name in _AT_LEAST_ONE else 0
            if not least <= value <= _NUMBER_MAX:
                raise MalformedInput(
                    f"positioning settings: {name} is {value}; {least} to {_NUMBER_MAX}"
                )

    @classmethod
    def of_version_1(cls, **chosen: Any) -> Settings:
        """Settings that solve and bound as the first release did."""
        return cls(**_EARLIER, **chosen, version=1, tie_delays=False)

    @classmethod
    def of_version_2(cls, **chosen: Any) -> Settings:
        """Settings that decide by the protection level, as the second version did."""
        return cls(**_EARLIER, **chosen, version=2)

    @classmethod
    def of_version_3(cls, **chosen: Any) -> Settings:
        """Settings that decide by the chance of one epoch, as the third version did."""
        return cls(**_EARLIER, **chosen, version=3)

    @classmethod
    def of_arrivals(cls, *, environment: str = "open_sky", method: str = "points") -> Settings:
        """The usual settings by which arrivals are judged: all constellations of the window.

        A class that nobody measured is judged by the errors of `open_sky`, and its mark says so.
        """
        measured = environment if is_measured(environment) else "open_sky"
        return cls.for_environment(measured, signals={}, method=method)

    @classmethod
    def for_environment(cls, name: str, **chosen: Any) -> Settings:
        """Settings with the error models of an environment class.

        Raises MalformedInput for a class that is not in `ENVIRONMENTS`.
        """
        if name not in ENVIRONMENTS:
            raise MalformedInput(f"positioning settings: environment {name[:40]!r}")
        return cls(**(ENVIRONMENTS[name].numbers() | {"environment": name} | chosen))

    @property
    def surroundings(self) -> Environment:
        """The environment class, with the evidence that its error models have."""
        return ENVIRONMENTS[self.environment]

    @property
    def usual(self) -> bool:
        """Whether these are the settings that this software, or an older one, uses itself."""
        # A baseline only takes proofs away: the bound is that of single points.
        plain = replace(self, method="points")
        return plain in (
            *(Settings.of_arrivals(environment=name) for name in ENVIRONMENTS),
            *(Settings.of_version_3(), Settings.of_version_2(), Settings.of_version_1()),
        )

    @property
    def systems(self) -> str:
        """Letters of the systems whose signals count, in order."""
        return "".join(sorted(self.signals))


_EARLIER: Final[Mapping[str, Any]] = {
    "support": BASELINE_OF_VERSION_3,
    "ionosphere_unknown_mm": 0,
    "fault_s": 1,
}


def _are_choices(system: str, text: str) -> bool:
    """Whether these are choices of signals of a known system, the preferred one first."""
    return system in _SIGNALS and all(_is_choice(system, part) for part in text.split("/"))


def _is_choice(system: str, text: str) -> bool:
    """Whether this is a known signal, or two of different bands."""
    codes = text.split("+")
    known = all(code in _SIGNALS[system] for code in codes)
    return known and 1 <= len(codes) <= 2 and len({code[1] for code in codes}) == len(codes)
