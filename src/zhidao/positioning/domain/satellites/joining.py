"""Several tables as one: navigation of many files, observations of one receiver hour by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from zhidao.core.errors import Refused
from zhidao.positioning.domain.observables.observations import (
    Ints,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides, Navigation, no_ephemerides
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides

_Table = TypeVar("_Table", Ephemerides, GlonassEphemerides)


def join_navigation(parts: Sequence[Navigation]) -> Navigation:
    """All messages of all parts; of equal ones, by satellite and reference time, the last counts.

    Ionosphere: the first BDS set of coefficients, else the first GPS set. One simulated part makes
    the whole simulated.
    """
    if len(parts) == 1:
        return parts[0]
    models = [part.klobuchar for part in parts if part.klobuchar]
    models.sort(key=lambda model: not model.bds)
    glonass = [part.glonass for part in parts if part.glonass is not None]
    return Navigation(
        ephemerides=_joined([part.ephemerides for part in parts]) if parts else no_ephemerides(),
        klobuchar=models[0] if models else None,
        simulated=any(part.simulated for part in parts),
        comments=tuple(comment for part in parts for comment in part.comments),
        bdgim=next((part.bdgim for part in parts if part.bdgim), None),
        glonass=_joined(glonass) if glonass else None,
    )


def _joined(tables: Sequence[_Table]) -> _Table:
    columns: dict[str, Any] = {
        column.name: np.concatenate([getattr(table, column.name) for table in tables])
        for column in fields(tables[0])
    }
    whole = type(tables[0])(**columns)
    order = np.lexsort((np.arange(len(whole)), whole.toe_ns, whole.satellite))
    same = (np.diff(whole.satellite[order]) == 0) & (np.diff(whole.toe_ns[order]) == 0)
    return whole.take(order[~np.append(same, False)] if len(order) else order)


def _check_apart(parts: Sequence[Observations]) -> None:
    for one, other in pairwise(parts):
        if other.gpst_ns[0] <= one.gpst_ns[-1]:
            raise Refused(
                f"two recordings overlap at {other.utc(0)}",
                code="overlap",
                remedy="give the files of one receiver, each time once",
            )


def join_observations(parts: Sequence[Observations]) -> Observations:
    """The recordings of one receiver one after another, by their first epochs.

    Raises Refused where two of them overlap in time.
    """
    parts = sorted((p for p in parts if len(p.gpst_ns)), key=lambda p: int(p.gpst_ns[0]))
    if not parts:
        raise Refused("the recordings have no epochs", code="no_epochs")
    if len(parts) == 1:
        return parts[0]
    _check_apart(parts)
    starts = np.cumsum([0, *(len(part.gpst_ns) for part in parts)])
    letters = sorted({system for part in parts for system in part.systems})
    return Observations(
        header=replace(parts[0].header, simulated=any(part.simulated for part in parts)),
        gpst_ns=np.concatenate([part.gpst_ns for part in parts]),
        power_failed=np.concatenate([part.power_failed for part in parts]),
        systems={
            system: _system(
                [
                    (int(start), part.systems[system])
                    for start, part in zip(starts, parts, strict=False)
                    if system in part.systems
                ]
            )
            for system in letters
        },
    )


def _system(parts: Sequence[tuple[int, SystemObservations]]) -> SystemObservations:
    codes = tuple(dict.fromkeys(code for _, part in parts for code in part.codes))
    total = sum(len(part.prn) for _, part in parts)
    values = np.full((total, len(codes)), np.nan)
    lost_lock, strength = (np.zeros((total, len(codes)), np.uint8) for _ in range(2))
    first = 0
    for _, part in parts:
        rows = slice(first, first + len(part.prn))
        columns = [codes.index(code) for code in part.codes]
        values[rows, columns] = part.values
        lost_lock[rows, columns] = part.lost_lock
        strength[rows, columns] = part.strength
        first = rows.stop
    epoch: Ints = np.concatenate([start + part.epoch for start, part in parts])
    prn: Ints = np.concatenate([part.prn for _, part in parts])
    return SystemObservations(parts[0][1].system, codes, epoch, prn, values, lost_lock, strength)
