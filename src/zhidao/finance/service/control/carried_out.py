"""What is done once an act is approved or refused, by whom it may be, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from zhidao.core.access import OWN, Access
from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.finance.domain.payments.approval import Approval

Act = Callable[[Actor, Mapping[str, Any]], Awaitable[object]]
"""Carries out what was asked for, again if need be: the act is idempotent by its own names.

Returns `NOT_YET` if it is not done although nothing refused it.
"""
Became = Callable[[Actor, Mapping[str, Any]], Awaitable[str | None]]
"""What came of an act by what it left for good: approved, refused, or `` for nothing so far.

None: nothing tells of it but that it was carried out.
"""
NOT_YET: Final = object()


class CarriedOut:
    """The ways in which what was decided is carried out, by the names of the acts."""

    def __init__(self) -> None:
        self.acts: dict[str, Act] = {}
        self.refusals: dict[str, Act] = {}
        self._by: dict[str, Access[Any]] = {}
        self._again: set[str] = set()
        self._became: dict[str, Became] = {}
        self._lasts: dict[str, Became] = {}

    def add(
        self,
        act: str,
        how: Act,
        *,
        by: Access[Any] | None,
        refused: Act | None,
        again: bool,
        became: Became | None,
        lasts: Became | None,
    ) -> None:
        """As `Approvals.carries_out` says."""
        assert act not in self.acts, f"{act} is carried out in one way"
        self.acts[act] = how
        if by is not None:
            self._by[act] = by
        if refused is not None:
            self.refusals[act] = refused
        if again:
            self._again.add(act)
        if became is not None:
            self._became[act] = became
        if lasts is not None:
            self._lasts[act] = lasts

    def roles(self, approval: Approval) -> frozenset[Role]:
        """Whose word counts: of those who may do the act itself."""
        asked = approval.asked
        if asked.act in self.acts and asked.act not in self._by:
            return self._by.get(str(asked.said.get("act", "")), OWN).roles
        return self._by.get(asked.act, OWN).roles

    def may_again(self, approval: Approval) -> bool:
        """Whether it finds what it did, and may be done once more days later."""
        asked = approval.asked
        return {asked.act, str(asked.said.get("act", asked.act))} <= self._again

    def how(self, approval: Approval) -> Act | None:
        """What is done by this decision, if anything."""
        acts = {"approved": self.acts, "refused": self.refusals}.get(approval.state, {})
        return acts.get(approval.asked.act)

    async def became(self, approval: Approval) -> str | None:
        """What came of its act, as `Became` tells it."""
        tells = self._became.get(approval.asked.act)
        return None if tells is None else await tells(_party(approval), approval.asked.said)

    async def lasts(self, approval: Approval) -> str | None:
        """What came of it that no new words are asked for, however old those were."""
        tells = self._lasts.get(approval.asked.act)
        if tells is None:
            return await self.became(approval)
        return await tells(_party(approval), approval.asked.said)

    async def carry_out(self, approval: Approval, how: Act) -> str:
        """Does it: what became of it, as `Became` tells it."""
        result = await how(_party(approval), approval.asked.said)
        became = await self.became(approval)
        if became is not None:
            return became
        return "approved" if approval.state == "approved" and result is not NOT_YET else ""


def _party(approval: Approval) -> Actor:
    return Actor(party_id(approval.party), Role.PARTY)
