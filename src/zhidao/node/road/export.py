"""The proof file of a consignment: every event that its parties share, and the files they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Entry
from zhidao.devices.events import WindowReceived
from zhidao.finance.events import Settled
from zhidao.industry.events import LotFinished
from zhidao.node.road.service import RoadService
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.trade.events import ConsignmentEntered, DocumentAdded
from zhidao.trust.service.proving import ProofWriter

# Fields whose digest this node computed itself from bytes that it took in for this consignment.
# A digest that a party merely typed is never looked up: it could be somebody else's file.
_FILES: Final[Mapping[str, tuple[str, ...]]] = {
    ConsignmentEntered.TYPE: ("entry",),
    DocumentAdded.TYPE: ("digest", "credential"),
    LotFinished.TYPE: ("quality", "epcis"),
    ArrivalProven.TYPE: ("window", "navigation", "evidence"),
    ArrivalNotProven.TYPE: ("window", "navigation", "evidence"),
    WindowReceived.TYPE: ("digest", "chunk_digests"),
    Settled.TYPE: ("pacs008", "camt054"),
}
FILES_BYTES_MAX: Final = 40 * 1024 * 1024


class ProofExport:
    """Writes proof files."""

    def __init__(self, roads: RoadService, writer: ProofWriter, archive: Archive) -> None:
        self._roads = roads
        self._writer = writer
        self._archive = archive

    async def proof(self, actor: Actor, consignment: str) -> bytes:
        """The file, as far as the actor may see the consignment.

        Raises NotFound; Unavailable while an event is not yet in the log.
        """
        stored = await self._roads.stored(actor, consignment)
        logged = []
        for each in stored:
            if each.leaf_index is None:
                raise Unavailable(
                    "an event is still on its way into the log", remedy="ask again in a second"
                )
            logged.append((each.leaf_index, Entry(each.event, each.salt)))
        files = await self._files(_named(each.event for each in stored))
        return await self._writer.write(consignment, logged, files)

    async def _files(self, digests: set[str]) -> list[bytes]:
        files: list[bytes] = []
        size = 0
        for digest in sorted(digests):
            try:
                data = await self._archive.get(digest)
            except NotFound:
                # A digest of something that is not kept as a file: a title, a key, a hash.
                continue
            size += len(data)
            if size > FILES_BYTES_MAX:
                raise Unavailable("the files of this consignment are too many for one proof")
            files.append(data)
        return files


def _named(events: Iterable[SignedEvent]) -> set[str]:
    digests: set[str] = set()
    for event in events:
        for field in _FILES.get(event.type, ()):
            value = event.payload.get(field, "")
            digests.update(value if isinstance(value, list) else [value])
    return digests - {""}
