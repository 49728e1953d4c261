"""RINEX 3 and 4 observation files out of tables, read back to the same values."""

from __future__ import annotations

from typing import Final

from zhidao.positioning.domain.observables.observations import (
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import satellite_name
from zhidao.positioning.wire.rinex.lines import SIMULATED_COMMENT, calendar, comments_of, labelled
from zhidao.positioning.wire.rinex.writing_navigation import write_navigation

__all__ = ["SIMULATED_COMMENT", "write_navigation", "write_observations"]

_NS: Final = 1_000_000_000


def write_observations(seen: Observations, *, version: str = "3.05") -> bytes:
    """RINEX 3 or 4 text of an observation table, times in GPST.

    Values are written to the three decimals that the format has.
    """
    lines = _observation_header(seen, version)
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


def _observation_header(seen: Observations, version: str) -> list[str]:
    head: ObservationHeader = seen.header
    x, y, z = head.approximate_ecef_m
    lines = [
        labelled(f"     {version:4s}           OBSERVATION DATA    M", "RINEX VERSION / TYPE"),
        labelled("Zhidao", "PGM / RUN BY / DATE"),
        *(
            labelled(comment, "COMMENT")
            for comment in comments_of(head.comments, simulated=head.simulated)
        ),
        labelled(head.marker, "MARKER NAME"),
        labelled(head.receiver, "REC # / TYPE / VERS"),
        labelled(head.antenna, "ANT # / TYPE"),
        labelled(f"{x:14.4f}{y:14.4f}{z:14.4f}", "APPROX POSITION XYZ"),
        labelled(f"{0:14.4f}{0:14.4f}{0:14.4f}", "ANTENNA: DELTA H/E/N"),
    ]
    for system, table in sorted(seen.systems.items()):
        for start in range(0, len(table.codes), 13):
            lead = f"{system}  {len(table.codes):3d}" if start == 0 else " " * 6
            codes = "".join(f" {code}" for code in table.codes[start : start + 13])
            lines.append(labelled(lead + codes, "SYS / # / OBS TYPES"))
    if head.interval_s:
        lines.append(labelled(f"{head.interval_s:10.3f}", "INTERVAL"))
    if len(seen.gpst_ns):
        moment = calendar(int(seen.gpst_ns[0]))
        second = moment[5] + int(seen.gpst_ns[0]) % _NS * 1e-9
        date = "".join(f"{part:6d}" for part in moment[:5])
        lines.append(labelled(f"{date}{second:13.7f}     GPS", "TIME OF FIRST OBS"))
    return [*lines, labelled("", "END OF HEADER")]


def _epoch_text(gpst_ns: int) -> str:
    year, month, day, hour, minute, second = calendar(gpst_ns)
    fraction = gpst_ns % _NS // 100
    return f"{year:04d} {month:02d} {day:02d} {hour:02d} {minute:02d}{second:3d}.{fraction:07d}"
