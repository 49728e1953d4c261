"""Tells hours at crossings out of a log, of what whoever asks may see."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from zhidao.core.actor import Actor
from zhidao.insight.domain.corridor.crossing_figures import CorridorFigures, corridor_figures
from zhidao.insight.domain.corridor.observed import observed_passages
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.domain.selection import Selection
from zhidao.insight.service.ports import LogSource
from zhidao.insight.service.reports import MAY_REPORT


@dataclass(frozen=True, slots=True)
class CrossingHours:
    """Figures and the log that they are of."""

    log: OpenedLog
    figures: CorridorFigures


async def crossing_hours(
    source: LogSource, actor: Actor, *, period: Selection, seed: int
) -> CrossingHours:
    """Hours of the consignments that came to a crossing in a time, whenever they left it."""
    MAY_REPORT.admit(actor)
    log = await source.opened(actor.viewer)
    return await asyncio.to_thread(lambda: CrossingHours(log, _figures(log, period, seed)))


def _figures(log: OpenedLog, period: Selection, seed: int) -> CorridorFigures:
    found = observed_passages(log.leaves)
    first_ns = period.first.unix_ns if period.first else None
    end_ns = period.end.unix_ns if period.end else None
    within = [
        each
        for each in found
        if (first_ns is None or each.seen_ns >= first_ns)
        and (end_ns is None or each.seen_ns < end_ns)
    ]
    return corridor_figures(within, seed=seed)
