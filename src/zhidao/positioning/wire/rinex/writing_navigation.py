"""RINEX 3 and 4 navigation files out of tables, read back to the same values.

RINEX 3 holds LNAV, I/NAV, F/NAV, D1, D2 and FDMA; RINEX 4 the CNAV messages of BDS, and records of
time, Earth and ionosphere too. CNAV of GPS is not written: the table keeps its delays combined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst
from zhidao.positioning.domain.observables.signals import SYSTEMS, satellite_name
from zhidao.positioning.domain.observables.system_records import (
    EarthOrientation,
    IonosphereTerms,
    SystemRecords,
    TimeOffset,
)
from zhidao.positioning.domain.satellites.ephemeris import MESSAGES, Ephemerides, Navigation
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides
from zhidao.positioning.wire.rinex.lines import calendar, comments_of, labelled

_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_BDT_BEHIND_GPST_S: Final = 14
_BDT_WEEK_OFFSET: Final = 1356
_CIVIL: Final = {"CNV1", "CNV2", "CNV3"}
_LEGACY: Final = {"G": "LNAV", "J": "LNAV", "E": "INAV", "I": "LNAV"}
# Galileo data sources, RINEX 3.05 table A8: I/NAV from E1-B and E5b with the clock of E5b and E1;
# F/NAV from E5a-I with that of E5a and E1.
_SOURCES: Final = {"INAV": 0b10_0000_0101, "FNAV": 0b01_0000_0010}


def write_navigation(navigation: Navigation, *, version: str = "3.05") -> bytes:
    """The text of a navigation file of version 3 or 4.

    Raises MalformedInput for messages that the version has no records for.
    """
    fourth = version.startswith("4")
    lines = [
        labelled(
            f"     {version:4s}           N: GNSS NAV DATA    M: MIXED", "RINEX VERSION / TYPE"
        ),
        labelled("Zhidao", "PGM / RUN BY / DATE"),
        *(
            labelled(comment, "COMMENT")
            for comment in comments_of(navigation.comments, simulated=navigation.simulated)
        ),
    ]
    if not fourth:
        lines += _ionosphere_header(navigation)
        lines += [_offset_header(each) for each in navigation.records.offsets]
    lines.append(labelled("", "END OF HEADER"))
    if fourth:
        lines += _records(navigation)
    for row in range(len(navigation.ephemerides)):
        lines += _ephemeris(navigation.ephemerides, row, fourth=fourth)
    glonass = navigation.glonass
    for row in range(len(glonass) if glonass is not None else 0):
        assert glonass is not None
        lines += _glonass(glonass, row, fourth=fourth)
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def _d19(value: float) -> str:
    return " " * 19 if math.isnan(value) else f"{value:19.12E}"


def _block(first: str, numbers: Sequence[float]) -> list[str]:
    """A record: three numbers behind its first 23 columns, then four a line."""
    lines = [first + "".join(map(_d19, numbers[:3]))]
    rest = (numbers[start : start + 4] for start in range(3, len(numbers), 4))
    lines += ["    " + "".join(map(_d19, four)) for four in rest]
    return [line.rstrip() for line in lines]


def _date(own_ns: int) -> str:
    moment = calendar(own_ns)
    return f"{moment[0]:04d}" + "".join(f" {part:02d}" for part in moment[1:])


def _ephemeris(eph: Ephemerides, row: int, *, fourth: bool) -> list[str]:
    system = SYSTEMS[int(eph.satellite[row]) // 100]
    name = satellite_name(system, int(eph.satellite[row]) % 100)
    message = MESSAGES[int(eph.message[row])] or _LEGACY.get(system, "")
    if system == "C" and message not in _CIVIL:
        prn = int(eph.satellite[row]) % 100
        message = "D2" if prn <= 5 or prn >= 59 else "D1"
    if message == "CNAV" or (message in _CIVIL and not fourth):
        why = "4: GPS CNAV is not written" if fourth else f"3 has no record for {message}"
        remedy = "" if fourth else "write version 4.00"
        raise MalformedInput(f"{name}: RINEX {why}", remedy=remedy)
    shift_ns = _BDT_BEHIND_GPST_S * _NS if system == "C" else 0

    def value(column: str) -> float:
        return float(getattr(eph, column)[row])

    numbers = (_civil if message in _CIVIL else _legacy)(eph, row, message, value)
    lines = _block(f"{name} {_date(int(eph.toc_ns[row]) - shift_ns)}", numbers)
    return [f"> EPH {name} {message}", *lines] if fourth else lines


def _elements(value: Callable[[str], float], *, third: str) -> list[float]:
    """Clock and orbit as all Keplerian records begin; `third` opens the second line."""
    clock = ("clock_bias_s", "clock_drift", "clock_drift_rate")
    orbit = (
        *(third, "crs", "mean_motion_difference", "mean_anomaly"),
        *("cuc", "eccentricity", "cus", "root_a"),
        *("toe_of_week_s", "cic", "node", "cis"),
        *("inclination", "crc", "perigee", "node_rate", "inclination_rate"),
    )
    return [value(name) for name in (*clock, *orbit)]


def _legacy(eph: Ephemerides, row: int, message: str, value: Callable[[str], float]) -> list[float]:
    bds = message in ("D1", "D2")
    toe_s = int(eph.toe_ns[row]) // _NS - (_BDT_BEHIND_GPST_S if bds else 0)
    week = toe_s // _WEEK_S - (_BDT_WEEK_OFFSET if bds else 0)
    health = 0.0 if eph.healthy[row] else 1.0
    return [
        *_elements(value, third="issue"),
        *(float(_SOURCES.get(message, 0)), float(week), 0.0),
        *(value("accuracy_m"), health, value("delay1_s"), value("delay2_s")),
        *(value("toe_of_week_s"), 0.0),
    ]


def _civil(eph: Ephemerides, row: int, message: str, value: Callable[[str], float]) -> list[float]:
    """B-CNAV: accuracy indexes are blank, since the table does not hold them."""
    nothing = math.nan
    health, sent_s = (0.0 if eph.healthy[row] else 1.0), value("toe_of_week_s")
    start = [*_elements(value, third="axis_rate_mps"), value("mean_motion_rate")]
    # Type of satellite and time of prediction, and four accuracy indexes.
    start += [nothing, value("toe_of_week_s"), *[nothing] * 4]
    delay1_s, delay2_s, delay3_s = value("delay1_s"), value("delay2_s"), value("delay3_s")
    if message == "CNV3":
        return [*start, nothing, health, 0.0, delay1_s, sent_s, nothing, nothing, nothing]
    isc = [delay3_s, nothing] if message == "CNV1" else [nothing, delay3_s]
    flags = [nothing, health, 0.0, nothing]
    issue = value("issue")
    return [*start, *isc, delay1_s, delay2_s, *flags[0:4], sent_s, nothing, nothing, issue]


def _glonass(store: GlonassEphemerides, row: int, *, fourth: bool) -> list[str]:
    name = satellite_name("R", int(store.satellite[row]) % 100)
    unix_ns = Gpst(int(store.toe_ns[row])).to_utc().unix_ns
    own_ns = unix_ns - 315_964_800 * _NS
    sent_s = float(own_ns // _NS % _WEEK_S)
    place, velocity, acceleration = (
        (getattr(store, column)[row] / 1000).tolist()
        for column in ("place_m", "velocity_mps", "acceleration_mps2")
    )
    last = (0.0 if store.healthy[row] else 1.0, float(store.channel[row]), 0.0)
    numbers = [float(store.clock_s[row]), float(store.clock_rate[row]), sent_s]
    for axis in range(3):
        numbers += [place[axis], velocity[axis], acceleration[axis], last[axis]]
    numbers += [math.nan, float(store.delay_s[row]), math.nan, math.nan]
    lines = _block(f"{name} {_date(own_ns)}", numbers)
    # The fourth line stands there even where nothing of it is known.
    lines[-1] = lines[-1].ljust(80)
    return [f"> EPH {name} FDMA", *lines] if fourth else lines


def _ionosphere_header(navigation: Navigation) -> list[str]:
    model = navigation.klobuchar
    if model is None:
        return []
    name = "BDS" if model.bds else "GPS"
    return [
        labelled(
            f"{name}{letter} " + "".join(f"{term:12.4E}" for term in terms), "IONOSPHERIC CORR"
        )
        for letter, terms in (("A", model.alpha), ("B", model.beta))
    ]


def _offset_header(each: TimeOffset) -> str:
    bds = each.pair.startswith("BD")
    second = each.gpst_ns // _NS - (14 + 1356 * _WEEK_S if bds else 0)
    week, rest = divmod(second, _WEEK_S)
    a0, a1, _ = each.terms
    text = f"{each.pair:4s} {a0:17.10E}{a1:16.9E}{rest:7d}{week:5d} {each.sbas:5s} {each.utc:2s}"
    return labelled(text, "TIME SYSTEM CORR")


def _own_ns(gpst_ns: int, satellite: str) -> int:
    if satellite[:1] == "R":
        return Gpst(gpst_ns).to_utc().unix_ns - 315_964_800 * _NS
    return gpst_ns - (_BDT_BEHIND_GPST_S * _NS if satellite[:1] == "C" else 0)


def _records(navigation: Navigation) -> list[str]:
    records: SystemRecords = navigation.records
    ionosphere = records.ionosphere or _terms_of(navigation)
    lines = [line for each in records.offsets for line in _offset(each)]
    lines += [line for each in records.orientation for line in _orientation(each)]
    return lines + [line for each in ionosphere for line in _ionosphere(each)]


def _terms_of(navigation: Navigation) -> tuple[IonosphereTerms, ...]:
    """The models in use as records, for files whose header held them."""
    times = navigation.ephemerides.toe_ns
    at_ns = int(times.min()) if len(times) else 0
    found = []
    if navigation.klobuchar:
        name, message = ("C01", "D1D2") if navigation.klobuchar.bds else ("G01", "LNAV")
        terms = navigation.klobuchar.alpha + navigation.klobuchar.beta
        found.append(IonosphereTerms(at_ns, terms, name, message))
    if navigation.bdgim:
        found.append(IonosphereTerms(at_ns, navigation.bdgim.terms, "C19", "CNVX"))
    return tuple(found)


def _offset(each: TimeOffset) -> list[str]:
    satellite = each.satellite or {"BD": "C01", "GA": "E01", "GL": "R01"}.get(each.pair[:2], "G01")
    message = each.message or {"C": "D1D2", "E": "IFNV", "R": "FDMA"}.get(satellite[0], "LNAV")
    first = (
        f"    {_date(_own_ns(each.gpst_ns, satellite))} {each.pair:18s} {each.sbas:18s} {each.utc}"
    )
    return [
        f"> STO {satellite} {message}",
        first.rstrip(),
        "    " + "".join(map(_d19, (each.sent_s, *each.terms))),
    ]


def _orientation(each: EarthOrientation) -> list[str]:
    numbers = [*each.pole_x, math.nan, *each.pole_y, each.sent_s, *each.ut1]
    first = f"    {_date(_own_ns(each.gpst_ns, each.satellite))}"
    return [f"> EOP {each.satellite} {each.message}", *_block(first, numbers)]


def _ionosphere(each: IonosphereTerms) -> list[str]:
    first = f"    {_date(_own_ns(each.gpst_ns, each.satellite))}"
    head = f"> ION {each.satellite} {each.message} {each.region}".rstrip()
    return [head, *_block(first, each.terms)]
