"""Under what names a node knows its parties: lists name people and firms, not parties' ids."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.finance.events import AccountOpened, BankAdmitted

_PAGE: Final = 100


class PartyNames:
    """Finds the names of parties, and of the organisations that run nodes."""

    def __init__(
        self,
        records: Records,
        *,
        listed: Callable[[], Awaitable[Mapping[str, str]]] | None = None,
        organisation_of: Callable[[str], str] | None = None,
    ) -> None:
        """`listed`: what parties are called in the node's own list and those of its peers.

        `organisation_of`: who runs a peer. None of either: nothing is known beside the accounts.
        """
        self._records = records
        self._listed = listed
        self._organisation_of = organisation_of

    async def of(self, parties: Collection[str], *, nodes: Collection[str] = ()) -> set[str]:
        """As banks, as holders of accounts and in lists; else by the words of their ids."""
        listed = await self._listed() if self._listed is not None else {}
        found: set[str] = set()
        for party in sorted({*parties} - {""}):
            called = await self._one(party) | {listed.get(party, "")} - {""}
            found |= called or {re.sub(r"[^0-9A-Za-z]+", " ", party)}
        if self._organisation_of is not None:
            found |= {self._organisation_of(node) for node in nodes}
        return found

    async def _one(self, party: str) -> set[str]:
        admitted = await self._records.history(f"bank/{party}")
        if admitted:
            return {BankAdmitted.of(admitted[0]).name}
        holder, found, after = Actor(party_id(party), Role.PARTY), set(), ""
        while page := await self._records.aggregates("account/", holder, limit=_PAGE, after=after):
            after = page[-1]
            histories = await self._records.histories(page, holder)
            found |= {AccountOpened.of(history[0]).name for history in histories if history}
        return found
