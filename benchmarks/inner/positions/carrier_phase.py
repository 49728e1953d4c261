"""Carrier phases: baselines, whole-number ambiguities and precise points. Part of `positioning`."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from conformance.rivals import rival

from benchmarks.inner.positions.positioning_runs import DATA, LIMIT, cpu_s, rms
from benchmarks.measuring import claim
from zhidao.positioning import rtk
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signal_codes import matched
from zhidao.positioning.domain.observables.signals import SYSTEMS, satellite_name
from zhidao.positioning.domain.ppp.ppp_settings import LEGACY_PAIRS, PppSettings
from zhidao.positioning.domain.ppp.products import PreciseProducts
from zhidao.positioning.domain.ppp.rays import glonass_channels_of
from zhidao.positioning.domain.ppp.solving import solve_precise
from zhidao.positioning.domain.rtk.ambiguities import resolve
from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
from zhidao.positioning.domain.rtk.rtk_settings import (
    ALL_SIGNALS,
    BDS_SIGNALS,
    CONTINUOUS,
    FAILURE_RATE,
    HOLD,
    RtkSettings,
)
from zhidao.positioning.domain.single_point.geometry import ecef, enu_axes, geodetic
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.precise.b2b_log import read_b2b_log
from zhidao.positioning.wire.precise.ppp_b2b import decode_b2b
from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

ESBC = DATA / "esbc_2020177"
CLOCKS = ESBC / "GRG0MGXFIN_20201770000_01D_30S_CLK.CLK.gz"
# The day's own static solution, stated with the data; not an official coordinate.
PLACE_M = np.array((3582104.918, 532590.191, 5232755.315))


def carrier_phases(runs: int) -> Iterator[dict[str, Any]]:
    """All claims of this part."""
    yield from _baselines()
    yield from _rough_phases()
    yield from _lambda(runs)
    yield from _precise(runs)
    yield from _b2b()


B2B = """
import json, sys, warnings
warnings.filterwarnings("ignore")
from cssrlib.cssr_bds import cssr_bds
from cssrlib.gnss import sat2id
out = []
for prn, lines in json.load(open(sys.argv[1])):
    decoder = cssr_bds()
    decoder.monlevel, decoder.week, decoder.tow0 = 0, 2380, 345600
    for text in lines:
        state = decoder.lc[0]
        for name in ("dorb", "dclk", "cbias", "iode", "iodc", "iodc_c", "iodc_c_p", "dclk_p"):
            setattr(state, name, {})
        data = bytes.fromhex(text)
        kind = data[0] >> 2
        if kind in (1, 2, 3, 4, 6, 7):
            decoder.decode_cssr(data, 0)
        told = {}
        for sat, d in state.dorb.items():
            told["orbit " + sat2id(sat)] = [state.iode[sat], state.iodc[sat], *map(float, d)]
        for sat, d in state.dclk.items():
            told["clock " + sat2id(sat)] = [state.iodc_c[sat], -float(d)]
        for sat, biases in state.cbias.items():
            for signal, b in biases.items():
                told["bias " + sat2id(sat) + " " + signal.str()[1:]] = [float(b)]
        out.append(told)
print(json.dumps(out))
"""


def _b2b() -> Iterator[dict[str, Any]]:
    """Every value of every frame of the shared hour, as another decoder reads it."""
    frames = read_b2b_log((DATA / "ppp_b2b" / "233h_bdsb2b.txt.gz").read_bytes())
    streams = [
        (prn, [f.payload.hex() for f in frames if f.prn == prn])
        for prn in sorted({f.prn for f in frames})
    ]
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        file = Path(folder) / "frames.json"
        file.write_text(json.dumps(streams))
        theirs: Any = rival(B2B, str(file))
    if not theirs:
        return
    mine = [told for _, lines in streams for told in _told(lines)]
    pairs = [
        (value, ours.get(name))
        for ours, other in zip(mine, theirs, strict=True)
        for name, value in other.items()
    ]
    same = sum(ours is not None and _alike(value, ours) for value, ours in pairs)
    yield claim("ppp_b2b_values_compared", [len(pairs)], "")
    yield claim("ppp_b2b_values_as_cssrlib", [same / len(pairs) * 100], "%", target=100)


def _told(lines: list[str]) -> Iterator[dict[str, list[float]]]:
    """What each frame of one satellite tells, under the names that the rival's script gives."""
    masks: dict[int | None, tuple[int, ...]] = {}
    for text in lines:
        message = decode_b2b(bytes.fromhex(text))
        out: dict[str, list[float]] = {}
        if message is None:
            yield out
            continue
        if message.kind == 1:
            masks[message.iodp] = message.satellites
        for orbit in message.orbits:
            place_m = (orbit.radial_m, orbit.along_m, orbit.cross_m)
            # The rival keeps the lower eight bits of the issue.
            out[f"orbit {_name(orbit.satellite)}"] = [orbit.iodn & 255, orbit.iod_corr, *place_m]
        known = masks.get(message.iodp, ())
        for clock in message.clocks:
            if clock.satellite or clock.place < len(known):
                satellite = clock.satellite or known[clock.place]
                out[f"clock {_name(satellite)}"] = [clock.iod_corr, clock.clock_m]
        for satellite, signal, bias_m in message.biases_m:
            out[f"bias {_name(satellite)} {signal}"] = [bias_m]
        yield out


