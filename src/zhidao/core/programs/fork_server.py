"""Programs started from a small process that waits for such orders, so that nobody else waits.

Whoever forks and executes holds its own interpreter until the new program runs, in whichever thread
it does so: on a busy machine that is half a second in which a node answers nobody. A server of
forks (`multiprocessing.forkserver`) is told what to start and the caller goes on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from typing import Final

FROM_SERVER: Final = get_context("forkserver")
# What a child needs it imports itself: the server has nothing of ours in its memory.
FROM_SERVER.set_forkserver_preload([])


def prepare() -> None:
    """Starts the server of forks; before an event loop runs, or the first start waits for it."""
    forkserver.ensure_running()


def start_program(
    words: Sequence[str], environment: Mapping[str, str]
) -> tuple[BaseProcess, socket.socket]:
    """A program with a socket as its standard input and output, in a session of its own.

    It runs in the root folder, sees this environment only, and says nothing on standard error.
    Blocks until it was forked, without the interpreter's lock: call it in a thread.
    """
    mine, theirs = socket.socketpair()
    process = FROM_SERVER.Process(
        target=_become, args=(theirs, tuple(words), dict(environment)), daemon=True, name=words[0]
    )
    try:
        process.start()
    except BaseException:
        mine.close()
        raise
    finally:
        theirs.close()
    return process, mine


def _become(link: socket.socket, words: tuple[str, ...], environment: dict[str, str]) -> None:
    os.setsid()
    os.chdir("/")
    os.dup2(link.fileno(), 0)
    os.dup2(link.fileno(), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    # What came over the server's socket would live through the execution.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.execve(words[0], words, environment)  # noqa: S606 (programs of our own choosing)
