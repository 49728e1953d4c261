"""The body of a witness's add-checkpoint: old size, proof lines, a blank line, the checkpoint.

Source: C2SP tlog-witness (c2sp.org, revision 8d775627).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.encoding import parse_base64
from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.merkle import HASH_BYTES
from zhidao.trust.domain.note import Checkpoint, Note
from zhidao.trust.wire.log.note import NOTE_BYTES_MAX, decode_note, parse_checkpoint

PROOF_LINES_MAX: Final = 63
BODY_BYTES_MAX: Final = NOTE_BYTES_MAX + 64 * 64
SIZE_TYPE: Final = "text/x.tlog.size"
_OLD: Final = re.compile(rb"old (0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign: from which size, by which proof, which note (and its checkpoint)."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def encode_add_checkpoint(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of a request."""
    lines = [f"old {old_size}", *(base64.b64encode(item).decode() for item in proof)]
    return "\n".join(lines).encode() + b"\n\n" + note


def decode_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Reads a request's body. Raises MalformedInput for any other bytes."""
    if len(data) > BODY_BYTES_MAX:
        raise MalformedInput(f"a request of {len(data)} bytes; at most {BODY_BYTES_MAX} are read")
    head, blank, rest = data.partition(b"\n\n")
    if not blank:
        raise MalformedInput("no empty line between proof and checkpoint")
    first, *lines = head.split(b"\n")
    match = _OLD.match(first)
    if not match:
        raise MalformedInput("the first line is not `old <size>`")
    if len(lines) > PROOF_LINES_MAX:
        raise MalformedInput(f"{len(lines)} proof lines; at most {PROOF_LINES_MAX}")
    note = decode_note(rest)
    return AddCheckpoint(int(match[1]), tuple(map(_hash, lines)), note, parse_checkpoint(note.text))


def _hash(line: bytes) -> bytes:
    try:
        data = parse_base64(line.decode("ascii"))
    except UnicodeDecodeError as error:
        raise MalformedInput("a proof line is base64") from error
    if len(data) != HASH_BYTES:
        raise MalformedInput("a proof line holds one hash of 32 bytes")
    return data
