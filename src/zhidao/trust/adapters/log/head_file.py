"""A copy of the newest checkpoint in a file beside the database."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.files.bounded import read_kept
from zhidao.core.files.output import unwritable
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint


class FileHeadCopy:
    """Implements `HeadCopy` by an atomic rename; old or new whole, never a piece.

    One writer at a time, of this process or another: a lock on a file beside it is held from the
    look at what stands until the new head has its name. So a writer that was slow, or that another
    process has replaced, cannot put an older head in the place of a newer one.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        # What stood in the file when this process looked last: nobody else writes it while this
        # one holds the log's lease.
        self._kept: bytes | None = None

    async def newest(self) -> bytes | None:
        """The file's bytes, or None if there is no file."""
        if self._kept is not None:
            return self._kept
        try:
            return await asyncio.to_thread(read_kept, self._file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"cannot read {self._file}: {error}") from error

    async def keep(self, note: bytes) -> None:
        """Puts a head into the file, unless a larger one of the same log stands there."""
        self._kept = None
        try:
            self._kept = await asyncio.to_thread(self._keep, note)
        except OSError as error:
            raise unwritable(self._file, error) from error

    def _keep(self, note: bytes) -> bytes:
        """Returns what stands in the file afterwards."""
        folder = self._file.parent
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(
            self._file.with_name(self._file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stands = read_kept(self._file) if self._file.exists() else None
            if stands is not None and _is_smaller(note, stands):
                return stands
            self._replace(note)
        finally:
            os.close(lock)
        return note

    def _replace(self, note: bytes) -> None:
        """Writes beside, synchronises and renames."""
        # Under the lock nobody else writes it; what a killed process left is written over.
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


def _is_smaller(note: bytes, stands: bytes) -> bool:
    """Whether a head counts fewer leaves than the one that stands, of the same log."""
    new, old = _checkpoint(note), _checkpoint(stands)
    return new is not None and old is not None and new.origin == old.origin and new.size < old.size


def _checkpoint(note: bytes) -> Checkpoint | None:
    try:
        return parse_checkpoint(decode_note(note).text)
    except (MalformedInput, Refused):
        return None
