"""A witness cosigns what grows from the head that it holds, and says why it cosigns nothing else."""

from __future__ import annotations

import pytest

from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.trust.domain.merkle import EMPTY_ROOT, consistency_ranges, leaf_hash, root_of
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.domain.witness_rule import HeldHead, OldSizeDiffers, check_growth

LEAVES = [leaf_hash(bytes([number])) for number in range(9)]
OTHER = leaf_hash(b"other")


def head(size: int) -> HeldHead:
    return HeldHead(size, root_of(LEAVES[:size]))


def to(size: int, root: bytes = b"") -> Checkpoint:
    return Checkpoint("log.example", size, root or root_of(LEAVES[:size]))


def proof(first: int, second: int) -> list[bytes]:
    return [root_of(LEAVES[slice(*leaves)]) for leaves in consistency_ranges(first, second)]


def test_a_witness_that_holds_nothing_holds_the_empty_tree() -> None:
    assert HeldHead() == HeldHead(0, EMPTY_ROOT, 0, b"")
    check_growth(HeldHead(), old_size=0, proof=[], checkpoint=to(5))
    check_growth(HeldHead(), old_size=0, proof=[], checkpoint=to(0))


@pytest.mark.parametrize("first", range(1, 10))
def test_every_growth_that_is_proven_is_cosigned_and_no_other(first: int) -> None:
    for second in range(first, 10):
        steps = proof(first, second) if second > first else []
        check_growth(head(first), old_size=first, proof=steps, checkpoint=to(second))
        for wrong in ([*steps, OTHER], steps[:-1], [OTHER, *steps[1:]]):
            if wrong == steps:
                continue
            assert refused(head(first), first, wrong, to(second)) == "inconsistent"
        assert refused(head(first), first, steps, to(second, OTHER)) == "inconsistent"


def refused(held: HeldHead, old_size: int, steps: list[bytes], checkpoint: Checkpoint) -> str:
    with pytest.raises(Refused) as caught:
        check_growth(held, old_size=old_size, proof=steps, checkpoint=checkpoint)
    return caught.value.code


def test_one_size_has_one_root_and_needs_no_proof() -> None:
    check_growth(head(4), old_size=4, proof=[], checkpoint=to(4))
    with pytest.raises(Refused, match="a head of 4 leaves with another root is held already"):
        check_growth(head(4), old_size=4, proof=[], checkpoint=to(4, OTHER))
    assert refused(head(4), 4, [OTHER], to(4)) == "inconsistent"


def test_what_is_not_proven_is_told_with_the_head_that_is_held() -> None:
    with pytest.raises(Refused, match="not proven to continue the head of 4 leaves"):
        check_growth(head(4), old_size=4, proof=[], checkpoint=to(7))


def test_a_request_starts_from_the_head_that_is_held() -> None:
    for old_size in (0, 3, 5, 7):
        with pytest.raises(OldSizeDiffers) as caught:
            check_growth(head(4), old_size=old_size, proof=[], checkpoint=to(7))
        assert (caught.value.size, caught.value.code) == (4, "old_size_differs")
        assert isinstance(caught.value, Conflict)
        assert "this witness holds a head of 4 leaves" in str(caught.value)
        assert caught.value.remedy == "prove from there"


def test_an_old_size_beyond_the_new_one_is_malformed_before_anything_else() -> None:
    with pytest.raises(MalformedInput, match="the old size 8 is beyond the checkpoint's"):
        check_growth(head(4), old_size=8, proof=[], checkpoint=to(7))
    with pytest.raises(OldSizeDiffers):
        check_growth(head(4), old_size=7, proof=[], checkpoint=to(7))
