from __future__ import annotations

import os
import time
from pathlib import Path

from zhidao.core.programs.child import bound_log, end_child, start_child


def test_a_log_past_its_bound_is_set_aside_once(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    assert not bound_log(log, 4)
    log.write_bytes(b"1234")
    assert not bound_log(log, 4)
    for text in (b"first", b"second"):
        log.write_bytes(text)
        assert bound_log(log, 4)
        assert (log.read_bytes(), (tmp_path / "server.log.1").read_bytes()) == (b"", text)
    assert {each.name for each in tmp_path.iterdir()} == {"server.log", "server.log.1"}


def test_a_program_goes_on_writing_at_the_begin_of_a_cut_log(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    talk = "import time\nfor n in range(10**6): print(n, flush=True); time.sleep(0.001)"
    child = start_child([os.path.realpath("/usr/bin/python3"), "-c", talk], log=log)
    try:
        _wait_for(log, 20)
        assert bound_log(log, 10)
        _wait_for(log, 1)
        first = int(log.read_bytes().split()[0])
        assert first > 0
        assert b"\0" not in log.read_bytes()
    finally:
        end_child(child, (9,), timeout_s=5)  # type: ignore[arg-type]


def _wait_for(log: Path, size: int) -> None:
    deadline = time.monotonic() + 10
    while log.stat().st_size <= size and time.monotonic() < deadline:
        time.sleep(0.005)
