from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import Refused
from zhidao.trust.domain.merkle import (
    EMPTY_ROOT,
    Edge,
    consistency_ranges,
    cover,
    fold,
    grow,
    inclusion_ranges,
    is_subtree,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
)

LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(600)]
sizes = st.integers(1, len(LEAVES))


def hash_of(leaves: tuple[int, int]) -> bytes:
    begin, end = leaves
    return root_of(LEAVES[begin:end])


def proof_over(ranges: list[tuple[int, int]]) -> list[bytes]:
    return [hash_of(leaves) for leaves in ranges]


@given(st.lists(st.integers(0, 9), max_size=40))
def test_growing_by_any_batches_gives_the_root_of_the_definition(batches: list[int]) -> None:
    edge, size = Edge(), 0
    for batch in batches:
        edge = grow(edge, LEAVES[size : size + batch]).after
        size += batch
        assert edge.root == root_of(LEAVES[:size])
    assert Edge.decode(edge.size, edge.encode()) == edge


def test_tile_hashes_are_the_hashes_of_full_tiles_below() -> None:
    growth = grow(grow(Edge(), LEAVES[:250]).after, LEAVES[250:600])
    assert growth.tiles[0] == tuple(LEAVES[250:600])
    assert growth.tiles[1] == (root_of(LEAVES[:256]), root_of(LEAVES[256:512]))
    assert growth.first(1) == 0


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Edge().root == EMPTY_ROOT == root_of([])


@given(sizes, st.data())
def test_every_leaf_is_proven_and_no_other_place_is(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = proof_over(inclusion_ranges(index, size))
    root = root_of(LEAVES[:size])
    verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=root)
    other = data.draw(st.integers(0, size + 2))
    if other != index:
        with pytest.raises(Refused):
            verify_inclusion(leaf=LEAVES[index], index=other, size=size, proof=proof, root=root)
    with pytest.raises(Refused):
        verify_inclusion(
            leaf=LEAVES[index], index=index, size=size, proof=[*proof, root], root=root
        )


@given(sizes, st.data())
def test_an_older_tree_is_proven_to_begin_a_newer_one(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    proof = proof_over(consistency_ranges(first, second))
    roots = {"first_root": root_of(LEAVES[:first]), "second_root": root_of(LEAVES[:second])}
    verify_consistency(first=first, second=second, proof=proof, **roots)
    if first < second:
        with pytest.raises(Refused):
            verify_consistency(first=first, second=second, proof=proof[:-1], **roots)


@given(sizes, st.data())
def test_a_cover_folds_into_the_hash_of_its_range(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    for leaves in inclusion_ranges(index, size):
        nodes = [hash_of((i << level, (i + 1) << level)) for level, i in cover(leaves)]
        assert fold(nodes) == hash_of(leaves)


def test_a_proof_for_no_leaf_is_refused() -> None:
    with pytest.raises(Refused, match="no leaf 3"):
        inclusion_ranges(3, 3)
    with pytest.raises(Refused):
        consistency_ranges(0, 3)


def test_an_empty_tree_begins_every_tree_without_a_proof() -> None:
    root = root_of(LEAVES[:3])
    verify_consistency(first=0, second=3, first_root=EMPTY_ROOT, second_root=root, proof=[])
    with pytest.raises(Refused):
        verify_consistency(first=0, second=3, first_root=EMPTY_ROOT, second_root=root, proof=[root])


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _holds(kind: str, case: dict[str, object]) -> bool:
    given_proof = case["proof"] or []
    assert isinstance(given_proof, list)
    proof = [_bytes(item) for item in given_proof]
    try:
        if kind == "inclusion":
            _inclusion(case, proof)
        elif kind == "subtreeinclusion":
            _subtree_inclusion(case, proof)
        elif kind == "consistency":
            verify_consistency(
                first=case["size1"],
                second=case["size2"],
                first_root=_bytes(case["root1"]),
                second_root=_bytes(case["root2"]),
                proof=proof,
            )
        else:
            verify_subtree(
                leaves=(case["start"], case["end"]),
                size=case["size"],
                subtree_root=_bytes(case["root1"]),
                root=_bytes(case["root2"]),
                proof=proof,
            )
    except Refused:
        return False
    return True


def _inclusion(case: dict, proof: list[bytes]) -> None:
    verify_inclusion(
        leaf=_bytes(case["leafHash"]),
        index=case["leafIdx"],
        size=case["treeSize"],
        proof=proof,
        root=_bytes(case["root"]),
    )


def _subtree_inclusion(case: dict, proof: list[bytes]) -> None:
    begin, end = case["start"], case["end"]
    if not is_subtree((begin, end)):
        raise Refused("no subtree")
    verify_inclusion(
        leaf=_bytes(case["leafHash"]),
        index=case["leafIdx"] - begin,
        size=end - begin,
        proof=proof,
        root=_bytes(case["root"]),
    )


# transparency-dev/merkle 417fb0c3, testdata, Apache-2.0.
@pytest.mark.parametrize(
    ("kind", "total"),
    [
        ("inclusion", 74),
        ("consistency", 63),
        ("subtreeinclusion", 156),
        ("subtreeconsistency", 66),
    ],
)
def test_published_proofs_get_the_published_verdict(shared: Path, kind: str, total: int) -> None:
    cases = json.loads((shared / "trust" / "tlog-proofs" / f"{kind}.json").read_text())
    wrong = [case["_path"] for case in cases if _holds(kind, case) == case["wantErr"]]
    assert (len(cases), wrong) == (total, [])
