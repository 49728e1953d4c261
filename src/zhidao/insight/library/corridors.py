"""Hours at the border crossings of a corridor, out of reports of consignments' vehicles."""

from __future__ import annotations

from collections.abc import Iterable

from zhidao.insight.domain.corridor.crossing_figures import CorridorFigures, corridor_figures
from zhidao.insight.domain.corridor.passages import passage
from zhidao.insight.wire.corridor_document import corridor_table, encode_corridor_figures
from zhidao.insight.wire.corridor_files import (
    CORRIDOR_BYTES_MAX,
    LINE_BYTES_MAX,
    decode_corridor,
    decode_tracks,
)

__all__ = [
    "CORRIDOR_BYTES_MAX",
    "LINE_BYTES_MAX",
    "corridor",
    "corridor_table",
    "encode_corridor_figures",
]


def corridor(area: bytes, reports: Iterable[bytes], *, seed: int) -> CorridorFigures:
    """Figures of the crossings of a GeoJSON out of the lines of a CSV; see `corridor_files`.

    seed: of the bootstrap. Raises MalformedInput that names the feature or line at fault.
    """
    crossings = decode_corridor(area)
    found = (passage(track, each) for track in decode_tracks(reports) for each in crossings)
    return corridor_figures([each for each in found if each], seed=seed)
