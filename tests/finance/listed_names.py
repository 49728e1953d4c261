"""A node's lists and what they hold, for tests: one list of some names, two persons of a bank."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.finance.adapters.memory import HeldLists
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds
from zhidao.finance.service.control.party_names import PartyNames
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.wire.screening_lists import read_list

REASON = "the same date of birth"


def lists_of(*names: str, dated: date) -> Lists:
    """One list of these names; none: no list at all."""
    if not names:
        return Lists.of([])
    text = "".join(f'{number},"{name}"\n' for number, name in enumerate(names))
    listed = read_list("csv", f"id,name\n{text}".encode(), dated=dated)
    return Lists.of([(listed.version, listed.entries)])


class Desk:
    """The queue of two persons and the lists of a node; `lists` may be put on anew."""

    def __init__(
        self,
        records: Any,
        clock: Any,
        *names: str,
        approvals: Approvals | None = None,
        dated: date | None = None,
        organisation_of: Any = None,
        listed: Any = None,
    ) -> None:
        self._clock = clock
        self.approvals = approvals or Approvals(
            records=records, clock=clock, limits=Limits.parse("")
        )
        self._lists = HeldLists(self._made(*names, dated=dated))
        screening = Screening(self._lists, records=records, clock=clock)
        self.holds = NameHolds(
            screening,
            self.approvals,
            PartyNames(records, listed=listed, organisation_of=organisation_of),
        )

    def put(self, *names: str, dated: date | None = None) -> None:
        """From now on this is the list."""
        self.holds._screening._source = HeldLists(self._made(*names, dated=dated))

    def _made(self, *names: str, dated: date | None) -> Lists:
        return lists_of(*names, dated=dated or self._clock.now().to_datetime().date())

    async def waiting(self, bank: str) -> list[Any]:
        """What waits for two persons of a bank."""
        listed = await self.approvals.approvals(Actor(PartyId(bank), Role.PARTY), limit=100)
        return [one for one in listed if one.state == "waits"]

    async def say(self, bank: str, *persons: str, approve: bool = True) -> None:
        """Persons of a bank speak about the one thing that waits."""
        [one] = await self.waiting(bank)
        for person in persons:
            await self.approvals.decide(
                Actor(PartyId(bank), Role.PARTY, person),
                one.asked.approval,
                approve=approve,
                reason="" if approve else REASON,
            )

    async def held(self, bank: str, act: Any, name: str) -> None:
        """Doing it waits for the bank's two persons, because of that name; nothing else waits."""
        with pytest.raises(Refused) as refused:
            await act()
        assert refused.value.code == "needs_two_persons"
        [one] = await self.waiting(bank)
        assert one.asked.act == "release"
        assert name in [hit["name"] for hit in one.asked.said["first"]]
