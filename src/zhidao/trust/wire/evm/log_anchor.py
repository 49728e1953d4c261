"""The LogAnchor contract as bytes: its one call, its one question, what it tells.

Source: contracts/LogAnchor.vy of this room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.evm import Address, LogEntry
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.wire.evm import abi

ANCHOR: Final = "anchor(bytes32,uint256,bytes32)"
HEADS: Final = "heads(address,bytes32)"
_ANCHORED: Final = abi.topic("Anchored(address,bytes32,uint256,bytes32)")


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """A head as the contract keeps it; size 0 where nothing was published. `root`: 32 bytes."""

    size: int
    root: bytes


def log_id(origin: str) -> bytes:
    """A log's 32-byte name on chain: SHA-256 of its origin line."""
    return hashlib.sha256(origin.encode()).digest()


def anchor_call(checkpoint: Checkpoint) -> bytes:
    """Publishes a log's head under the sender's address."""
    return abi.encode_call(ANCHOR, (log_id(checkpoint.origin), checkpoint.size, checkpoint.root))


def head_call(publisher: Address, origin: str) -> bytes:
    """Asks for the newest head that a publisher anchored of a log."""
    return abi.encode_call(HEADS, (publisher, log_id(origin)))


def head_of(answer: bytes) -> AnchoredHead:
    """The answer to `head_call`. Raises MalformedInput."""
    size, root = abi.decode(("uint256", "bytes32"), answer)
    assert isinstance(size, int), "a uint256 is an integer"
    assert isinstance(root, bytes), "a bytes32 is bytes"
    return AnchoredHead(size, root)


def check_anchored(
    checkpoint: Checkpoint, logs: Sequence[LogEntry], *, contract: Address, publisher: Address
) -> None:
    """That a receipt's log entries anchor this very head.

    Raises Refused (`not_anchored`) if none does. That the receipt stands on the chain, and under
    how many blocks, whoever fetched it has made sure of.
    """
    wanted = (
        _ANCHORED,
        abi.encode(("address",), (publisher,)),
        log_id(checkpoint.origin),
    )
    for entry in logs:
        if entry.address != contract or entry.topics != wanted:
            continue
        try:
            head = head_of(entry.data)
        except MalformedInput:
            continue
        if (head.size, head.root) == (checkpoint.size, checkpoint.root):
            return
    raise Refused("the chain anchors another head, or none", code="not_anchored")
