"""Positioning: reading, single points, baselines, LAMBDA and RTCM, with rivals beside them.

Figures are processor seconds, so that other work on the machine disturbs them less. Rivals come
from the package index into a throw-away environment in /var/tmp; one that cannot be installed is
left out with a word. Without the outside data only a word is said.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from conformance.rivals import rival

from benchmarks.inner.positions.bounds import bounds
from benchmarks.inner.positions.carrier_phase import carrier_phases
from benchmarks.inner.positions.dual_frequency import dual_frequency
from benchmarks.inner.positions.motion import motion
from benchmarks.inner.positions.positioning_runs import DATA, LIMIT, cpu_s, rms
from benchmarks.measuring import claim
from zhidao.core import compiling
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.least_squares import fit
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, B1I_ONLY, Settings
from zhidao.positioning.wire.compression import plain_text, unpacked
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations, read_plain
from zhidao.positioning.wire.rtcm.frame import message_number, payloads
from zhidao.positioning.wire.rtcm.msm import is_msm, read_msm

DAY = "esbc_2020177/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz"
NAVIGATION = "esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
STREAM = "rtcm3/GMSD7_20121014.rtcm3"
# The day's own static solution, stated with the data; not an official coordinate.
PLACE_M = np.array((3582104.918, 532590.191, 5232755.315))
FIRST_UNIX_S = 1_593_043_200


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims of positioning."""
    if not DATA.is_dir():
        print(
            "positioning: no outside data beside this checkout, nothing measured", file=sys.stderr
        )
        return
    if not compiling.ready(pays=True):
        print("positioning: numba is not installed, the numpy twins are measured", file=sys.stderr)
    runs = 7 if long else 3
    yield from _reading(runs)
    yield from _single_points(runs)
    yield from _accuracy()
    yield from dual_frequency()
    yield from motion()
    yield from bounds(long=long)
    yield from carrier_phases(runs)
    yield from _rtcm(runs)


GEORINEX = """
import georinex, json, sys, time, warnings
warnings.filterwarnings("ignore")
t = time.process_time(); georinex.load(sys.argv[1])
print(json.dumps({"s": time.process_time() - t}))
"""


def _reading(runs: int) -> Iterator[dict[str, Any]]:
    packed = (DATA / DAY).read_bytes()
    text = plain_text(packed, bytes_max=LIMIT)
    size = len(text) / 1e6
    rates = [size / s for s in cpu_s(lambda: read_observations(text), runs)]
    yield claim("rinex_obs_mb_per_s", rates, "MB/s", target=200)
    some = _first_epochs(text, 12)
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        file = Path(folder) / "some.rnx"
        file.write_bytes(some)
        theirs = rival(GEORINEX, str(file))
    if theirs:
        yield claim(
            "rinex_obs_against_georinex",
            rates,
            "MB/s",
            target=1000,
            rival="georinex 1.16.2, 12 epochs",
            rival_values=[len(some) / 1e6 / theirs["s"]],
        )
    plain = unpacked(packed, bytes_max=LIMIT)
    yield claim(
        "crinex_gz_to_arrays_s",
        cpu_s(lambda: read_observations(packed), runs),
        "s",
        target=2,
        at_most=True,
        rival="hatanaka, then our parser",
        rival_values=cpu_s(lambda: read_plain(plain, systems="", bytes_max=LIMIT), runs),
    )


def _first_epochs(text: bytes, count: int) -> bytes:
    at = 0
    for _ in range(count + 1):
        at = text.index(b"\n> ", at + 1)
    return text[: at + 1]


RTKLIB = """
import json, math, pyrtklib5 as r, resource, sys
obs, nav, out, systems, first = sys.argv[1:6]
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
def go(one):
    p = r.prcopt_default
    p.mode, p.navsys, p.nf, p.elmin = 0, int(systems), 1, math.radians(10)
    p.ionoopt, p.tropopt, p.sateph = 1, 1, 0
    s = r.solopt_default
    s.posf, s.outhead = 1, 0
    begin, end = r.gtime_t(), r.gtime_t()
    if one:
        begin.time = end.time = int(first)
    t = cpu()
    r.postpos(begin, end, 0.0, 0.0, p, s, r.filopt_t(), [obs, nav], 2, out, "", "")
    return cpu() - t
read = min(go(True) for _ in range(3))
whole = sorted(go(False) for _ in range(3))[1]
print(json.dumps({"read": read, "whole": whole}))
"""


def _rtklib() -> Iterator[tuple[str, dict[str, Any] | None]]:
    """RTKLIB's processor time over the day, reading alone and all, by sets of systems."""
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        obs, nav, out = (Path(folder) / name for name in ("day.obs", "day.nav", "out.pos"))
        obs.write_bytes(plain_text((DATA / DAY).read_bytes(), bytes_max=LIMIT))
        nav.write_bytes(gzip.decompress((DATA / NAVIGATION).read_bytes()))
        for name, systems in (("bds", 32), ("gec", 41)):
            told = (str(obs), str(nav), str(out), str(systems), str(FIRST_UNIX_S))
            yield name, rival(RTKLIB, *told)


