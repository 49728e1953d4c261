"""Failed sign-ins are counted by where they come from, as far as there is room, and then together."""

from __future__ import annotations

import pytest
from tests.node.security.gate_world import World

from zhidao.node.security.failed_sign_ins import OTHERS


@pytest.mark.bound("node.security.failed_sign_ins.BLOCKS_MAX")
@pytest.mark.parametrize(("blocks", "together"), [(1_000, 0), (1_001, 1), (1_003, 3)])
def test_a_thousand_places_are_told_apart_and_the_others_counted_as_one(
    blocks: int, together: int
) -> None:
    failed = World().gate.failed
    for number in range(blocks):
        failed.count(f"192.0.{number // 256}.{number % 256}")
    counts = {block: wrong for (_, block), (wrong, _) in failed._counts.items()}
    assert counts.get(OTHERS, 0) == together
    assert sum(counts.values()) == blocks
    # Who is known already is counted under its own name.
    failed.count("192.0.0.0")
    assert {b: w for (_, b), (w, _) in failed._counts.items()}["192.0.0.0"] == 2
