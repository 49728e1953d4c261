"""Starting a program that dies with us, and under a name that it accepts.

A small Python start-up script sets the parent-death signal and the identity, then becomes the
program. It is a script and not a function run after fork, because this process may have threads.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.core.errors import Refused, Unavailable

# Runs with nothing but the standard library. A change of identity clears the parent-death signal
# (Linux kernel/cred.c, commit_creds), so that is set last; then the parent may be gone already.
_START: Final = """
import ctypes, os, sys
parent, death, kind, uid, gid, *argv = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
def check(answer, what):
    if answer != 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")
if kind == "namespace":
    me, group = os.geteuid(), os.getegid()
    check(libc.unshare(0x10000000), "no user namespace")
    with open("/proc/self/setgroups", "w") as file: file.write("deny")
    with open("/proc/self/uid_map", "w") as file: file.write(f"{uid} {me} 1")
    with open("/proc/self/gid_map", "w") as file: file.write(f"{gid} {group} 1")
elif kind == "setuid":
    os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
check(libc.prctl(1, int(death), 0, 0, 0), "prctl")
if os.getppid() != int(parent):
    sys.exit("the parent is gone")
os.execv(argv[0], argv)
"""


LOG_BYTES_MAX: Final = 8 * 1024 * 1024
_PORT_LOWEST: Final = 10_000
_PORT_HIGHEST: Final = 65_536
_HELD_COUNT: Final = 64
_HELD: Final[deque[socket.socket]] = deque()


@atexit.register
def _let_go() -> None:
    while _HELD:
        _HELD.pop().close()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a child is. `kind`: `keep`, `namespace` (seen as `uid` inside one) or `setuid`."""

    kind: str
    uid: int = 0
    gid: int = 0


KEEP: Final = Identity("keep")


def start_child(
    argv: Sequence[str],
    *,
    log: Path,
    identity: Identity = KEEP,
    death_signal: signal.Signals = signal.SIGTERM,
    environment: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own; it gets `death_signal` when this thread ends.

    Call it from the main thread: Linux sends the signal when the starting *thread* ends.
    Output is appended to `log`.
    """
    start = [sys.executable, "-I", "-S", "-c", _START, str(os.getpid()), str(int(death_signal))]
    who = [identity.kind, str(identity.uid), str(identity.gid)]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 (programs of our own choosing)
            [*start, *who, *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )


def bound_log(log: Path, bytes_max: int = LOG_BYTES_MAX) -> bool:
    """Keeps a log that another program appends to within a bound; says whether it was cut.

    A file that grew past `bytes_max` is copied to `<name>.1`, in the place of the one before, and
    emptied. What is written in between is lost; the program goes on without noticing.
    """
    try:
        if log.stat().st_size <= bytes_max:
            return False
        aside = log.with_name(f"{log.name}.new")
        shutil.copy2(log, aside)
        aside.replace(log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
    except FileNotFoundError:
        return False
    except OSError as error:
        # On a full disk there is no room for a copy: what is new counts more than what is old.
        if error.errno != errno.ENOSPC:
            raise
        log.with_name(f"{log.name}.new").unlink(missing_ok=True)
        os.truncate(log, 0)
    return True


def hold_folder(folder: Path) -> int:
    """Makes the folder (0700) and locks it for this process; close the handle to let go.

    Raises Refused with code `data_in_use` if another process holds it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Refused(
            f"another node runs on the data folder {folder}",
            code="data_in_use",
            remedy="stop it, or name another data folder",
        ) from error
    return handle


def end_child(
    child: subprocess.Popen[bytes], orders: Sequence[signal.Signals], *, timeout_s: float
) -> None:
    """Ends a child, sending the next order each time the time-out runs out."""
    for order in orders:
        if child.poll() is not None:
            return
        child.send_signal(order)
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            continue


def end_strays(
    find: Callable[[], Sequence[int]], orders: Sequence[signal.Signals], *, timeout_s: float
) -> None:
    """Ends processes that outlived their node; `find` names those still there.

    Raises Unavailable if some do not end.
    """
    left = find()
    for order in orders:
        until = time.monotonic() + timeout_s
        for pid in left:
            _send(pid, order)
        while left and time.monotonic() < until:
            time.sleep(0.02)
            left = find()
    if left:
        raise Unavailable(
            f"processes {list(left)} of an earlier node do not end",
            code="strays",
            remedy="end them by hand",
        )


def processes_named(name: str) -> list[Path]:
    """The /proc entries of processes whose command is `name`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() == name:
                    found.append(entry)
            except OSError:
                continue  # Ended meanwhile.
    return found


def _send(pid: int, order: signal.Signals) -> None:
    try:
        os.kill(pid, order)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A free TCP port of loopback for a program that keeps it over restarts.

    Below those that the kernel gives to clients: while the program is away, no connection may
    take its port, and no client that calls it may be connected to itself. Nobody else who asks
    here gets the same one, in this process or another, while this one is among the last that
    this process gave away.
    """
    while True:
        port = _PORT_LOWEST + secrets.randbelow(_clients_lowest() - _PORT_LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _hold(port)
        return port


def _hold(port: int) -> None:
    """Keeps a port from the next who asks, and open to the program that it was given to.

    Linux lets a program listen on a port that another has bound and does not listen on, if both
    set SO_REUSEADDR (socket(7)), as servers do; the probe of `free_port` does not, and is refused.
    Elsewhere the program would be refused too: nothing is held there.
    """
    if sys.platform != "linux":
        return
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()  # Taken within this instant: its program will say so.
        return
    if len(_HELD) == _HELD_COUNT:
        _HELD.popleft().close()
    _HELD.append(holder)


def _clients_lowest() -> int:
    """The lowest port that clients get; where that leaves too few, all ports are as good."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return _PORT_HIGHEST
    return lowest if lowest > 2 * _PORT_LOWEST else _PORT_HIGHEST


def unprivileged_identity() -> Identity:
    """How to run a program that refuses root and users without a passwd entry.

    Ordinary users stay who they are. Raises Unavailable if there is no way.
    """
    if os.geteuid() != 0 and _has_entry(os.geteuid()):
        return KEEP
    other = _ordinary_entry()
    inside = Identity("namespace", other.pw_uid, other.pw_gid)
    if _works(inside):
        return inside
    if os.geteuid() == 0:
        return Identity("setuid", other.pw_uid, other.pw_gid)
    raise Unavailable(
        f"user {os.geteuid()} has no passwd entry and user namespaces are switched off",
        code="no_identity",
        remedy="run as a user with an entry in /etc/passwd",
    )


def unreachable_folder(path: Path) -> Path | None:
    """The first folder on the way to `path` that other users may not pass, or None."""
    for folder in reversed([path, *path.parents]):
        if folder.is_dir() and not folder.stat().st_mode & 0o001:
            return folder
    return None


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _ordinary_entry() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise Unavailable("/etc/passwd names no user but root", code="no_identity")
    return others[0]


def _works(identity: Identity) -> bool:
    child = start_child(["/bin/true"], log=Path(os.devnull), identity=identity)
    return child.wait() == 0
