"""A PostgreSQL of our own, started as any user including root, reachable by one socket only.

Layout of the data folder: `cluster/` (PGDATA), `password`, `lock` (held while we run), `socket`
(names the socket's folder), `server.log`. All of it is ours and closed to others.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.files.bounded import read_kept
from zhidao.core.programs.child import (
    Identity,
    end_child,
    end_strays,
    hold_folder,
    processes_named,
    start_child,
    unprivileged_identity,
    unreachable_folder,
)
from zhidao.store.binaries import find_binaries

USER: Final = "zhidao"
DATABASE: Final = "zhidao"
READY_S: Final = 60.0
STOP_S: Final = 20.0
# Linux: sun_path holds 108 bytes with its closing zero; the socket is named .s.PGSQL.5432.
_SOCKET_PATH_BYTES_MAX: Final = 107
_REFUSED_LOGIN: Final = "password authentication failed"
_SOCKET_NAME: Final = ".s.PGSQL.5432"

_PASSWORD_BYTES: Final = 32
# What so many bytes have in Base64 without padding.
PASSWORD_CHARACTERS: Final = 43

# Small and quiet: the whole node shall idle in 260 MB. io_method=sync saves three processes.
_SETTINGS: Final = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "max_worker_processes": "2",
    "max_parallel_workers": "2",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "huge_pages": "off",
    "jit": "off",
    "recovery_init_sync_method": "syncfs",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "cluster_name": "zhidao",
}


class EmbeddedPostgres:
    """One server over one data folder. Methods block; call them from the main thread."""

    def __init__(self, data: Path, *, identity: Identity | None = None) -> None:
        self._data = data.resolve()
        self._cluster = self._data / "cluster"
        self._log = self._data / "server.log"
        self._identity = identity
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it is our child."""
        return self._child.pid if self._child else None

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._log

    def start(self) -> str:
        """Starts the server, or starts it again, and returns its URL once it answers.

        Makes the cluster at first. Raises Refused (`data_in_use`) if another node holds the
        folder, the password is lost (`password_lost`) or the cluster's version
        (`cluster_damaged`), Unavailable with the end of the server's
        log if it does not come up.
        """
        if self.alive() and self._answers():
            return self._url(DATABASE)
        if (self._cluster / "PG_VERSION").is_file():
            self._password()
        elif self._cluster.is_dir() and any(self._cluster.iterdir()):
            raise Refused(
                "the database's folder has lost its file PG_VERSION",
                code="cluster_damaged",
                where=str(self._cluster / "PG_VERSION"),
                remedy="put the file back, or restore a backup into a new data folder"
                " (zhidao restore)",
            )
        if self._lock is None:
            self._lock = hold_folder(self._data)
        identity = self._identity = self._identity or unprivileged_identity()
        binaries = find_binaries(self._data.parent)
        self._make_reachable(identity, binaries)
        _end_leftovers(self._cluster, self._socket_folder())
        if not (self._cluster / "PG_VERSION").is_file():
            self._make_cluster(binaries, identity)
        self._launch(binaries, identity)
        self._await_ready()
        return self._url(DATABASE)

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """Shuts down cleanly: open transactions are rolled back, everything is on disk."""
        child, self._child = self._child, None
        if child:
            end_child(child, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), timeout_s=STOP_S)
        if self._lock is not None:
            self._remove_far_socket()
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Ends the server, also one that outlived its maker, and removes all that it kept.

        Raises Refused (`data_in_use`) if another process holds the folder.
        """
        self.stop()
        if not self._data.exists():
            return
        handle = hold_folder(self._data)
        try:
            self._identity = self._identity or unprivileged_identity()
            _end_leftovers(self._cluster, self._socket_folder())
            self._remove_far_socket()
            shutil.rmtree(self._data)
        finally:
            os.close(handle)

    def _make_reachable(self, identity: Identity, binaries: Path) -> None:
        """Checks what a server under another user must reach, and opens nothing itself."""
        if identity.kind != "setuid":
            return
        for path in (binaries, self._data.parent):
            closed = unreachable_folder(path)
            if closed:
                raise Unavailable(
                    f"the server runs as user {identity.uid}, who cannot pass the folder {closed}",
                    code="unreachable_folder",
                    remedy="keep data and installation in folders that others may enter (such as"
                    " /var/lib and /opt), or allow user namespaces, or do not run as root",
                )
        self._own(self._data, identity)

    def _own(self, path: Path, identity: Identity) -> None:
        if identity.kind == "setuid":
            os.chown(path, identity.uid, identity.gid)

    def _make_cluster(self, binaries: Path, identity: Identity) -> None:
        password_file = self._data / "password"
        if not password_file.is_file():
            _write_private(password_file, secrets.token_urlsafe(_PASSWORD_BYTES))
        self._own(password_file, identity)
        aside = self._data / "cluster.new"
        if aside.exists():
            shutil.rmtree(aside)
        argv = [
            *(str(binaries / "initdb"), "--pgdata", str(aside), "--username", USER),
            *("--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *("--sync-method", "syncfs", "--no-instructions"),
        ]
        child = start_child(argv, log=self._log, identity=identity, environment=_environment())
        if child.wait(READY_S) != 0:
            raise self._failed("initdb failed")
        # Renamed when complete: a cluster that was half made never bears the name.
        aside.rename(self._cluster)

    def _launch(self, binaries: Path, identity: Identity) -> None:
        settings = _SETTINGS | {"unix_socket_directories": str(self._socket_folder())}
        argv = [str(binaries / "postgres"), "-D", str(self._cluster)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self._child = start_child(
            argv,
            log=self._log,
            identity=identity,
            death_signal=signal.SIGINT,
            environment=_environment(),
        )

    def _await_ready(self) -> None:
        assert self._child is not None
        socket = self._socket_folder() / _SOCKET_NAME
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise self._failed(f"the database server ended with {self._child.returncode}")
            if socket.exists():
                try:
                    self._make_database()
                except psycopg.OperationalError as error:
                    # Else it is still recovering: it refuses until it is consistent.
                    if _REFUSED_LOGIN in str(error):
                        self.stop()
                        raise self._lost_password("another one than the database's") from error
                else:
                    return
            time.sleep(0.01)
        self.stop()
        raise self._failed(f"the database server did not answer within {READY_S:.0f} s")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=5) as link:
            found = link.execute("select 1 from pg_database where datname = %s", (DATABASE,))
            if found.fetchone() is None:
                link.execute(f"create database {DATABASE}".encode())

    def _password(self) -> str:
        """The superuser's password. Raises Refused for a file that says nothing."""
        return password_in(self._data)

    def _lost_password(self, what: str) -> Refused:
        return _lost_password(self._data, what)

    def _url(self, database: str) -> str:
        password = self._password()
        folder = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{USER}:{quote(password, safe='')}@/{database}?host={folder}&port=5432"

    def _socket_folder(self) -> Path:
        """`run/` in the data folder; a private folder in /tmp where that path is too long."""
        near = self._data / "run"
        assert self._identity is not None
        if len(os.fsencode(near / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES_MAX:
            near.mkdir(mode=0o700, exist_ok=True)
            self._own(near, self._identity)
            return near
        note = self._data / "socket"
        far = Path(note.read_text()) if note.is_file() else None
        if far is None or not _is_private(far, self._identity):
            far = Path(tempfile.mkdtemp(prefix="zhidao-", dir="/tmp"))
            self._own(far, self._identity)
            _write_private(note, str(far))
        return far

    def _remove_far_socket(self) -> None:
        note = self._data / "socket"
        if note.is_file():
            shutil.rmtree(note.read_text(), ignore_errors=True)
            note.unlink()

    def _failed(self, what: str) -> Unavailable:
        tail = self._log.read_bytes()[-1500:].decode(errors="replace") if self._log.exists() else ""
        full = "No space left" in tail
        remedy = "free space on this disk" if full else "read the log and start again"
        if "error while loading shared libraries" in tail:
            remedy = "zhidao doctor says which libraries are missing and what to install"
        return Unavailable(
            f"{what}; its log ends: {tail.strip()}",
            code="disk_full" if full else "database_unavailable",
            where=str(self._log),
            remedy=remedy,
        )


# More than anybody would write there.
_PASSWORD_FILE_BYTES: Final = 1024


def password_in(data: Path) -> str:
    """The superuser's password. Raises Refused (`password_lost`) for a file that says nothing."""
    try:
        password = (
            read_kept(data / "password", bytes_max=_PASSWORD_FILE_BYTES).decode("ascii").strip()
        )
    except (OSError, UnicodeDecodeError):
        password = ""
    if len(password) < PASSWORD_CHARACTERS:
        raise _lost_password(data, "empty, damaged or not there")
    return password


def _lost_password(data: Path, what: str) -> Refused:
    return Refused(
        f"the database's password is lost: what its file says is {what}",
        code="password_lost",
        where=str(data / "password"),
        remedy="put the file back, or restore a backup into a new data folder (zhidao restore)",
    )


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables would change what the server does."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _is_private(folder: Path, identity: Identity) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    owner = identity.uid if identity.kind == "setuid" else os.geteuid()
    return folder.is_dir() and status.st_uid == owner and status.st_mode & 0o777 == 0o700


def _end_leftovers(cluster: Path, socket_folder: Path) -> None:
    """Ends servers that outlived their node on this very cluster, and removes stale pid files.

    We hold the folder's lock, so nobody else may run there. Every server process has the cluster
    as its working directory; a pid alone proves nothing, since another program may bear it now,
    or a killed server's parent may not have collected it yet. The server itself goes by the pid,
    and would not start.
    """

    def find() -> list[int]:
        return [int(entry.name) for entry in processes_named("postgres") if _is_in(entry, cluster)]

    end_strays(find, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), timeout_s=5.0)
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    (socket_folder / f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)


def _is_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False  # Ended meanwhile, or another user's.
