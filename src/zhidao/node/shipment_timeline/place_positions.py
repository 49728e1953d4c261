"""Where the places of a corridor roughly are, so that a route can be drawn before anything moves.

Own short table: UN/LOCODE, longitude and latitude in degrees to about a kilometre, of ports and
inland stations. It draws lines and decides nothing.
"""

from __future__ import annotations

from typing import Final

PLACES: Final[dict[str, tuple[float, float]]] = {
    "CNSIA": (108.94, 34.27),
    "CNCKG": (106.55, 29.56),
    "CNCTU": (104.07, 30.67),
    "CNZGZ": (113.65, 34.76),
    "CNWUH": (114.30, 30.59),
    "CNYIW": (120.07, 29.31),
    "CNURM": (87.62, 43.83),
    "CNLHW": (103.83, 36.06),
    "CNHRS": (80.41, 44.21),
    "CNSHA": (121.49, 31.23),
    "CNNGB": (121.55, 29.87),
    "CNSZX": (114.06, 22.54),
    "CNCAN": (113.26, 23.13),
    "CNTAO": (120.38, 36.07),
    "CNTSN": (117.20, 39.08),
    "KZALA": (76.89, 43.24),
    "KZNQZ": (71.43, 51.13),
    "KZAAU": (51.20, 43.65),
    "UZTAS": (69.24, 41.30),
    "KGFRU": (74.59, 42.87),
    "RUMOW": (37.62, 55.75),
    "BYBQT": (23.69, 52.10),
    "PLMAL": (23.50, 52.02),
    "DEDUI": (6.76, 51.43),
    "DEHAM": (9.99, 53.55),
    "NLRTM": (4.48, 51.92),
    "DKEBJ": (8.45, 55.47),
    "AZBAK": (49.87, 40.41),
    "GEPTI": (41.67, 42.15),
    "TRIST": (28.98, 41.01),
    "PKGWD": (62.33, 25.12),
    "LAVTE": (102.60, 17.97),
    "VNHPH": (106.68, 20.86),
    "MYPKG": (101.39, 3.00),
    "SGSIN": (103.82, 1.26),
    "GRPIR": (23.62, 37.95),
}


def place(unlocode: str) -> list[list[float]]:
    """The place as a path of one point [longitude, latitude], or an empty path if unknown."""
    found = PLACES.get(unlocode)
    return [list(found)] if found else []
