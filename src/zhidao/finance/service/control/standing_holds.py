"""Holds that were made and not decided: they stand, whatever becomes of the list they were made by.

Which there are is read once from the approvals of the node, at the first question after a start,
and kept in memory from there on: a digest and a name each, until two persons released it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import Json, jcs
from zhidao.core.ids import party_id
from zhidao.core.money import Money
from zhidao.finance.domain.payments.approval import Approval, Demand
from zhidao.finance.service.control.approvals import Approvals, refused

RELEASE: Final = "release"
_LOOKED: Final = frozenset({"why", "hits", "first"})
"""What is said of a hold by the lists of its moment; all else is what is held."""
_CLEARED: Final = "looked at since, by fresh lists that name nobody of it; it went on"


class StandingHolds:
    """Finds the holds of what is asked for, by what is held and not by who was found."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self._one = asyncio.Lock()
        self._open: dict[bytes, list[str]] | None = None

    async def require(
        self,
        bank: str,
        subject: str,
        amount: Money,
        said: Mapping[str, Any],
        *,
        is_clear: Callable[[], Awaitable[bool]],
    ) -> None:
        """Returns if nothing holds it any more. Raises Refused as `Approvals.ask`.

        `is_clear`: whether fresh lists name nobody of it now. That ends what was held unread, and
        nothing that was held for a hit.
        """
        known = await self._known()
        if not known:
            return
        key = _key(bank, subject, amount, said)
        for name in known.get(key, [])[:]:
            hold = await self._approvals.find(name)
            if hold is None or (hold.done and hold.state == "approved"):
                self._drop(key, name)
            elif hold.state == "waits" and not hold.asked.said.get("hits") and await is_clear():
                await self._approvals.note(hold, _CLEARED)
                self._drop(key, name)
            elif not hold.done:
                await self.ask(bank, hold.asked.subject, hold.amount, said, hold.asked.said)
            else:
                raise refused(hold)

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
        names = (await self._known()).setdefault(_key(bank, subject, amount, said), [])
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
                    if one.asked.act == RELEASE and not (one.done and one.state == "approved"):
                        found.setdefault(_key_of(one), []).append(one.asked.approval)
                self._open = found
            return self._open

    def _drop(self, key: bytes, name: str) -> None:
        known = self._open or {}
        left = [one for one in known.get(key, []) if one != name]
        if left:
            known[key] = left
        else:
            known.pop(key, None)


def _key_of(hold: Approval) -> bytes:
    said = {word: told for word, told in hold.asked.said.items() if word not in _LOOKED}
    return _key(hold.party, hold.asked.subject, hold.amount, said)


def _key(bank: str, subject: str, amount: Money, said: Mapping[str, Any]) -> bytes:
    """What is held. A message is by its bytes, whoever brings it and however it is asked for."""
    whole: list[Json] = [bank, subject, str(amount.minor), amount.currency.code, dict(said)]
    if "digest" in said and "act" not in said:
        whole = [bank, str(said["digest"])]
    return hashlib.sha256(jcs(whole)).digest()
