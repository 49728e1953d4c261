"""Positions as files: CSV, JSON, GeoJSON, RTKLIB's POS and NMEA 0183. Text in, the same text out.

A table of simulated observations says so in every one of them. Sources: RTKLIB 2.4.2 manual,
appendix B.1 (POS; not at hand, the columns are those its programs print), RFC 7946, NMEA 0183.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from zhidao.core.timescale import Gpst
from zhidao.positioning.domain.observables.observations import Floats
from zhidao.positioning.domain.positions import Positions, Quality
from zhidao.positioning.wire.receivers.nmea import Sentence, gga

_NS: Final = 1_000_000_000
_WEEK_NS: Final = 604_800 * _NS
_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ms")
_FIELDS: Final = (
    *("time_utc", "gps_week", "gps_second", "quality", "reason", "latitude_deg", "longitude_deg"),
    *("height_m", "east_sd_m", "north_sd_m", "up_sd_m", "horizontal_protection_m"),
    *("vertical_protection_m", "satellites", "excluded", "ratio", "simulated"),
)
_VELOCITIES: Final = ("east_mps", "north_mps", "up_mps")
_NMEA_QUALITY: Final = {0: 0, 1: 4, 2: 5, 5: 1, 6: 2}
_POS_HEAD: Final = (
    "% (lat/lon/height=WGS84/ellipsoidal,Q=1:fix,2:float,3:sbas,4:dgps,5:single,6:ppp,"
    "ns=# of satellites)\n"
    "%  GPST                  latitude(deg) longitude(deg)  height(m)   Q  ns   sdn(m)   sde(m)"
    "   sdu(m)  sdne(m)  sdeu(m)  sdun(m) age(s)  ratio"
).split("\n")
SIMULATED: Final = "SIMULATED: no satellite was received"


def written(form: str, table: Positions) -> bytes:
    """The table in a form of FORMS."""
    return FORMS[form](table)


def _number(value: float, places: int) -> float | None:
    return round(float(value), places) if math.isfinite(value) else None


def rows_of(table: Positions) -> Iterator[dict[str, Any]]:
    """One dictionary an epoch; None where nothing is known."""
    deviations_m = np.sqrt(np.maximum(np.einsum("eii->ei", table.covariance_m2), 0))
    moving = len(table.velocity_mps) == len(table) > 0
    for row in range(len(table)):
        week, rest_ns = divmod(int(table.gpst_ns[row]), _WEEK_NS)
        yield {
            "time_utc": str(Gpst(int(table.gpst_ns[row])).to_utc()),
            "gps_week": week,
            "gps_second": rest_ns / _NS,
            "quality": int(table.quality[row]),
            "reason": table.reason[row],
            "latitude_deg": _number(math.degrees(table.latitude[row]), 9),
            "longitude_deg": _number(math.degrees(table.longitude[row]), 9),
            "height_m": _number(table.height_m[row], 4),
            "east_sd_m": _number(deviations_m[row, 0], 4),
            "north_sd_m": _number(deviations_m[row, 1], 4),
            "up_sd_m": _number(deviations_m[row, 2], 4),
            "horizontal_protection_m": _number(table.horizontal_m[row], 3),
            "vertical_protection_m": _number(table.vertical_m[row], 3),
            "satellites": int(table.satellites[row]),
            "excluded": int(table.excluded[row]),
            "ratio": _number(table.ratio[row], 2),
            "simulated": table.simulated,
        } | (_velocity(table.velocity_mps[row]) if moving else {})


def _velocity(enu_mps: Floats) -> dict[str, float | None]:
    return {
        name: _number(part, 4) for name, part in zip(_VELOCITIES, enu_mps.tolist(), strict=True)
    }


def csv(table: Positions) -> bytes:
    """A heading and a line an epoch; cells are empty where nothing is known."""
    names = _FIELDS + (_VELOCITIES if len(table.velocity_mps) else ())
    lines = [",".join(names)]
    for row in rows_of(table):
        cells = ("" if row[name] is None else str(row[name]) for name in names)
        lines.append(",".join(cells))
    return ("\n".join(lines) + "\n").encode()


def as_json(table: Positions) -> bytes:
    """One object: what the whole table is, and its epochs."""
    document = {
        "frame": table.frame,
        "simulated": table.simulated,
        "solved": len(table.solved),
        "epochs": list(rows_of(table)),
    }
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()


def geojson(table: Positions) -> bytes:
    """A feature collection: the track as a line, and a point an epoch that has a position."""
    rows = [row for row in rows_of(table) if row["latitude_deg"] is not None]
    places = [[row["longitude_deg"], row["latitude_deg"], row["height_m"]] for row in rows]
    told = {"frame": table.frame, "simulated": table.simulated}
    features: list[dict[str, Any]] = []
    if len(places) > 1:
        features.append(_feature("LineString", places, told))
    for row, place in zip(rows, places, strict=True):
        properties = {k: v for k, v in row.items() if k[:3] not in ("lat", "lon") and v is not None}
        features.append(_feature("Point", place, properties))
    document = {"type": "FeatureCollection", "features": features}
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()


def _feature(kind: str, places: list[Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": places},
        "properties": dict(properties),
    }


def pos(table: Positions) -> bytes:
    """RTKLIB's position file, latitude and longitude in degrees, times in GPST."""
    lines = ["% program   : Zhidao"]
    if table.simulated:
        lines.append(f"% {SIMULATED}")
    lines += [f"% (frame={table.frame})", *_POS_HEAD]
    for row in table.solved.tolist():
        east, north, up = 0, 1, 2
        c = table.covariance_m2[row]
        pairs = ((north, north), (east, east), (up, up), (north, east), (east, up), (up, north))
        deviations = "".join(f" {_signed_root(c[pair]):8.4f}" for pair in pairs)
        ratio = table.ratio[row] if math.isfinite(table.ratio[row]) else 0.0
        lines.append(
            f"{_calendar(int(table.gpst_ns[row]))} {math.degrees(table.latitude[row]):14.9f} "
            f"{math.degrees(table.longitude[row]):14.9f} {table.height_m[row]:10.4f} "
            f"{table.quality[row]:3d} {table.satellites[row]:3d}{deviations} {0:6.2f} "
            f"{min(ratio, 999.9):6.1f}"
        )
    return ("\n".join(lines) + "\n").encode()


