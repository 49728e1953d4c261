"""Holds that were made and not decided: they stand, whatever becomes of the list they were made by.

Which there are is read once from the approvals of the node, at the first question after a start,
and kept in memory from there on: a digest and a name each, until two persons released it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import Json, jcs
from zhidao.core.ids import party_id
from zhidao.core.money import Money
from zhidao.finance.domain.payments.approval import CLEARED, Approval, Demand
from zhidao.finance.service.control.approvals import Approvals, refused

RELEASE: Final = "release"
_LOOKED: Final = frozenset({"why", "hits", "first"})
"""What is said of a hold by the lists of its moment; all else is what is held."""
_CLEARED: Final = "looked at since, by fresh lists that name nobody of it; it went on"
WENT_ON: Final = "it was booked meanwhile, or refused for good"
Whom: TypeAlias = Callable[[Mapping[str, Any]], Json]
"""What of an act that is held for its names tells it from others, whatever else is asked."""


class StandingHolds:
    """Finds the holds of what is asked for, by what is held and not by who was found."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self._whom: dict[str, Whom] = {}
        self._one = asyncio.Lock()
        self._open: dict[bytes, list[str]] | None = None

    def held_by(self, act: str, whom: Whom) -> None:
        """Names by what an act of this kind is held: what else is asked makes no other of it."""
        self._whom[act] = whom

    async def require(
        self,
        bank: str,
        subject: str,
        amount: Money,
        said: Mapping[str, Any],
        *,
        is_clear: Callable[[], Awaitable[bool]],
        is_over: Callable[[], Awaitable[bool]],
    ) -> bool:
        """Returns if nothing holds it any more; whether two persons released it just now.

        Raises Refused as `Approvals.ask`.

        `is_clear`: whether fresh lists name nobody of it now. That ends what was held unread, and
        nothing that was held for a hit. `is_over`: whether it was done, or refused for good, so
        that there is nothing left to decide.
        """
        known, released = await self._known(), False
        if not known:
            return False
        key = self._key(bank, subject, amount, said)
        for name in known.get(key, [])[:]:
            hold = await self._approvals.find(name)
            if hold is not None and hold.state == "waits":
                hold = await self._ended(hold, is_clear, is_over)
            if hold is None or not _stands(hold):
                self._drop(key, name)
            elif not self._is_same(hold, said):
                continue
            elif not hold.done:
                await self.ask(bank, hold.asked.subject, hold.amount, said, hold.asked.said)
                released = True
            else:
                raise refused(hold)
        return released

    async def require_others(
        self, bank: str, subject: str, amount: Money, said: Mapping[str, Any]
    ) -> None:
        """Returns unless the same is held in other words, or was refused so. Raises as `ask`.

        Two persons look at these words then, and see who was found when the others were held.
        """
        key = self._key(bank, subject, amount, said)
        for name in (await self._known()).get(key, [])[:]:
            hold = await self._approvals.find(name)
            if hold is not None and _stands(hold) and not self._is_same(hold, said):
                looked = {word: hold.asked.said[word] for word in _LOOKED & hold.asked.said.keys()}
                await self.ask(bank, subject, amount, said, {**said, **looked})
                return

    async def _ended(
        self,
        hold: Approval,
        is_clear: Callable[[], Awaitable[bool]],
        is_over: Callable[[], Awaitable[bool]],
    ) -> Approval:
        """A hold that waits, cleared before anything goes on without it: nobody decides it then."""
        if not hold.asked.said.get("hits") and await is_clear():
            return await self._approvals.clear(hold, _CLEARED)
        return await self._approvals.clear(hold, WENT_ON) if await is_over() else hold

    async def ask(
        self,
        bank: str,
        subject: str,
        amount: Money,
        said: Mapping[str, Any],
        shown: Mapping[str, Any],
    ) -> None:
        """Returns if two persons of the bank released it. Raises as `Approvals.ask`.

        `said`: what is held; `shown`: the same, with who was found.
        """
        demand = Demand(RELEASE, subject, amount, shown, ())
        names = (await self._known()).setdefault(self._key(bank, subject, amount, said), [])
        if demand.name(bank) not in names:
            names.append(demand.name(bank))
        await self._approvals.ask(Actor(party_id(bank), Role.PARTY), demand)

    async def _known(self) -> dict[bytes, list[str]]:
        if self._open is not None:
            return self._open
        async with self._one:
            if self._open is None:
                found: dict[bytes, list[str]] = {}
                async for one in self._approvals.every():
                    if one.asked.act == RELEASE and _stands(one):
                        found.setdefault(self._key_of(one), []).append(one.asked.approval)
                self._open = found
            return self._open

    def _drop(self, key: bytes, name: str) -> None:
        known = self._open or {}
        left = [one for one in known.get(key, []) if one != name]
        if left:
            known[key] = left
        else:
            known.pop(key, None)

    def _key_of(self, hold: Approval) -> bytes:
        return self._key(hold.party, hold.asked.subject, hold.amount, _held(hold))

    def _is_same(self, hold: Approval, said: Mapping[str, Any]) -> bool:
        """Whether it was made for these very words."""
        return said.get("act") not in self._whom or _held(hold) == said

    def _key(self, bank: str, subject: str, amount: Money, said: Mapping[str, Any]) -> bytes:
        """What is held. A message is by its bytes, whoever brings it and however it is asked for.

        An act is by whom it is for, where that was named (`held_by`), else by all that is said.
        """
        whole: list[Json] = [bank, subject, str(amount.minor), amount.currency.code, dict(said)]
        act = str(said.get("act", ""))
        if act in self._whom:
            whole = [bank, act, self._whom[act](said["asked"])]
        elif "digest" in said and not act:
            whole = [bank, str(said["digest"])]
        return hashlib.sha256(jcs(whole)).digest()


def _held(hold: Approval) -> dict[str, Any]:
    """What was held, without who was found by the lists of its moment."""
    return {word: told for word, told in hold.asked.said.items() if word not in _LOOKED}


def _stands(hold: Approval) -> bool:
    """Whether it holds anything: what was released and done does not, nor what ended."""
    return not (hold.done and hold.state in ("approved", CLEARED))
