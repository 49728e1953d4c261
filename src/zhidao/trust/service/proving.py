"""Writing a proof file out of the node's own log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.journal import Entry
from zhidao.trust.domain.note import Note
from zhidao.trust.domain.proof import OpenedEvent, Proof, reachable
from zhidao.trust.service.log_reader import LogReader
from zhidao.trust.wire.note import decode_note, parse_checkpoint
from zhidao.trust.wire.zdproof import encode_proof


class ProofWriter:
    """Opens events against the newest checkpoint."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def write(
        self, consignment: str, logged: Sequence[tuple[int, Entry]], blobs: Iterable[bytes]
    ) -> bytes:
        """The file of a consignment: events with their leaf index, and files that they name.

        Which events and files belong to it, and who may have them, the caller has decided.
        Raises Unavailable if the newest checkpoint does not cover an event yet, Refused
        (`leftover`) for a file that no event names.
        """
        signed = decode_note(await self._reader.checkpoint())
        # A trust list names the log's plain key only, and a proof bears no line that nobody checks.
        note = Note(signed.text, signed.signatures[:1])
        checkpoint = parse_checkpoint(note.text)
        events = []
        for index, entry in sorted(logged, key=lambda each: each[0]):
            if index >= checkpoint.size:
                raise Unavailable("the newest checkpoint does not cover all events yet")
            salt = b"" if entry.event.open else entry.salt
            inclusion = await self._reader.inclusion(index, checkpoint.size)
            events.append(OpenedEvent(index, entry.event, salt, inclusion))
        files = {digest_of(data): data for data in blobs}
        proof = Proof(consignment, checkpoint.origin, note, checkpoint, tuple(events), files)
        unnamed = sorted(set(files) - reachable(proof))
        if unnamed:
            raise Refused(f"no event of the proof names the file {unnamed[0]}", code="leftover")
        return encode_proof(proof)
