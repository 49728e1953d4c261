"""What a cosigner signs: the two message forms of C2SP tlog-cosignature.

Source: C2SP tlog-cosignature (c2sp.org, revision 01194db1).
"""

from __future__ import annotations

import re
from typing import Final

from zhidao.core.encoding import parse_base64
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm

# A big-endian count of POSIX seconds stands before each signature.
TIME_BYTES: Final = 8
TIME_MAX: Final = 2**63 - 1
_LABEL: Final = b"subtree/v1\n\0"
_NAME_BYTES_MAX: Final = 255
_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)


def timestamp_of(signature: bytes) -> int:
    """The time that a cosignature says, in POSIX seconds."""
    return int.from_bytes(signature[:TIME_BYTES], "big")


def cosigned_message(algorithm: Algorithm, name: str, at_s: int, text: str) -> bytes:
    """What a cosignature over the text of a checkpoint signs.

    Raises MalformedInput if the text is no checkpoint or the time is out of range.
    """
    if not 0 < at_s <= TIME_MAX:
        # Zero is for subtrees that say nothing of time; a checkpoint's cosigner says when.
        raise MalformedInput(f"no time of a cosignature: {at_s}")
    origin, size, root = _head(text)
    if algorithm is Algorithm.ED25519:
        return f"cosignature/v1\ntime {at_s}\n{text}".encode()
    return subtree_message(name, at_s=at_s, origin=origin, leaves=(0, size), root=root)


def subtree_message(
    name: str, *, at_s: int, origin: str, leaves: tuple[int, int], root: bytes
) -> bytes:
    """The ML-DSA-44 message over a subtree of a log; a checkpoint is the one from 0 to its size.

    Raises MalformedInput for a name or origin over 255 bytes.
    """
    begin, end = leaves
    return b"".join(
        (
            _LABEL,
            _prefixed(name),
            at_s.to_bytes(8, "big"),
            _prefixed(origin),
            begin.to_bytes(8, "big"),
            end.to_bytes(8, "big"),
            root,
        )
    )


def _head(text: str) -> tuple[str, int, bytes]:
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.match(lines[1]):
        raise MalformedInput("only checkpoints are cosigned")
    root = parse_base64(lines[2])
    if len(root) != 32:
        raise MalformedInput("a checkpoint's root has 32 bytes")
    return lines[0], int(lines[1]), root


def _prefixed(text: str) -> bytes:
    data = text.encode()
    if not 0 < len(data) <= _NAME_BYTES_MAX:
        raise MalformedInput(f"a name of {len(data)} bytes cannot be cosigned; at most 255")
    return bytes([len(data)]) + data
