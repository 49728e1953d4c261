"""What stands in a data folder in place of a file, and would hold up or feed who opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.files.bounded import odd_files

ODD_REMEDY: Final = "move it away and put the file back from its newest copy, then zhidao doctor"
# What the servers keep there is theirs to judge, sockets among it.
_OF_SERVERS: Final = ("postgres/cluster", "postgres/run", "nats")


def odd_in(data: Path) -> Iterator[tuple[Path, str]]:
    """Pipes, sockets and devices among the node's own files, and what each is. Opens nothing."""
    yield from odd_files(data, but=frozenset(data / name for name in _OF_SERVERS))


def refuse_odd(data: Path) -> None:
    """Raises Refused (`not_a_file`) that names the first."""
    for file, kind in odd_in(data):
        raise Refused(
            f"{file} is {kind}, not a file; nothing was started",
            code="not_a_file",
            where=str(file),
            remedy=ODD_REMEDY,
        )
