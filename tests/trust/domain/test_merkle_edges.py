"""Merkle trees against published roots, whole small trees, and one step past each bound."""

from __future__ import annotations

from itertools import pairwise

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.merkle import (
    EMPTY_ROOT,
    SIZE_MAX,
    Edge,
    consistency_ranges,
    cover,
    extended,
    fold,
    grow,
    inclusion_ranges,
    is_subtree,
    leaf_hash,
    node_hash,
    parents,
    root_of,
    span,
    split_hashes,
    subtree_ranges,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
)

# The eight entries and roots that implementations of RFC 6962 test themselves with
# (google/certificate-transparency, merkletree test data, Apache-2.0).
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
TREE = 17
LEAVES = [leaf_hash(bytes([number])) for number in range(TREE)]
OTHER = leaf_hash(b"other")
SUBTREES = [
    (begin, end)
    for begin in range(TREE)
    for end in range(begin + 1, TREE + 1)
    if is_subtree((begin, end))
]


def hash_of(leaves: tuple[int, int]) -> bytes:
    return root_of(LEAVES[slice(*leaves)])


@pytest.mark.parametrize("size", range(9))
def test_published_entries_have_the_published_roots(size: int) -> None:
    hashes = [leaf_hash(entry) for entry in ENTRIES[:size]]
    assert root_of(hashes).hex() == ROOTS[size]
    assert grow(Edge(), hashes).after.root.hex() == ROOTS[size]


def refused(check, **changes) -> str:
    with pytest.raises(Refused) as caught:
        check(**changes)
    return caught.value.code


def forgeries(proof: list[bytes]) -> list[list[bytes]]:
    """A proof with each hash changed, left out, or one put in."""
    places = range(len(proof))
    changed = [[*proof[:at], OTHER, *proof[at + 1 :]] for at in places]
    shorter = [proof[:at] + proof[at + 1 :] for at in places]
    longer = [[*proof[:at], OTHER, *proof[at:]] for at in (*places, len(proof))]
    turned = [[*proof[:a], proof[b], proof[a], *proof[b + 1 :]] for a, b in pairwise(places)]
    return changed + shorter + longer + turned


@pytest.mark.parametrize("size", range(1, TREE + 1))
def test_each_leaf_of_a_small_tree_is_proven_at_its_place_by_one_proof_only(size: int) -> None:
    root = hash_of((0, size))
    for index in range(size):
        proof = [hash_of(leaves) for leaves in inclusion_ranges(index, size)]
        asked = {"leaf": LEAVES[index], "index": index, "size": size, "root": root}
        verify_inclusion(**asked, proof=proof)
        for wrong in forgeries(proof):
            assert refused(verify_inclusion, **asked, proof=wrong) == "bad_inclusion"
        for change in (
            *({"index": other} for other in range(-1, size + 1) if other != index),
            *({"leaf": OTHER}, {"root": OTHER}),
        ):
            code = refused(verify_inclusion, **{**asked, "proof": proof, **change})
            assert code == "bad_inclusion", change


def test_each_subtree_of_a_small_tree_is_proven_by_one_proof_only() -> None:
    for size in range(1, TREE + 1):
        root = hash_of((0, size))
        for leaves in SUBTREES:
            if leaves[1] > size:
                continue
            proof = [hash_of(part) for part in subtree_ranges(leaves, size)]
            asked = {"leaves": leaves, "size": size, "subtree_root": hash_of(leaves), "root": root}
            verify_subtree(**asked, proof=proof)
            for wrong in forgeries(proof):
                assert refused(verify_subtree, **asked, proof=wrong) == "bad_consistency"
            for change in ({"subtree_root": OTHER}, {"root": OTHER}):
                code = refused(verify_subtree, **{**asked, "proof": proof, **change})
                assert code == "bad_consistency"


def test_a_proof_of_consistency_is_one_of_the_first_leaves() -> None:
    for second in range(1, TREE + 1):
        for first in range(1, second + 1):
            ranges = consistency_ranges(first, second)
            assert ranges == subtree_ranges((0, first), second)
            verify_consistency(
                first=first,
                second=second,
                first_root=hash_of((0, first)),
                second_root=hash_of((0, second)),
                proof=[hash_of(leaves) for leaves in ranges],
            )


def test_ranges_of_the_examples_of_the_standard() -> None:
    """RFC 9162 section 2.1.5: the tree of seven leaves."""
    assert inclusion_ranges(0, 7) == [(1, 2), (2, 4), (4, 7)]
    assert inclusion_ranges(3, 7) == [(2, 3), (0, 2), (4, 7)]
    assert inclusion_ranges(4, 7) == [(5, 6), (6, 7), (0, 4)]
    assert inclusion_ranges(6, 7) == [(4, 6), (0, 4)]
    assert consistency_ranges(3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]
    assert consistency_ranges(4, 7) == [(4, 7)]
    assert consistency_ranges(6, 7) == [(4, 6), (6, 7), (0, 4)]


