"""Files that commands take, and results that they write: whole or not at all."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.files.bounded import open_given
from zhidao.core.files.output import write_whole
from zhidao.core.hosts.shown import escaped

T = TypeVar("T")


# The files that the running command took as its input, the last one last.
_TAKEN: Final[list[Path]] = []
# What it read to reach a node and to be known there, such as a profile: no input is in it.
_BESIDE: Final[list[Path]] = []
# The addresses of the JSON answers that it got, the last one last.
_HEARD: Final[list[str]] = []
# This folder's parent: the modules that print.
_PRINTING: Final = str(Path(__file__).parents[1]) + os.sep
_PACKAGE: Final = str(Path(__file__).parents[2]) + os.sep


def forget_taken() -> None:
    """Begins a command."""
    _TAKEN.clear()
    _BESIDE.clear()
    _HEARD.clear()


def note_heard(url: str) -> None:
    """Says that what follows rests on a JSON answer from there."""
    _HEARD.append(url)


def misread(error: Exception) -> Unavailable | None:
    """What an error says of a host's answer, if the command line stumbled while it told one.

    Whoever prints an answer goes by the API's own shapes; one of another shape is the host's fault
    and no defect. None where no host answered, or where another room stumbled.
    """
    from traceback import extract_tb

    from zhidao.core.hosts.answers import bad_answer

    ours = [f for f in extract_tb(error.__traceback__) if f.filename.startswith(_PACKAGE)]
    if not _HEARD or not ours or not ours[-1].filename.startswith(_PRINTING):
        return None
    return bad_answer(_HEARD[-1], "what nobody can read: JSON of another shape than the API's")


def told_of_file(error: MalformedInput) -> None:
    """Adds to a refusal the file that it is about, where it names none of those taken.

    A reader knows bytes and no names: of several inputs any may be at fault, and all are named.
    What is said of an option is about no file, and what the node says of the input about none that
    was read beside it.
    """
    if str(error).startswith("--") or error.where.startswith("--"):
        return
    names = [str(file) for file in dict.fromkeys(_TAKEN)]
    known = [*names, *(str(file) for file in _BESIDE)]
    if not names or any(name in str(error) or Path(name).name in str(error) for name in known):
        return
    error.where = f"{' or '.join(names)} {error.where}".strip()


def tell(text: str, *, painted: bool = False) -> None:
    """Prints an answer, text or JSON, with what a terminal must not obey escaped.

    painted: it bears our own colours, and its maker escaped the rest. A reader that wants no more
    of it, as `| head`, changes no status.
    """
    try:
        print(text if painted else escaped(text), flush=True)
    except BrokenPipeError:
        drop_output()


def drop_output() -> None:
    """Lets go of standard output after its reader went: nothing more can fail by it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def put(data: bytes, output: Path | None) -> None:
    """Writes a result to a file, pipe or device, or to standard output where none is named.

    Whatever stood in a file stays until the new content is on disk; see `core.files.output`.
    Raises MalformedInput where nothing can be written.
    """
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    write_whole(output, data)
    print(f"{output}: {len(data)} bytes", file=sys.stderr)


def put_told(data: bytes, options: argparse.Namespace) -> None:
    """The same for `options.output`; with `--json` a document tells of the file, if it is one."""
    put(data, options.output)
    if options.json and options.output is not None:
        told = {"output": str(options.output), "bytes": len(data)}
        tell(json.dumps(told, ensure_ascii=False))


def take(file: Path, *, bytes_max: int, beside: bool = False) -> bytes:
    """The bytes of a file, pipe or device, as far as they are read at all.

    beside: it is no input of the command, but a profile, token, password, certificate or trust
    list, and never the place of what is wrong with an input.
    Raises MalformedInput that names it if it is not there, not readable, or holds more.
    """
    (_BESIDE if beside else _TAKEN).append(file)
    try:
        if file.is_dir():
            raise MalformedInput(
                f"{file} is a folder, not a file", code="is_folder", remedy="name a file in it"
            )
        with open_given(file) as opened:
            # What tells no size, as a device, may have no end either.
            data = opened.read(bytes_max + 1)
    except FileNotFoundError as error:
        raise MalformedInput(f"no file {file}", code="no_file", remedy="check its name") from error
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from error
    if len(data) > bytes_max:
        raise MalformedInput(
            f"{file} has more than {bytes_max} bytes",
            code="file_too_large",
            remedy="name another file, or a part of this one",
        )
    return data


def check_private(file: Path) -> None:
    """Raises MalformedInput where others may read a file that holds a secret."""
    if file.stat().st_mode & 0o077:
        raise MalformedInput(f"others may read {file}", remedy=f"chmod 600 {file}")


def lines_of(file: Path, *, line_bytes_max: int) -> Iterator[bytes]:
    """The lines of a file, of standard input for `-`, one at a time.

    Raises MalformedInput that names it if it is not there, not readable, or has a longer line.
    """
    _TAKEN.append(file)
    try:
        with sys.stdin.buffer if str(file) == "-" else open_given(file) as lines:
            while line := lines.readline(line_bytes_max + 1):
                if len(line) > line_bytes_max:
                    raise MalformedInput(
                        f"{file} has a line of more than {line_bytes_max} bytes",
                        code="file_too_large",
                        remedy="check that it is the file that you meant",
                    )
                yield line
    except FileNotFoundError as error:
        raise MalformedInput(f"no file {file}", code="no_file", remedy="check its name") from error
    except OSError as error:
        raise _unusable(file, error) from error


def noted(file: Path) -> Path:
    """A file that a command has somebody else read, so that its refusal names it too."""
    _TAKEN.append(file)
    return file


def _unusable(file: Path, error: OSError | ValueError) -> MalformedInput:
    return MalformedInput(
        f"{file} cannot be read: {getattr(error, 'strerror', None) or error}",
        code="file_unusable",
        remedy="name a file that you may read",
    )


def taken_as(read: Callable[[bytes], T], file: Path, *, bytes_max: int, beside: bool = False) -> T:
    """What a reader makes of a file. Raises MalformedInput that names the file beside the place."""
    data = take(file, bytes_max=bytes_max, beside=beside)
    try:
        return read(data)
    except MalformedInput as error:
        error.where = f"{file} {error.where}".strip()
        raise
