"""Carries a head of this log to whoever cosigns heads.

Source: C2SP tlog-witness, the side of the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.domain.note import NoteSignature
from zhidao.trust.service.log.reader import LogReader, checkpoint_of
from zhidao.trust.service.witness.ports import Answer, Network
from zhidao.trust.wire.log.add_checkpoint import encode_add_checkpoint
from zhidao.trust.wire.log.note import decode_lines

_ROUNDS_MAX: Final = 3
_SIZE_DIGITS_MAX: Final = 19


class HeadOffering:
    """Remembers which head each address took last, and proves the next one from there."""

    def __init__(self, reader: LogReader, network: Network) -> None:
        self._reader = reader
        self._network = network
        self._sizes: dict[str, int] = {}

    async def offer(self, url: str, note: bytes) -> Sequence[NoteSignature]:
        """The lines with which the address answers the note; nobody has checked them.

        Raises Unavailable if it does not answer or holds a larger head, Refused
        (`witness_refused`).
        """
        size = checkpoint_of(note).size
        for _ in range(_ROUNDS_MAX):
            old = self._sizes.get(url, 0)
            proof = await self._reader.consistency(old, size) if 0 < old <= size else ()
            body = encode_add_checkpoint(min(old, size), proof, note)
            answer = await self._network.post(f"{url}/add-checkpoint", body, kind="text/plain")
            if answer.status == 200:
                self._sizes[url] = size
                return decode_lines(answer.body)
            if answer.status != 409:
                break
            self._sizes[url] = _size_of(answer)
            if self._sizes[url] > size:
                raise Unavailable(f"it holds a head of {self._sizes[url]} leaves already")
        raise Refused(f"it answered {answer.status}: {answer.body[:120]!r}", code="witness_refused")


def _size_of(answer: Answer) -> int:
    text = answer.body.strip()
    if not text.isdigit() or len(text) > _SIZE_DIGITS_MAX:
        raise Refused(
            f"it answered 409 without a size of at most {_SIZE_DIGITS_MAX} digits",
            code="witness_refused",
        )
    return int(text)
