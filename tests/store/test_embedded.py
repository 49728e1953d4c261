from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.programs.child import Identity, unprivileged_identity, unreachable_folder
from zhidao.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.service
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
# Root may work in a folder of its own, and then nobody else can run what is installed there.
entered = pytest.mark.skipif(
    unreachable_folder(Path(sys.prefix)) is not None,
    reason=f"others may not enter {unreachable_folder(Path(sys.prefix))}, where this is installed",
)

NODE = """
import sys, time
from pathlib import Path
from zhidao.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(tmp_path / "pg")
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="zhidao-open-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as link:
        row = link.execute(question.encode()).fetchone()
    return row[0] if row else None


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()


def test_kill_9_loses_no_committed_row(server: EmbeddedPostgres):
    url = server.start()
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("create table kept (n int primary key)")
    for blow in range(3):
        with psycopg.connect(url) as link:
            link.execute(
                "insert into kept select generate_series(%s::int, %s::int)",
                (blow * 20_000, blow * 20_000 + 19_999),
            )
            link.commit()
            link.execute("insert into kept values (-1)")
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            time.sleep(0.2)
            with pytest.raises(psycopg.OperationalError):
                link.commit()
        assert server.start() == url
        assert ask(url, "select count(*) from kept") == (blow + 1) * 20_000
    assert ask(url, "select count(*) from kept where n < 0") == 0


def test_stale_pid_files_with_a_foreign_process_are_no_obstacle(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "pg")
    folder = Path(str(conninfo_to_dict(server.start())["host"]))
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert server._child is not None
    server._child.wait()
    # The number now belongs to a living program that is no server: the parent of this test.
    lock = folder / ".s.PGSQL.5432.lock"
    for file in (tmp_path / "pg" / "cluster" / "postmaster.pid", lock):
        lines = file.read_text().splitlines()
        file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    os.close(server._lock or -1)
    again = EmbeddedPostgres(tmp_path / "pg")
    try:
        assert ask(again.start(), "select 1") == 1
    finally:
        again.stop()


def test_the_server_dies_with_its_node_and_the_next_node_takes_over(tmp_path: Path):
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, str(tmp_path / "pg")], stdout=subprocess.PIPE, text=True
    )
    assert node.stdout
    url, pid = node.stdout.readline().strip(), int(node.stdout.readline())
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("create table kept as select generate_series(1, 1000)")
    node.kill()
    node.wait()
    node.stdout.close()
    # No waiting here: the next node has to cope with a server that is still shutting down.
    server = EmbeddedPostgres(tmp_path / "pg")
    try:
        assert ask(server.start(), "select count(*) from kept") == 1000
        assert gone(pid)
    finally:
        server.stop()


def test_a_second_node_on_the_same_folder_is_refused(server: EmbeddedPostgres, tmp_path: Path):
    with pytest.raises(Refused) as caught:
        EmbeddedPostgres(tmp_path / "pg").start()
    assert caught.value.code == "data_in_use"
    assert server.alive()


def test_nobody_enters_without_the_password_and_nothing_listens_on_tcp(
    server: EmbeddedPostgres, tmp_path: Path
):
    url = server.start()
    wrong = make_conninfo(**(conninfo_to_dict(url) | {"password": "guess"}))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    assert ask(url, "show listen_addresses") == ""
    assert ask(url, "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolcanlogin")
    for name, mode in (("", 0o700), ("run", 0o700), ("password", 0o600), ("cluster", 0o700)):
        assert stat.S_IMODE((tmp_path / "pg" / name).stat().st_mode) == mode, name


def test_text_sorts_by_code_point_and_pages_bear_checksums(server: EmbeddedPostgres):
    url = server.start()
    assert ask(url, "select datcollate || datlocale from pg_database where datname = 'zhidao'")
    assert ask(url, "select string_agg(t, '' order by t) from unnest('{a,B,é,道}'::text[]) t") == (
        "Baé道"
    )
    assert ask(url, "show data_checksums") == "on"


def test_a_path_too_long_for_a_socket_gets_one_elsewhere(tmp_path: Path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    server = EmbeddedPostgres(deep / "pg")
    try:
        url = server.start()
        folder = Path(str(conninfo_to_dict(url)["host"]))
        assert folder.parent == Path("/tmp")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert ask(url, "select 1") == 1
    finally:
        server.stop()
    assert not folder.exists()


def test_a_half_made_cluster_is_made_anew(tmp_path: Path):
    left = tmp_path / "pg" / "cluster.new"
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path / "pg")
    try:
        assert ask(server.start(), "select 1") == 1
    finally:
        server.stop()


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "pg")
    server.start()
    server.stop()
    (tmp_path / "pg" / "cluster" / "global" / "pg_control").write_bytes(b"garbage")
    try:
        with pytest.raises(Unavailable, match="its log ends") as caught:
            server.start()
        assert caught.value.where.endswith("server.log")
        assert not server.alive()
    finally:
        server.stop()


def pss_kb(pid: str) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # A worker that ended meanwhile.
    return sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def test_the_idle_server_is_small(server: EmbeddedPostgres):
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    assert len(children) >= 4
    total_kb = sum(map(pss_kb, (str(server.pid), *children)))
    assert total_kb < 45_000, f"{total_kb} kB in {len(children) + 1} processes"


def test_an_ordinary_user_needs_no_namespace():
    if os.geteuid() == 0:
        assert unprivileged_identity().kind in ("namespace", "setuid")
    else:
        assert unprivileged_identity().kind == "keep"


@as_root
@entered
def test_an_ordinary_user_runs_the_server(open_folder: Path):
    os.chown(open_folder, NOBODY, NOBODY)
    # The capability only lets that user read this Python where it lies in a closed home.
    become = [
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    ]
    node = subprocess.Popen(
        [*become, sys.executable, "-c", NODE, str(open_folder / "pg")],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    assert node.stdout
    url, pid = node.stdout.readline().strip(), int(node.stdout.readline())
    assert ask(url, "select 1") == 1
    assert Path(f"/proc/{pid}").stat().st_uid == NOBODY
    node.kill()
    node.wait()
    node.stdout.close()
    assert gone(pid)


@as_root
@entered
def test_without_namespaces_root_hands_the_server_to_nobody(open_folder: Path):
    before = stat.S_IMODE(open_folder.stat().st_mode)
    server = EmbeddedPostgres(open_folder / "pg", identity=Identity("setuid", NOBODY, NOBODY))
    try:
        url = server.start()
        assert ask(url, "select 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.1)
        assert ask(server.start(), "select 1") == 1
    finally:
        server.stop()
    assert stat.S_IMODE(open_folder.stat().st_mode) == before


@as_root
@entered
def test_a_closed_folder_on_the_way_is_named_and_not_opened(open_folder: Path):
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "pg", identity=Identity("setuid", NOBODY, NOBODY))
    with pytest.raises(Unavailable, match=str(closed)):
        server.start()
    server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.parametrize("spoiled", [b"", b"\xff\xfe", b"another one"])
def test_a_lost_password_is_told_at_once_by_its_file(tmp_path: Path, spoiled: bytes):
    data = tmp_path / "data"
    server = EmbeddedPostgres(data)
    server.start()
    server.stop()
    file = data / "password"
    before = file.read_bytes()
    file.write_bytes(spoiled)
    started = time.monotonic()
    with pytest.raises(Refused) as told:
        EmbeddedPostgres(data).start()
    assert time.monotonic() - started < 30
    assert (told.value.code, told.value.where) == ("password_lost", str(file))
    assert file.read_bytes() == spoiled
    file.write_bytes(before)
    again = EmbeddedPostgres(data)
    again.start()
    again.stop()
