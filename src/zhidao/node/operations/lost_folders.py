"""Folders that a node which has run must have: one that is gone is not made anew and empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.files.bounded import read_kept
from zhidao.node.config import Config
from zhidao.node.operations.backup import HEAD_COPY
from zhidao.node.security.private_files import write_private

# A copy of the certificate that the node showed last, beside the folder that holds it and its key.
CERTIFICATE_COPY: Final = "certificate"
WITNESSED: Final = "log/witnessed"
LOST_DATABASE: Final = (
    "put the folder back from its newest copy, or restore the newest backup: zhidao restore FILE"
    " --data NEWFOLDER --live THISFOLDER; no empty database takes its place"
)
LOST_KEYS: Final = (
    "put the folder back from its newest copy, or import the newest export: zhidao keys import"
    " FILE; no new key is made in its place"
)

_LOST_CERTIFICATE: Final = (
    "put the folder back from its newest copy; if there is none, remove {copy}: the next start"
    " makes a new pair, and peers and browsers must be given the new certificate"
)


def keep_certificate(data: Path) -> None:
    """Notes which certificate the node shows, so that a lost one is known as lost."""
    shown, copy = data / "tls" / "certificate.pem", data / CERTIFICATE_COPY
    pem = read_kept(shown)
    if not copy.exists() or read_kept(copy) != pem:
        write_private(copy, pem)


def has_run(data: Path) -> bool:
    """Whether a node here has signed a head of its log, or witnessed one: a first start is over."""
    return any(_holds(data / name) for name in (HEAD_COPY, WITNESSED))


def lost_in(config: Config) -> Iterator[tuple[Path, str, str, str]]:
    """Folder, code, what was seen and the remedy of each that is gone; nothing before a node ran.

    A database elsewhere (`database.url`) is not looked at.
    """
    data = config.data
    yield from _lost_certificate(config)
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


def _lost_certificate(config: Config) -> Iterator[tuple[Path, str, str, str]]:
    copy = config.data / CERTIFICATE_COPY
    if config.text("http.tls") != "auto" or not copy.exists():
        return
    for name in ("certificate.pem", "key.pem"):
        file = config.data / "tls" / name
        if not file.exists():
            seen = "missing, though this node has shown the certificate that others know it by"
            yield file, "certificate_missing", seen, _LOST_CERTIFICATE.format(copy=copy)
            return


def refuse_lost(config: Config) -> None:
    """Raises Refused that names the first (`certificate_missing`, `key_missing` and so on).

    Makes nothing.
    """
    for folder, code, seen, remedy in lost_in(config):
        raise Refused(
            f"{folder} is {seen}; nothing was started",
            code=code,
            where=str(folder),
            remedy=remedy,
        )


def _holds(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
