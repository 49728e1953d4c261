"""What the sentences say, as values. Times are as the unit writes them, digits of hours first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CardQuery:
    """CCICA, or CCICI and CCICR of BDS-3 units: what is the card? `frame` of subordinates."""

    name: str
    kind: int
    frame: str


@dataclass(frozen=True, slots=True)
class CardInfo:
    """BDICI of protocol 2.1: what the card may do. `interval_s` between two messages."""

    card: str
    serial: str
    broadcast: str
    user_kind: int
    interval_s: int
    level: int
    encrypted: bool
    subordinates: int


@dataclass(frozen=True, slots=True)
class CardInfo3:
    """BDICP of a BDS-3 unit. `rest`: fields 3 on, 21 or more, as they stand."""

    card: str
    broadcast: str
    rest: tuple[str, ...]

    @property
    def interval_s(self) -> int:
        """Seconds between two regional messages (field 14)."""
        return int(self.rest[11])

    @property
    def level(self) -> int:
        """Regional level (field 15); some units write 0 for the fifth."""
        return int(self.rest[12])


@dataclass(frozen=True, slots=True)
class Send21:
    """CCTXA: send by protocol 2.1. `coding` 0 characters, 1 code, 2 mixed (data after A4)."""

    destination: str
    kind: int
    coding: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Received21:
    """BDTXR: came by protocol 2.1. `hhmm` only for looked-up messages."""

    kind: int
    sender: str
    coding: int
    hhmm: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Send3:
    """CCTCQ: send by a BDS-3 unit. `coding` 1 characters, 2 code, 3 mixed (data after A4).

    `spaced`: a family of firmware has an empty field before the data, and no repeat after it.
    """

    destination: str
    frequency: int
    confirmation: int
    coding: int
    data: bytes
    repeat_s: int
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Received3:
    """BDTCI: came by a BDS-3 unit."""

    sender: str
    receiver: str
    frequency: int
    hhmmss: str
    coding: int
    reserved: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Feedback:
    """BDFKI: whether a request was carried out. `hhmmss` empty: protocol 2.1.

    `setting` (Y, N): only in the longer form of 2.1, whether the interval was set well. `wait` is
    in seconds; some units of 2.1 write minutes and seconds (mmss).
    """

    hhmmss: str
    request: str
    done: bool
    reason: str
    wait: str
    setting: str = ""

    @property
    def wait_s(self) -> int:
        """Seconds to wait, never fewer than the unit meant: 0130 is 130, not 90."""
        return int(self.wait or 0)


@dataclass(frozen=True, slots=True)
class BeamStatus:
    """BDBSI: beams of response and time difference, and the power of beam 1, 2, … as 0 to 5."""

    response: int
    difference: int
    powers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Beam:
    """A beam with carrier to noise in dBHz of its data and pilot part. `flag` may be missing."""

    number: int
    data_dbhz: Decimal
    pilot_dbhz: Decimal
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class BeamPowers:
    """BDPWI: beams of BDS-2, then of BDS-3."""

    hhmmss: str
    bds2: tuple[Beam, ...]
    bds3: tuple[Beam, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """BDSNR of a vendor: carrier to noise of beam 1, 2, … in dBHz; 0: not heard."""

    beams_dbhz: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OutputSetting:
    """CCRMO: have a sentence written. `mode` 1 stops it, 2 starts it, 3 stops all, 4 starts all."""

    sentence: str
    mode: int
    interval_s: int | None


@dataclass(frozen=True, slots=True)
class PositionRequest:
    """CCDWA: have the system locate the user. What is None was left empty."""

    card: str
    urgent: bool
    altimetry: int
    high: bool
    height_m: Decimal | None
    antenna_m: Decimal | None
    pressure_pa: Decimal | None
    temperature_c: Decimal | None
    repeat_s: int


@dataclass(frozen=True, slots=True)
class PositionAnswer:
    """BDDWR: where the system located a user. Latitude and longitude in ddmm.mmmm with letter."""

    kind: int
    card: str
    hhmmss: str
    latitude: str
    longitude: str
    height_m: Decimal | None
    anomaly_m: Decimal | None
    accuracy: int
    urgent: bool
    ambiguous: bool
    high: bool


@dataclass(frozen=True, slots=True)
class PositionReport:
    """BDEPI: a position or distress report that came by a BDS-3 unit.

    `safety`, `command`: codes of the service; `length`: of the state that follows, as written.
    """

    sender: str
    receiver: str
    service: int
    hhmmss: str
    longitude: str
    latitude: str
    height_m: Decimal | None
    safety: str
    command: str
    length: Decimal | None
    state: str


@dataclass(frozen=True, slots=True)
class SettingAnswer:
    """BDDEF (factory settings), BDBTX (radio link) of a vendor: what came of a setting."""

    name: str
    result: str


@dataclass(frozen=True, slots=True)
class Other:
    """A sound sentence that this reader does not take apart."""

    name: str
    fields: tuple[str, ...]


Sentence: TypeAlias = (
    CardQuery
    | CardInfo
    | CardInfo3
    | Send21
    | Received21
    | Send3
    | Received3
    | Feedback
    | BeamStatus
    | BeamPowers
    | Levels
    | OutputSetting
    | PositionRequest
    | PositionAnswer
    | PositionReport
    | SettingAnswer
    | Other
)