@pytest.mark.parametrize(
    ("leaves", "yes"),
    [
        *(((0, 1), True), ((5, 6), True), ((4, 6), True), ((4, 7), True), ((4, 8), True)),
        *(((0, SIZE_MAX), True), ((SIZE_MAX - 1, SIZE_MAX), True), ((0, 5), True)),
        *(((0, 0), False), ((3, 3), False), ((4, 3), False), ((-1, 1), False), ((-2, 0), False)),
        *(((1, 3), False), ((2, 5), False), ((4, 9), False), ((6, 9), False)),
        *(((0, SIZE_MAX + 1), False), ((SIZE_MAX, SIZE_MAX + 1), False)),
    ],
)
def test_a_subtree_begins_at_a_multiple_of_its_rounded_size(leaves, yes) -> None:
    """draft-ietf-plants-merkle-tree-certs section 4.1."""
    assert is_subtree(leaves) is yes


def test_no_subtree_is_proven_beyond_its_tree_or_off_its_grid() -> None:
    for leaves, size in (((0, 4), 3), ((4, 8), 7), ((1, 3), 8), ((2, 2), 8)):
        assert refused(subtree_ranges, leaves=leaves, size=size) == "out_of_range"
        asked = {"subtree_root": OTHER, "root": OTHER, "proof": []}
        assert refused(verify_subtree, leaves=leaves, size=size, **asked) == "bad_consistency"


