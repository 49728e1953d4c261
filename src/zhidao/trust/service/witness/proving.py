"""Writing a proof file out of the node's own log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.journal import Entry
from zhidao.trust.domain.note import Note
from zhidao.trust.domain.policy import Policy
from zhidao.trust.domain.proof import OpenedEvent, Proof, reachable
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.service.witness.ports import CosignedNotes
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint
from zhidao.trust.wire.proof_file.zdproof import encode_proof


class ProofWriter:
    """Opens events against the newest checkpoint, or the newest that a quorum cosigned."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._notes: CosignedNotes | None = None
        self._policies: Mapping[str, Policy] = {}

    def witnessed_by(self, notes: CosignedNotes, policies: Mapping[str, Policy]) -> None:
        """From now on a cosigned head is preferred. policies: by corridor, the first met counts."""
        self._notes, self._policies = notes, dict(policies)

    async def write(
        self,
        consignment: str,
        logged: Sequence[tuple[int, Entry]],
        blobs: Iterable[bytes],
        *,
        packed: bool = False,
        corridor: str = "",
    ) -> bytes:
        """The file of a consignment: events with their leaf index, and files that they name.

        packed: in the form of version 3, a quarter of the size. corridor: under whose policy the
        head must be cosigned; without one the best head there is.

        Which events and files belong to it, and who may have them, the caller has decided.
        Raises Unavailable if the newest checkpoint does not cover an event yet, Refused
        (`leftover`) for a file that no event names.
        """
        needed = max((index for index, _ in logged), default=-1) + 1
        note, policy = await self._head(needed, corridor)
        checkpoint = parse_checkpoint(note.text)
        events = []
        for index, entry in sorted(logged, key=lambda each: each[0]):
            if index >= checkpoint.size:
                raise Unavailable("the newest checkpoint does not cover all events yet")
            salt = b"" if entry.event.open else entry.salt
            inclusion = await self._reader.inclusion(index, checkpoint.size)
            events.append(OpenedEvent(index, entry.event, salt, inclusion))
        files = {digest_of(data): data for data in blobs}
        proof = Proof(
            consignment, checkpoint.origin, note, checkpoint, tuple(events), files, policy, packed
        )
        unnamed = sorted(set(files) - reachable(proof))
        if unnamed:
            raise Refused(f"no event of the proof names the file {unnamed[0]}", code="leftover")
        return encode_proof(proof)

    async def _head(self, needed: int, corridor: str) -> tuple[Note, Policy | None]:
        """The head to prove by, with the lines that its readers can check, and its policy.

        Raises Refused (`unknown_corridor`), Unavailable (`quorum_not_met`) for a corridor whose
        witnesses have not cosigned a head that covers the events yet.
        """
        if corridor and corridor not in self._policies:
            raise Refused(f"no policy of a corridor {corridor[:64]!r}", code="unknown_corridor")
        policies = [self._policies[corridor]] if corridor else list(self._policies.values())
        cosigned = await self._notes.newest() if self._notes else None
        if cosigned is not None:
            note = decode_note(cosigned)
            policy = next((each for each in policies if _is_met(each, note)), None)
            if policy is not None and parse_checkpoint(note.text).size >= needed:
                return _with_lines_of(note, policy), policy
        if corridor:
            raise Unavailable(
                f"the witnesses of {corridor} have not cosigned a head over all of this yet",
                code="quorum_not_met",
                remedy="ask again in a minute, or for a proof without a corridor",
            )
        signed = decode_note(await self._reader.checkpoint())
        # A trust list names the log's plain key only, and a proof bears no line that nobody checks.
        return Note(signed.text, signed.signatures[:1]), None


def _is_met(policy: Policy, note: Note) -> bool:
    try:
        return bool(policy.judge(note).by)
    except Refused:
        return False


def _with_lines_of(note: Note, policy: Policy) -> Note:
    known = {(key.name, key.id) for key in policy.keys}
    cosigned = [s for s in note.signatures[1:] if (s.name, s.key_id) in known]
    return Note(note.text, (note.signatures[0], *cosigned))
