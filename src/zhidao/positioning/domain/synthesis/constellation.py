"""Constellations of our own making, for when no navigation file is at hand.

Geometry as published for BDS-3: 24 MEO in a Walker 24/3/1 pattern at 55 degrees and 21,528 km
height, three IGSO at 55 degrees crossing the equator at 118 E, three GEO at 80, 110.5 and 140 E.
GPS as 24 satellites in six planes at 55 degrees, Galileo as a Walker 24/3/1 pattern at 56 degrees.
Slots, clocks and small corrections are drawn from a seed: no real satellite is where this says.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.satellites.ephemeris import (
    MESSAGES,
    Ephemerides,
    Klobuchar,
    Navigation,
    satellite_number,
)
from zhidao.positioning.domain.satellites.orbits import rotation_radps

SIMULATED: Final = "SIMULATED CONSTELLATION, NO SATELLITE IS WHERE THIS SAYS"
_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_HOUR_NS: Final = 3600 * _NS
_BDT_BEHIND_GPST_S: Final = 14
_MU_M3PS2: Final = 3.986004418e14
_ROTATION_RADPS: Final = 7.2921150e-5
_MEO_AXIS_M: Final = 27_906_100.0
_SYNCHRONOUS_AXIS_M: Final = 42_164_171.0
_INCLINATION: Final = np.deg2rad(55.0)
_GEO_TILT: Final = np.deg2rad(5.0)
_MEO_PRN: Final = tuple(range(19, 31)) + tuple(range(32, 38)) + tuple(range(41, 47))
_IGSO_PRN: Final = (38, 39, 40)
_GEO_PRN: Final = (59, 60, 61)
_GEO_LONGITUDES: Final = np.deg2rad((140.0, 80.0, 110.5))
_IGSO_CROSSING: Final = np.deg2rad(118.0)
# Coefficients of an ordinary day of middling solar activity, as such messages look.
KLOBUCHAR: Final = Klobuchar(
    (2.1420e-08, 1.1921e-07, -1.0133e-06, 1.5497e-06),
    (1.2083e05, 1.4746e05, -1.3107e05, -6.5536e04),
    bds=True,
)


@dataclass(frozen=True, slots=True)
class _Walker:
    """A pattern of circular orbits: planes, satellites, phase between planes (of its slots)."""

    message: str
    axis_m: float
    tilt: float
    planes: int
    count: int
    phasing: int
    mu_m3ps2: float


# Axes and tilts as published for both; GPS flies in six uneven planes, here in even ones.
_WALKERS: Final = {
    "G": _Walker("LNAV", 26_559_700.0, np.deg2rad(55.0), 6, 24, 2, 3.986005e14),
    "E": _Walker("INAV", 29_600_000.0, np.deg2rad(56.0), 3, 24, 1, _MU_M3PS2),
}


def constellation(first: Utc, last: Utc, *, seed: int = 0, systems: str = "C") -> Navigation:
    """Ephemerides on every full hour from one hour before `first` to one hour after `last`.

    Consecutive messages of a satellite describe one and the same orbit and clock. systems: letters
    of C, G and E; what BeiDou's satellites are does not depend on the others.
    """
    tables = [
        _beidou(first, last, seed=seed) if system == "C" else _walker(system, first, last, seed)
        for system in systems
    ]
    names = [column.name for column in fields(Ephemerides)]
    table = Ephemerides(**{n: np.concatenate([getattr(t, n) for t in tables]) for n in names})
    table = table.take(np.lexsort((table.toe_ns, table.satellite)))
    return Navigation(table, KLOBUCHAR, simulated=True, comments=(SIMULATED,))


def _walker(system: str, first: Utc, last: Utc, seed: int) -> Ephemerides:
    """A constellation of circular orbits; messages on the hours of GPST."""
    form = _WALKERS[system]
    chance = np.random.default_rng(np.random.SeedSequence([0xBD5, seed, ord(system)]))
    slot, turn = np.arange(form.count), 2 * np.pi
    each = form.count // form.planes
    node = slot // each * turn / form.planes + chance.uniform(0, turn)
    along = slot % each * turn / each + slot // each * form.phasing * turn / form.count
    along = along + chance.uniform(0, turn)
    hours = np.arange(
        Gpst.from_utc(first).ns // _HOUR_NS * _HOUR_NS - _HOUR_NS,
        Gpst.from_utc(last).ns + 2 * _HOUR_NS,
        _HOUR_NS,
    )
    since_s = np.tile((hours - hours[0]) / _NS, form.count)
    toe_ns, repeat = np.tile(hours, form.count), len(hours)
    of_week_s = (toe_ns // _NS % _WEEK_S).astype(float)
    rotation = rotation_radps(satellite_number(system, np.ones(1, np.int64)))[0]
    drift = chance.normal(0, 2e-11, form.count)
    columns: dict[str, Any] = {
        "satellite": np.repeat(satellite_number(system, slot + 1), repeat),
        "message": np.full(len(toe_ns), MESSAGES.index(form.message)),
        "toe_ns": toe_ns,
        "toc_ns": toe_ns,
        "toe_of_week_s": of_week_s,
        "issue": toe_ns // _HOUR_NS % 24,
        "healthy": np.ones(len(toe_ns), bool),
        "accuracy_m": np.full(len(toe_ns), 2.0),
        "root_a": np.full(len(toe_ns), np.sqrt(form.axis_m)),
        "eccentricity": np.full(len(toe_ns), 1e-3),
        "inclination": np.full(len(toe_ns), form.tilt),
        "mean_anomaly": _wrapped(
            np.repeat(along, repeat) + np.sqrt(form.mu_m3ps2 / form.axis_m**3) * since_s
        ),
        "node": _wrapped(np.repeat(node, repeat) - rotation * since_s + rotation * of_week_s),
        "clock_bias_s": np.repeat(chance.normal(0, 3e-4, form.count), repeat)
        + np.repeat(drift, repeat) * since_s,
        "clock_drift": np.repeat(drift, repeat),
        "delay1_s": np.repeat(chance.normal(0, 8e-9, form.count), repeat),
        "delay2_s": np.repeat(chance.normal(0, 8e-9, form.count), repeat),
    }
    none = np.zeros(len(toe_ns))
    return Ephemerides(**{c.name: columns.get(c.name, none) for c in fields(Ephemerides)})


def _beidou(first: Utc, last: Utc, *, seed: int) -> Ephemerides:
    start_ns = _bdt_since_gpst_epoch_ns(first) // _HOUR_NS * _HOUR_NS - _HOUR_NS
    stop_ns = _bdt_since_gpst_epoch_ns(last) + 2 * _HOUR_NS
    hours = np.arange(start_ns, stop_ns, _HOUR_NS)
    orbits = _orbits(np.random.default_rng(np.random.SeedSequence([0xBD5, seed])))
    count = len(orbits["satellite"])
    columns: dict[str, Any] = {
        name: np.repeat(values, len(hours)) for name, values in orbits.items()
    }
    toe_bdt_ns = np.tile(hours, count)
    since_s = (toe_bdt_ns - hours[0]) / _NS
    columns |= {
        "toe_ns": toe_bdt_ns + _BDT_BEHIND_GPST_S * _NS,
        "toc_ns": toe_bdt_ns + _BDT_BEHIND_GPST_S * _NS,
        "toe_of_week_s": (toe_bdt_ns // _NS % _WEEK_S).astype(float),
        "issue": toe_bdt_ns // _HOUR_NS % 24,
        "healthy": np.ones(len(toe_bdt_ns), bool),
        "clock_bias_s": columns["clock_bias_s"] + columns["clock_drift"] * since_s,
    }
    motion = np.sqrt(_MU_M3PS2 / columns["root_a"] ** 6)
    columns["mean_anomaly"] = _wrapped(columns["mean_anomaly"] + motion * since_s)
    # A GEO's frame turns with the Earth from message to message, so its perigee turns back.
    geo = columns["satellite"] % 100 >= _GEO_PRN[0]
    columns["perigee"] = _wrapped(columns["perigee"] - geo * _ROTATION_RADPS * since_s)
    columns["message"] = np.where(geo, MESSAGES.index("D2"), MESSAGES.index("D1"))
    columns["node"] = _node_of_week(columns, toe_bdt_ns, int(hours[0]))
    none = np.zeros(len(toe_bdt_ns))
    return Ephemerides(**{c.name: columns.get(c.name, none) for c in fields(Ephemerides)})


def _bdt_since_gpst_epoch_ns(at: Utc) -> int:
    return Gpst.from_utc(at).ns - _BDT_BEHIND_GPST_S * _NS


def _orbits(chance: np.random.Generator) -> dict[str, Floats | Ints]:
    """One row a satellite, at the first hour; `node` is the node's longitude at that instant."""
    meo, igso, geo = len(_MEO_PRN), len(_IGSO_PRN), len(_GEO_PRN)
    count = meo + igso + geo
    slot = np.arange(meo)
    turn = 2 * np.pi
    phase = chance.uniform(0, turn)
    # Walker 24/3/1: planes 120 degrees apart, 45 degrees between neighbours, 15 between planes.
    meo_node = slot // 8 * turn / 3 + chance.uniform(0, turn)
    meo_u = slot % 8 * turn / 8 + slot // 8 * turn / 24 + phase
    igso_u = np.arange(igso) * turn / 3 + chance.uniform(0, turn)
    # An IGSO crosses the equator northwards at its longitude: node minus the turn since then.
    igso_node = _IGSO_CROSSING - igso_u
    geo_u = _GEO_LONGITUDES - np.pi
    eccentricity = np.concatenate(
        (chance.uniform(2e-4, 1.5e-3, meo), chance.uniform(1e-3, 4e-3, igso), np.full(geo, 3e-4))
    )
    perigee = chance.uniform(-np.pi, np.pi, count)
    axis = np.concatenate((np.full(meo, _MEO_AXIS_M), np.full(igso + geo, _SYNCHRONOUS_AXIS_M)))
    tilt = np.concatenate((np.full(meo + igso, _INCLINATION), np.full(geo, _GEO_TILT)))
    # A GEO's messages restart its argument of latitude every hour, so terms in it would jump.
    moves = np.arange(count) < meo + igso
    return {
        "satellite": satellite_number("C", np.array(_MEO_PRN + _IGSO_PRN + _GEO_PRN)),
        "root_a": np.sqrt(axis),
        "eccentricity": eccentricity,
        "inclination": tilt + np.where(np.arange(count) < meo, chance.normal(0, 0.005, count), 0),
        "node": np.concatenate((meo_node, igso_node, np.full(geo, np.pi))),
        "perigee": perigee,
        "mean_anomaly": np.concatenate((meo_u, igso_u, geo_u)) - perigee,
        "clock_bias_s": chance.normal(0, 3e-4, count),
        "clock_drift": chance.normal(0, 2e-11, count),
        "delay1_s": chance.normal(0, 8e-9, count),
        "delay2_s": chance.normal(0, 8e-9, count),
        "accuracy_m": np.full(count, 2.0),
        "cuc": moves * chance.normal(0, 2e-6, count),
        "cus": moves * chance.normal(0, 2e-6, count),
        "crc": moves * chance.normal(0, 100.0, count),
        "crs": moves * chance.normal(0, 100.0, count),
        "cic": moves * chance.normal(0, 3e-8, count),
        "cis": moves * chance.normal(0, 3e-8, count),
    }


def _node_of_week(columns: dict[str, Any], toe_bdt_ns: Ints, first_bdt_ns: int) -> Floats:
    """Longitude of the node at the start of the week, as messages give it.

    The node is fixed against the stars: its longitude at the first hour, minus the Earth's turn
    since, is that at toe; adding the turn of the week to toe gives the broadcast value. A GEO's
    node stays at 180 degrees of its own tilted frame, counted from toe.
    """
    geo = columns["satellite"] % 100 >= _GEO_PRN[0]
    turned = np.where(geo, 0.0, _ROTATION_RADPS * (toe_bdt_ns - first_bdt_ns) / _NS)
    return _wrapped(columns["node"] - turned + _ROTATION_RADPS * columns["toe_of_week_s"])


def _wrapped(angle: Floats) -> Floats:
    return np.remainder(angle + np.pi, 2 * np.pi) - np.pi