def test_trees_have_up_to_two_to_the_62_leaves() -> None:
    last = inclusion_ranges(SIZE_MAX - 1, SIZE_MAX)
    assert last[0] == (SIZE_MAX - 2, SIZE_MAX - 1)
    assert last[-1] == (0, SIZE_MAX // 2)
    assert len(last) == 62
    assert consistency_ranges(SIZE_MAX, SIZE_MAX) == []
    assert consistency_ranges(1, SIZE_MAX)[0] == (1, 2)
    top = inclusion_ranges(0, SIZE_MAX)
    # A tree whose leaves are all alike, so that its 2^62 leaves need not be there.
    alike = [LEAVES[0]]
    for _ in range(62):
        alike.append(node_hash(alike[-1], alike[-1]))
    for index in (0, SIZE_MAX - 1):
        verify_inclusion(
            leaf=alike[0], index=index, size=SIZE_MAX, proof=alike[:62], root=alike[62]
        )
    assert len(top) == 62
    verify_consistency(
        first=1, second=SIZE_MAX, first_root=alike[0], second_root=alike[62], proof=alike[:62]
    )
    assert Edge(SIZE_MAX, (alike[62],)).root == alike[62]


@pytest.mark.parametrize(
    ("check", "changes", "code"),
    [
        (inclusion_ranges, {"index": 0, "size": SIZE_MAX + 1}, "out_of_range"),
        (inclusion_ranges, {"index": 0, "size": 0}, "out_of_range"),
        (inclusion_ranges, {"index": -1, "size": 1}, "out_of_range"),
        (inclusion_ranges, {"index": 1, "size": 1}, "out_of_range"),
        (consistency_ranges, {"first": 1, "second": SIZE_MAX + 1}, "out_of_range"),
        (consistency_ranges, {"first": 0, "second": 1}, "out_of_range"),
        (consistency_ranges, {"first": 2, "second": 1}, "out_of_range"),
    ],
)
def test_one_past_a_bound_there_is_no_proof(check, changes, code) -> None:
    assert refused(check, **changes) == code


def test_one_past_the_greatest_tree_nothing_is_verified() -> None:
    proof = [LEAVES[0]] * 62
    asked = {"leaf": LEAVES[0], "index": 0, "size": SIZE_MAX + 1, "root": OTHER}
    with pytest.raises(Refused, match="no leaf 0 in a tree of"):
        verify_inclusion(**asked, proof=proof)
    with pytest.raises(Refused, match=f"no subtree 0..1 in a tree of {SIZE_MAX + 1}"):
        verify_consistency(
            first=1, second=SIZE_MAX + 1, first_root=OTHER, second_root=OTHER, proof=proof
        )
    with pytest.raises(Refused, match="no leaf 0 in a tree of 0"):
        verify_inclusion(leaf=OTHER, index=0, size=0, proof=[], root=OTHER)


@pytest.mark.parametrize(
    ("second", "first_root", "holds"),
    [
        (0, EMPTY_ROOT, True),
        (SIZE_MAX, EMPTY_ROOT, True),
        (-1, EMPTY_ROOT, False),
        (SIZE_MAX + 1, EMPTY_ROOT, False),
        (3, OTHER, False),
    ],
)
def test_the_empty_tree_begins_every_tree_that_can_be(second, first_root, holds) -> None:
    asked = {"first": 0, "second": second, "first_root": first_root, "second_root": OTHER}
    if holds:
        verify_consistency(**asked, proof=[])
    else:
        assert refused(verify_consistency, **asked, proof=[]) == "bad_consistency"


@pytest.mark.parametrize("short", [b"", b"x" * 31, b"x" * 33])
def test_a_hash_has_32_bytes_wherever_it_stands(short: bytes) -> None:
    good = {"leaf": OTHER, "index": 0, "size": 1, "root": OTHER, "proof": []}
    verify_inclusion(**good)
    for change in ({"leaf": short, "root": short}, {"proof": [short]}):
        with pytest.raises(Refused, match=f"a hash of {len(short)} bytes"):
            verify_inclusion(**{**good, **change})
    for first, root in ((0, EMPTY_ROOT), (1, OTHER)):
        for change in ({"second_root": short}, {"first_root": short}, {"proof": [short]}):
            asked = {"first": first, "second": 1, "first_root": root, "second_root": OTHER}
            code = refused(verify_consistency, **{**asked, "proof": [], **change})
            assert code == "bad_consistency"
    with pytest.raises(MalformedInput, match="wrong length"):
        Edge(3, (OTHER, short))
    assert refused(extended, edge=Edge(), size=1, hashes=[short]) == "bad_consistency"


@pytest.mark.parametrize(
    ("size", "count"), [(-1, 1), (0, 1), (1, 0), (3, 1), (3, 3), (SIZE_MAX + 1, 2)]
)
def test_an_edge_has_a_hash_for_each_digit_of_its_size(size: int, count: int) -> None:
    with pytest.raises(MalformedInput, match="a right edge of"):
        Edge(size, (OTHER,) * count)


def test_an_edge_is_read_from_whole_hashes() -> None:
    edge = grow(Edge(), LEAVES[:7]).after
    assert edge.hashes == (hash_of((0, 4)), hash_of((4, 6)), hash_of((6, 7)))
    assert Edge.decode(7, edge.encode()) == edge
    for data in (edge.encode()[:-1], edge.encode() + b"x", edge.encode()[:-32]):
        with pytest.raises(MalformedInput):
            Edge.decode(7, data)
    assert split_hashes(edge.encode()) == list(edge.hashes)


def test_what_a_tree_gains_continues_its_tiles() -> None:
    """tlog-tiles: level 1 gains a hash with every 256th leaf, level 2 with every 65,536th."""
    leaves = [leaf_hash(number.to_bytes(3, "big")) for number in range(65_537)]
    before = grow(Edge(), leaves[:65_300]).after
    growth = grow(before, leaves[65_300:])
    assert growth.before == before
    assert [len(level) for level in growth.tiles] == [237, 1, 1]
    assert [growth.first(level) for level in range(3)] == [65_300, 255, 0]
    assert growth.tiles[0] == tuple(leaves[65_300:])
    assert growth.tiles[1] == (root_of(leaves[65_280:65_536]),)
    assert growth.tiles[2] == (root_of(leaves[:65_536]),)
    assert growth.after == Edge(65_537, (growth.tiles[2][0], leaves[65_536]))
    assert grow(before, []).tiles == ()


def test_any_stretch_is_spanned_by_aligned_perfect_subtrees() -> None:
    for begin in range(TREE):
        for end in range(begin, TREE + 1):
            nodes = span((begin, end))
            at = begin
            for level, index in nodes:
                assert index << level == at
                at += 1 << level
            assert at == end
            # None could be larger: the next one up begins earlier or ends later.
            for level, index in nodes:
                up = index >> 1 << (level + 1)
                assert up < begin or up + (2 << level) > end
    assert cover((0, 13)) == span((0, 13)) == [(3, 0), (2, 2), (0, 12)]
    assert span((3, 13)) == [(0, 3), (2, 1), (2, 2), (0, 12)]


def test_an_edge_is_extended_by_the_span_to_the_new_size() -> None:
    for first in range(TREE + 1):
        edge = grow(Edge(), LEAVES[:first]).after
        for second in range(first, TREE + 1):
            hashes = [hash_of((i << level, (i + 1) << level)) for level, i in span((first, second))]
            assert extended(edge, second, hashes) == grow(Edge(), LEAVES[:second]).after
            for wrong in ([*hashes, OTHER], hashes[:-1]):
                if len(wrong) != len(hashes):
                    with pytest.raises(Refused, match=f"no span from {first} to {second}"):
                        extended(edge, second, wrong)
        if first:
            code = refused(extended, edge=edge, size=first - 1, hashes=[])
            assert code == "bad_consistency"


def test_parents_stand_over_pairs_and_a_last_odd_one_has_none() -> None:
    for count in range(6):
        hashes = LEAVES[:count]
        over = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, count - 1, 2)]
        assert parents(b"".join(hashes)) == b"".join(over)


def test_nothing_folds_into_the_hash_of_nothing() -> None:
    assert fold([]) == EMPTY_ROOT
    assert fold([OTHER]) == OTHER
    assert fold(LEAVES[:3]) == node_hash(LEAVES[0], node_hash(LEAVES[1], LEAVES[2]))
