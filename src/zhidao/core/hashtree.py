"""The hash tree of a list of byte strings: one root stands for all of them.

Source: RFC 9162 section 2.1.1. Leaves and inner nodes are hashed with different first bytes, so
that no inner node can be passed off as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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

    The stack holds the roots of full subtrees from large to small, one for each set bit of the
    count: exactly the split at the largest power of two below n that the RFC asks for.

    >>> tree_root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    stack: list[bytes] = []
    for count, leaf in enumerate(leaf_hashes):
        root = leaf
        # Each trailing one of the count before this leaf is a full subtree that now finds its twin.
        carry = count
        while carry & 1:
            root = node_hash(stack.pop(), root)
            carry >>= 1
        stack.append(root)
    if not stack:
        return hashlib.sha256(b"").digest()
    root = stack.pop()
    while stack:
        root = node_hash(stack.pop(), root)
    return root
