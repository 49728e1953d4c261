"""Tells hours at crossings out of a log, of what whoever asks may see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhidao.core.actor import Actor
from zhidao.insight.domain.corridor.crossing_figures import CorridorFigures, corridor_figures
from zhidao.insight.domain.corridor.observed import observed_passages
from zhidao.insight.domain.corridor.passages import Passage
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.domain.selection import Selection
from zhidao.insight.service.ports import LogSource
from zhidao.insight.service.reports import MAY_REPORT
from zhidao.insight.wire.corridor_published import PublishedReport


@dataclass(frozen=True, slots=True)
class AskedFigures:
    """How figures are asked for: seed of the draws, reports before this one, weights if any."""

    seed: int
    published: tuple[PublishedReport, ...] = ()
    weights: Mapping[str, float] | None = None

    def figures(self, passages: Sequence[Passage], origins: Sequence[str]) -> CorridorFigures:
        """Of the passages. origins: of the logs that their leaves count in."""
        reports = [each.beside(origins) for each in self.published]
        return corridor_figures(passages, seed=self.seed, published=reports, weights=self.weights)


@dataclass(frozen=True, slots=True)
class CrossingHours:
    """Figures and the log that they are of."""

    log: OpenedLog
    figures: CorridorFigures


async def crossing_hours(
    source: LogSource, actor: Actor, *, period: Selection, asked: AskedFigures
) -> CrossingHours:
    """Hours of the consignments that came to a crossing in a time, whenever they left it."""
    MAY_REPORT.admit(actor)
    log = await source.opened(actor.viewer)
    return await asyncio.to_thread(lambda: CrossingHours(log, _figures(log, period, asked)))


def _figures(log: OpenedLog, period: Selection, asked: AskedFigures) -> CorridorFigures:
    found = observed_passages(log.leaves)
    first_ns = period.first.unix_ns if period.first else None
    end_ns = period.end.unix_ns if period.end else None
    within = [
        each
        for each in found
        if (first_ns is None or each.seen_ns >= first_ns)
        and (end_ns is None or each.seen_ns < end_ns)
    ]
    return asked.figures(within, [head.origin for head in log.heads])
