"""Files that nobody but their owner may read: written whole, and passphrases read from them."""

from __future__ import annotations

import os
from pathlib import Path

from zhidao.core.errors import Refused


def write_private(file: Path, data: bytes) -> None:
    """Writes a whole file of mode 0600 or nothing; durable when it returns."""
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(file)
    sync_folder(file.parent)


def sync_folder(path: Path) -> None:
    """Makes durable which files a folder holds."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_passphrase(file: str, data: Path, credentials: str) -> bytes | None:
    """The passphrase from a systemd credential or a 0600 file; None if neither is given.

    Raises Refused if the file is readable by others or lies inside the data folder.
    """
    if credentials and (Path(credentials) / "zhidao-passphrase").exists():
        return (Path(credentials) / "zhidao-passphrase").read_bytes().strip()
    if not file:
        return None
    path = Path(file).expanduser().absolute()
    if path.is_relative_to(data):
        raise Refused(f"{path} lies in the data folder", remedy="a copy of one must not open it")
    if path.stat().st_mode & 0o077:
        raise Refused(f"others may read {path}", remedy=f"chmod 600 {path}")
    return path.read_bytes().strip()
