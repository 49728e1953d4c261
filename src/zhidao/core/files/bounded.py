"""What is read of a file that somebody gave: never more than its bound, whatever its size says.

A size is no promise: a pipe and a device tell none, and a file may grow between being measured and
being read. So one byte more than the bound is asked for, and its coming is the refusal.

A file that the program itself keeps is a regular file, and anything in its place is a mistake or a
trap: opening a pipe waits for somebody to write to it, and a device may have no end.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from zhidao.core.errors import MalformedInput

# More than any file that the program keeps for itself and reads whole.
KEPT_BYTES_MAX: Final = 16 * 1024 * 1024
# How long a pipe is waited for that nobody opened to write, and how often it is looked at: who
# starts both ends together is there within moments, and a wrong name wants its answer soon.
WRITER_S: Final = 3.0
_LOOK_MS: Final = 200
_PIECE_BYTES: Final = 64 * 1024
# How long who holds a pipe may say nothing.
SILENT_S: Final = 60.0
_KINDS: Final = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


def open_given(file: Path) -> BinaryIO:
    """Opens a file, pipe or device that somebody named. Raises OSError.

    A pipe, also the shell's `<(...)`, is read while somebody writes to it; raises MalformedInput
    (`nobody_writes`) where nobody opens it within 3 seconds, and where whoever holds it says
    nothing for 60, at the beginning or, while it is read, between two pieces.
    """
    opened = _Given(str(file), opener=_without_waiting)
    try:
        if stat.S_ISFIFO(os.fstat(opened.fileno()).st_mode):
            opened.head = _first_written(opened.fileno(), file)
            opened.pipe = file
        os.set_blocking(opened.fileno(), True)
    except BaseException:
        opened.close()
        raise
    return BufferedReader(opened)


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)


class _Given(FileIO):
    """A file of which the first bytes were read already; a pipe is waited for by the clock."""

    head = b""
    pipe: Path | None = None

    def readinto(self, buffer: Any) -> int | None:
        if not self.head:
            if self.pipe:
                _await_piece(self.fileno(), self.pipe)
            return super().readinto(buffer)
        place = memoryview(buffer).cast("B")
        count = min(len(place), len(self.head))
        place[:count], self.head = self.head[:count], self.head[count:]
        return count

    def readall(self) -> bytes:
        # The one of a file goes by the handle, and would miss the first bytes.
        data, buffer = bytearray(), bytearray(_PIECE_BYTES)
        while count := self.readinto(buffer):
            data += buffer[:count]
        return bytes(data)


def _await_piece(handle: int, file: Path) -> None:
    """Waits for more of a pipe, or for its end."""
    ready = select.poll()
    ready.register(handle, select.POLLIN)
    if not ready.poll(SILENT_S * 1_000):
        raise _no_file(file, f"whoever holds it wrote nothing for {SILENT_S:.0f} s")


def _first_written(handle: int, file: Path) -> bytes:
    """Waits for who writes to a pipe; the bytes that had to be read to see that there is one."""
    ready = select.poll()
    ready.register(handle, select.POLLIN)
    until_s = time.monotonic() + WRITER_S
    while not ready.poll(_LOOK_MS):
        try:
            if head := os.read(handle, 1):
                return head
        except BlockingIOError:
            return b""  # Somebody holds it open, and has nothing to say yet.
        if time.monotonic() > until_s:
            raise _no_file(file, f"nobody wrote to it within {WRITER_S:.0f} s")
    return b""


def _no_file(file: Path, why: str) -> MalformedInput:
    return MalformedInput(
        f"{file} is a named pipe, not a file, and {why}",
        code="nobody_writes",
        remedy="name a file, or a pipe that a program writes to",
    )


def other_kind(mode: int) -> str:
    """What something is that is no regular file, by its `st_mode`; empty for one that is."""
    if stat.S_ISREG(mode):
        return ""
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")


def read_kept(file: Path, *, bytes_max: int = KEPT_BYTES_MAX) -> bytes:
    """The bytes of a regular file that the program keeps; waits for nobody to write to it.

    Raises OSError, also for anything that is no regular file and for more bytes.
    """
    with BufferedReader(FileIO(str(file), opener=_without_waiting)) as opened:
        if kind := other_kind(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(file))
        data = opened.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise OSError(errno.EFBIG, f"it has more than {bytes_max} bytes", str(file))
    return data


def odd_files(folder: Path, *, but: frozenset[Path] = frozenset()) -> Iterator[tuple[Path, str]]:
    """What below a folder is neither a file nor a folder, links followed, and what it is instead.

    but: folders that are not looked into. Nothing is opened.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            file = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if file not in but:
                    yield from odd_files(file, but=but)
            elif not entry.is_file() and not entry.is_dir():
                # What went meanwhile and a link to nothing are told by who misses them.
                with suppress(FileNotFoundError):
                    yield file, other_kind(entry.stat().st_mode)


def read_bounded(file: Path, *, bytes_max: int) -> bytes:
    """The bytes of a file. Raises OSError, MalformedInput (`file_too_large`) that names it."""
    with open_given(file) as opened:
        data = opened.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise MalformedInput(
            f"{file.name} has more than {bytes_max} bytes",
            code="file_too_large",
            where=str(file),
            remedy="give another file, or a part of this one",
        )
    return data
