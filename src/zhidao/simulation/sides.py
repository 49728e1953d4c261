"""The two nodes of the demonstration: the exporter's side and the importer's, or one for both."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from zhidao.simulation.node_process import NodeProcess

EXPORTER_SIDE: Final = "exporter-side"
IMPORTER_SIDE: Final = "importer-side"
_ORGANISATIONS: Final = {
    EXPORTER_SIDE: "Export hall of Xi'an (demonstration)",
    IMPORTER_SIDE: "Corridor authority at Almaty (demonstration)",
}


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the parties are at home. The deal, the title and the arrival are the importer's side's.

    With one node for both (`of_one`) nothing has to cross.
    """

    exporter: NodeProcess
    importer: NodeProcess

    @classmethod
    def in_folder(cls, folder: Path, *, port: int = 0) -> Self:
        """Two nodes with data folders of their own; `port` is the importer's side's."""
        return cls(
            NodeProcess(
                folder / EXPORTER_SIDE,
                name=EXPORTER_SIDE,
                organisation=_ORGANISATIONS[EXPORTER_SIDE],
            ),
            NodeProcess(
                folder / IMPORTER_SIDE,
                port=port,
                name=IMPORTER_SIDE,
                organisation=_ORGANISATIONS[IMPORTER_SIDE],
            ),
        )

    @classmethod
    def of_one(cls, node: NodeProcess) -> Self:
        """One node at which everybody is at home."""
        return cls(node, node)

    @property
    def are_two(self) -> bool:
        """Whether a consignment has to cross."""
        return self.exporter is not self.importer

    @property
    def every(self) -> tuple[NodeProcess, ...]:
        """Each node once, the importer's side first."""
        return (self.importer, self.exporter) if self.are_two else (self.importer,)

    async def start(self) -> list[dict[str, Any]]:
        """Starts all side by side; their states in the order of `every`. Raises Unavailable."""
        return await asyncio.gather(*(node.start() for node in self.every))

    async def stop(self) -> None:
        """Ends all cleanly."""
        await asyncio.gather(*(node.stop() for node in self.every))
