"""Carries this log's heads to its witnesses and gathers their cosignatures.

Source: C2SP tlog-witness, the side of the client.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from zhidao.core.errors import NotFound, Refused, ZhidaoError
from zhidao.trust.domain.note import Note, NoteKey, NoteSignature
from zhidao.trust.domain.policy import Policy, Witnessed
from zhidao.trust.service.log.reader import LogReader, checkpoint_of
from zhidao.trust.service.witness.head_offering import HeadOffering
from zhidao.trust.service.witness.ports import CosignedNotes, Network
from zhidao.trust.wire.log.note import decode_note, encode_note
from zhidao.trust.wire.log.tlog_proof import TlogProof, encode_tlog_proof

_LOG: Final = logging.getLogger("zhidao.witness")


class Feeder:
    """Asks the witnesses of all policies that know this log."""

    def __init__(
        self,
        *,
        reader: LogReader,
        policies: Mapping[str, Policy],
        network: Network,
        kept: CosignedNotes,
    ) -> None:
        self._reader = reader
        self._policies = policies
        self._offering = HeadOffering(reader, network)
        self._kept = kept
        self._fed = b""
        self.problems: dict[str, str] = {}

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The keys of all witnesses that are asked."""
        each = [witness.key for policy in self._policies.values() for witness in policy.witnesses]
        return tuple(dict.fromkeys(each))

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the witnesses are; one that cosigns with two keys is asked once."""
        return tuple(
            dict.fromkeys(
                witness.url
                for policy in self._policies.values()
                for witness in policy.witnesses
                if witness.url
            )
        )

    async def step(self) -> Note | None:
        """Feeds the newest head to all witnesses at once; None if there is nothing new to feed.

        A witness that does not answer is noted in `problems` and asked again with the next head.
        """
        note = await self._reader.checkpoint()
        if note == self._fed and not self.problems:
            return None
        told = await asyncio.gather(*(self._ask(url, note) for url in self.urls))
        lines = [line for answer in told for line in answer]
        cosigned = decode_note(note).with_lines(lines)
        if lines:
            await self._kept.keep(checkpoint_of(note).size, encode_note(cosigned))
        self._fed = note
        return cosigned

    async def witnessed(self) -> Mapping[str, Witnessed | str]:
        """For each policy by whom the newest cosigned head is witnessed, or why it is not."""
        note = await self._kept.newest()
        found: dict[str, Witnessed | str] = {}
        for name, policy in self._policies.items():
            if note is None:
                found[name] = "quorum_not_met"
                continue
            try:
                found[name] = policy.judge(decode_note(note))
            except Refused as error:
                found[name] = error.code
        return found

    async def tlog_proof(self, index: int) -> bytes:
        """A leaf's proof in the newest head that bears cosignatures, or in the newest at all.

        Raises NotFound if that head does not cover the leaf.
        """
        note = await self._kept.newest()
        if note is None or checkpoint_of(note).size <= index:
            note = await self._reader.checkpoint()
        size = checkpoint_of(note).size
        if index >= size:
            raise NotFound(f"the newest checkpoint covers no leaf {index}")
        path = await self._reader.inclusion(index, size)
        return encode_tlog_proof(TlogProof(index, path, decode_note(note)))

    async def _ask(self, url: str, note: bytes) -> Sequence[NoteSignature]:
        try:
            lines = self._checked(decode_note(note), await self._offering.offer(url, note))
        except ZhidaoError as error:
            self.problems[url] = str(error)
            _LOG.warning("the witness at %s did not cosign: %s", url, error)
            return ()
        self.problems.pop(url, None)
        return lines

    def _checked(self, note: Note, lines: Sequence[NoteSignature]) -> Sequence[NoteSignature]:
        """The lines of known witnesses. Raises Refused (`bad_signature`)."""
        known = {(key.name, key.id): key for key in self.keys}
        kept = [line for line in lines if (line.name, line.key_id) in known]
        Note(note.text, tuple(kept)).signed_by(self.keys)
        return kept