MEMORY = """
import sys
from pathlib import Path
from zhidao.positioning import read_navigation, read_observations, solve
observations, navigation = (Path(name).read_bytes() for name in sys.argv[1:])
solve(read_observations(observations, systems="C"), read_navigation(navigation))
# Not ru_maxrss: that one counts what the process was before it became this program (Linux keeps it
# over exec), here the whole benchmark.
told = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()
print(int(told[0]) / 1024)
"""


def _single_points(runs: int) -> Iterator[dict[str, Any]]:
    theirs = dict(_rtklib())
    seen = read_observations((DATA / DAY).read_bytes())
    navigation = read_navigation((DATA / NAVIGATION).read_bytes())
    epochs = len(seen.gpst_ns)
    for name, signals, target in (("bds", B1I_ONLY, 30_000), ("gec", B1I_L1_E1, 13_000)):
        settings = Settings(signals=dict(signals))

        def plain(settings: Settings = settings) -> None:
            data = measure(seen, navigation, settings)
            fit(data, data.present, navigation.klobuchar, settings)

        def full(settings: Settings = settings) -> None:
            solve(seen, navigation, settings)

        plain_s, full_s = cpu_s(plain, runs), cpu_s(full, runs)
        rates = [epochs / s for s in plain_s]
        yield claim(f"spp_{name}_epochs_per_s", rates, "1/s", target=target)
        other = theirs.get(name)
        if other:
            yield claim(
                f"spp_{name}_against_rtklib",
                rates,
                "1/s",
                target=2.5,
                rival="RTKLIB by pyrtklib5 0.2.8, without its reading",
                rival_values=[epochs / max(other["whole"] - other["read"], 1e-3)],
            )
        ratios = [a / b for a, b in zip(sorted(full_s), sorted(plain_s), strict=True)]
        yield claim(f"spp_{name}_fde_and_levels_over_plain", ratios, "", target=2, at_most=True)
    packed, nav = (DATA / DAY).read_bytes(), (DATA / NAVIGATION).read_bytes()

    def whole() -> None:
        solve(read_observations(packed, systems="C"), read_navigation(nav))

    yield claim(
        "station_day_files_to_positions_s", cpu_s(whole, runs), "s", target=0.3, at_most=True
    )
    # In a process of its own, which does nothing else.
    peak = subprocess.run(
        [sys.executable, "-c", MEMORY, str(DATA / DAY), str(DATA / NAVIGATION)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    yield claim(
        "station_day_files_to_positions_peak_mib",
        [float(peak.stdout)],
        "MiB",
        target=250,
        at_most=True,
    )


def _accuracy() -> Iterator[dict[str, Any]]:
    seen = read_observations((DATA / DAY).read_bytes())
    navigation = read_navigation((DATA / NAVIGATION).read_bytes(), messages=WITH_GLONASS)
    latitude, longitude, _ = geodetic(PLACE_M)
    axes = enu_axes(latitude, longitude)
    cases = (
        ("bds", dict(B1I_ONLY), 0.83, 1.28),
        ("gec", dict(B1I_L1_E1), 0.64, 0.74),
        ("grec", {**B1I_L1_E1, "R": "C1C"}, None, None),
    )
    for name, signals, horizontal_m, vertical_m in cases:
        solved = solve(seen, navigation, Settings(signals=signals))
        off = (solved.ecef_m[solved.solved] - PLACE_M) @ axes.T
        across = np.hypot(off[:, 0], off[:, 1])
        yield claim(
            f"esbc_{name}_horizontal_rms_m", [rms(across)], "m", target=horizontal_m, at_most=True
        )
        yield claim(
            f"esbc_{name}_vertical_rms_m", [rms(off[:, 2])], "m", target=vertical_m, at_most=True
        )
        yield claim(
            f"esbc_{name}_epochs_solved", [float(solved.solved.mean() * 100)], "%", target=100
        )
        over = across > solved.horizontal_m[solved.solved]
        yield claim(f"esbc_{name}_errors_over_level", [int(over.sum())], "", target=0, at_most=True)


PYRTCM = """
import json, pyrtcm, sys, time
data = open(sys.argv[1], "rb")
t = time.process_time()
count = sum(1 for raw, m in pyrtcm.RTCMReader(data) if m is not None)
print(json.dumps({"s": time.process_time() - t, "messages": count}))
"""


def _rtcm(runs: int) -> Iterator[dict[str, Any]]:
    data = (DATA / STREAM).read_bytes()
    count = sum(is_msm(message_number(payload)) for payload in payloads(data))
    rates = [count / s for s in cpu_s(lambda: read_msm(data), runs)]
    yield claim("rtcm_msm_messages_per_s", rates, "1/s", target=20_000)
    theirs = rival(PYRTCM, str(DATA / STREAM))
    if theirs:
        yield claim(
            "rtcm_against_pyrtcm",
            rates,
            "1/s",
            rival="pyrtcm 1.2.1",
            rival_values=[theirs["messages"] / theirs["s"]],
        )
