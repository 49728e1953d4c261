"""The proof file of a consignment: every event that its parties share, and the files they name."""

from __future__ import annotations

from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.journal import Entry
from zhidao.node.road.service import RoadService
from zhidao.trust.domain.proof import named_digests
from zhidao.trust.service.proving import ProofWriter

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
        files = await self._files(named_digests(each.event for each in stored))
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
