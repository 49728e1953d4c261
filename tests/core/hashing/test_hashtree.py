"""The tree agrees with the RFC's recursive definition and with published roots."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.hashing.hashtree import leaf_hash, node_hash, tree_root


def _by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(_by_definition(leaves[:split]), _by_definition(leaves[split:]))


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_stack_gives_the_root_of_the_recursive_definition(data: list[bytes]):
    leaves = [leaf_hash(item) for item in data]
    assert tree_root(leaves) == _by_definition(leaves)


def test_a_leaf_and_a_node_of_the_same_bytes_differ():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


def test_eight_known_leaves_have_the_root_that_certificate_transparency_publishes():
    leaves = "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f"
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in leaves.split("|")]
    # The reference test vectors of Certificate Transparency (merkletree tests of its public code).
    assert tree_root(hashes).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
