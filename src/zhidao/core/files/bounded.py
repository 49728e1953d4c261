"""What is read of a file that somebody gave: never more than its bound, whatever its size says.

A size is no promise: a pipe and a device tell none, and a file may grow between being measured and
being read. So one byte more than the bound is asked for, and its coming is the refusal.
"""

from __future__ import annotations

from pathlib import Path

from zhidao.core.errors import MalformedInput


def read_bounded(file: Path, *, bytes_max: int) -> bytes:
    """The bytes of a file. Raises OSError, MalformedInput (`file_too_large`) that names it."""
    with file.open("rb") as opened:
        data = opened.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise MalformedInput(
            f"{file.name} has more than {bytes_max} bytes",
            code="file_too_large",
            where=str(file),
            remedy="give another file, or a part of this one",
        )
    return data