def _name(satellite: int) -> str:
    return satellite_name(SYSTEMS[satellite // 100], satellite % 100)


def _alike(one: list[float], other: list[float]) -> bool:
    return bool(np.allclose(one, other, rtol=0, atol=1e-9, equal_nan=True))


@cache
def _day() -> tuple[Observations, PreciseProducts, dict[int, int]]:
    name = "GRG0MGXFIN_2020{}0000_01D_15M_ORB.SP3.gz"
    days = [read_sp3((ESBC / name.format(day)).read_bytes()) for day in ("176", "177")]
    seen = read_observations(
        (ESBC / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes(), systems="GRE"
    )
    messages = (ESBC / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    glonass = read_navigation(messages, messages=WITH_GLONASS).glonass
    assert glonass is not None
    products = PreciseProducts(days[0].followed_by(days[1]), read_clocks(CLOCKS.read_bytes()))
    return seen, products, glonass_channels_of(glonass.satellite, glonass.channel)


def _precise(runs: int) -> Iterator[dict[str, Any]]:
    """Agreement with the coordinate stated with the data, not accuracy."""
    packed = CLOCKS.read_bytes()
    yield claim("clk_station_day_read_s", cpu_s(lambda: read_clocks(packed), runs), "s")
    seen, products, channels = _day()
    half = len(seen.gpst_ns) // 2
    cases = [(name, name, seen) for name in ("GRE", "G", "R", "E")]
    cases += [("GRE_am", "GRE", seen.part(0, half)), ("GRE_pm", "GRE", seen.part(half, 2 * half))]
    places = []
    for name, systems, part in cases:
        settings = PppSettings(pairs={s: LEGACY_PAIRS[s] for s in systems})
        found = solve_precise(part, products, settings, glonass_channels=channels)
        off_m = float(np.linalg.norm(found.last_m - PLACE_M))
        places.append(found.last_m)
        yield claim(f"ppp_esbc_{name}_off_m", [off_m], "m", target=0.1, at_most=True)
        converged_s = found.converged_s(PLACE_M)
        yield claim(f"ppp_esbc_{name}_within_a_decimetre_after_s", [converged_s], "s")
        yield claim(f"ppp_esbc_{name}_epochs_solved", [float(found.solved.mean() * 100)], "%")
    yield from _against_rtklib(seen, products)
    apart = [float(np.linalg.norm(a - b)) for a in places for b in places]
    yield claim("ppp_esbc_solutions_apart_at_most_m", [max(apart)], "m")
    settings = PppSettings()

    def whole() -> None:
        solve_precise(seen, products, settings, glonass_channels=channels)

    epochs = len(seen.gpst_ns)
    yield claim("ppp_gre_epochs_per_s", [epochs / s for s in cpu_s(whole, runs)], "1/s")


def _baselines() -> Iterator[dict[str, Any]]:
    folder = DATA / "rtk_static_pair"

    def place(name: str) -> Any:
        latitude, longitude, height_m = map(float, (folder / name).read_text().split())
        return ecef(np.deg2rad(latitude), np.deg2rad(longitude), np.array(height_m))

    base_m, rover_m = place("base_position.txt"), place("rover_position.txt")
    latitude, longitude, _ = geodetic(rover_m)
    axes = enu_axes(latitude, longitude)
    rover = read_observations((folder / "rover.obs.gz").read_bytes())
    base = read_observations((folder / "base.obs.gz").read_bytes())
    navigation = read_navigation((folder / "base.nav.gz").read_bytes(), messages=WITH_GLONASS)
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("bds", {"signals": BDS_SIGNALS}),
        ("all", {"signals": ALL_SIGNALS}),
        ("bds_continuous", {"signals": BDS_SIGNALS, "mode": CONTINUOUS}),
        ("bds_hold", {"signals": BDS_SIGNALS, "mode": HOLD}),
        ("all_hold", {"signals": ALL_SIGNALS, "mode": HOLD}),
        ("bds_failure_rate", {"signals": BDS_SIGNALS, "test": FAILURE_RATE}),
    )
    for name, chosen in cases:
        settings = RtkSettings(**chosen)
        started = time.process_time()
        found = solve_baselines(rover, base, navigation, base_m, settings)
        spent_s = time.process_time() - started
        off = (found.place_m - rover_m)[found.fixed] @ axes.T
        first = int(np.argmax(found.fixed)) + 1
        wrong = int((np.linalg.norm(off, axis=1) > 0.1).sum())
        across = np.hypot(off[:, 0], off[:, 1])
        yield claim(f"rtk_{name}_fixed", [float(found.fixed.mean() * 100)], "%", target=99)
        yield claim(f"rtk_{name}_first_fixed_epoch", [first], "", target=1, at_most=True)
        yield claim(f"rtk_{name}_wrong_fixes", [wrong], "", target=0, at_most=True)
        yield claim(
            f"rtk_{name}_horizontal_rms_mm", [rms(across) * 1000], "mm", target=3, at_most=True
        )
        yield claim(f"rtk_{name}_epochs_per_s", [len(found.fixed) / spent_s], "1/s")


def _rough_phases() -> Iterator[dict[str, Any]]:
    """What `rtk` without settings fixes where phases are rough, beside each epoch alone.

    The real pair of a minute with 0.06 cycles of noise put on one receiver's phases.
    """
    folder = DATA / "rtk_static_pair"
    rover = read_observations((folder / "rover.obs.gz").read_bytes(), systems="CG").part(0, 60)
    base = read_observations((folder / "base.obs.gz").read_bytes(), systems="CG")
    navigation = read_navigation((folder / "base.nav.gz").read_bytes())
    place_m = base.header.approximate_ecef_m
    chance = np.random.default_rng(20261128)
    for table in rover.systems.values():
        phases = [column for column, code in enumerate(table.codes) if code[0] == "L"]
        table.values[:, phases] += chance.normal(0, 0.06, (len(table.prn), len(phases)))
    found = rtk(rover, base, navigation, place_m)
    pair = matched(rover, base, ALL_SIGNALS)
    alone = solve_baselines(
        rover, pair.base, navigation, place_m, RtkSettings(signals=pair.signals)
    )
    yield claim(
        "rtk_default_fixed_of_rough_phases",
        [float(found.fixed.mean() * 100)],
        "%",
        target=1,
        rival="each epoch alone",
        rival_values=[float(alone.fixed.mean() * 100)],
    )
    lost = int((alone.fixed & ~found.fixed).sum())
    yield claim("rtk_default_epochs_lost", [lost], "", target=0, at_most=True)


RTKLIB_PPP = """
import json, math, pyrtklib5 as r, resource, sys
out, *files = sys.argv[1:]
p = r.prcopt_default
p.mode, p.navsys, p.nf, p.elmin = 8, 9, 2, math.radians(7)
p.ionoopt, p.tropopt, p.sateph, p.tidecorr, p.modear = 3, 3, 1, 1, 0
s = r.solopt_default
s.posf, s.outhead = 1, 0
begin = r.gtime_t()
r.postpos(begin, r.gtime_t(), 0.0, 0.0, p, s, r.filopt_t(), files, len(files), out, "", "")
used = resource.getrusage(resource.RUSAGE_SELF)
rows = [line.split() for line in open(out) if line.strip() and line[0] != "%"]
places = [[float(word) for word in row[2:5]] for row in rows]
print(json.dumps({"s": used.ru_utime + used.ru_stime, "places": places}))
"""


def _against_rtklib(seen: Observations, products: PreciseProducts) -> Iterator[dict[str, Any]]:
    """GPS and Galileo as RTKLIB solves them at rest; it has no file of satellite antennas here."""
    with tempfile.TemporaryDirectory(prefix="zd-") as name:
        folder = Path(name)
        files = []
        for source in (*sorted(ESBC.glob("*MO.crx.gz")), *sorted(ESBC.glob("*MN.rnx.gz"))):
            file = folder / (source.name[:-7] + (".obs" if "MO" in source.name else ".nav"))
            file.write_bytes(plain_text(source.read_bytes(), bytes_max=LIMIT))
            files.append(file)
        for source in (*sorted(ESBC.glob("*SP3.gz")), CLOCKS):
            file = folder / source.name[:-3].replace(".SP3", ".sp3").replace(".CLK", ".clk")
            file.write_bytes(plain_text(source.read_bytes(), bytes_max=LIMIT))
            files.append(file)
        theirs = rival(RTKLIB_PPP, str(folder / "out.pos"), *map(str, files))
    settings = PppSettings(pairs={s: LEGACY_PAIRS[s] for s in "GE"})
    found = solve_precise(seen, products, settings)
    rival_values: dict[str, list[float]] = {"off": [], "after": []}
    if theirs and theirs["places"]:
        off_m = np.linalg.norm(np.array(theirs["places"]) - PLACE_M, axis=1)
        far = np.flatnonzero(off_m > 0.1)
        rival_values = {
            "off": [float(off_m[-1])],
            "after": [30.0 * (int(far[-1]) + 1 if len(far) else 0)],
        }
    name = "RTKLIB by pyrtklib5 0.2.8, PPP at rest"
    yield claim(
        "ppp_esbc_GE_off_m",
        [float(np.linalg.norm(found.last_m - PLACE_M))],
        "m",
        at_most=True,
        rival=name,
        rival_values=rival_values["off"],
    )
    yield claim(
        "ppp_esbc_GE_within_a_decimetre_after_s",
        [found.converged_s(PLACE_M)],
        "s",
        at_most=True,
        rival=name,
        rival_values=rival_values["after"],
    )


LAMBDA = """
import json, numpy as np, sys, time, warnings
warnings.filterwarnings("ignore")
from cssrlib.mlambda import mlambda
cases = np.load(sys.argv[1])
t = time.process_time()
pairs = zip(cases["a"], cases["q"])
out = [np.asarray(mlambda(a, q.copy(), 2)[0])[:, 0].tolist() for a, q in pairs]
print(json.dumps({"s": time.process_time() - t, "found": out}))
"""


def _lambda(runs: int) -> Iterator[dict[str, Any]]:
    count, size = (1000, 34) if runs > 3 else (100, 34)
    chance = np.random.default_rng(20261124)
    floats, covariances = zip(*(_ambiguities(size, chance) for _ in range(count)), strict=True)
    found = [resolve(a, q).integers for a, q in zip(floats, covariances, strict=True)]

    def all_cases() -> None:
        for a, q in zip(floats, covariances, strict=True):
            resolve(a, q)

    each_ms = [s / count * 1000 for s in cpu_s(all_cases, runs)]
    yield claim("lambda_34_ms", each_ms, "ms", target=0.5, at_most=True)
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        file = Path(folder) / "cases.npz"
        np.savez(file, a=np.array(floats), q=np.array(covariances))
        theirs = rival(LAMBDA, str(file))
    if theirs:
        same = sum(
            np.array_equal(mine, other) for mine, other in zip(found, theirs["found"], strict=True)
        )
        yield claim("lambda_same_integers_as_cssrlib", [same / count * 100], "%", target=100)
        yield claim(
            "lambda_34_against_cssrlib_ms",
            each_ms,
            "ms",
            at_most=True,
            rival="cssrlib 1.2.1",
            rival_values=[theirs["s"] / count * 1000],
        )


def _ambiguities(size: int, chance: np.random.Generator) -> tuple[Any, Any]:
    """Float ambiguities and covariance as one epoch of code and phase gives them."""
    toward = chance.normal(size=(size, 3))
    design = np.zeros((2 * size, 3 + size))
    design[:size, :3] = design[size:, :3] = toward
    design[size:, 3:] = 0.19 * np.eye(size)
    weight = np.r_[np.full(size, 0.3**-2), np.full(size, 0.003**-2)]
    covariance = np.linalg.inv(design.T @ (weight[:, None] * design))[3:, 3:]
    covariance = (covariance + covariance.T) / 2
    floats = chance.integers(-(10**6), 10**6, size) + np.linalg.cholesky(
        covariance
    ) @ chance.normal(size=size)
    return floats, covariance
