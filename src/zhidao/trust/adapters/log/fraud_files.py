"""Fraud proofs as files in one folder, so that they outlive any database; and in memory."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zhidao.core.files.output import unwritable

SUFFIX: Final = ".zdfraud"
_NAME: Final = re.compile(r"[0-9a-z_-]{1,100}\Z")


class MemoryFraudBook:
    """Implements `FraudBook`."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    async def keep(self, name: str, data: bytes) -> bool:
        """Keeps a file once."""
        return self._files.setdefault(name, data) is data

    async def names(self) -> Sequence[str]:
        """All names."""
        return sorted(self._files)

    async def read(self, name: str) -> bytes | None:
        """A file."""
        return self._files.get(name)


class FileFraudBook:
    """Implements `FraudBook` over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, name: str, data: bytes) -> bool:
        """Keeps a file once; durable when it returns."""
        try:
            return await asyncio.to_thread(self._keep, name, data)
        except OSError as error:
            raise unwritable(self._folder / name, error) from error

    async def names(self) -> Sequence[str]:
        """All names."""
        files = await asyncio.to_thread(lambda: list(self._folder.glob(f"*{SUFFIX}")))
        return sorted(file.stem for file in files)

    async def read(self, name: str) -> bytes | None:
        """A file."""
        if not _NAME.match(name):
            return None
        try:
            return await asyncio.to_thread((self._folder / f"{name}{SUFFIX}").read_bytes)
        except FileNotFoundError:
            return None

    def _keep(self, name: str, data: bytes) -> bool:
        assert _NAME.match(name), "names are made by the watch"
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{name}{SUFFIX}"
        if file.exists():
            return False
        beside = file.with_suffix(".new")
        with beside.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
        return True
