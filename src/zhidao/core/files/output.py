"""Where a result goes: a file is replaced whole by one rename, anything else is written into.

A device, a pipe or a link stands for something else; a rename onto it would put a file in its
place (as root, also in place of the machine's null device). So a link is followed first, and only
what is a file, or nothing yet, is ever renamed over.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from zhidao.core.errors import MalformedInput, Refused, Unavailable

PRIVATE: Final = 0o600
_FOLDER_MODE: Final = 0o755
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def written(output: Path, *, mode: int | None = None, new: bool = False) -> Iterator[BinaryIO]:
    """A stream whose bytes stand in `output` when the block ends well, and not at all otherwise.

    `mode`: permissions of the file (None: what the person's umask says). `new`: raises Refused
    (`file_exists`) where anything stands already, a link to nowhere too. Into a device or a pipe
    the bytes go as they come. Raises MalformedInput where nothing can be written, Unavailable
    (`disk_full`).
    """
    with _told(output):
        target = _target(output, new=new)
        if _is_replaced(target):
            with _beside(target, mode, new=new) as file:
                yield file
            return
        with target.open("wb") as file:
            yield file


@contextmanager
def _told(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(
                "the disk is full; nothing was written",
                code="disk_full",
                where=str(output),
                remedy="free space or name another disk",
            ) from error
        raise MalformedInput(
            f"{output} cannot be written: {error.strerror or error}",
            code="file_unusable",
            remedy="name a file in a folder where you may write",
        ) from error


def unwritable(file: Path, error: OSError) -> Unavailable:
    """Why a file that the node keeps for itself could not be written: `disk_full` only if it is."""
    if error.errno in _FULL:
        return Unavailable(
            f"the disk is full: {file} was not written", code="disk_full", where=str(file)
        )
    return Unavailable(
        f"cannot write {file}: {error.strerror or error}",
        code="file_not_written",
        where=str(file),
        remedy="look at the folder's owner, mode and disk; then try again",
    )


def write_whole(output: Path, data: bytes, *, mode: int | None = None, new: bool = False) -> None:
    """Writes a result that is in memory; see `written`."""
    with written(output, mode=mode, new=new) as file:
        file.write(data)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes a new folder of files, all of them or none; a name may have a folder of its own in it.

    Raises MalformedInput where nothing can be written or something stands, Unavailable
    (`disk_full`).
    """
    target = folder.absolute()
    with _told(folder):
        # Under a name that nobody looks for, until all of it is there.
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            for name, data in files.items():
                (aside / name).parent.mkdir(exist_ok=True)
                with (aside / name).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            aside.chmod(_FOLDER_MODE)
            aside.rename(target)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        _sync_folder(target.parent)


def _target(output: Path, *, new: bool) -> Path:
    """The name at the end of all links. Raises MalformedInput without a folder around it."""
    if new and os.path.lexists(output):
        raise _stands(output)
    try:
        target = output.resolve()
    except RuntimeError as error:  # A circle of links, told so before Python 3.13.
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
    if not target.parent.is_dir():
        raise MalformedInput(
            f"no folder {output.parent}", code="no_folder", remedy="create it first"
        )
    return target


def _is_replaced(target: Path) -> bool:
    try:
        kind = target.lstat().st_mode
    except FileNotFoundError:
        return True
    if stat.S_ISDIR(kind):
        raise MalformedInput(
            f"{target} is a folder, not a file", code="is_folder", remedy="name a file in it"
        )
    if stat.S_ISLNK(kind):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return stat.S_ISREG(kind)


@contextmanager
def _beside(target: Path, mode: int | None, *, new: bool) -> Iterator[BinaryIO]:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:200]}.")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(_ordinary() if mode is None else mode)
        _place(aside, target, new=new)
        _sync_folder(target.parent)
    finally:
        aside.unlink(missing_ok=True)


def _place(aside: Path, target: Path, *, new: bool) -> None:
    if not new:
        aside.replace(target)
        return
    # A rename would take the place of what somebody wrote there meanwhile; a second name does not.
    try:
        target.hardlink_to(aside)
    except FileExistsError as error:
        raise _stands(target) from error


def _stands(output: Path) -> Refused:
    return Refused(
        f"{output} stands already", code="file_exists", remedy="name a new file or remove it"
    )


def _ordinary() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
