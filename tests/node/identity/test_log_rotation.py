from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from zhidao.core.errors import Refused
from zhidao.node.identity import log_rotation
from zhidao.node.identity.log_rotation import refuse_running


@pytest.mark.parametrize("name", ["node.json", "node.1.json", "node.15.json"])
def test_keys_are_not_changed_while_any_process_of_the_node_runs(tmp_path: Path, name: str):
    refuse_running(tmp_path)
    (tmp_path / name).write_text(json.dumps({"pid": os.getpid()}))
    with pytest.raises(Refused) as refused:
        refuse_running(tmp_path)
    assert refused.value.code == "node_runs"


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"pid": 2147483646}', "[]", '{"pid": 1e30}', '{"pid": -1}', '{"pid": 9999999999}'],
)
def test_a_file_that_was_left_behind_keeps_nobody_from_changing_keys(tmp_path: Path, text: str):
    (tmp_path / "node.1.json").write_text(text)
    refuse_running(tmp_path)


@pytest.mark.parametrize("state", [None, "{", "[" * 100_000])
@pytest.mark.parametrize("name", ["process.lock", "process.3.lock"])
def test_a_lost_or_damaged_state_does_not_hide_a_process(
    tmp_path: Path, name: str, state: str | None
):
    if state is not None:
        (tmp_path / "node.json").write_text(state)
    with (tmp_path / name).open("wb") as lock:
        refuse_running(tmp_path)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="holds its lock") as refused:
            refuse_running(tmp_path)
        assert refused.value.code == "node_runs"
    refuse_running(tmp_path)


@pytest.mark.bound("node.identity.log_rotation._STATE_BYTES_MAX")
@pytest.mark.parametrize("past", [0, 1])
def test_a_state_is_read_to_its_bound(tmp_path: Path, past: int):
    text = json.dumps({"pid": os.getpid()})
    (tmp_path / "node.json").write_text(text.rjust(log_rotation._STATE_BYTES_MAX + past))
    if past:
        refuse_running(tmp_path)
    else:
        with pytest.raises(Refused):
            refuse_running(tmp_path)


@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_a_state_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "node.json")
    refuse_running(tmp_path)
