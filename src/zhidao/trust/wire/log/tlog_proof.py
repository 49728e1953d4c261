"""One entry's proof as a file (`.tlog-proof`): index, path and cosigned checkpoint.

Source: C2SP tlog-proof (c2sp.org, revision 0065ea5b).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from zhidao.core.encoding import parse_base64
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_tag
from zhidao.trust.domain.merkle import HASH_BYTES
from zhidao.trust.domain.note import Note
from zhidao.trust.wire.log.note import NOTE_BYTES_MAX, decode_note, encode_note

HEADER: Final = "c2sp.org/tlog-proof@v1"
PROOF_BYTES_MAX: Final = NOTE_BYTES_MAX + 128 * 1024
_EXTRA_MAX: Final = 64 * 1024
_PATH_MAX: Final = 63
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That an entry stands at `index` of the tree in the note. Nothing authenticates `extra`."""

    index: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes = b""


def encode_tlog_proof(proof: TlogProof) -> bytes:
    """The file's bytes."""
    lines = [HEADER]
    if proof.extra:
        lines.append(f"extra {base64.b64encode(proof.extra).decode()}")
    lines.append(f"index {proof.index}")
    lines += [base64.b64encode(item).decode() for item in proof.path]
    return "\n".join(lines).encode() + b"\n\n" + encode_note(proof.note)


def decode_tlog_proof(data: bytes) -> TlogProof:
    """Reads a file. Raises MalformedInput for anything else."""
    if len(data) > PROOF_BYTES_MAX:
        raise MalformedInput(f"a proof of {len(data)} bytes; at most {PROOF_BYTES_MAX} are read")
    head, blank, rest = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedInput("the head of a tlog-proof is ASCII") from error
    check_tag(lines[0], (HEADER,), form="a tlog-proof", where="line 1")
    if not blank or lines.pop(0) != HEADER:
        raise MalformedInput(f"a proof starts with {HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "))
        if not 0 < len(extra) <= _EXTRA_MAX:
            raise MalformedInput(f"extra data of {len(extra)} bytes; 1 to {_EXTRA_MAX} are read")
    match = _INDEX.match(lines.pop(0)) if lines else None
    if not match:
        raise MalformedInput("no line `index <number>`")
    if len(lines) > _PATH_MAX:
        raise MalformedInput(f"a path of {len(lines)} hashes; at most {_PATH_MAX}")
    path = tuple(map(parse_base64, lines))
    if any(len(item) != HASH_BYTES for item in path):
        raise MalformedInput("a hash of the path has a wrong length")
    return TlogProof(int(match[1]), path, decode_note(rest), extra)
