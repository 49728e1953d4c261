"""Divided messages that never became whole: told once, with what came of them."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.ambient import Clock
from zhidao.core.errors import NotFound
from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.core.journal import Entry
from zhidao.devices.domain.custody import Part, Unfinished
from zhidao.devices.events import MessageIncomplete
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.wire.jt808.frame import decode_kept


class UnfinishedMessages:
    """What a process that was killed left of the lines that it had."""

    def __init__(self, vault: Vault, terminal_journal: TerminalJournal, clock: Clock) -> None:
        self._vault = vault
        self._terminal_journal = terminal_journal
        # What came since is of a line of this process, which tells of it itself.
        self._started = clock.now()
        self._done = False

    async def tend(self) -> None:
        """Tells of some of them; once all are told it does nothing more."""
        if self._done:
            return
        found = await self._vault.unfinished(self._started)
        for each in found:
            await self._tell(each)
        self._done = not found

    async def _tell(self, left: Unfinished) -> None:
        async def commit(entries: Sequence[Entry]) -> None:
            await self._vault.give_up(left.terminal, left.part, entries)

        try:
            terminal = await self._vault.terminal(left.terminal)
        except NotFound:
            await commit(())
            return
        pieces = [(number, decode_kept(plain).body) for number, plain in left.pieces]
        fact = incomplete(left.terminal, left.part, pieces)
        await self._terminal_journal.write(fact, terminal=terminal, commit=commit)


def incomplete(terminal: str, part: Part, pieces: Sequence[tuple[int, bytes]]) -> MessageIncomplete:
    """What is told of a message of which only these pieces came, by number and body."""
    return MessageIncomplete(
        terminal=terminal,
        message_id=part.message_id,
        first_serial=part.first_serial,
        packets_total=part.total,
        came=[number for number, _ in pieces],
        root=tree_root(leaf_hash(piece) for _, piece in pieces).hex(),
    )
