"""Positioning on two frequencies of BDS, and why RTKLIB loses epochs there; a part of positioning.

RTKLIB's second frequency of BDS is B2I/B2b, whatever the file holds: BDS-3 satellites do not send
B2I, so only BDS-2 counts. Its epochs stay the same without B3I in the file and vanish without B2I.

B1C and B2a are not measured here: no outside observations of them come with CNAV of their hour,
which alone tells their group delays.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from conformance.rivals import rival

from benchmarks.inner.positions.positioning_runs import DATA, rms
from benchmarks.measuring import claim
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

ESBC = DATA / "esbc_2020177"
DAY = ESBC / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz"
NAVIGATION = ESBC / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
PLACE_M = np.array((3582104.918, 532590.191, 5232755.315))
LIMIT = 1 << 28


def dual_frequency() -> Iterator[dict[str, Any]]:
    """All claims of this part."""
    yield from _pairs()
    yield from _rtklib()


def _pairs() -> Iterator[dict[str, Any]]:
    seen = read_observations(DAY.read_bytes(), systems="C")
    navigation = read_navigation(NAVIGATION.read_bytes())
    axes = enu_axes(*geodetic(PLACE_M)[:2])
    for name, signals in (("b1i_b3i", "C2I+C6I"), ("b1i_b3i_else_b1i", "C2I+C6I/C2I")):
        solved = solve(seen, navigation, Settings(signals={"C": signals}))
        off = (solved.ecef_m - PLACE_M) @ axes.T
        # Enough: a position with one range to spare. Four give a position that nothing checks.
        up = np.where(solved.measurements.present, _elevation(solved.measurements), -1)
        enough = (up >= np.deg2rad(10)).sum(1) >= 5
        share = float(solved.solved[enough].mean() * 100)
        yield claim(f"esbc_{name}_epochs_with_enough", [int(enough.sum())], "")
        yield claim(f"esbc_{name}_solved_of_those", [share], "%", target=95)
        yield claim(f"esbc_{name}_epochs_solved", [int(solved.solved.sum())], "")
        good = solved.solved
        across = np.hypot(off[good, 0], off[good, 1])
        yield claim(f"esbc_{name}_horizontal_rms_m", [rms(across)], "m")
        yield claim(f"esbc_{name}_vertical_rms_m", [rms(off[good, 2])], "m")
        over = int((across > solved.horizontal_m[good]).sum())
        yield claim(f"esbc_{name}_errors_over_level", [over], "", target=0, at_most=True)


def _elevation(data: Any) -> Any:
    up = enu_axes(*geodetic(PLACE_M)[:2])[2]
    away = data.place_m - PLACE_M
    return np.arcsin(np.clip(away @ up / np.maximum(np.linalg.norm(away, axis=2), 1.0), -1, 1))


RTKLIB = """
import json, math, pyrtklib5 as r, sys
counts = []
for obs in sys.argv[3:]:
    p = r.prcopt_default
    p.mode, p.navsys, p.nf, p.elmin = 0, 32, 2, math.radians(10)
    p.ionoopt, p.tropopt, p.sateph = 3, 1, 0
    s = r.solopt_default
    s.posf, s.outhead = 1, 0
    r.postpos(r.gtime_t(), r.gtime_t(), 0.0, 0.0, p, s, r.filopt_t(), [obs, sys.argv[1]], 2,
              sys.argv[2], "", "")
    with open(sys.argv[2]) as out:
        counts.append(sum(1 for line in out if not line.startswith("%")))
print(json.dumps({"epochs": counts}))
"""


def _rtklib() -> Iterator[dict[str, Any]]:
    text = plain_text(DAY.read_bytes(), bytes_max=LIMIT)
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        nav, out = Path(folder) / "day.nav", Path(folder) / "out.pos"
        nav.write_bytes(gzip.decompress(NAVIGATION.read_bytes()))
        files = []
        for band in (b"", b"6", b"7"):
            files.append(Path(folder) / f"day{band.decode()}.obs")
            files[-1].write_bytes(_without(text, band) if band else text)
        theirs = rival(RTKLIB, str(nav), str(out), *map(str, files))
    if theirs:
        names = ("as_delivered", "without_b3i", "without_b2i")
        for name, count in zip(names, theirs["epochs"], strict=True):
            yield claim(f"rtklib_bds_two_frequencies_{name}_epochs", [count], "")


def _without(text: bytes, band: bytes) -> bytes:
    """The file with a BDS band under a name that nobody looks for."""
    end = text.index(b"END OF HEADER")
    lines, mine = [], False
    for line in text[:end].split(b"\n"):
        if line.endswith(b"SYS / # / OBS TYPES"):
            mine = line[:1] == b"C" if line[:1] != b" " else mine
            for kind in (b"C", b"D", b"L", b"S"):
                line = line.replace(kind + band + b"I", kind + b"8I") if mine else line  # noqa: PLW2901
        lines.append(line)
    return b"\n".join(lines) + text[end:]
