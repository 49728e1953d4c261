"""The hash tree of a list of byte strings: one root stands for all of them.

Source: RFC 9162 section 2.1.1. Leaves and inner nodes are hashed with different first bytes, so
that no inner node can be passed off as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of a leaf: HASH(0x00 || data)."""
    return hashlib.sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of an inner node: HASH(0x01 || left || right)."""
    return hashlib.sha256(_NODE + left + right).digest()


def tree_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order; of no leaves, SHA-256 of nothing.

    Neighbours are joined level by level and a last odd one goes up as it is: that is the split at
    the largest power of two below n that the RFC asks for.

    >>> tree_root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    level = list(leaf_hashes)
    if not level:
        return hashlib.sha256(b"").digest()
    sha256 = hashlib.sha256
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [sha256(_NODE + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def tree_path(leaf_hashes: Iterable[bytes], index: int) -> list[bytes]:
    """The inclusion proof of one leaf, from the leaf upwards: RFC 9162 section 2.1.3.

    Raises IndexError for a leaf that is not there.
    """
    level = list(leaf_hashes)
    if not 0 <= index < len(level):
        raise IndexError(f"leaf {index} of {len(level)}")
    path: list[bytes] = []
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [node_hash(left, right) for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level, index = above, index // 2
    return path


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof gives, or None if it is not one for this place."""
    if not 0 <= index < size:
        return None
    last, root = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index % 2 or index == last:
            root = node_hash(sibling, root)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            root = node_hash(root, sibling)
        index, last = index // 2, last // 2
    return root if last == 0 else None
