"""The compiled hash tree gives what the plain one gives, and stays away where it cannot be made."""

from __future__ import annotations

import random
import sys
import time
import types
from typing import Any

import pytest

from zhidao.core.compiling import Beside
from zhidao.core.hashing.hashtree import leaf_hash, tree_root

# Loading numba costs each process a second.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lanes() -> Any:
    """The compiled module; skips plainly where there is no compiler."""
    return pytest.importorskip(
        "zhidao.core.hashing.hash_lanes", reason="numba is not installed here"
    )


@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 31, 33, 256, 257, 1000])
@pytest.mark.parametrize("size", [4, 32, 52, 56, 60, 64, 128, 132])
def test_the_root_is_that_of_the_plain_tree(lanes: Any, count: int, size: int) -> None:
    # The sizes stand on both sides of where the padding takes one block more.
    data = random.Random(count * size).randbytes(count * size)
    leaves = [leaf_hash(data[start : start + size]) for start in range(0, len(data), size)]
    level = lanes.leaf_level(data, size)
    assert level.astype(">u4").tobytes() == b"".join(leaves)
    assert lanes.root_of(level) == tree_root(leaves)
    assert lanes.root_of(lanes.level_of(leaves)) == tree_root(leaves)


def test_a_module_is_there_once_it_is_compiled(lanes: Any) -> None:
    beside = Beside("zhidao.core.hashing.hash_lanes", pays_from=10)
    assert beside.module(9) is None
    assert beside.wait() is lanes
    assert beside.module(1) is lanes


def test_a_module_comes_by_itself_when_there_was_enough_to_do(lanes: Any) -> None:
    beside = Beside("zhidao.core.hashing.hash_lanes", pays_from=10)
    deadline = time.monotonic() + 60
    while beside.module(5) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert beside.module(5) is lanes


def test_a_module_that_cannot_be_compiled_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = types.ModuleType("broken_kernels")

    def warm_up() -> None:
        raise RuntimeError("no registers left")

    vars(broken)["warm_up"] = warm_up
    monkeypatch.setitem(sys.modules, "broken_kernels", broken)
    beside = Beside("broken_kernels", pays_from=10)
    assert beside.wait() is None
    assert beside.module(1) is None
    assert "the plain twin stays" in caplog.text
