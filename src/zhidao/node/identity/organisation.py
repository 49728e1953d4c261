"""Who runs this node, in words: a setting, or what the first admin said at first start."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.files.bounded import read_kept
from zhidao.core.journal import Records
from zhidao.node.config import ORGANISATION_FILE
from zhidao.node.events import OrganisationNamed
from zhidao.node.security.private_files import write_private

_AGGREGATE: Final = "organisation/own"


class Organisation:
    """The organisation's name. A setting wins; otherwise the newest name in the journal counts.

    The file in the data folder only repeats the journal, for commands that run without database.
    """

    def __init__(self, records: Records, data: Path, setting: str) -> None:
        """`setting`: the name by file, environment or command line, or empty."""
        self._records = records
        self._file = data / ORGANISATION_FILE
        self._setting = setting
        self._said = ""

    @property
    def name(self) -> str:
        """The name, empty if nobody gave one."""
        return self._setting or self._said

    async def load(self) -> None:
        """Reads the journal, and mends the file, which a crash or restore may have left behind."""
        history = await self._records.history(_AGGREGATE)
        if history:
            self._said = OrganisationNamed.of(history[-1]).name
            self._repeat()

    async def call(self, actor: Actor, name: str) -> None:
        """Keeps a name; nothing is written for an empty one or the one that stands."""
        name = " ".join(name.split())
        if not name or name == self._said:
            return
        history = await self._records.history(_AGGREGATE)
        fact = OrganisationNamed(name=name)
        node = self._records.node
        await self._records.record(actor, _AGGREGATE, [fact], after=len(history), owner=node)
        self._said = name
        self._repeat()

    def _repeat(self) -> None:
        said = self._said.encode()
        if not self._file.exists() or read_kept(self._file) != said:
            write_private(self._file, said)
