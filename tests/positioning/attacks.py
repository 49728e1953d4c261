"""Forty scripted attacks on an arrival: windows that must prove nothing, and two that still do.

Each is a window as a terminal would sign it. `made` ones come from the signal synthesis, `real`
ones from recordings of real receivers, changed afterwards. Wherever an attack says "yard", the
antenna is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from zhidao.core.geo import Ecef, Geodetic
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.observables.observations import Observations, SystemObservations
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS, carrier_hz
from zhidao.positioning.domain.satellites.ephemeris import Navigation, satellite_number
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, spoofed, synthesize
from zhidao.positioning.events import Site
from zhidao.positioning.service.evaluation import Earlier, evaluate
from zhidao.positioning.wire.position_evidence import PositionEvidence, Question
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

START = Utc.parse("2026-11-21T06:00:00Z")
YARD = Geodetic(44.2, 80.4, 700.0)
EPOCHS = 200
ARRIVES = 100
RISK_PPB = 10_000
RADIUS_M = 100.0
MILLISECOND_M = SPEED_OF_LIGHT_MPS / 1000
THREE = {"C": "C2I", "E": "C1C", "G": "C1C"}


@dataclass(frozen=True)
class Scene:
    """Honest observations at a place, and what is needed to judge them."""

    seen: Observations
    navigation: Navigation
    navigation_file: bytes
    place_m: np.ndarray

    def part(self, first: int, last: int) -> Scene:
        return replace(self, seen=self.seen.part(first, last))


@dataclass(frozen=True)
class Attack:
    """What an attacker makes of a scene; `earlier` gives the window before."""

    name: str
    scene: str
    make: Callable[[Scene], Observations]
    earlier: Callable[[Scene], Observations] | None = None
    passes: str = ""


def ecef_of(place: Geodetic) -> np.ndarray:
    point = place.to_ecef()
    return np.array((point.x_m, point.y_m, point.z_m))


def times(epochs: int, step_s: int = 1, start: Utc = START) -> np.ndarray:
    return Gpst.from_utc(start).ns + np.arange(epochs) * step_s * 10**9


@cache
def made_navigation() -> Navigation:
    return constellation(START, START.plus_ns(3600 * 10**9), seed=5, systems="CEG")


def made(way_m: np.ndarray, *, seed: int = 3, start: Utc = START, **more: object) -> Observations:
    receiver = Receiver(times(len(way_m), start=start), way_m, systems="CEG", **more)  # type: ignore[arg-type]
    return synthesize(receiver, made_navigation(), seed=seed)


def still(epochs: int = EPOCHS) -> np.ndarray:
    return np.tile(ecef_of(YARD), (epochs, 1))


@cache
def made_scene() -> Scene:
    navigation = made_navigation()
    return Scene(made(still()), navigation, write_navigation(navigation), ecef_of(YARD))


@cache
def real_scene(folder: Path, name: str) -> Scene:
    """Nagoya at 1 Hz or Esbjerg at 30 s, at the place that all their positions give."""
    observations, navigation = {
        "nagoya": ("rtk_static_pair/base.obs.gz", "rtk_static_pair/base.nav.gz"),
        "esbjerg": (
            "esbc_2020177/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz",
            "esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz",
        ),
    }[name]
    packed = (folder / "positioning" / navigation).read_bytes()
    data = (folder / "positioning" / observations).read_bytes()
    seen = read_observations(data, systems="CEG").part(0, EPOCHS)
    known = read_navigation(packed)
    solved = solve(seen, known, Settings(signals=THREE))
    return Scene(seen, known, packed, np.median(solved.ecef_m, axis=0))


def scene_of(name: str, shared: Path | None) -> Scene:
    if name == "made":
        return made_scene()
    assert shared is not None
    return real_scene(shared, name)


def question(scene: Scene) -> Question:
    here = Ecef(*scene.place_m.tolist()).to_geodetic()
    first = Utc.parse(str(scene.seen.utc(0)))
    return Question(
        consignment="C-1",
        terminal="T-1",
        site=Site(
            name="Yard",
            latitude_ndeg=here.latitude_ndeg,
            longitude_ndeg=here.longitude_ndeg,
            radius_mm=round(RADIUS_M * 1000),
        ),
        not_before=str(first.plus_ns(-3600 * 10**9)),
        not_after=str(first.plus_ns(48 * 3600 * 10**9)),
        risk_ppb=RISK_PPB,
    )


def judged(
    scene: Scene,
    seen: Observations,
    settings: Settings,
    *,
    before: Observations | None = None,
    asked: Question | None = None,
) -> PositionEvidence:
    """The evidence that a node would keep."""
    earlier = Earlier(write_observations(before) if before else b"")
    data = evaluate(
        asked or question(scene),
        write_observations(seen),
        scene.navigation_file,
        settings,
        earlier=earlier,
    )
    return PositionEvidence.decode(data)


# What attackers do to observations.


def changed(
    seen: Observations,
    change: Callable[[SystemObservations, str, dict[str, np.ndarray]], None],
    systems: str = "CEG",
) -> Observations:
    """A copy in which `change` was made to the columns C, L, D, S and slip of the usual signals."""
    tables: dict[str, SystemObservations] = dict(seen.systems)
    for system in systems:
        if system not in tables:
            continue
        table = tables[system]
        values, lost = table.values.copy(), table.lost_lock.copy()
        code = THREE[system]
        at = {kind: table.codes.index(kind + code[1:]) for kind in "CLDS"}
        columns = {kind: values[:, place].copy() for kind, place in at.items()}
        columns["slip"] = lost[:, at["L"]].copy()
        change(table, system, columns)
        for kind, place in at.items():
            values[:, place] = columns[kind]
        lost[:, at["L"]] = columns["slip"]
        tables[system] = replace(table, values=values, lost_lock=lost)
    return replace(seen, systems=tables)


def moved(
    scene: Scene,
    seen: Observations,
    offset_m: np.ndarray,
    *,
    kinds: str = "CLD",
    systems: str = "CEG",
) -> Observations:
    """Observations as they would be from offset_m (e, 3) east, north, up of the place."""
    latitude, longitude, _ = geodetic(scene.place_m[None])
    axes = enu_axes(latitude, longitude)[0]
    there_m = scene.place_m + offset_m @ axes
    data = measure(seen, scene.navigation, Settings(signals=THREE))
    off_m = np.linalg.norm(data.place_m - there_m[:, None], axis=2)
    off_m = off_m - np.linalg.norm(data.place_m - scene.place_m, axis=2)
    seconds = (seen.gpst_ns - seen.gpst_ns[0]) / 1e9
    known: dict[tuple[int, int], float] = {}
    for epoch, cell in zip(*np.nonzero(data.present), strict=True):
        known[int(epoch), int(data.satellite[epoch, cell])] = float(off_m[epoch, cell])

    def shift(table: SystemObservations, system: str, columns: dict[str, np.ndarray]) -> None:
        numbers = satellite_number(system, table.prn)
        more = np.array(
            [known.get((int(e), int(n)), 0.0) for e, n in zip(table.epoch, numbers, strict=True)]
        )
        wave_m = SPEED_OF_LIGHT_MPS / carrier_hz(system, THREE[system])
        if "C" in kinds:
            columns["C"] += more
        if "L" in kinds:
            columns["L"] += more / wave_m
        if "D" in kinds:
            for number in np.unique(numbers):
                rows = np.flatnonzero(numbers == number)
                if len(rows) > 1:
                    rate = np.gradient(more[rows], seconds[table.epoch[rows]])
                    columns["D"][rows] -= rate / wave_m

    return changed(seen, shift, systems)


def until(epochs: int, offset_m: tuple[float, float, float], arrives: int) -> np.ndarray:
    """At an offset until an epoch, and none from then on."""
    out = np.zeros((epochs, 3))
    out[:arrives] = offset_m
    return out


def sliding(epochs: int, speed_mps: float, *, arrives: int, step_s: float = 1.0) -> np.ndarray:
    """From the east at an even speed until an epoch."""
    out = np.zeros((epochs, 3))
    out[:arrives, 0] = (arrives - np.arange(arrives)) * speed_mps * step_s
    return out


def blank(seen: Observations, kinds: str) -> Observations:
    def empty(_: SystemObservations, __: str, columns: dict[str, np.ndarray]) -> None:
        for kind in kinds:
            columns[kind][:] = np.nan

    return changed(seen, empty)


def alike(seen: Observations, spread_db: float, seed: int = 1) -> Observations:
    chance = np.random.default_rng(seed)

    def level(table: SystemObservations, _: str, columns: dict[str, np.ndarray]) -> None:
        columns["S"][:] = 44 + spread_db * chance.normal(size=len(table.prn))

    return changed(seen, level)


def clock(
    seen: Observations, metres: float, from_epoch: int, *, doppler: bool = False
) -> Observations:
    """The receiver's clock steps: ranges and phases together."""

    def step(table: SystemObservations, system: str, columns: dict[str, np.ndarray]) -> None:
        later = table.epoch >= from_epoch
        wave_m = SPEED_OF_LIGHT_MPS / carrier_hz(system, THREE[system])
        columns["C"] += metres * later
        columns["L"] += metres / wave_m * later
        assert not doppler

    return changed(seen, step)


