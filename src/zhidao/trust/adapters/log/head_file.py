"""The copy of the log's newest checkpoint in a file beside the database."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from zhidao.core.errors import Unavailable


class FileHeadCopy:
    """Implements `HeadCopy` by an atomic rename; old or new whole, never a piece."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # What this process wrote last: nobody else writes the file while it runs.
        self._kept: bytes | None = None

    async def newest(self) -> bytes | None:
        """The file's bytes, or None if there is no file."""
        if self._kept is not None:
            return self._kept
        try:
            return await asyncio.to_thread(self._file.read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"cannot read {self._file}: {error}") from error

    async def keep(self, note: bytes) -> None:
        """Writes beside, synchronises and renames."""
        self._kept = None
        try:
            await asyncio.to_thread(self._replace, note)
        except OSError as error:
            raise Unavailable(f"cannot write {self._file}: {error}", code="disk_full") from error
        self._kept = note

    def _replace(self, note: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_name(self._file.name + ".new")
        with beside.open("wb") as out:
            out.write(note)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
