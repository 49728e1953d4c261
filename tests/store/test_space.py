from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zhidao.store.space import SpaceWatch

SCRIPT = Path(__file__).with_name("full_disk.py")


def test_the_reserve_is_what_the_disk_has_left(tmp_path: Path):
    free = SpaceWatch(tmp_path).free_bytes()
    assert free > 0
    assert SpaceWatch(tmp_path, reserve_bytes=free * 2).is_low()
    assert not SpaceWatch(tmp_path, reserve_bytes=free // 2).is_low()


def on_a_small_disk(folder: Path, mode: str) -> dict:
    """Runs the script on a disk of 160 MB that only it sees and that goes with it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    inside = 'mount -t tmpfs -o size=160m tmpfs "$1" && exec "$2" "$3" "$1" "$4"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside, "sh", folder, sys.executable, SCRIPT, mode],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if "mount:" in done.stderr:
        pytest.skip(f"no mount here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    answer: dict = json.loads(done.stdout)
    return answer


@pytest.mark.service
def test_a_node_on_a_filling_disk_reads_on_and_writes_again_later(tmp_path: Path):
    answer = on_a_small_disk(tmp_path, "guarded")
    assert answer["readable"]
    assert answer["survived"]
    assert answer["codes"] == ["disk_full"]
    assert answer["written_while_full"] == 0
    assert answer["written_afterwards"] == 10
    assert answer["held"] == answer["acknowledged"]


@pytest.mark.service
def test_a_disk_filled_to_the_brim_corrupts_nothing(tmp_path: Path):
    answer = on_a_small_disk(tmp_path, "bare")
    assert "disk_full" in answer["codes"]
    assert answer["written_afterwards"] == 10
    # A row whose commit was cut off may stand; an acknowledged one must.
    assert set(answer["acknowledged"]) <= set(answer["held"])
