from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.programs import child as programs
from zhidao.core.programs.child import (
    end_child,
    end_strays,
    free_port,
    hold_folder,
    processes_named,
    start_child,
    unprivileged_identity,
    unreachable_folder,
)


def test_a_child_writes_to_its_log_and_has_a_session_of_its_own(tmp_path: Path):
    child = start_child(["/bin/sh", "-c", "echo $PPID; ps -o sid= -p $$"], log=tmp_path / "log")
    assert child.wait(10) == 0
    parent, session = (tmp_path / "log").read_text().split()
    assert int(parent) == os.getpid()
    assert int(session) == child.pid


@pytest.mark.slow
def test_a_child_dies_with_its_parent(tmp_path: Path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom zhidao.core.programs.child import start_child\n"
        "child = start_child(['/bin/sleep', '60'], log=Path(sys.argv[1]))\n"
        "while 'sleep' not in Path(f'/proc/{child.pid}/comm').read_text(): time.sleep(0.01)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")], stdout=subprocess.PIPE
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_refuses_root_sees_another_user(tmp_path: Path):
    identity = unprivileged_identity()
    child = start_child(["/usr/bin/id", "-u"], log=tmp_path / "log", identity=identity)
    assert child.wait(10) == 0
    assert (tmp_path / "log").read_text().strip() != "0"


def test_a_stubborn_child_is_killed_in_the_end(tmp_path: Path):
    script = "trap '' TERM; echo ready; while true; do sleep 1; done"
    child = start_child(["/bin/sh", "-c", script], log=tmp_path / "log")
    until_s = time.monotonic() + 30
    while "ready" not in (tmp_path / "log").read_text():
        assert time.monotonic() < until_s
        time.sleep(0.01)
    end_child(child, (signal.SIGTERM, signal.SIGKILL), timeout_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_strays_that_do_not_end_are_named():
    with pytest.raises(Unavailable, match=r"\[999999999\]"):
        end_strays(lambda: [999_999_999], (signal.SIGTERM,), timeout_s=0.05)
    end_strays(list, (signal.SIGTERM,), timeout_s=0.05)


def test_a_folder_is_held_once(tmp_path: Path):
    handle = hold_folder(tmp_path / "data")
    with pytest.raises(Refused, match="another node runs"):
        hold_folder(tmp_path / "data")
    os.close(handle)
    os.close(hold_folder(tmp_path / "data"))


def test_the_first_closed_folder_on_the_way_is_named(tmp_path: Path):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    (tmp_path / "a").chmod(0o700)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            assert unreachable_folder(inside) in (folder, *folder.parents)
            return
    assert unreachable_folder(inside) == tmp_path / "a"


def test_this_process_is_found_by_its_name():
    name = Path("/proc/self/comm").read_text().strip()
    assert str(os.getpid()) in {entry.name for entry in processes_named(name)}


def test_two_programs_that_ask_for_ports_get_different_ones_and_may_listen_on_them(
    monkeypatch: pytest.MonkeyPatch,
):
    # Forty ports in all, so that twenty of this process leave the other what it may not take.
    monkeypatch.setattr(programs, "_clients_lowest", lambda: programs._PORT_LOWEST + 40)
    here = {free_port() for _ in range(20)}
    script = (
        "from zhidao.core.programs import child\n"
        "child._clients_lowest = lambda: child._PORT_LOWEST + 40\n"
        "print(*(child.free_port() for _ in range(10)), flush=True)\n"
        "input()"
    )
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin
        assert other.stdout
        there = {int(word) for word in other.stdout.readline().split()}
        assert len(here) == 20
        assert len(there) == 10
        assert not here & there
        for port in sorted(here | there):
            # As asyncio, uvicorn, PostgreSQL and nats-server listen: with SO_REUSEADDR.
            socket.create_server(("127.0.0.1", port)).close()
        other.stdin.close()
