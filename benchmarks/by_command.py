"""What a person waits for at the command line: screening, rules, netting, positions, coverage.

Each figure is of `zhidao …` as a program of its own, from its start to its answer, on files that
it reads itself. What one more name, debt or invoice takes is the difference between a large and a
small file: the start is in neither. Data that is not at hand is told and left out.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.finance.credit_cases import clean

from benchmarks.measuring import claim

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
NAMES: Final = (1, 201)
DEBTS: Final = (1_000, 101_000)
PARTIES: Final = 2_000
INVOICES: Final = (2, 42)
ROUTE_KM: Final = 1_000
CELLS: Final = 200
_MOST_S: Final = 120.0
_DONE: Final = (0, 1, 4)  # Answered, answered with no, and in part.


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Seconds of processor and by the clock, a name, a debt, an invoice, a presentation."""
    runs = 5 if long else 2
    with tempfile.TemporaryDirectory(prefix="zd-") as place:
        folder = Path(place)
        for measure in (_screening, _netting, _credit, _rules, _positions, _coverage):
            yield from measure(folder, runs)


@dataclass(frozen=True, slots=True)
class _Taken:
    clock_s: float
    cpu_s: float


def _command(*words: str | Path) -> _Taken:
    """One run of the command. Ends the benchmark where the command did not answer."""
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "zhidao.cli", *map(str, words), "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, told = process.communicate(timeout=_MOST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    if process.returncode not in _DONE:
        raise SystemExit(f"zhidao {words[0]} {words[1]}: {told.decode()[-400:]}")
    return _Taken(time.perf_counter() - began_s, 0.0)


def _weighed(*words: str | Path) -> _Taken:
    """The same, with the processor's time of it and of all that it started."""
    before = os.times()
    taken = _command(*words)
    after = os.times()
    used = after.children_user + after.children_system
    return _Taken(taken.clock_s, used - before.children_user - before.children_system)


def _claims(
    name: str, small: Sequence[_Taken], large: Sequence[_Taken], more: int
) -> Iterator[dict[str, Any]]:
    """How long the large one takes, and how many more a second of processor."""
    yield claim(f"{name}_command_s", [one.clock_s for one in large], "s")
    rates = [more / max(b.cpu_s - a.cpu_s, 1e-3) for a, b in zip(small, large, strict=True)]
    yield claim(f"{name}_by_command_per_cpu_s", rates, "1/s")


def _screening(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    lists = [DATA / "finance" / "screening" / name for name in ("ofac_sdn.csv", "ofac_alt.csv")]
    if not all(file.exists() for file in lists):
        print("by_command: no sanctions lists beside the tree, no screening", file=sys.stderr)
        return
    del folder
    today = datetime.now(UTC).date().isoformat()
    given = f"ofac={lists[0]},{lists[1]}@{today}"
    with lists[0].open(encoding="utf-8", errors="replace", newline="") as file:
        listed = [row[1] for row in csv.reader(file) if len(row) > 1]
    chance = random.Random(1)
    # A listed name with two letters exchanged: what takes longest is what is nearly a hit.
    names = [_misspelt(chance.choice(listed), chance) for _ in range(NAMES[1])]
    found = [
        [_weighed("finance", "screen", "--list", given, "--", *names[:count]) for count in NAMES]
        for _ in range(runs)
    ]
    yield from _claims(
        "screened_names", [a for a, _ in found], [b for _, b in found], NAMES[1] - NAMES[0]
    )


def _misspelt(name: str, chance: random.Random) -> str:
    at = chance.randrange(max(len(name) - 1, 1))
    return name[:at] + name[at : at + 2][::-1] + name[at + 2 :]


def _netting(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    chance, files = random.Random(2), []
    for count in DEBTS:
        file = folder / f"debts-{count}.csv"
        with file.open("w", encoding="utf-8") as out:
            out.write("debtor,creditor,amount,currency\n")
            for _ in range(count):
                one, other = chance.sample(range(PARTIES), 2)
                out.write(f"P{one},P{other},{chance.randrange(1, 10**7) / 100:.2f},CNY\n")
        files.append(file)
    found = [[_weighed("finance", "net", file) for file in files] for _ in range(runs)]
    yield from _claims(
        "netted_debts", [a for a, _ in found], [b for _, b in found], DEBTS[1] - DEBTS[0]
    )


def _credit(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    credit, presentation = clean()
    for name, value in (("credit", credit), ("presentation", presentation)):
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    found = [_weighed("finance", "credit", "examine", folder) for _ in range(runs)]
    yield claim("presentation_examined_command_s", [one.clock_s for one in found], "s")
    yield claim("presentation_examined_command_cpu_s", [one.cpu_s for one in found], "s")


def _rules(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    have = sorted((DATA / "trade" / "en16931" / "valid-ubl").glob("*.xml"))
    if not have:
        print("by_command: no invoices beside the tree, no rules", file=sys.stderr)
        return
    folders = []
    for count in INVOICES:
        made = folder / f"invoices-{count}"
        made.mkdir()
        for number in range(count):
            shutil.copy(have[number % len(have)], made / f"{number}.xml")
        folders.append(made)
    found = [[_weighed("trade", "check", made) for made in folders] for _ in range(runs)]
    yield from _claims(
        "invoices_judged", [a for a, _ in found], [b for _, b in found], INVOICES[1] - INVOICES[0]
    )


def _positions(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    del folder
    have = DATA / "positioning"
    pairs = [
        (observed, navigation)
        for observed in sorted(have.rglob("*30S_MO.crx.gz"))
        for navigation in sorted(observed.parent.glob("*_MN.rnx.gz"))
    ]
    if not pairs:
        print("by_command: no day of 30 s beside the tree, no positions", file=sys.stderr)
        return
    observed, navigation = pairs[0]
    found = [_weighed("positioning", "solve", observed, navigation) for _ in range(runs)]
    yield claim("day_of_30_s_solved_command_s", [one.clock_s for one in found], "s")
    yield claim("day_of_30_s_solved_command_cpu_s", [one.cpu_s for one in found], "s")


def _coverage(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    """Cells at random within five kilometres of a winding route, judged each 100 m."""
    chance, degree_km = random.Random(3), 111.2
    leg_km = ROUTE_KM / 999
    route, north_km, east_km = [], 0.0, 0.0
    for number in range(1_000):
        route.append((43.0 + north_km / degree_km, 60.0 + east_km / degree_km / 0.73))
        heading = 0.6 * math.sin(number / 40)
        north_km += leg_km * math.sin(heading)
        east_km += leg_km * math.cos(heading)
    line = {"type": "LineString", "coordinates": [[east, north] for north, east in route]}
    (folder / "route.geojson").write_text(json.dumps(line), encoding="utf-8")
    with (folder / "cells.csv").open("w", encoding="utf-8") as out:
        out.write("latitude_deg,longitude_deg,frequency_mhz,height_m,eirp_dbm,gain_dbi\n")
        for _ in range(CELLS):
            north, east = chance.choice(route)
            north += chance.uniform(-0.04, 0.04)
            east += chance.uniform(-0.05, 0.05)
            out.write(f"{north:.6f},{east:.6f},{chance.choice((700, 1800))},35,60,17\n")
    words = (folder / "route.geojson", "--sites", folder / "cells.csv")
    found = [_weighed("network", "coverage", *words) for _ in range(runs)]
    name = f"coverage_{ROUTE_KM}_km_{CELLS}_cells_command"
    yield claim(f"{name}_s", [one.clock_s for one in found], "s", target=2.0, at_most=True)
    yield claim(f"{name}_cpu_s", [one.cpu_s for one in found], "s")
