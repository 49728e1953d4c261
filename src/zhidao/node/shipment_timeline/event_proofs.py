"""The way from an event's leaf to a signed tree head, for the page's seals."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.errors import NotFound
from zhidao.trust.service.log.reader import LogReader, checkpoint_of


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """A checkpoint, and the inclusion proof of one leaf in it (None: not covered yet)."""

    size: int
    inclusion: tuple[bytes, ...] | None
    checkpoint: str
    log_key: str
    origin: str


class EventProofs:
    """Finds ways in the node's own log."""

    def __init__(self, reader: LogReader, *, log_key: str, origin: str) -> None:
        self._reader = reader
        self._log_key = log_key
        self._origin = origin

    async def inclusion_proof(self, leaf_index: int | None) -> InclusionProof:
        """The way of a leaf; one that is not in the newest checkpoint yet has no inclusion."""
        inclusion = None
        size = 0
        note = b""
        try:
            if leaf_index is not None:
                proof = await self._reader.proof(leaf_index)
                inclusion, size, note = proof.inclusion, proof.size, proof.checkpoint
            else:
                note = await self._reader.checkpoint()
                size = checkpoint_of(note).size
        except NotFound:
            # The log has signed nothing over this leaf yet; the page says so and asks again.
            inclusion = None
        return InclusionProof(size, inclusion, note.decode(), self._log_key, self._origin)
