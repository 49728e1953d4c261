from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.errors import Unavailable
from zhidao.node.operations.signing_permit import SigningPermit
from zhidao.node.operations.write_gate import WriteGate

ROOT = Path(__file__).resolve().parents[2]


class Disk:
    """A disk whose state a test sets, and a clock that it moves."""

    def __init__(self) -> None:
        self.low = False
        self.looks = 0
        self.now_s = 0.0

    def is_low(self) -> bool:
        self.looks += 1
        return self.low


def gate_on(disk: Disk, permit: SigningPermit | None = None) -> WriteGate:
    return WriteGate(disk.is_low, permit or SigningPermit(), lambda: disk.now_s)


def test_a_write_is_refused_while_the_disk_is_low_and_taken_again_afterwards():
    disk = Disk()
    gate = gate_on(disk)
    gate.check("POST", "/v1/trade/consignments")
    disk.low, disk.now_s = True, 1.0
    with pytest.raises(Unavailable) as caught:
        gate.check("POST", "/v1/trade/consignments")
    assert (caught.value.code, caught.value.http_status) == ("disk_full", 503)
    assert caught.value.remedy
    disk.low, disk.now_s = False, 2.0
    gate.check("POST", "/v1/trade/consignments")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/roads"),
        ("HEAD", "/log/checkpoint"),
        ("POST", "/v1/trade/invoices/validate"),
        ("POST", "/location-verification/v3/verify"),
    ],
)
def test_questions_are_answered_on_a_full_disk(method: str, path: str):
    disk = Disk()
    disk.low = True
    gate_on(disk).check(method, path)


def test_the_disk_is_looked_at_once_a_second():
    disk = Disk()
    gate = gate_on(disk)
    for _ in range(50):
        gate.check("POST", "/v1/x")
    assert disk.looks == 1
    disk.now_s = 1.0
    gate.check("POST", "/v1/x")
    assert disk.looks == 2


def test_a_recovering_node_lets_people_sign_in_and_nothing_else():
    permit = SigningPermit()
    permit.recovering = lambda: "the database has 3 leaves, the newest checkpoint 5"
    gate = gate_on(Disk(), permit)
    gate.check("POST", "/v1/session")
    gate.check("GET", "/v1/roads")
    with pytest.raises(Unavailable) as caught:
        gate.check("POST", "/v1/finance/deposits")
    assert caught.value.code == "recovering"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a node answered on a disk of 420 MB that only it sees and that goes with it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path_factory.mktemp("disk")
    inside = 'mount -t tmpfs -o size=420m tmpfs "$1" && exec "$2" -m tests.node.full_disk "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside, "sh", folder, sys.executable],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=ROOT,
    )
    if "mount:" in done.stderr:
        pytest.skip(f"no mount here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.service
def test_a_full_disk_refuses_writes_plainly_and_reads_on(told: dict[str, Any]):
    assert [status for status, _ in told["before"]] == [201, 201, 201]
    assert [status for status, _ in told["during"]] == [503, 503, 503]
    assert {problem["code"] for _, problem in told["during"]} == {"disk_full"}
    assert all(problem["remedy"] for _, problem in told["during"])
    status, ready = told["ready"]
    assert (status, ready["down"]) == (503, ["writes"])
    assert [alarm["code"] for alarm in ready["alarms"]] == ["disk_full"]
    assert told["readable"] == 404  # A lot that is not there: the database answered.


@pytest.mark.service
def test_a_node_starts_on_a_full_disk_and_reads(told: dict[str, Any]):
    [[status, problem]] = told["restarted"]
    assert (status, problem["code"]) == (503, "disk_full")
    assert told["restarted_size"] == told["size_during"]


@pytest.mark.service
def test_a_freed_disk_takes_up_the_work_and_nothing_is_lost(told: dict[str, Any]):
    assert [status for status, _ in told["after"]] == [201, 201, 201]
    # The same calls again give the same answers: everything acknowledged stands.
    assert [body for _, body in told["again"]] == [body for _, body in told["before"]]
    assert told["size_after"] >= told["size_during"] + 3
    assert told["ready_after"] == {"ready": True, "down": [], "alarms": []}
    opened = told["report"]["opened"]
    assert opened["value"] == opened["total"] == told["size_after"]
