"""Sanctions lists in an operator's folder: read anew when a file changes, refused if one is bad.

A file is called `KIND@DATE.anything`, such as `un@2026-11-20.xml`; the date may be left out where
the list tells its own. OFAC's are two: `ofac@2026-11-20.sdn.csv` and `ofac@2026-11-20.alt.csv`.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import date
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.files.bounded import read_bounded
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.wire.screening_lists import BYTES_MAX, NameList, read_list

FOLDER: Final = "screening"
"""The folder of the lists in a node's data folder."""
FILES_MAX: Final = 64
_LOOK_NS: Final = 10_000_000_000
_NAME: Final = re.compile(r"(ofac|un|eu|uk|csv)(?:@(\d{4}-\d{2}-\d{2}))?\.[A-Za-z0-9.-]+\Z")


class FolderLists:
    """The lists of a folder, kept in memory until the folder changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one = asyncio.Lock()
        self._print: tuple[tuple[str, int, int], ...] | None = None
        self._lists: Lists | None = None
        self._looked_ns = -_LOOK_NS

    async def lists(self) -> Lists:
        """The lists as they stand in the folder now.

        Raises Unavailable with code `lists_unreadable` while a file there cannot be read as what
        its name says: an answer from fewer lists than the operator put there would be false.
        """
        async with self._one:
            # Looking costs a few system calls; not more often than every ten seconds.
            if self._lists is not None and time.monotonic_ns() - self._looked_ns < _LOOK_NS:
                return self._lists
            found = await asyncio.to_thread(self._files)
            if self._lists is None or found != self._print:
                self._lists = None
                self._lists = await asyncio.to_thread(self._read, found)
                self._print = found
            self._looked_ns = time.monotonic_ns()
            return self._lists

    def _files(self) -> tuple[tuple[str, int, int], ...]:
        """Name, size and time of change of each file."""
        if not self._folder.is_dir():
            return ()
        told = [
            (path.name, path.stat().st_size, path.stat().st_mtime_ns)
            for path in self._folder.iterdir()
            if path.is_file() and not path.name.startswith(".")
        ]
        return tuple(sorted(told))

    def _read(self, files: tuple[tuple[str, int, int], ...]) -> Lists:
        if len(files) > FILES_MAX:
            raise _unreadable(f"more than {FILES_MAX} files", str(self._folder))
        together: dict[tuple[str, str], list[str]] = {}
        for name, size, _ in files:
            match = _NAME.match(name)
            if size > BYTES_MAX:
                raise _unreadable(f"a file of more than {BYTES_MAX} bytes", name)
            if not match:
                raise _unreadable("the name is not KIND@DATE.xml", name)
            kind, day = match[1], match[2] or ""
            # Of OFAC two files make one list; any other file is a list of its own.
            key = (kind, day) if kind == "ofac" else (name, day)
            together.setdefault(key, []).append(name)
        lists = [self._one_list(names, day) for (_, day), names in sorted(together.items())]
        return Lists.of((each.version, each.entries) for each in lists)

    def _one_list(self, names: list[str], day: str) -> NameList:
        # The main list is sdn, the aliases follow.
        names = sorted(names, key=lambda name: ("alt" in name, name))
        kind = names[0].split("@")[0].split(".")[0]
        try:
            dated = date.fromisoformat(day) if day else None
            data = [read_bounded(self._folder / name, bytes_max=BYTES_MAX) for name in names]
            return read_list(kind, *data, dated=dated)
        except MalformedInput as error:
            raise _unreadable(error.finding, names[0]) from error
        except (ValueError, OSError) as error:
            raise _unreadable(str(error), names[0]) from error


def _unreadable(why: str, where: str) -> Unavailable:
    return Unavailable(
        f"the sanctions lists cannot be read: {why}",
        code="lists_unreadable",
        where=where,
        remedy="mend or remove the file; nothing is screened until then",
    )
