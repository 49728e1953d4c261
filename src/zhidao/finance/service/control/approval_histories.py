"""What is written of approvals: that one was asked for, each word, and what came of the words."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.finance.domain.payments.approval import CLEARED, ENDS, Approval, fold
from zhidao.finance.events.banks import ApprovalAsked, ApprovalGiven

TRIES: Final = 8
_AT_ONCE: Final = 500


class ApprovalHistories:
    """The histories of approvals, as they are read at this moment."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def find(self, name: str) -> Approval | None:
        """One approval, whoever asks."""
        return fold(await self._records.history(f"approval/{name}"), now=self._clock.now())

    async def seen(self, actor: Actor, name: str) -> Approval:
        """One approval. Raises NotFound for a stranger."""
        history = await self._records.history(f"approval/{name}", actor)
        found = fold(history, now=self._clock.now())
        if found is None:
            raise NotFound("no approval of that name")
        return found

    async def listed(self, actor: Actor, *, limit: int, after: str) -> list[Approval]:
        """Those that the actor may see, in order of name."""
        start = f"approval/{after}" if after else ""
        names = await self._records.aggregates("approval/", actor, limit=limit, after=start)
        return [await self.seen(actor, name.partition("/")[2]) for name in names]

    async def all(self) -> AsyncIterator[Approval]:
        """Every approval of the node, in order of name."""
        node = Actor(self._records.node, Role.NODE)
        after = ""
        while names := await self._records.aggregates(
            "approval/", node, limit=_AT_ONCE, after=after
        ):
            now = self._clock.now()
            for history in await self._records.histories(names, node):
                if (one := fold(history, now=now)) is not None:
                    yield one
            after = names[-1]

    async def ask(self, actor: Actor, asked: ApprovalAsked) -> Approval:
        """One that is open to words: known, or asked for now; anew if it is done."""
        aggregate = f"approval/{asked.approval}"
        by = self._records.speaker(actor)
        for _ in range(TRIES):
            known = await self.find(asked.approval)
            if known is not None and not known.done:
                return known
            after = 0 if known is None else known.version
            with contextlib.suppress(Conflict):  # somebody else asked for the same in this moment
                await self._records.record(by, aggregate, [asked], after=after, owner=actor.party)
        raise Conflict("too many at once; ask again")

    async def say(
        self, by: Actor, approval: Approval, person: str, verdict: str, reason: str = ""
    ) -> Approval:
        """Writes a word after what is known; the approval as it is then."""
        name = approval.asked.approval
        given = ApprovalGiven(approval=name, person=person, verdict=verdict, reason=reason.strip())
        with contextlib.suppress(Conflict):  # somebody else spoke meanwhile: look again
            await self._records.record(
                by,
                f"approval/{name}",
                [given],
                after=approval.version,
                owner=party_id(approval.party),
            )
        found = await self.find(name)
        assert found is not None, "an approval is never taken away"
        return found

    async def end(self, approval: Approval, became: str) -> Approval:
        """Writes down what came of a decision, once. ``, or what it never was: no change."""
        by = self.party(approval)
        for _ in range(TRIES):
            if approval.done or became not in approval.once:
                return approval
            approval = await self.say(by, approval, "", ENDS[became])
        raise Conflict("too many at once; ask again")

    async def clear(self, approval: Approval, why: str) -> Approval:
        """Ends one that waits, undecided. Decided meanwhile: no change."""
        by = self.party(approval)
        for _ in range(TRIES):
            if approval.state != "waits":
                return approval
            approval = await self.say(by, approval, "", CLEARED, why)
        raise Conflict("too many at once; ask again")

    def party(self, approval: Approval) -> Actor:
        """In whose name is written what no person says."""
        return self._records.speaker(Actor(party_id(approval.party), Role.PARTY))
