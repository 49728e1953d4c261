"""Recordings of any size, as people solve them: the command, and `positioning.solve_files`.

The recording at 1 Hz is simulated by our own generator, three systems with
two signals each; the station-days are one real day under the dates of many weeks. A process of its
own does each piece of work, so that its start and its memory count.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import hatanaka
import numpy as np
from conformance.rivals import rival

from benchmarks.measuring import claim
from zhidao import positioning
from zhidao.core.timescale import Gpst, Utc

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "positioning"
DAY: Final = DATA / "esbc_2020177" / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz"
NAVIGATION: Final = DATA / "esbc_2020177" / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
_WEEK_NS: Final = 604_800 * 10**9
_SIGNALS: Final = {"C": ("2I", "6I"), "G": ("1C", "2W"), "E": ("1C", "5Q")}
_HOUR_S: Final = 3_600
_PLACE: Final = (55.5, 8.46, 60.0)
_START: Final = "2020-06-25T00:00:00Z"

# Writes what the process itself took: not ru_maxrss, which Linux keeps over exec.
_PEAK: Final = """
import json, resource, sys
from pathlib import Path
from zhidao import positioning
signals = {"C": "C2I", "G": "C1C", "E": "C1C"}
settings = positioning.Settings(signals=signals)
warm, *files = sys.argv[1:]
def used():
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime
began = 0.0
if warm:
    positioning.solve_files(warm, files[-1], settings=settings)
    began = used()
places = positioning.solve_files(*files, settings=settings)
peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()
told = {"s": used() - began, "mib": int(peak[0]) / 1024, "epochs": len(places)}
print(json.dumps(told | {"solved": len(places.solved)}))
"""

_RTKLIB: Final = """
import json, math, pyrtklib5 as r, resource, sys
obs, nav, out = sys.argv[1:4]
p = r.prcopt_default
p.mode, p.navsys, p.nf, p.elmin = 0, 41, 1, math.radians(10)
p.ionoopt, p.tropopt, p.sateph = 1, 1, 0
s = r.solopt_default
s.posf, s.outhead = 1, 0
def used():
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime
begin, began = r.gtime_t(), used()
r.postpos(begin, r.gtime_t(), 0.0, 0.0, p, s, r.filopt_t(), [obs, nav], 2, out, "", "")
print(json.dumps({"s": used() - began}))
"""


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims. long: a whole day at 1 Hz and thirty days, in place of some."""
    if not DATA.is_dir():
        print("positioning_files: no outside data beside this checkout", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="zd-", dir="/var/tmp") as name:
        folder = Path(name)
        yield from _command(folder)
        yield from _one_hertz(folder, 24 if long else 2)
        yield from _station_days(folder, 30 if long else 8)


def _command(folder: Path) -> Iterator[dict[str, Any]]:
    """A station-day at the prompt: a new process, with all that it imports and loads."""
    words = [sys.executable, "-m", "zhidao.cli", "positioning", "solve", str(DAY), str(NAVIGATION)]
    words += ["-o", str(folder / "day.csv")]
    spent = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, capture_output=True, timeout=300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # The first one may compile.
    yield claim("station_day_command_s", spent[1:], "s", target=1.0, at_most=True)


def _one_hertz(folder: Path, hours: int) -> Iterator[dict[str, Any]]:
    observations, navigation = folder / "second.rnx", folder / "day.nav"
    navigation.write_bytes(gzip.decompress(NAVIGATION.read_bytes()))
    _write_seconds(observations, positioning.read(navigation).broadcast(), hours)
    size = observations.stat().st_size / 1e6
    # Of a few hours the start of a process would be the greater part; of a day it counts.
    warm = DAY if hours < 24 else None
    ours = _measured(observations, navigation, warm=warm)
    theirs = rival(_RTKLIB, str(observations), str(navigation), str(folder / "out.pos"))
    name = f"one_hertz_{hours}_hours"
    yield claim(f"{name}_mb", [size], "MB")
    yield claim(f"{name}_peak_mib", [ours["mib"]], "MiB", target=400, at_most=True)
    yield claim(f"{name}_solved", [100 * ours["solved"] / (hours * _HOUR_S)], "%", target=99)
    if theirs:
        yield claim(
            f"{name}_processor_s",
            [ours["s"]],
            "s",
            target=1,
            at_most=True,
            rival="RTKLIB by pyrtklib5 0.2.8, without its import"
            + ("; ours with all that is loaded" if warm is None else "; ours loaded before"),
            rival_values=[theirs["s"]],
        )
    observations.unlink()


def _write_seconds(file: Path, sky: Any, hours: int) -> None:
    """Observations at 1 Hz, an hour after another in one file: one clock, one receiver."""
    first_ns = Gpst.from_utc(Utc.parse(_START)).ns
    with file.open("wb") as out:
        for hour in range(hours):
            at = positioning.rest(
                _PLACE,
                first_gpst_ns=first_ns + hour * _HOUR_S * 10**9,
                step_s=1.0,
                epochs=_HOUR_S,
            )
            receiver = positioning.Receiver(
                at.gpst_ns, at.ecef_m, systems="CEG", signals=dict(_SIGNALS)
            )
            text = positioning.write_observations(positioning.synthesize(receiver, sky, seed=hour))
            out.write(text if not hour else text[text.index(b"\n> ") + 1 :])


def _station_days(folder: Path, days: int) -> Iterator[dict[str, Any]]:
    """One real day under the dates of many weeks: its orbits repeat with the week."""
    text = hatanaka.decompress(DAY.read_bytes())
    sky = positioning.read(NAVIGATION).broadcast()
    paths = []
    for week in range(days):
        date = np.datetime64("2020-06-25") + 7 * week
        day = str(date).replace("-", " ").encode()
        path = folder / f"week_{week:02d}.rnx.gz"
        path.write_bytes(gzip.compress(text.replace(b"\n> 2020 06 25", b"\n> " + day), 1))
        table = sky.ephemerides
        later = {n: getattr(table, n) + week * _WEEK_NS for n in ("toc_ns", "toe_ns")}
        nav = folder / f"week_{week:02d}.nav"
        nav.write_bytes(
            positioning.write_navigation(
                replace(sky, ephemerides=replace(table, **later), glonass=None)
            )
        )
        paths += [path, nav]
    found = _measured(*paths)
    yield claim(f"station_days_{days}_peak_mib", [found["mib"]], "MiB", target=600, at_most=True)
    yield claim(f"station_days_{days}_each_s", [found["s"] / days], "s")
    yield claim(f"station_days_{days}_solved", [100 * found["solved"] / found["epochs"]], "%")


def _measured(*paths: Path, warm: Path | None = None) -> dict[str, Any]:
    """Positions of the files by a process of its own; warm: what it solves before it is timed."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(warm or ""), *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
