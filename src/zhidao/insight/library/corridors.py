"""Hours at the border crossings of a corridor, out of a log, or out of reports of vehicles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import Json
from zhidao.core.ids import party_id
from zhidao.insight.domain.corridor.crossing_figures import CorridorFigures
from zhidao.insight.domain.corridor.passages import passage
from zhidao.insight.domain.selection import Selection
from zhidao.insight.service.crossings import AskedFigures, crossing_hours
from zhidao.insight.service.ports import LogSource
from zhidao.insight.wire.asked import decode_selection, decode_weights
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
from zhidao.insight.wire.corridor_published import (
    PUBLISHED_BYTES_MAX,
    PUBLISHED_FILES_MAX,
    decode_published,
)

__all__ = [
    "CORRIDOR_BYTES_MAX",
    "LINE_BYTES_MAX",
    "PUBLISHED_BYTES_MAX",
    "PUBLISHED_FILES_MAX",
    "AskedFigures",
    "Corridor",
    "asked_figures",
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


def asked_figures(*, seed: int, weights: str = "", published: Sequence[bytes] = ()) -> AskedFigures:
    """How figures are asked for, out of the words of a command.

    weights: such as `mean=2,p90=1`; empty asks for no composite. published: reports before this
    one, as they were written. Raises MalformedInput for what is neither.
    """
    reports = tuple(decode_published(each) for each in published)
    return AskedFigures(seed, reports, decode_weights(weights) if weights else None)


async def corridor_of_log(
    source: LogSource, *, first: str, last: str, asked: AskedFigures
) -> Corridor:
    """Of the crossings that were observed in a log, by when the goods came.

    Raises MalformedInput for what is no time, Refused if an event is not what its leaf says.
    """
    found = await crossing_hours(source, _READER, period=period(first, last), asked=asked)
    return Corridor(found.figures, asked.seed, log_basis(found.log, first=first, last=last))


def corridor_of_reports(area: bytes, reports: Iterable[bytes], *, asked: AskedFigures) -> Corridor:
    """Of the crossings of a GeoJSON out of the lines of a CSV; see `wire.corridor_files`.

    Raises MalformedInput that names the feature or line at fault.
    """
    crossings = decode_corridor(area)
    found = (passage(track, each) for track in decode_tracks(reports) for each in crossings)
    figures = asked.figures([each for each in found if each], ())
    return Corridor(figures, asked.seed, {"kind": "files"})
