"""The name of a process, and the lock that makes sure that nobody else bears it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zhidao.core.errors import Refused
from zhidao.node.wiring.operations.own_process import (
    _PROCESSES_MAX,
    _holder,
    _Neighbours,
    _place,
)


@pytest.mark.bound("node.wiring.operations.own_process._PROCESSES_MAX")
def test_each_process_on_a_folder_has_a_place_until_it_dies(tmp_path: Path):
    held = [_place(tmp_path) for _ in range(_PROCESSES_MAX)]
    assert [place for place, _ in held] == list(range(_PROCESSES_MAX))
    with pytest.raises(Refused) as refused:
        _place(tmp_path)
    assert refused.value.code == "too_many_processes"
    os.close(held[3][1])
    place, lock = _place(tmp_path)
    assert place == 3
    for _, each in (*held[:3], *held[4:], (place, lock)):
        os.close(each)


def test_a_name_is_the_same_after_a_restart_and_no_other_folders_or_places(tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    names = {_holder(tmp_path, 0), _holder(tmp_path, 1), _holder(other, 0)}
    assert len(names) == 3
    assert _holder(tmp_path, 0) in names
    # As PostgreSQL shows it, after the words in front.
    assert all(len(f"zhidao leases {name}") <= 63 for name in names)


_HOLDS = """
import sys
from pathlib import Path
from zhidao.node.wiring.operations.own_process import _place
held = _place(Path(sys.argv[1]))
print(held[0], flush=True)
sys.stdin.read()
"""


def test_a_neighbour_that_was_killed_is_known_to_have_ended_and_a_living_one_is_not(
    tmp_path: Path,
):
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"0\n"
        place, lock = _place(tmp_path)
        neighbours = _Neighbours(tmp_path, place)
        assert not neighbours.ended(_holder(tmp_path, 0))
        other.kill()
        other.wait()
    assert neighbours.ended(_holder(tmp_path, 0))
    # Oneself, one that never was, and one of another machine or folder: nothing is known.
    assert not neighbours.ended(_holder(tmp_path, place))
    assert not neighbours.ended(_holder(tmp_path, 7))
    assert not neighbours.ended("elsewhere-0123456789")
    os.close(lock)


def test_a_question_about_a_process_does_not_take_its_place_away(tmp_path: Path):
    os.close(_place(tmp_path)[1])
    neighbours = _Neighbours(tmp_path, 1)
    assert neighbours.ended(_holder(tmp_path, 0))
    begun_s = time.monotonic()
    place, lock = _place(tmp_path)
    assert place == 0
    assert time.monotonic() - begun_s < 1
    os.close(lock)