def without(seen: Observations, first: int, last: int) -> Observations:
    """As if nothing had been received from one epoch up to another."""
    ahead, behind = seen.part(0, first), seen.part(last, len(seen.gpst_ns))
    systems = {}
    for system, table in ahead.systems.items():
        more = behind.systems[system]
        systems[system] = replace(
            table,
            epoch=np.concatenate((table.epoch, more.epoch + first)),
            prn=np.concatenate((table.prn, more.prn)),
            values=np.concatenate((table.values, more.values)),
            lost_lock=np.concatenate((table.lost_lock, more.lost_lock)),
            strength=np.concatenate((table.strength, more.strength)),
        )
    return replace(
        ahead,
        gpst_ns=np.concatenate((ahead.gpst_ns, behind.gpst_ns)),
        power_failed=np.concatenate((ahead.power_failed, behind.power_failed)),
        systems=systems,
    )


def _doppler(speed_mps: float) -> Callable[[Scene], Observations]:
    """Doppler of a way to the east, everything else at rest."""

    def make(scene: Scene) -> Observations:
        count = len(scene.seen.gpst_ns)
        step_s = float(np.median(np.diff(scene.seen.gpst_ns))) / 1e9
        way = np.zeros((count, 3))
        way[:, 0] = np.arange(count) * speed_mps * step_s
        return moved(scene, scene.seen, way, kinds="D")

    return make


