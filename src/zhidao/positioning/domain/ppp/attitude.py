"""Which way satellites look: their antennas' offsets and the winding of carrier phases.

Nominal attitude: the antenna to the Earth, the panels to the Sun (Bar-Sever 1996). Turns at noon
and midnight of the orbit, where satellites cannot follow, are not modelled.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic

# Offsets of antennas from the centre of mass in the IGS satellite frame, x towards the Sun and z
# towards the Earth, in metres: means of blocks in the manner of igs14.atx, from memory (the file
# was not at hand). Single satellites differ along z by up to 0.3 m, of which 3 % differ over the
# sky; the rest goes into clocks and ambiguities. An operator's file replaces them.
_BLOCK_M: Final = {
    "IIR-A": (0.0, 0.0, 1.30),
    "IIR-B": (0.0, 0.0, 0.80),
    "IIR-M": (0.0, 0.0, 0.82),
    "IIF": (0.394, 0.0, 1.56),
    "III": (0.0, 0.0, 1.10),
    "GLONASS-M": (-0.545, 0.0, 2.30),
    "GLONASS-K": (0.0, 0.0, 2.00),
    "IOV": (-0.17, 0.03, 0.90),
    "FOC": (0.12, -0.01, 0.80),
}
# Which GPS satellites were of which block in 2020; the others are IIF.
_GPS_BLOCKS: Final = {
    "IIR-A": (11, 13, 14, 16, 20, 21, 28),
    "IIR-B": (2, 19, 22, 23),
    "IIR-M": (5, 7, 12, 15, 17, 29, 31),
    "III": (4, 18),
}
_DAY_NS: Final = 86_400 * 1_000_000_000
# GPST days from which satellites of the third generation broadcast under these numbers.
_LATER_III: Final = {23: 14_885, 14: 14_945, 11: 15_116, 28: 15_727}
_IOV: Final = (11, 12, 19, 20)
_GLONASS_K: Final = (9,)


def antenna_offsets_m(satellite: Ints, gpst_ns: int) -> Floats:
    """Offsets (n, 3) in satellite axes by the built-in table; zero for systems not in it."""
    table = {
        number: _BLOCK_M[_block(number // 100, number % 100, gpst_ns // _DAY_NS)]
        for number in np.unique(satellite).tolist()
        if SYSTEMS[number // 100] in "GRE"
    }
    return np.array([table.get(number, (0.0, 0.0, 0.0)) for number in satellite.tolist()]).reshape(
        -1, 3
    )


def _block(system: int, prn: int, day: int) -> str:
    if SYSTEMS[system] == "R":
        return "GLONASS-K" if prn in _GLONASS_K else "GLONASS-M"
    if SYSTEMS[system] == "E":
        return "IOV" if prn in _IOV else "FOC"
    if day >= _LATER_III.get(prn, day + 1):
        return "III"
    return next((name for name, prns in _GPS_BLOCKS.items() if prn in prns), "IIF")


def satellite_axes(place_m: Floats, sun_m: Floats) -> Floats:
    """Axes x, y, z as rows, (n, 3, 3): z to the Earth, y across the Sun's direction."""
    z = -place_m / np.linalg.norm(place_m, axis=1, keepdims=True)
    to_sun = sun_m - place_m
    y = np.cross(z, to_sun)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack((np.cross(y, z), y, z), 1)


def winding_cycles(axes: Floats, toward: Floats, place_m: Floats) -> Floats:
    """Turns between antennas, (n,), known up to whole numbers.

    axes (n, 3, 3) of the satellite; toward (n, 3): unit vectors from the receiver at place_m to it.
    Source: Wu, Wu, Hajj, Bertiger and Lichten, Manuscripta Geodaetica 18, 1993 (not at hand).
    """
    latitude, longitude, _ = geodetic(place_m)
    east, north = enu_axes(latitude, longitude)[:2]
    k = -toward
    x, y = axes[:, 0], axes[:, 1]
    sent = x - k * np.einsum("ni,ni->n", k, x)[:, None] - np.cross(k, y)
    received = north - k * (k @ north)[:, None] + np.cross(k, -east)
    cosine = np.einsum("ni,ni->n", sent, received)
    cosine /= np.linalg.norm(sent, axis=1) * np.linalg.norm(received, axis=1)
    side = np.sign(np.einsum("ni,ni->n", k, np.cross(sent, received)))
    turns: Floats = side * np.arccos(np.clip(cosine, -1, 1)) / (2 * np.pi)
    return turns
