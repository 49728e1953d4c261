"""The screening list in an operator's file: its bytes are read again at each question."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import read_bounded
from zhidao.trade.domain.clearance.screening import ScreeningList, read_list

LIST_BYTES_MAX: Final = 64 * 1024 * 1024


class ListingFile:
    """Implements `ports.Listings`; the list's date is the file's own (UTC)."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        # Names are read letter by letter, which of a long list takes seconds: once for its bytes.
        self._read_last: ScreeningList | None = None

    async def current(self) -> ScreeningList | None:
        """The list in force, None where no file is configured."""
        return await asyncio.to_thread(self._read) if self._file else None

    def _read(self) -> ScreeningList:
        assert self._file is not None
        try:
            status = self._file.stat()
            data = read_bounded(self._file, bytes_max=LIST_BYTES_MAX)
        except OSError as error:
            # A list that is configured and cannot be read must never look like no list.
            raise MalformedInput(f"cannot read the screening list: {error}") from error
        day: date = datetime.fromtimestamp(status.st_mtime, UTC).date()
        last = self._read_last
        if last is None or last.digest != hashlib.sha256(data).hexdigest():
            last = self._read_last = read_list(data, issued_on=day)
        return replace(last, issued_on=day)