def _jump(
    offset_m: tuple[float, float, float], kinds: str = "CLD", systems: str = "CEG"
) -> Callable[[Scene], Observations]:
    def make(scene: Scene) -> Observations:
        count = len(scene.seen.gpst_ns)
        return moved(
            scene, scene.seen, until(count, offset_m, count // 2), kinds=kinds, systems=systems
        )

    return make


def _away(systems: str) -> Callable[[Scene], Observations]:
    """Some constellations tell a place 5 km east all the time."""

    def make(scene: Scene) -> Observations:
        way = np.tile((5_000.0, 0.0, 0.0), (len(scene.seen.gpst_ns), 1))
        return moved(scene, scene.seen, way, systems=systems)

    return make


def _frozen_phase(scene: Scene) -> Observations:
    def freeze(table: SystemObservations, _: str, columns: dict[str, np.ndarray]) -> None:
        for prn in np.unique(table.prn):
            rows = table.prn == prn
            columns["L"][rows] = columns["L"][rows][0]

    return changed(scene.seen, freeze)


def _turned_phase(scene: Scene) -> Observations:
    def turn(_: SystemObservations, __: str, columns: dict[str, np.ndarray]) -> None:
        columns["L"] *= -1

    return changed(scene.seen, turn)


def _slips(scene: Scene) -> Observations:
    def slip(_: SystemObservations, __: str, columns: dict[str, np.ndarray]) -> None:
        columns["slip"][:] = 1

    return changed(scene.seen, slip)


def _doppler_of_few(scene: Scene) -> Observations:
    def empty(table: SystemObservations, _: str, columns: dict[str, np.ndarray]) -> None:
        columns["D"][table.prn > np.unique(table.prn)[1]] = np.nan

    return changed(scene.seen, empty)


def _dragged_code(scene: Scene) -> Observations:
    """Ranges come in at 1 m/s while phases and Doppler stand still."""
    return moved(scene, scene.seen, sliding(EPOCHS, 1.0, arrives=ARRIVES), kinds="C")


def _clock_behind_outage(
    metres: float, *, seconds: int, east_m: float = 0.0
) -> Callable[[Scene], Observations]:
    def make(scene: Scene) -> Observations:
        seen = clock(scene.seen, metres, ARRIVES)
        if east_m:
            seen = moved(scene, seen, until(EPOCHS, (east_m, 0, 0), ARRIVES), kinds="CL")
        return without(seen, ARRIVES - seconds, ARRIVES)

    return make


def _clock_step(metres: float, east_m: float = 0.0) -> Callable[[Scene], Observations]:
    def make(scene: Scene) -> Observations:
        count = len(scene.seen.gpst_ns)
        seen = clock(scene.seen, metres, count // 2)
        return moved(scene, seen, until(count, (east_m, 0, 0), count // 2), kinds="CL")

    return make


def _drag(speed_mps: float) -> Callable[[Scene], Observations]:
    """The yard first, then away at once at full speed: the spoofer takes the receiver along."""

    def make(scene: Scene) -> Observations:
        way = np.zeros((EPOCHS, 3))
        way[:ARRIVES, 0] = (np.arange(ARRIVES)[::-1] + 1) * speed_mps
        return moved(scene, scene.seen, way)

    return make


def _slow_drag(scene: Scene) -> Observations:
    """From 150 m away, at rest and then evenly faster and slower, 2 m/s at most."""
    way = np.zeros((EPOCHS, 3))
    seconds = np.arange(EPOCHS)
    speed = np.clip(np.minimum(seconds - 5, 95 - seconds) * 0.2, 0, 2.0)
    gone = np.cumsum(speed)
    way[:, 0] = gone[-1] - gone
    return moved(scene, scene.seen, way)


def _coherent(_: Scene) -> Observations:
    """A simulator from the start: the antenna stands 3 km west and hears the yard."""
    truth = spoofed(still(), east_m=-3_000.0, north_m=0.0)
    return made(spoofed(truth, east_m=3_000.0, north_m=0.0), seed=8)


def _honest(scene: Scene) -> Observations:
    return scene.seen


def _narrow(scene: Scene) -> Observations:
    """Only satellites of a narrow sky remain, all equally strong."""
    data = measure(scene.seen, scene.navigation, Settings(signals=THREE))
    solved = solve(scene.seen, scene.navigation, Settings(signals=THREE))
    up = np.nanmedian(np.where(data.present, solved.elevation, np.nan), axis=0)
    low = {int(n) for n in data.satellite[0][(up > 0.2) & (up < 0.72)]}
    equal = alike(scene.seen, 0.4)

    def keep(table: SystemObservations, system: str, columns: dict[str, np.ndarray]) -> None:
        numbers = satellite_number(system, table.prn)
        columns["C"][~np.isin(numbers, list(low))] = np.nan

    return changed(equal, keep)


def _window_before(east_m: float) -> Callable[[Scene], Observations]:
    def make(_: Scene) -> Observations:
        way = spoofed(still(70), east_m=east_m, north_m=0.0)
        return made(way, seed=9, start=START.plus_ns(-130 * 10**9))

    return make


def _window_before_jumps(_: Scene) -> Observations:
    seen = made(still(120), seed=9, start=START.plus_ns(-400 * 10**9))
    return clock(seen, 210.0, 60)


ATTACKS: tuple[Attack, ...] = (
    Attack("5 km off until second 100", "made", _jump((5_000, 0, 0))),
    Attack("50 km off until second 100", "made", _jump((50_000, 0, 0))),
    Attack("300 km off until second 100", "made", _jump((0, 300_000, 0))),
    Attack("300 m off until second 100", "made", _jump((300, 0, 0))),
    Attack("5 km off, Doppler left alone", "made", _jump((5_000, 0, 0), "CL")),
    Attack("5 km off until half, real", "nagoya", _jump((5_000, 0, 0))),
    Attack("5 km off, ranges and phases only, real", "nagoya", _jump((0, 5_000, 0), "CL")),
    Attack("50 km off until half, real 30 s", "esbjerg", _jump((50_000, 0, 0))),
    Attack("5 km off, ranges only, real 30 s", "esbjerg", _jump((5_000, 0, 0), "C")),
    Attack("Doppler of 25 m/s, ranges at rest", "made", _doppler(25.0)),
    Attack("Doppler of 2 m/s, ranges at rest", "made", _doppler(2.0)),
    Attack("Doppler of 25 m/s, ranges at rest, real", "nagoya", _doppler(25.0)),
    Attack("Doppler of 25 m/s, ranges at rest, real 30 s", "esbjerg", _doppler(25.0)),
    Attack("no Doppler", "made", lambda scene: blank(scene.seen, "D")),
    Attack("no strengths", "made", lambda scene: blank(scene.seen, "S")),
    Attack("no phases", "made", lambda scene: blank(scene.seen, "L")),
    Attack("code alone", "made", lambda scene: blank(scene.seen, "LDS")),
    Attack("no Doppler, real", "nagoya", lambda scene: blank(scene.seen, "D")),
    Attack("code alone, real 30 s", "esbjerg", lambda scene: blank(scene.seen, "LDS")),
    Attack("every phase marked as slipped", "made", _slips),
    Attack("Doppler of two satellites a system", "made", _doppler_of_few),
    Attack("strengths within 0.3 dB", "made", lambda scene: alike(scene.seen, 0.3)),
    Attack("strengths within 1.0 dB", "made", lambda scene: alike(scene.seen, 1.0)),
    Attack("strengths within 1.0 dB, real", "nagoya", lambda scene: alike(scene.seen, 1.0)),
    Attack("strengths within 0.4 dB, narrow sky", "made", _narrow),
    Attack("phases stand still", "made", _frozen_phase),
    Attack("phases of the other sign, real", "nagoya", _turned_phase),
    Attack("ranges 300 m off until half, phases go on, real", "nagoya", _jump((300, 0, 0), "C")),
    Attack("ranges come in at 1 m/s, phases at rest", "made", _dragged_code),
    Attack("BeiDou in the yard, GPS and Galileo 5 km east", "made", _away("GE")),
    Attack("BeiDou in the yard, GPS and Galileo 5 km east, real", "nagoya", _away("GE")),
    Attack("GPS and Galileo in the yard, BeiDou 5 km east", "made", _away("C")),
    Attack("clock steps 210 m behind an outage", "made", _clock_behind_outage(210.0, seconds=70)),
    Attack("clock steps 1 ms, and 5 km", "made", _clock_step(MILLISECOND_M, 5_000.0)),
    Attack(
        "clock steps 1 ms behind an outage, and 2 km",
        "made",
        _clock_behind_outage(MILLISECOND_M, seconds=70, east_m=2_000.0),
    ),
    Attack("dragged at 25 m/s from one second to the next", "made", _drag(25.0)),
    Attack("window before 300 km away a minute ago", "made", _honest, _window_before(300_000.0)),
    Attack("window before with a clock that jumps", "made", _honest, _window_before_jumps),
    Attack("coherent simulator from the start", "made", _coherent, None, "coherent_simulator"),
    Attack("slow drag-off", "made", _slow_drag, None, "slow_drag_off"),
)


def versions(attack: Attack) -> Mapping[str, Settings]:
    """By which rules the bench judges: those of now, and those of the version before."""
    return {
        "now": Settings.of_arrivals(),
        "B1I alone, version 3": Settings.of_version_3(),
        "three constellations, version 3": Settings.of_version_3(signals=THREE),
    }
