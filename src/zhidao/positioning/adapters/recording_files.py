"""Recordings on a disk: looked at by their first bytes, and read part after part."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import open_given
from zhidao.positioning.service.by_parts import ObservationFile
from zhidao.positioning.service.recordings import Kept
from zhidao.positioning.wire.recognition import FileKind, kind_of

# What is no observation file is read whole: SP3, CLK and navigation of days, logs of receivers.
FILE_BYTES_MAX: Final = 512 * 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
# As much as the kind of a file is told by.
_HEAD_BYTES: Final = 65_536
Step = Callable[[int], None]


def recording_of(path: Path, *, step: Step = lambda _: None) -> tuple[str, Kept]:
    """The file's name and bytes, or how it is opened where it holds RINEX observations.

    step: told how many bytes were read, each time some were. Raises MalformedInput if the file is
    not there, a folder, not readable, of no known kind, or too large to be read whole.
    """
    try:
        told = path.stat()
        if stat.S_ISDIR(told.st_mode):
            raise MalformedInput(f"{path} is a folder, not a file")
        with open_given(path) as file:
            head = file.read(_HEAD_BYTES)
            observations = _kind(head, path) is FileKind.OBSERVATIONS
            # A pipe is read once only, and so whole.
            if observations and stat.S_ISREG(told.st_mode):
                opened = partial(_chunks, path, step)
                return str(path), ObservationFile(str(path), opened, told.st_size)
            data = head + file.read(FILE_BYTES_MAX + 1 - len(head))
        if len(data) > FILE_BYTES_MAX:
            raise MalformedInput(f"{path} has more than {FILE_BYTES_MAX} bytes")
        step(len(data))
        if observations:
            return str(path), ObservationFile(str(path), lambda: (data,), len(data))
        return str(path), data
    except FileNotFoundError as error:
        raise MalformedInput(f"no file {path}", code="no_file") from error
    except OSError as error:
        raise MalformedInput(f"{path} cannot be read: {error.strerror}") from error


def _kind(head: bytes, path: Path) -> FileKind:
    try:
        return kind_of(head)
    except MalformedInput as error:
        error.where = str(path)
        raise


def _chunks(path: Path, step: Step) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            step(len(chunk))
            yield chunk
