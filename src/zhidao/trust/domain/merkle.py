"""Merkle trees of the log: hashes, growth along the right edge, and proofs that check strictly.

A proof is first planned as ranges of leaves (`inclusion_ranges`, `consistency_ranges`), then each
range is covered by perfect subtrees (`cover`) whose hashes some storage knows, then folded
(`fold`). So no function here does I/O, and storage needs perfect subtrees only.
Source: RFC 9162 section 2.1; subtree proofs: draft-ietf-plants-merkle-tree-certs (not checked
beyond published vectors).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from zhidao.core.errors import MalformedInput, Refused

HASH_BYTES: Final = 32
# tlog-tiles: a tile is 256 hashes wide, so tile level L holds hashes of tree level 8 L.
TILE_BITS: Final = 8
# A tree of 2^62 leaves outlives us; the bound keeps loops over proofs short.
SIZE_MAX: Final = 2**62

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Range: TypeAlias = tuple[int, int]
"""Leaves `begin` to `end - 1`."""
Node: TypeAlias = tuple[int, int]
"""(level, index): the perfect subtree over leaves index * 2^level to (index + 1) * 2^level - 1."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry): RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def parents(hashes: bytes) -> bytes:
    """The nodes over each pair of hashes that stand side by side; a last odd one has none."""
    step = 2 * HASH_BYTES
    return b"".join(
        hashlib.sha256(b"\x01" + hashes[at : at + step]).digest()
        for at in range(0, len(hashes) - step + 1, step)
    )


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The tree hash of these leaves: the readable twin of growing an `Edge`."""
    if not leaf_hashes:
        return EMPTY_ROOT
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = _split(len(leaf_hashes))
    return node_hash(root_of(leaf_hashes[:split]), root_of(leaf_hashes[split:]))


@dataclass(frozen=True, slots=True)
class Edge:
    """All that a tree must remember to grow: its size and the roots of its perfect subtrees.

    `hashes` are the subtrees of the binary digits of `size`, largest first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= SIZE_MAX or len(self.hashes) != self.size.bit_count():
            raise MalformedInput(f"a right edge of {len(self.hashes)} hashes for {self.size}")
        if any(len(item) != HASH_BYTES for item in self.hashes):
            raise MalformedInput("a hash of the right edge has a wrong length")

    @property
    def root(self) -> bytes:
        """The tree hash over all leaves."""
        return fold(self.hashes)

    def encode(self) -> bytes:
        """The hashes one after another."""
        return b"".join(self.hashes)

    @classmethod
    def decode(cls, size: int, data: bytes) -> Edge:
        """Reads `encode`. Raises MalformedInput if the length does not fit the size."""
        if len(data) % HASH_BYTES:
            raise MalformedInput(f"a right edge of {len(data)} bytes")
        return cls(size, tuple(split_hashes(data)))


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree after new leaves, and the hashes that its tiles gained.

    `tiles[level]` continues tile level `level` from hash index `first(level)`.
    """

    before: Edge
    after: Edge
    tiles: tuple[tuple[bytes, ...], ...]

    def first(self, level: int) -> int:
        """The index, at this tile level, of the first new hash."""
        return self.before.size >> (TILE_BITS * level)


def grow(before: Edge, leaf_hashes: Iterable[bytes]) -> Growth:
    """Appends leaves in time proportional to their number, whatever the size of the tree."""
    stack = list(before.hashes)
    size = before.size
    gained: list[list[bytes]] = []
    for leaf in leaf_hashes:
        level, node = 0, leaf
        _gain(gained, 0, node)
        carry = size
        while carry & 1:
            node = node_hash(stack.pop(), node)
            carry >>= 1
            level += 1
            if level % TILE_BITS == 0:
                _gain(gained, level // TILE_BITS, node)
        stack.append(node)
        size += 1
    return Growth(before, Edge(size, tuple(stack)), tuple(tuple(level) for level in gained))


def _gain(gained: list[list[bytes]], level: int, node: bytes) -> None:
    if level == len(gained):
        gained.append([])
    gained[level].append(node)


def split_hashes(data: bytes) -> list[bytes]:
    """Concatenated hashes, one by one."""
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Combines neighbouring subtrees, largest first, into the hash over all their leaves."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def cover(leaves: Range) -> list[Node]:
    """The perfect subtrees over a range that begins where a subtree of its size may begin."""
    begin, end = leaves
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def span(leaves: Range) -> list[Node]:
    """The largest aligned perfect subtrees that lie side by side over any range of leaves."""
    begin, end = leaves
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def extended(edge: Edge, size: int, hashes: Sequence[bytes]) -> Edge:
    """The right edge at `size`, from an earlier one and the hashes of `span` between them.

    Raises Refused (`bad_consistency`) if there are not as many hashes as the span needs.
    """
    nodes = span((edge.size, size)) if size >= edge.size else []
    if size < edge.size or len(nodes) != len(hashes):
        raise Refused(f"no span from {edge.size} to {size} leaves", code="bad_consistency")
    _check_hashes(hashes, "bad_consistency")
    stack = list(zip(cover((0, edge.size)), edge.hashes, strict=True))
    for node, found in zip(nodes, hashes, strict=True):
        (level, index), joined = node, found
        while stack and stack[-1][0] == (level, index - 1) and index & 1:
            joined = node_hash(stack.pop()[1], joined)
            level, index = level + 1, index >> 1
        stack.append(((level, index), joined))
    return Edge(size, tuple(found for _, found in stack))


def subtree_ranges(leaves: Range, size: int) -> list[Range]:
    """Which subtree hashes prove that the subtree over `leaves` is part of the tree.

    Raises Refused unless the range can be a subtree of it. It generalises `consistency_ranges`.
    """
    if not is_subtree(leaves) or leaves[1] > size:
        raise Refused(f"no subtree {leaves} in a tree of {size}", code="out_of_range")
    first, last = leaves
    path: list[Range] = []
    begin, end = 0, size
    whole = True
    while (begin, end) != leaves:
        middle = begin + _split(end - begin)
        if last <= middle:
            path.append((middle, end))
            end = middle
        elif first >= middle:
            path.append((begin, middle))
            begin = middle
        else:
            # The range ends inside the right half: its left half is complete.
            path.append((begin, middle))
            first = begin = middle
            leaves = (first, last)
            whole = False
    if not whole:
        path.append((begin, end))
    path.reverse()
    return path


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Which subtree hashes prove that a leaf is in the tree, in the order of the proof.

    Raises Refused if there is no such leaf. Source: RFC 9162 section 2.1.3.1.
    """
    if size > SIZE_MAX:
        raise _too_large(size)
    if not 0 <= index < size:
        raise Refused(f"no leaf {index} in a tree of {size}", code="out_of_range")
    path: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    path.reverse()
    return path


