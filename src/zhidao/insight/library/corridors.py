"""Hours at the border crossings of a corridor, out of a log, or out of reports of vehicles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import Json
from zhidao.core.ids import party_id
from zhidao.insight.domain.corridor.crossing_figures import CorridorFigures, corridor_figures
from zhidao.insight.domain.corridor.passages import passage
from zhidao.insight.domain.selection import Selection
from zhidao.insight.service.crossings import crossing_hours
from zhidao.insight.service.ports import LogSource
from zhidao.insight.wire.asked import decode_selection
from zhidao.insight.wire.corridor_document import (
    corridor_table,
    encode_corridor_figures,
    log_basis,
)
from zhidao.insight.wire.corridor_files import (
    CORRIDOR_BYTES_MAX,
    LINE_BYTES_MAX,
    decode_corridor,
    decode_tracks,
)

__all__ = [
    "CORRIDOR_BYTES_MAX",
    "LINE_BYTES_MAX",
    "Corridor",
    "corridor_of_log",
    "corridor_of_reports",
    "period",
]

# Whoever holds the files or the data folder may read all that is in them.
_READER: Final = Actor(party_id("reader"), Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Corridor:
    """Figures, the seed of their intervals, and what they rest on."""

    figures: CorridorFigures
    seed: int
    basis: Mapping[str, Json]

    def document(self) -> bytes:
        """As canonical JSON."""
        return encode_corridor_figures(self.figures, seed=self.seed, basis=dict(self.basis))

    def table(self, language: str) -> str:
        """As lines for people, `en` or `zh`."""
        return corridor_table(self.figures, seed=self.seed, basis=self.basis, language=language)


def period(first: str, last: str) -> Selection:
    """The time from a day or instant to another. Raises MalformedInput for what is none."""
    return decode_selection(consignments=(), first=first, last=last)


async def corridor_of_log(source: LogSource, *, first: str, last: str, seed: int) -> Corridor:
    """Of the crossings that were observed in a log, by when the goods came.

    Raises MalformedInput for what is no time, Refused if an event is not what its leaf says.
    """
    found = await crossing_hours(source, _READER, period=period(first, last), seed=seed)
    return Corridor(found.figures, seed, log_basis(found.log, first=first, last=last))


def corridor_of_reports(area: bytes, reports: Iterable[bytes], *, seed: int) -> Corridor:
    """Of the crossings of a GeoJSON out of the lines of a CSV; see `wire.corridor_files`.

    seed: of the bootstrap. Raises MalformedInput that names the feature or line at fault.
    """
    crossings = decode_corridor(area)
    found = (passage(track, each) for track in decode_tracks(reports) for each in crossings)
    figures = corridor_figures([each for each in found if each], seed=seed)
    return Corridor(figures, seed, {"kind": "files"})
