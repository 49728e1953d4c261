"""Files that commands take, and results that they write: whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from zhidao.core.errors import MalformedInput

T = TypeVar("T")


def put(data: bytes, output: Path | None) -> None:
    """Writes to a file by one rename, or to standard output where there is none.

    Whatever stood in the file stays until the new content is on disk.
    Raises MalformedInput where the folder does not exist.
    """
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    if not output.parent.is_dir():
        raise MalformedInput(f"no folder {output.parent}", remedy="create it first")
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A new file is as readable as the person's own umask says, not as private as a secret.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    print(f"{output}: {len(data)} bytes", file=sys.stderr)


def take(file: Path, *, bytes_max: int) -> bytes:
    """The bytes of a file. Raises MalformedInput if it is not there, not readable or larger."""
    try:
        if file.is_dir():
            raise MalformedInput(f"{file} is a folder, not a file")
        if file.stat().st_size > bytes_max:
            raise MalformedInput(f"{file} has more than {bytes_max} bytes")
        return file.read_bytes()
    except FileNotFoundError as error:
        raise MalformedInput(f"no file {file}", code="no_file") from error
    except OSError as error:
        raise MalformedInput(f"{file} cannot be read: {error.strerror}") from error


def taken_as(read: Callable[[bytes], T], file: Path, *, bytes_max: int) -> T:
    """What a reader makes of a file. Raises MalformedInput that names the file beside the place."""
    data = take(file, bytes_max=bytes_max)
    try:
        return read(data)
    except MalformedInput as error:
        error.where = f"{file} {error.where}".strip()
        raise
