"""Single points of recordings of any length: read, solved and given part after part.

Every part is solved with the end of the one before it, so that what looks back (smoothing, steps
of clocks and strengths) sees no seam. Delays between signals of one system are held over a part,
which lasts for a day at 30 s and for most of an hour at 1 Hz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput, Refused
from zhidao.positioning.domain.integrity.authenticity import findings
from zhidao.positioning.domain.integrity.solving import DEFAULT_RISK, solve
from zhidao.positioning.domain.integrity.suspicion import Finding
from zhidao.positioning.domain.integrity.velocity import velocities
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signal_codes import smoothable
from zhidao.positioning.domain.positions import Positions, of_solution
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.satellites.joining import join_observations
from zhidao.positioning.domain.single_point.smoothing import SmoothingSettings, smoothed
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire.rinex.parts import EPOCHS, ROWS, Warned, observation_parts

_FIRST_BYTES: Final = 65_536
_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ObservationFile:
    """A RINEX observation file: its name for messages, how it is opened, and its size."""

    name: str
    opened: Callable[[], Iterable[bytes]]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is computed beside positions: smoothed ranges, velocities; risk of the bounds.

    check: whether it is looked for what speaks against the signals.
    """

    risk: float = DEFAULT_RISK
    smooth: bool = False
    velocity: bool = False
    check: bool = True


@dataclass(frozen=True, slots=True)
class SolvedPart:
    """Positions of some epochs, and what speaks against their signals."""

    positions: Positions
    findings: tuple[Finding, ...]


def read_parts(
    files: Sequence[ObservationFile],
    *,
    systems: str = "",
    rows: int = ROWS,
    warned: Warned | None = None,
) -> Iterator[Observations]:
    """The observations of one receiver in the order of time, some files or a part of one at once.

    warned: as `observation_parts` takes it, with the name of the file. Raises Refused where two
    files overlap in time, MalformedInput naming the file.
    """
    kept: list[Observations] = []
    for part in _one_after_another(files, systems, rows, warned):
        epochs = sum(len(each.gpst_ns) for each in (*kept, part))
        if kept and (epochs > EPOCHS or sum(each.rows for each in (*kept, part)) > rows):
            yield join_observations(kept)
            kept = []
        kept.append(part)
    if kept:
        yield join_observations(kept)


def _one_after_another(
    files: Sequence[ObservationFile], systems: str, rows: int, warned: Warned | None
) -> Iterator[Observations]:
    last_ns = None
    for file in _in_order(files):
        for part in _of(file, systems, rows, warned):
            if last_ns is not None and int(part.gpst_ns[0]) <= last_ns:
                raise Refused(
                    f"two recordings overlap at {part.utc(0)}",
                    code="overlap",
                    remedy="give the files of one receiver, each time once",
                )
            last_ns = int(part.gpst_ns[-1])
            yield part


def _in_order(files: Sequence[ObservationFile]) -> list[ObservationFile]:
    """By their first epochs."""
    if len(files) < 2:
        return list(files)
    first_ns = [
        int(next(_of(file, "", 1, lambda _: None, text_bytes=_FIRST_BYTES)).gpst_ns[0])
        for file in files
    ]
    return [files[index] for index in np.argsort(first_ns, kind="stable").tolist()]


def _of(
    file: ObservationFile, systems: str, rows: int, warned: Warned | None, **more: int
) -> Iterator[Observations]:
    try:
        yield from observation_parts(
            file.opened,
            systems=systems,
            rows=rows,
            bytes_hint=file.size_bytes,
            warned=(lambda text: warned(f"{file.name}: {text}")) if warned else None,
            **more,
        )
    except MalformedInput as error:
        error.where = f"{file.name}, {error.where}" if error.where else file.name
        raise


def solve_parts(
    parts: Iterable[Observations],
    navigation: Navigation,
    settings: Settings,
    wanted: Wanted | None = None,
) -> Iterator[SolvedPart]:
    """Positions of all epochs of one receiver, whose observations come in the order of time."""
    chosen = wanted or Wanted()
    back_s = SmoothingSettings().dual_s if chosen.smooth else 0.0
    before: Observations | None = None
    for part in parts:
        seen = join_observations([before, part]) if before is not None else part
        new = len(seen.gpst_ns) - len(part.gpst_ns)
        yield _solved(seen, new, navigation, settings, chosen)
        count = len(seen.gpst_ns)
        since = int(seen.gpst_ns[-1]) - int(back_s * _NS)
        before = seen.part(min(int(np.searchsorted(seen.gpst_ns, since)), count - 1), count)


def _solved(
    seen: Observations, new: int, navigation: Navigation, settings: Settings, wanted: Wanted
) -> SolvedPart:
    """new: how many epochs of before stand at the beginning."""
    ranges, count = seen, len(seen.gpst_ns)
    if wanted.smooth:
        chosen = smoothable(seen, settings.signals)
        ranges = smoothed(seen, chosen, navigation=navigation).seen
    # One epoch of before is enough for steps from epoch to epoch.
    first = max(new - 1, 0)
    if first:
        ranges, seen = ranges.part(first, count), seen.part(first, count)
    solved = solve(ranges, navigation, settings, risk=wanted.risk)
    told = findings(seen, navigation, solved, settings) if wanted.check else ()
    speed = velocities(seen, navigation, solved, settings) if wanted.velocity else None
    simulated = seen.simulated or navigation.simulated
    table = of_solution(solved, simulated=simulated, velocity=speed)
    return SolvedPart(table.part(new - first, len(table)), tuple(told))
