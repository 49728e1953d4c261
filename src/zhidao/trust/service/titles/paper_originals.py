"""A paper original stands for one title and no other: who names it first has it, among its own.

A paper is claimed before a title takes its place, and before it takes a title's. The claim is an
open leaf under a name made of registry, carrier and paper: so of two requests for one paper one
wins, and no carrier stands in the way of another whose paper it happens to know. A paper is issued
for one title at most, and after that may be taken in for one title at most; then it has no effect
any more.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Unavailable
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.trust.events import MediumChanged

TO_PAPER: Final = "to_paper"
TO_TOKEN: Final = "to_token"  # noqa: S105 (a word, no secret)
_CONTEXT: Final = "zhidao paper claim v1"
# A paper's history has two facts at most, so nobody loses a race more often than that.
_ATTEMPTS_MAX: Final = 3
_NAMES_AT_ONCE: Final = 1_000


class PaperClaims:
    """The claims on papers of the carriers that a node's registry serves."""

    def __init__(self, records: Records, *, registry: str, chain_id: int) -> None:
        """registry: its address, lower-case `0x…`."""
        self._records = records
        self._registry = registry
        self._chain_id = chain_id
        self._node = Actor(PartyId(records.node), Role.NODE)
        self._reading = asyncio.Lock()
        self._former: dict[tuple[str, str], list[MediumChanged]] | None = None

    def name(self, carrier: PartyId, paper: str) -> str:
        """The aggregate of a carrier's paper (its SHA-256, hex)."""
        said = jcs([_CONTEXT, self._chain_id, self._registry, carrier, paper])
        return f"paper/{hashlib.sha256(said).hexdigest()}"

    async def check(self, carrier: PartyId, fact: MediumChanged) -> bool:
        """Whether the paper is claimed for this very change already.

        Raises Conflict: `double_paper` if it stands for another title, `medium_changed` if it was
        claimed with other particulars, or has no effect any more.
        """
        history = await self._records.history(self.name(carrier, fact.paper))
        return await self._stands(carrier, fact, history)

    async def claim(self, actor: Actor, fact: MediumChanged) -> None:
        """Claims the paper for this change; again: nothing more. Raises Conflict as `check`."""
        name = self.name(actor.party, fact.paper)
        for _ in range(_ATTEMPTS_MAX):
            history = await self._records.history(name)
            if await self._stands(actor.party, fact, history):
                return
            try:
                await self._records.record(
                    actor, name, [fact], after=len(history), owner=actor.party
                )
            except Conflict:
                # Somebody else wrote meanwhile: what it was decides.
                continue
            return
        raise Unavailable("others claim this paper at the same time; ask again", code="busy")

    async def _stands(
        self, carrier: PartyId, fact: MediumChanged, history: Sequence[SignedEvent]
    ) -> bool:
        claims = [MediumChanged.of(event) for event in history]
        # The newest first: it says what the paper is worth now.
        for before in reversed((*await self._claimed_formerly(carrier, fact.paper), *claims)):
            if is_same(before, fact):
                return True
            if before.change == fact.change and before.title != fact.title:
                raise _double(before)
            # Taking in what was issued for another title is the one change that may follow.
            if (before.change, fact.change) != (TO_PAPER, TO_TOKEN) or before.title == fact.title:
                raise changed(before)
            await self._check_issued(before)
        return False

    async def _check_issued(self, claim: MediumChanged) -> None:
        """Until it is decided, a claimed paper has no effect that a title could take over."""
        events = await self._records.history(f"medium/{claim.title}")
        if not any(is_same(fact, claim) for fact in every(events, MediumChanged)):
            raise Conflict(
                f"this paper is to take the place of the title {claim.title[:16]}… first",
                code="medium_unfinished",
                remedy="finish that change of medium by the same request",
            )

    async def _claimed_formerly(self, carrier: PartyId, paper: str) -> list[MediumChanged]:
        """Claims from before papers had names of their own, as far as they are the carrier's."""
        events = await self._records.history(f"medium/{paper}")
        taken_in = [
            fact
            for fact in _said_by(carrier, events)
            if (fact.change, fact.paper) == (TO_TOKEN, paper)
        ]
        return [*taken_in, *(await self._issued()).get((carrier, paper), ())]

    async def _issued(self) -> dict[tuple[str, str], list[MediumChanged]]:
        """Papers that took a title's place, read once: from then on each has its claim first."""
        async with self._reading:
            if self._former is None:
                self._former = await self._read_issued()
        return self._former

    async def _read_issued(self) -> dict[tuple[str, str], list[MediumChanged]]:
        found: dict[tuple[str, str], list[MediumChanged]] = {}
        after = ""
        while True:
            names = await self._records.aggregates(
                "medium/", self._node, limit=_NAMES_AT_ONCE, after=after
            )
            for name in names:
                for event in await self._records.history(name):
                    fact = MediumChanged.of(event)
                    if fact.change == TO_PAPER:
                        found.setdefault((event.asserted_by.party, fact.paper), []).append(fact)
            if len(names) < _NAMES_AT_ONCE:
                return found
            after = names[-1]


def is_same(one: MediumChanged, other: MediumChanged) -> bool:
    """Whether two facts are one decision: once a title is burnt, nobody holds it any more."""
    if one.change != other.change:
        return False
    if one.change == TO_TOKEN:
        return one == other
    return (one.title, one.paper, one.statement) == (other.title, other.paper, other.statement)


def changed(before: MediumChanged) -> Conflict:
    """The answer to whoever decides otherwise after a change of medium."""
    return Conflict(f"{_told(before)} already", code="medium_changed")


def _double(before: MediumChanged) -> Conflict:
    return Conflict(
        f"{_told(before)} already; a paper stands for one title",
        code="double_paper",
        remedy="name the paper of this title by its own SHA-256",
    )


def _told(before: MediumChanged) -> str:
    if before.change == TO_PAPER:
        return f"the paper {before.paper[:16]}… took the place of the title {before.title[:16]}…"
    return f"the title {before.title[:16]}… took the place of the paper {before.paper[:16]}…"


def _said_by(carrier: PartyId, events: Sequence[SignedEvent]) -> list[MediumChanged]:
    return [MediumChanged.of(event) for event in events if event.asserted_by.party == carrier]
