"""Folders that a node which has run must have: one that is gone is not made anew and empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zhidao.core.errors import Refused
from zhidao.node.config import Config
from zhidao.node.operations.backup import HEAD_COPY

WITNESSED: Final = "log/witnessed"
LOST_DATABASE: Final = (
    "put the folder back from its newest copy, or restore the newest backup: zhidao restore FILE"
    " --data NEWFOLDER --live THISFOLDER; no empty database takes its place"
)
LOST_KEYS: Final = (
    "put the folder back from its newest copy, or import the newest export: zhidao keys import"
    " FILE; no new key is made in its place"
)


def has_run(data: Path) -> bool:
    """Whether a node here has signed a head of its log, or witnessed one: a first start is over."""
    return any(_holds(data / name) for name in (HEAD_COPY, WITNESSED))


def lost_in(config: Config) -> Iterator[tuple[Path, str, str, str]]:
    """Folder, code, what was seen and the remedy of each that is gone; nothing before a node ran.

    A database elsewhere (`database.url`) is not looked at.
    """
    data = config.data
    if not has_run(data):
        return
    keys = data / "keys"
    if not (keys / "vault.json").exists() and not any(keys.glob("*.key")):
        seen = "missing or without a key, though a node has run here"
        yield keys, "key_missing", seen, LOST_KEYS
    cluster = data / "postgres" / "cluster"
    if not config.text("database.url") and not cluster.is_dir():
        seen = "missing, though the log of this node has been signed"
        yield cluster, "database_missing", seen, LOST_DATABASE


def refuse_lost(config: Config) -> None:
    """Raises Refused (`key_missing`, `database_missing`) that names the first; makes nothing."""
    for folder, code, seen, remedy in lost_in(config):
        raise Refused(
            f"{folder} is {seen}; nothing was started",
            code=code,
            where=str(folder),
            remedy=remedy,
        )


def _holds(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
