"""A BeiDou-3 constellation of our own making, for when no navigation file is at hand.

Geometry as published for BDS-3: 24 MEO in a Walker 24/3/1 pattern at 55 degrees and 21,528 km
height, three IGSO at 55 degrees crossing the equator at 118 E, three GEO at 80, 110.5 and 140 E.
Slots, clocks and small corrections are drawn from a seed: no real satellite is where this says.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import numpy as np

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.ephemeris import (
    MESSAGES,
    Ephemerides,
    Klobuchar,
    Navigation,
    satellite_number,
)
from zhidao.positioning.domain.observations import Floats, Ints

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


def constellation(first: Utc, last: Utc, *, seed: int = 0) -> Navigation:
    """Ephemerides on every full hour from one hour before `first` to one hour after `last`.

    Consecutive messages of a satellite describe one and the same orbit and clock.
    """
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
    table = Ephemerides(**{c.name: columns.get(c.name, none) for c in fields(Ephemerides)})
    table = table.take(np.lexsort((table.toe_ns, table.satellite)))
    return Navigation(table, KLOBUCHAR, simulated=True, comments=(SIMULATED,))


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
