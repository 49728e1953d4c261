"""The embedded server of somebody else: whether it runs, and how its owner reaches it.

Backups and reports read the database of a node that serves. They need no lock: PostgreSQL lets
many read, and only whoever may read the data folder learns the password.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from urllib.parse import quote

from zhidao.store.embedded import DATABASE, USER

_SOCKET_NAME = ".s.PGSQL.5432"


def running_url(data: Path) -> str | None:
    """URL of the server that another process runs over the folder `data`, or None."""
    if not _is_held(data / "lock"):
        return None
    note = data / "socket"
    folder = Path(note.read_text()) if note.is_file() else data.resolve() / "run"
    if not (folder / _SOCKET_NAME).exists():
        return None
    password = quote((data / "password").read_text(), safe="")
    return (
        f"postgresql://{USER}:{password}@/{DATABASE}?host={quote(str(folder), safe='')}&port=5432"
    )


def _is_held(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
