from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from zhidao.node.workers import Workers

pytestmark = pytest.mark.service

NODE = """
import os, sys, time
from zhidao.node.workers import Workers
if __name__ == "__main__":
    print(Workers().submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_the_death_of_a_worker_costs_one_task():
    workers = Workers()
    try:
        pid = workers.submit(os.getpid).result(timeout=20)
        dying = workers.submit(time.sleep, 30)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            dying.result(timeout=20)
        assert workers.submit(os.getpid).result(timeout=20) != pid
    finally:
        workers.shutdown()


def test_no_worker_outlives_a_killed_node(tmp_path: Path):
    program = tmp_path / "node.py"
    program.write_text(NODE)
    node = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert node.stdout
    worker = int(node.stdout.readline())
    node.kill()
    node.wait()
    node.stdout.close()
    until = time.monotonic() + 10
    while _lives(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