def _signed_root(value: float) -> float:
    return math.copysign(math.sqrt(abs(value)), value)


def _calendar(gpst_ns: int) -> str:
    at = _GPST_EPOCH + np.timedelta64(round(gpst_ns / 1e6), "ms")
    return str(at).replace("-", "/").replace("T", " ")


def nmea(table: Positions) -> bytes:
    """GGA of each epoch, without a position too; a text sentence first where simulated."""
    out = b""
    if table.simulated:
        out += Sentence("GN", "TXT", ("01", "01", "02", SIMULATED)).encode()
    parts = []
    for row in range(len(table)):
        day_ns = Gpst(int(table.gpst_ns[row])).to_utc().unix_ns % (86_400 * _NS)
        if table.quality[row] == Quality.NONE:
            hundredths = round(day_ns / 1e7) % 8_640_000
            clock = f"{hundredths // 360_000:02d}{hundredths // 6000 % 60:02d}"
            clock += f"{hundredths % 6000 // 100:02d}.{hundredths % 100:02d}"
            empty = (clock, "", "", "", "", "0", "00", "", "", "M", "", "M", "", "")
            parts.append(Sentence("GN", "GGA", empty).encode())
            continue
        place = gga(
            "GN",
            latitude_deg=math.degrees(table.latitude[row]),
            longitude_deg=math.degrees(table.longitude[row]),
            height_m=float(table.height_m[row]),
            second_of_day=day_ns / _NS,
            quality=_NMEA_QUALITY[int(table.quality[row])],
            satellites=min(int(table.satellites[row]), 99),
            hdop=0.0,
        )
        fields = [*place.fields]
        fields[7] = ""  # The table holds no dilution; an invented one would be worse than none.
        parts.append(Sentence("GN", "GGA", tuple(fields)).encode())
    return out + b"".join(parts)


FORMS: Final[Mapping[str, Callable[[Positions], bytes]]] = {
    "csv": csv,
    "json": as_json,
    "geojson": geojson,
    "pos": pos,
    "nmea": nmea,
}
