"""Screening as a node does it: fresh lists or no answer, and each answer recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict
from zhidao.core.ids import parse_id
from zhidao.core.journal import Records
from zhidao.finance.domain.screening import Hit, Index, require_fresh
from zhidao.finance.events import ListUsed, NameScreened, ScreeningHit
from zhidao.finance.wire.screening_lists import NameList

LIST_AGE_DAYS_MAX: Final = 7


class Screening:
    """Answers from lists in memory; a list that is too old stops all answers."""

    def __init__(
        self,
        lists: Sequence[NameList],
        *,
        records: Records,
        clock: Clock,
        age_days_max: int = LIST_AGE_DAYS_MAX,
    ) -> None:
        self._versions = [each.version for each in lists]
        self._index = Index(entry for each in lists for entry in each.entries)
        self._records = records
        self._clock = clock
        self._age_days_max = age_days_max

    async def screen(self, actor: Actor, *, screening: str, name: str) -> NameScreened:
        """The recorded answer; again under the same id: the same one, whatever the lists are now.

        Raises Conflict if the id stands for another name, Refused with code `no_lists` or
        `list_too_old`, MalformedInput for what is no name.
        """
        aggregate = f"screening/{actor.party}/{parse_id(screening)}"
        history = await self._records.history(aggregate)
        if history:
            known = NameScreened.of(history[0])
            if known.name != name:
                raise Conflict(f"screening {screening} was of another name")
            return known
        today = self._clock.now().to_datetime().date()
        require_fresh(self._versions, today=today, age_days_max=self._age_days_max)
        fact = NameScreened(
            screening=screening,
            name=name,
            lists=[
                ListUsed(
                    source=v.list, dated=v.dated.isoformat(), digest=v.digest, entries=v.entries
                )
                for v in self._versions
            ],
            hits=[hit_of(hit) for hit in self._index.screen(name)],
        )
        await self._records.record(actor, aggregate, [fact], after=0, owner=actor.party)
        return fact


def hit_of(hit: Hit) -> ScreeningHit:
    """A hit as events and answers hold it."""
    return ScreeningHit(
        source=hit.entry.list,
        entry=hit.entry.entry,
        name=hit.name,
        score_permille=hit.score_permille,
        alert=hit.alert,
        reason=hit.reason,
        countries=list(hit.entry.countries),
        born=list(hit.entry.born),
    )