def consistency_ranges(first: int, second: int) -> list[Range]:
    """Which subtree hashes prove that the tree of `first` leaves is the start of the other.

    Raises Refused unless 0 < first <= second. Source: RFC 9162 section 2.1.4.1.
    """
    if second > SIZE_MAX:
        raise _too_large(second)
    if not 0 < first <= second:
        raise Refused(f"no consistency of {first} with {second} leaves", code="out_of_range")
    path: list[Range] = []
    begin, end = 0, second
    whole = True
    while end > first:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
            whole = False
    if not whole:
        path.append((begin, end))
    path.reverse()
    return path


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Checks that the leaf hash stands at `index` in the tree of that size and root.

    Raises Refused with code `bad_inclusion`. Source: RFC 9162 section 2.1.3.2, with lengths
    checked first: without that, an empty leaf hash equals an empty root.
    """
    _check_hashes((leaf, root, *proof), "bad_inclusion")
    if not 0 <= index < size <= SIZE_MAX:
        raise Refused(f"no leaf {index} in a tree of {size}", code="bad_inclusion")
    position, last, result = index, size - 1, leaf
    for item in proof:
        if last == 0:
            raise Refused("the inclusion proof is too long", code="bad_inclusion")
        if position & 1 or position == last:
            result = node_hash(item, result)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            result = node_hash(result, item)
        position >>= 1
        last >>= 1
    if last or result != root:
        raise Refused(f"leaf {index} is not proven in the tree", code="bad_inclusion")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Checks that the larger tree begins with the smaller one.

    Raises Refused with code `bad_consistency`. An empty tree begins every tree, with no proof.
    Source: RFC 9162 section 2.1.4.2.
    """
    if first == 0:
        _check_hashes((first_root, second_root), "bad_consistency")
        if proof or first_root != EMPTY_ROOT or not 0 <= second <= SIZE_MAX:
            raise Refused("an empty tree needs no proof", code="bad_consistency")
        return
    verify_subtree(
        leaves=(0, first), size=second, subtree_root=first_root, root=second_root, proof=proof
    )


def verify_subtree(
    *, leaves: Range, size: int, subtree_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Checks that a subtree over a range of leaves is part of the tree.

    Raises Refused with code `bad_consistency`.
    """
    _check_hashes((subtree_root, root, *proof), "bad_consistency")
    begin, end = leaves
    if not (is_subtree(leaves) and end <= size <= SIZE_MAX):
        raise Refused(f"no subtree {begin}..{end} in a tree of {size}", code="bad_consistency")
    # The proof leaves out the levels on which the subtree is a whole one of the tree.
    shift = _shared_levels(begin, end - 1, size - 1)
    low, high, last = begin >> shift, (end - 1) >> shift, (size - 1) >> shift
    rest = list(proof)
    if low == high:
        small = large = subtree_root
    elif rest:
        small = large = rest.pop(0)
    else:
        raise Refused("the consistency proof is too short", code="bad_consistency")
    for item in rest:
        if last == 0:
            raise Refused("the consistency proof is too long", code="bad_consistency")
        if high & 1 or high == last:
            if low < high:
                small = node_hash(item, small)
            large = node_hash(item, large)
            # A node at the right edge has no sibling on these levels and goes up as it is.
            while not high & 1 and high:
                low, high, last = low >> 1, high >> 1, last >> 1
        else:
            large = node_hash(large, item)
        low, high, last = low >> 1, high >> 1, last >> 1
    if last or small != subtree_root or large != root:
        raise Refused("the trees are not proven consistent", code="bad_consistency")


def is_subtree(leaves: Range) -> bool:
    """Whether a range can be a subtree: not empty, beginning at a multiple of its rounded size."""
    begin, end = leaves
    if not 0 <= begin < end <= SIZE_MAX:
        return False
    return begin & ((1 << (end - begin - 1).bit_length()) - 1) == 0


def _shared_levels(low: int, high: int, last: int) -> int:
    """How many levels up the subtree's right-most perfect part goes."""
    shift = 0
    while low != high and (high == last or high & 1):
        low, high, last = low >> 1, high >> 1, last >> 1
        shift += 1
    return shift


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hashes(hashes: Iterable[bytes], code: str) -> None:
    for item in hashes:
        if len(item) != HASH_BYTES:
            raise Refused(f"a hash of {len(item)} bytes; SHA-256 has {HASH_BYTES}", code=code)


def _too_large(size: int) -> Refused:
    return Refused(f"a tree of {size} leaves; at most {SIZE_MAX}", code="out_of_range")
