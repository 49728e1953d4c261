"""Writes facts about terminals in the order of their histories, though many sessions speak."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict
from zhidao.core.events import Fact
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Journal, Scribe
from zhidao.core.timescale import NS, Utc
from zhidao.devices.domain.custody import Refusal, Terminal
from zhidao.devices.events import MessageIncomplete, SubmissionRefused
from zhidao.devices.service.ports import Vault

Commit = Callable[[Sequence[Entry]], Awaitable[None]]

# A stranger can send refused frames by the thousand: one event of a kind per terminal in this
# time, the rest are counted only.
_REFUSAL_EVERY_NS: Final = 30 * NS
# So many unfinished messages of one terminal are told in this time: all that a line that ends can
# leave.
_UNFINISHED_TOLD: Final = 4
_ATTEMPTS: Final = 5
# Reasons for which a stranger needs no more than a phone number that he guessed.
UNKNOWN: Final = "unknown"
# So many strangers are remembered, the latest; whoever adds a device finds its number there.
STRANGERS_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who knocked and is no terminal here: the number in its headers, and when."""

    number: str
    at: Utc


@dataclass(frozen=True, slots=True)
class _Place:
    aggregate: str
    owner: PartyId
    visible: tuple[PartyId, ...]


class TerminalJournal:
    """Appends facts to `terminal/<id>`; versions follow each other even under contention."""

    def __init__(self, journal: Journal, vault: Vault, scribe: Scribe, clock: Clock) -> None:
        self._vault = vault
        self._journal = journal
        self._scribe = scribe
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}
        self._versions: dict[str, int] = {}
        self._refused_at: dict[tuple[str, str], Utc] = {}
        self._unfinished_at: dict[str, list[Utc]] = {}
        self._strangers: dict[str, Utc] = {}
        self.refusals: Counter[str] = Counter()

    @property
    def strangers(self) -> list[Stranger]:
        """Who knocked lately and is no terminal here, the latest first."""
        return [Stranger(number, at) for number, at in reversed(self._strangers.items())]

    async def write(self, fact: Fact, *, terminal: Terminal, commit: Commit) -> None:
        """Signs a fact as the node and hands it to `commit`, which may run again after a Conflict.

        `commit` must leave nothing behind when it raises. A terminal that is heard is no stranger
        any more.
        """
        for number in [each for each in self._strangers if terminal.bears(each)]:
            del self._strangers[number]
        await self._append(
            fact, _Place(terminal.aggregate, terminal.owner, terminal.visible), commit
        )

    async def tell_seldom(
        self, fact: MessageIncomplete, *, terminal: Terminal, commit: Commit
    ) -> None:
        """As `write` for what a terminal can bring about as often as it likes: beyond, counted."""
        now = self._clock.now()
        lately = [
            at
            for at in self._unfinished_at.get(terminal.terminal, ())
            if abs(now.since_ns(at)) < _REFUSAL_EVERY_NS
        ]
        if len(lately) >= _UNFINISHED_TOLD:
            self.refusals["incomplete"] += 1
            await commit(())
            return
        self._unfinished_at[terminal.terminal] = [*lately, now]
        await self.write(fact, terminal=terminal, commit=commit)

    async def refuse(self, terminal: Terminal, reason: str, sentence: str) -> None:
        """Counts a refusal and records it, unless the same was recorded a moment ago."""
        fact = SubmissionRefused(terminal=terminal.terminal, reason=reason, sentence=sentence)
        await self._refuse(fact, _Place(terminal.aggregate, terminal.owner, terminal.visible))

    async def refuse_unknown(self, reason: str, sentence: str, *, number: str) -> None:
        """The same for whoever is no terminal of this node; all strangers share one history.

        number: in the stranger's headers.
        """
        self._strangers.pop(number, None)
        self._strangers[number] = self._clock.now()
        for oldest in list(self._strangers)[:-STRANGERS_KEPT]:
            del self._strangers[oldest]
        fact = SubmissionRefused(terminal=UNKNOWN, reason=reason, sentence=sentence)
        await self._refuse(fact, _Place(f"terminal/{UNKNOWN}", self._scribe.node, ()))

    async def _refuse(self, fact: SubmissionRefused, place: _Place) -> None:
        self.refusals[fact.reason] += 1
        now, kind = self._clock.now(), (place.aggregate, fact.reason)
        before = self._refused_at.get(kind)
        if before is not None and abs(now.since_ns(before)) < _REFUSAL_EVERY_NS:
            return

        async def commit(entries: Sequence[Entry]) -> None:
            refusal = Refusal(fact.reason, fact.sentence, now)
            await self._vault.note_refusal(fact.terminal, refusal, entries)

        await self._append(fact, place, commit)
        self._refused_at[kind] = now

    async def _append(self, fact: Fact, place: _Place, commit: Commit) -> None:
        aggregate = place.aggregate
        async with self._locks.setdefault(aggregate, asyncio.Lock()):
            for attempt in range(_ATTEMPTS):
                version = await self._version(aggregate, fresh=attempt > 0)
                entry = self._scribe.write(
                    fact,
                    by=self._scribe.node,
                    aggregate=aggregate,
                    version=version + 1,
                    owner=place.owner,
                    visible=place.visible,
                    occurred_at=None,
                )
                try:
                    await commit([entry])
                except Conflict:
                    if attempt + 1 == _ATTEMPTS:
                        raise
                    continue
                except BaseException:
                    # Whether the commit stood is unknown: read the history again next time.
                    self._versions.pop(aggregate, None)
                    raise
                self._versions[aggregate] = version + 1
                return

    async def _version(self, aggregate: str, *, fresh: bool) -> int:
        if fresh or aggregate not in self._versions:
            self._versions[aggregate] = len(await self._journal.load(aggregate, viewer=None))
        return self._versions[aggregate]
