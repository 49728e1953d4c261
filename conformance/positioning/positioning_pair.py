"""A pair of receivers of two makers, five kilometres apart, that nothing here was made for.

Kamakura and Fujisawa (Japan), 2021-03-19, a minute: a Septentrio rover that tracks C1C, C5Q and
C7Q of Galileo beside a Trimble base that tracks C1X, C5X and C7X. The files come with the package
cssrlib (MIT), both places with its samples, which take them from solutions of the Geospatial
Information Authority of Japan.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from conformance.rivals import rival
from conformance.verdicts import judged

SUITE = "positioning-pair"
ROVER_M = (-3962108.673, 3381309.574, 3668678.638)
BASE_M = (-3959400.631, 3385704.533, 3667523.111)
# A wrong wavelength is 0.1 m and more; the reference itself is good to some centimetres.
NEAR_M = 0.05
_FOLDER = """
import cssrlib, json, pathlib
print(json.dumps({"folder": str(pathlib.Path(cssrlib.__file__).parent / "data")}))
"""


def run(shared: Path | None) -> dict[str, Any]:
    """The report; a case is an epoch of a choice of systems, fixed within 5 cm of the place."""
    del shared
    told = rival(_FOLDER)
    folder = Path(told["folder"]) if told else None
    if folder is None or not (folder / "SEPT078M1.21O").is_file():
        return {"suite": SUITE, "skipped": "cssrlib and its data cannot be installed"}
    return judged(SUITE, _cases(folder))


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from zhidao import positioning
    from zhidao.positioning.domain.observables.signal_codes import matched
    from zhidao.positioning.domain.rtk.rtk_settings import ALL_SIGNALS

    rover, base = (
        positioning.read_observations((folder / name).read_bytes())
        for name in ("SEPT078M1.21O", "3034078M1.21O")
    )
    navigation = positioning.read_navigation((folder / "SEPT078M.21P").read_bytes())
    for systems in ("G", "E", "GE", "GEJ"):
        pair = matched(rover, base, {system: ALL_SIGNALS[system] for system in systems})
        settings = positioning.RtkSettings(signals=pair.signals)
        found = positioning.solve_baselines(rover, pair.base, navigation, BASE_M, settings)
        off_m = np.linalg.norm(found.place_m - ROVER_M, axis=1)
        for epoch, fixed in enumerate(found.fixed.tolist()):
            yield f"{systems} epoch {epoch}", bool(fixed and off_m[epoch] < NEAR_M)
    signals = {"E": "C1C/C1X", "G": "C1C"}
    for name, seen, place_m in (("rover", rover, ROVER_M), ("base", base, BASE_M)):
        solved = positioning.solve(seen, navigation, positioning.Settings(signals=signals))
        off_m = np.linalg.norm(solved.ecef_m - place_m, axis=1)
        level_m = np.hypot(solved.horizontal_m, solved.vertical_m)
        for epoch in range(len(off_m)):
            yield f"{name} alone, epoch {epoch}", bool(off_m[epoch] < min(level_m[epoch], 4.0))
