"""The decider of payment versus payment: one decision on each deal, written before it is told.

A role of any node that both sides named in their terms. It holds no money; while it is away both
legs stay reserved, and nothing else happens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Records
from zhidao.finance.domain.pvp.pvp import (
    BATCH_MAX,
    FIRST_HEAD,
    OPEN_MAX,
    Ballot,
    Outcome,
    Side,
    Terms,
    decision_head,
)
from zhidao.finance.events import PvpDecided
from zhidao.finance.wire.pvp import decode_votes

RECENT_MAX: Final = 64
"""So many decisions are kept in memory; older ones are read from the journal."""


class PvpDecider:
    """Hears votes and writes each deal's one decision. Its state is its journal and hearsay."""

    def __init__(
        self,
        *,
        records: Records,
        actor: Actor,
        keys: Collection[str],
        clock: Clock,
        channel: str = "",
        remembers: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`keys`: the Multikeys that terms may name: those that sign, or signed, for the actor.

        `remembers`: whether a decided deal may still be voted on; of others nothing is kept, and
        votes on them must not come here.

        `channel` names its chain where it decides for several pairs of parties, one chain each.
        """
        self._aggregate = f"pvp-decisions/{channel or actor.party}"
        assert actor.role in (Role.NODE, Role.PARTY), "a decider is a party or the node itself"
        self._records = records
        self._actor = actor
        self._keys = frozenset(keys)
        self._clock = clock
        self._terms: dict[str, Terms] = {}
        self._ballots: dict[str, Ballot] = {}
        self._decided: dict[str, int] | None = None
        self._remembers = remembers
        self._number, self._head = 0, FIRST_HEAD
        self._recent: deque[SignedEvent] = deque(maxlen=RECENT_MAX)
        self._one = asyncio.Lock()

    async def hear(self, data: bytes) -> int:
        """Takes votes; the number of the newest decision that holds one of these deals already.

        Raises MalformedInput or Refused if a vote is not its side's.
        """
        async with self._one:
            return await self._hear(data)

    async def _hear(self, data: bytes) -> int:
        key, votes = decode_votes(data)
        decided = await self._restored()
        for vote in votes:
            if vote.terms.key(vote.side) != key:
                raise Refused("a vote that its side did not sign", code="bad_signature")
            if vote.terms.decider_key not in self._keys:
                raise Refused("a vote for another decider", code="pvp_decider")
        if len(self._ballots) + len(votes) > OPEN_MAX:
            raise Refused(f"{OPEN_MAX} deals wait for votes", code="too_many")
        newest = 0
        for vote in votes:
            name = vote.terms.name
            if name in decided:
                newest = max(newest, decided[name])
                continue
            yes = vote.yes and not self._is_late(vote.terms)
            self._terms[name] = vote.terms
            self._ballots[name] = self._ballots.get(name, Ballot()).heard(vote.side, yes=yes)
        return newest

    async def recall(self, terms: Terms, side: Side, *, yes: bool) -> None:
        """Takes a vote that was heard, and written down, before this process started."""
        async with self._one:
            if terms.name not in await self._restored():
                self._terms[terms.name] = terms
                ballot = self._ballots.get(terms.name, Ballot())
                self._ballots[terms.name] = ballot.heard(side, yes=yes)

    def counted(self, name: str, side: Side) -> bool | None:
        """How a side's vote on an undecided deal counts; a late yes is a no. None: it has none."""
        ballot = self._ballots.get(name, Ballot())
        return ballot.first if side is Side.FIRST else ballot.second

    async def decide(self) -> bytes | None:
        """Writes one decision on all deals that can be decided now, and only then returns it."""
        async with self._one:
            return await self._decide()

    async def _decide(self) -> bytes | None:
        decided = await self._restored()
        commits, aborts = self._due()
        if not commits and not aborts:
            return None
        number, previous = self._number + 1, self._head
        fact = PvpDecided(
            number=number,
            previous=previous,
            commits=commits,
            aborts=aborts,
            head=decision_head(previous, number, commits=commits, aborts=aborts),
        )
        event = await self._write(fact, after=number - 1)
        self._note(event, fact)
        decided.update(dict.fromkeys((*commits, *aborts), number))
        self._decided = {name: at for name, at in decided.items() if self._remembers(name)}
        for name in (*commits, *aborts):
            del self._ballots[name], self._terms[name]
        return event.encode()

    async def decisions(self, *, after: int, limit: int = 16) -> list[bytes]:
        """The decisions behind a number, in order: what a participant pulls."""
        async with self._one:
            return await self._decisions(after=after, limit=limit)

    async def _decisions(self, *, after: int, limit: int = 16) -> list[bytes]:
        await self._restored()
        first = self._number - len(self._recent)
        if after >= first:
            events = list(self._recent)[after - first :]
        else:
            events = list(await self._records.history(self._aggregate))[after:]
        return [event.encode() for event in events[: min(limit, 64)]]

    def _note(self, event: SignedEvent, fact: PvpDecided) -> None:
        self._number, self._head = fact.number, fact.head
        self._recent.append(event)

    def _due(self) -> tuple[list[str], list[str]]:
        commits: list[str] = []
        aborts: list[str] = []
        for name, ballot in self._ballots.items():
            outcome = ballot.outcome(late=self._is_late(self._terms[name]))
            if outcome is not None:
                (commits if outcome is Outcome.COMMIT else aborts).append(name)
            if len(commits) + len(aborts) == BATCH_MAX:
                break
        return commits, aborts

    def _is_late(self, deal: Terms) -> bool:
        return self._clock.now().unix_ns > deal.deadline_ns

    async def _write(self, fact: PvpDecided, *, after: int) -> SignedEvent:
        try:
            (event,) = await self._records.record(
                self._actor, self._aggregate, [fact], after=after, owner=self._actor.party
            )
        except BaseException:
            self._decided = None
            raise
        return event

    async def _restored(self) -> dict[str, int]:
        if self._decided is None:
            self._number, self._head = 0, FIRST_HEAD
            self._recent.clear()
            decided: dict[str, int] = {}
            for event in await self._records.history(self._aggregate):
                fact = PvpDecided.of(event)
                self._note(event, fact)
                for name in (*fact.commits, *fact.aborts):
                    if name in self._ballots:
                        del self._ballots[name], self._terms[name]
                    if self._remembers(name):
                        decided[name] = fact.number
            self._decided = decided
        return self._decided
