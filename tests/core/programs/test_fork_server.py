"""A program is started by a server of forks: whoever asks goes on meanwhile."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from zhidao.core.programs.fork_server import prepare, start_program

SAYS = (
    "import os,sys; print(os.getcwd(), sorted(os.environ), os.getsid(0)==os.getpid(), flush=True)"
)


def test_the_program_has_its_own_place_environment_and_line():
    process, link = start_program((sys.executable, "-c", SAYS + "; sys.stdin.read()"), {"A": "1"})
    with link, link.makefile() as told:
        cwd, *rest = told.readline().split(maxsplit=1)
        assert cwd == "/"
        assert rest[0].strip().endswith("True")
        assert "'A'" in rest[0]
        assert "HOME" not in rest[0]
        assert Path(f"/proc/{process.pid}/fd/2").readlink() == Path(os.devnull)
        fds = [each.name for each in Path(f"/proc/{process.pid}/fd").iterdir()]
        # Nothing else of ours is open there.
        assert {int(fd) for fd in fds} == {0, 1, 2}
    process.join(20)
    assert process.exitcode == 0


def test_a_program_that_cannot_be_started_ends_with_an_error():
    process, link = start_program(("/nowhere/at/all",), {})
    with link:
        assert link.recv(1) == b""
    process.join(20)
    assert process.exitcode not in (0, None)


def test_whoever_starts_one_in_a_thread_goes_on_meanwhile():
    prepare()
    process, link = start_program((sys.executable, "-c", "input()"), {})
    server = _server_of(process)
    made = []
    words = (sys.executable, "-c", "input()")
    thread = threading.Thread(target=lambda: made.append(start_program(words, {})))
    # A server that gets no processor for a while, as on a busy machine.
    os.kill(server, signal.SIGSTOP)
    try:
        thread.start()
        thread.join(0.3)
        assert made == []  # It waits, and this thread went on.
    finally:
        os.kill(server, signal.SIGCONT)
    thread.join(20)
    for each, line in [(process, link), *made]:
        with line:
            each.kill()
            each.join(20)
        assert each.exitcode == -signal.SIGKILL
    assert len(made) == 1


def _server_of(process) -> int:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])
