"""Positioning on real recordings: accuracy of a station-day, bounds that hold, a phone's log.

Each function below is one part; further parts are added as further functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data

# Coordinates as stated with the data; not official ones.
_ESBC_M = (3582104.918, 532590.191, 5232755.315)


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("positioning", shared, "positioning", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    yield from _station_day(folder / "esbc_2020177")
    yield from _two_frequencies(folder / "esbc_2020177")
    yield from _roof(folder / "rtk_static_pair")
    yield from _phone(folder / "phone_2024092")


def _station_day(folder: Path) -> Iterator[tuple[str, bool]]:
    """Esbjerg: accuracy, all epochs, and no error over its protection level."""
    import numpy as np

    from zhidao.positioning.domain.integrity.solving import solve
    from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
    from zhidao.positioning.domain.solver_settings import B1I_L1_E1, B1I_ONLY, Settings
    from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    seen = read_observations((folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes())
    navigation = read_navigation(
        (folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes(), messages=WITH_GLONASS
    )
    place_m = np.array(_ESBC_M)
    latitude, longitude, _ = geodetic(place_m)
    axes = enu_axes(latitude, longitude)
    grec = {**B1I_L1_E1, "R": "C1C"}
    cases = (
        ("bds", dict(B1I_ONLY), 0.83, 1.28),
        ("gec", dict(B1I_L1_E1), 0.64, 0.74),
        ("grec", grec, None, None),
    )
    for name, signals, horizontal_m, vertical_m in cases:
        solved = solve(seen, navigation, Settings(signals=signals))
        yield f"esbc {name}: all 2,880 epochs", int(solved.solved.sum()) == 2880
        off = (solved.ecef_m - place_m) @ axes.T
        across = np.hypot(off[:, 0], off[:, 1])
        up = np.abs(off[:, 2])
        if horizontal_m and vertical_m:
            good = np.sqrt(np.mean(across**2)) <= horizontal_m
            yield f"esbc {name}: horizontal RMS <= {horizontal_m} m", bool(good)
            good = np.sqrt(np.mean(up**2)) <= vertical_m
            yield f"esbc {name}: vertical RMS <= {vertical_m} m", bool(good)
        held = (across <= solved.horizontal_m).all() and (up <= solved.vertical_m).all()
        yield f"esbc {name}: no error over its level", bool(held)


def _two_frequencies(folder: Path) -> Iterator[tuple[str, bool]]:
    """Esbjerg on B1I and B3I: what can be solved is, and no error lies over its level."""
    import numpy as np

    from zhidao.positioning.domain.integrity.solving import solve
    from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
    from zhidao.positioning.domain.solver_settings import Settings
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    packed = (folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    seen = read_observations(packed, systems="C")
    navigation = read_navigation((folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes())
    place_m = np.array(_ESBC_M)
    axes = enu_axes(*geodetic(place_m)[:2])
    for signals, least in (("C2I+C6I", 2_100), ("C2I+C6I/C2I", 2_880)):
        solved = solve(seen, navigation, Settings(signals={"C": signals}))
        off = (solved.ecef_m - place_m) @ axes.T
        across = np.hypot(off[:, 0], off[:, 1])
        yield f"esbc {signals}: {least} epochs at least", int(solved.solved.sum()) >= least
        over = solved.solved & (across > solved.horizontal_m)
        yield f"esbc {signals}: no error over its level", not over.any()


def _roof(folder: Path) -> Iterator[tuple[str, bool]]:
    """Nagoya: bounds around the stated place, which itself is 3 m off by every constellation."""
    import numpy as np

    from zhidao.positioning.domain.integrity.solving import solve
    from zhidao.positioning.domain.single_point.geometry import ecef, enu_axes, geodetic
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    navigation = read_navigation((folder / "base.nav.gz").read_bytes())
    for name in ("base", "rover"):
        text = (folder / f"{name}_position.txt").read_text().split()
        latitude, longitude = np.deg2rad(float(text[0])), np.deg2rad(float(text[1]))
        place_m = ecef(latitude, longitude, np.float64(text[2]))
        solved = solve(read_observations((folder / f"{name}.obs.gz").read_bytes()), navigation)
        off = (solved.ecef_m - place_m) @ enu_axes(*geodetic(place_m)[:2]).T
        across = np.hypot(off[:, 0], off[:, 1])
        yield f"nagoya {name}: all epochs", bool(solved.solved.all())
        yield f"nagoya {name}: no error over its level", bool((across <= solved.horizontal_m).all())


def _phone(folder: Path) -> Iterator[tuple[str, bool]]:
    """A phone: no unflagged epoch is off by more than its level (and its place is good to 20 m)."""
    import numpy as np

    from zhidao.positioning.domain.integrity.authenticity import Suspicion, findings
    from zhidao.positioning.domain.integrity.solving import solve
    from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
    from zhidao.positioning.domain.solver_settings import B1I_L1_E1, B1I_ONLY, Settings
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    seen = read_observations((folder / "GEOP092I.24o.gz").read_bytes())
    navigation = read_navigation((folder / "CORD00ARG_R_20240920000_01D_MN.rnx.gz").read_bytes())
    place_m = np.array(seen.header.approximate_ecef_m)
    axes = enu_axes(*geodetic(place_m)[:2])
    for name, signals in (("bds", dict(B1I_ONLY)), ("gec", dict(B1I_L1_E1))):
        for kind in ("open_sky", "phone"):
            settings = Settings.for_environment(kind, signals=signals)
            solved = solve(seen, navigation, settings)
            off = (solved.ecef_m - place_m) @ axes.T
            across = np.hypot(off[:, 0], off[:, 1])
            beyond = solved.solved & (across > solved.horizontal_m + 20)
            yield f"phone {name}, {kind}: no unflagged error over its level", not beyond.any()
    found = findings(seen, navigation, solved, settings)
    named = [each.satellites for each in found if each.reason is Suspicion.RANGE_AGAINST_DOPPLER]
    yield "phone: its four BeiDou satellites are named", named == [("C19", "C22", "C30", "C36")]
