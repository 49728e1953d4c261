"""RINEX 3 files out of tables: observations and navigation, read back to the same values."""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.positioning.domain.ephemeris import Ephemerides, Navigation
from zhidao.positioning.domain.observations import (
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.signals import SYSTEMS, satellite_name

_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_BDT_BEHIND_GPST_S: Final = 14
_BDT_WEEK_OFFSET: Final = 1356
_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ns")
SIMULATED_COMMENT: Final = "SIMULATED OBSERVATIONS, NO SATELLITE WAS RECEIVED"


def write_observations(seen: Observations) -> bytes:
    """RINEX 3.05 text of an observation table, times in GPST.

    Values are written to the three decimals that the format has.
    """
    lines = _observation_header(seen)
    bodies: list[list[str]] = [[] for _ in range(len(seen.gpst_ns))]
    for _, table in sorted(seen.systems.items()):
        for row, epoch in enumerate(table.epoch.tolist()):
            bodies[epoch].append(_satellite_line(table, row))
    for index, body in enumerate(bodies):
        flag = int(seen.power_failed[index])
        lines.append(f"> {_epoch_text(int(seen.gpst_ns[index]))}  {flag}{len(body):3d}")
        lines += body
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def _satellite_line(table: SystemObservations, row: int) -> str:
    cells = []
    columns = zip(
        table.values[row].tolist(),
        table.lost_lock[row].tolist(),
        table.strength[row].tolist(),
        strict=True,
    )
    for value, lost_lock, strength in columns:
        number = f"{value:14.3f}" if value == value else " " * 14  # noqa: PLR0124 (NaN is blank)
        cells.append(f"{number}{lost_lock or ' '}{strength or ' '}")
    return (satellite_name(table.system, int(table.prn[row])) + "".join(cells)).rstrip()


def _labelled(content: str, label: str) -> str:
    return f"{content[:60]:60s}{label}"


def _observation_header(seen: Observations) -> list[str]:
    head: ObservationHeader = seen.header
    x, y, z = head.approximate_ecef_m
    lines = [
        _labelled("     3.05           OBSERVATION DATA    M", "RINEX VERSION / TYPE"),
        _labelled("Zhidao", "PGM / RUN BY / DATE"),
        *(
            _labelled(comment, "COMMENT")
            for comment in _comments(head.comments, simulated=head.simulated)
        ),
        _labelled(head.marker, "MARKER NAME"),
        _labelled(head.receiver, "REC # / TYPE / VERS"),
        _labelled(head.antenna, "ANT # / TYPE"),
        _labelled(f"{x:14.4f}{y:14.4f}{z:14.4f}", "APPROX POSITION XYZ"),
        _labelled(f"{0:14.4f}{0:14.4f}{0:14.4f}", "ANTENNA: DELTA H/E/N"),
    ]
    for system, table in sorted(seen.systems.items()):
        for start in range(0, len(table.codes), 13):
            lead = f"{system}  {len(table.codes):3d}" if start == 0 else " " * 6
            codes = "".join(f" {code}" for code in table.codes[start : start + 13])
            lines.append(_labelled(lead + codes, "SYS / # / OBS TYPES"))
    if head.interval_s:
        lines.append(_labelled(f"{head.interval_s:10.3f}", "INTERVAL"))
    if len(seen.gpst_ns):
        moment = _calendar(int(seen.gpst_ns[0]))
        second = moment[5] + int(seen.gpst_ns[0]) % _NS * 1e-9
        date = "".join(f"{part:6d}" for part in moment[:5])
        lines.append(_labelled(f"{date}{second:13.7f}     GPS", "TIME OF FIRST OBS"))
    return [*lines, _labelled("", "END OF HEADER")]


def _comments(comments: tuple[str, ...], *, simulated: bool) -> list[str]:
    found = [comment for comment in comments if comment]
    if simulated and not any("SIMULATED" in comment for comment in found):
        found.insert(0, SIMULATED_COMMENT)
    return found


def _calendar(gpst_ns: int) -> tuple[int, int, int, int, int, int]:
    at = (_GPST_EPOCH + np.timedelta64(gpst_ns, "ns")).astype("datetime64[s]").item()
    return at.year, at.month, at.day, at.hour, at.minute, at.second


def _epoch_text(gpst_ns: int) -> str:
    year, month, day, hour, minute, second = _calendar(gpst_ns)
    fraction = gpst_ns % _NS // 100
    return f"{year:04d} {month:02d} {day:02d} {hour:02d} {minute:02d}{second:3d}.{fraction:07d}"


def write_navigation(navigation: Navigation) -> bytes:
    """RINEX 3.05 navigation text of BDS, GPS and Galileo ephemerides, with Klobuchar terms."""
    lines = [
        _labelled("     3.05           N: GNSS NAV DATA    M: MIXED", "RINEX VERSION / TYPE"),
        _labelled("Zhidao", "PGM / RUN BY / DATE"),
        *(
            _labelled(c, "COMMENT")
            for c in _comments(navigation.comments, simulated=navigation.simulated)
        ),
    ]
    if navigation.klobuchar:
        name = "BDS" if navigation.klobuchar.bds else "GPS"
        for letter, terms in (("A", navigation.klobuchar.alpha), ("B", navigation.klobuchar.beta)):
            text = "".join(f"{term:12.4E}" for term in terms)
            lines.append(_labelled(f"{name}{letter} {text}", "IONOSPHERIC CORR"))
    lines.append(_labelled("", "END OF HEADER"))
    for row in range(len(navigation.ephemerides)):
        lines += _record(navigation.ephemerides, row)
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def _record(eph: Ephemerides, row: int) -> list[str]:
    def value(name: str) -> float:
        return float(getattr(eph, name)[row])

    system = SYSTEMS[int(eph.satellite[row]) // 100]
    shift_s = _BDT_BEHIND_GPST_S if system == "C" else 0
    toe_s = int(eph.toe_ns[row]) // _NS - shift_s
    week = toe_s // _WEEK_S - (_BDT_WEEK_OFFSET if system == "C" else 0)
    # Galileo: I/NAV from E1-B and E5b, clock for E5b and E1 (RINEX 3.05 table A8).
    sources = 0b10_0000_0101 if system == "E" else 0
    toc = _calendar(int(eph.toc_ns[row]) - shift_s * _NS)
    date = f"{toc[0]:04d}" + "".join(f" {part:02d}" for part in toc[1:])
    name = satellite_name(system, int(eph.satellite[row]) % 100)
    terms = [value(n) for n in ("clock_bias_s", "clock_drift", "clock_drift_rate")]
    rows = (
        (value("issue"), *map(value, ("crs", "mean_motion_difference", "mean_anomaly"))),
        tuple(map(value, ("cuc", "eccentricity", "cus", "root_a"))),
        tuple(map(value, ("toe_of_week_s", "cic", "node", "cis"))),
        tuple(map(value, ("inclination", "crc", "perigee", "node_rate"))),
        (value("inclination_rate"), float(sources), float(week), 0.0),
        (
            value("accuracy_m"),
            0.0 if eph.healthy[row] else 1.0,
            value("delay1_s"),
            value("delay2_s"),
        ),
        (value("toe_of_week_s"), 0.0),
    )
    lines = [f"{name} {date}" + "".join(map(_d19, terms))]
    return lines + ["    " + "".join(map(_d19, numbers)) for numbers in rows]


def _d19(value: float) -> str:
    return " " * 19 if value != value else f"{value:19.12E}"  # noqa: PLR0124 (NaN is blank)
