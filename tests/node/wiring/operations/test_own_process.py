"""The name of a process, and the lock that makes sure that nobody else bears it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zhidao.core.errors import Refused
from zhidao.node.wiring.operations.own_process import _PROCESSES_MAX, _holder, _place


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
