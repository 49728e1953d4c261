"""Screening as a node does it: fresh lists or no answer, each answer recorded, alerts judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import parse_id
from zhidao.core.journal import Records
from zhidao.finance.domain.screening.screening import Hit, Lists, ListVersion, require_fresh
from zhidao.finance.events import ListUsed, NameScreened, ScreeningHit
from zhidao.finance.events.banks import HitJudged
from zhidao.finance.service.control.approvals import require_reason
from zhidao.finance.service.ports import ListSource

MAY_SCREEN: Final = access(Role.PARTY, relation=Relation.OWNER, of="the screening")
MAY_JUDGE: Final = access(
    Role.PARTY, relation=Relation.OWNER, of="the screening; a person signed in"
)

LIST_AGE_DAYS_MAX: Final = 7


@dataclass(frozen=True, slots=True)
class Screened:
    """A recorded answer and what a person made of its alerts."""

    answer: NameScreened
    at: str
    judged: HitJudged | None = None

    @property
    def state(self) -> str:
        """One word: clear (no alert), alert (waits for a person), cleared or confirmed."""
        if not any(hit.alert for hit in self.answer.hits):
            return "clear"
        return "alert" if self.judged is None else self.judged.verdict


class Screening:
    """Answers from the lists of this node; a list that is too old stops all answers."""

    def __init__(
        self,
        source: ListSource,
        *,
        records: Records,
        clock: Clock,
        age_days_max: int = LIST_AGE_DAYS_MAX,
    ) -> None:
        self._source = source
        self._records = records
        self._clock = clock
        self._age_days_max = age_days_max

    async def versions(self) -> tuple[Sequence[ListVersion], str]:
        """The lists of this node, and why nothing is screened now (`` if it is)."""
        lists = await self._source.lists()
        try:
            self._require_fresh(lists.versions)
        except Refused as error:
            return lists.versions, str(error)
        return lists.versions, ""

    async def as_they_stand(self) -> Lists:
        """The lists of this node, however old, or none. Raises Unavailable (`lists_unreadable`)."""
        return await self._source.lists()

    async def fresh(self) -> Lists:
        """The lists as they stand, none too old.

        Raises Refused (`no_lists`, `list_too_old`), Unavailable (`lists_unreadable`).
        """
        lists = await self._source.lists()
        self._require_fresh(lists.versions)
        return lists

    async def screen(self, actor: Actor, *, screening: str, name: str) -> NameScreened:
        """The recorded answer; again under the same id: the same one, whatever the lists are now.

        Raises Conflict if the id stands for another name, Refused with code `no_lists` or
        `list_too_old`, MalformedInput for what is no name, Unavailable (`lists_unreadable`).
        """
        MAY_SCREEN.admit(actor)
        aggregate = f"screening/{actor.party}/{parse_id(screening)}"
        history = await self._records.history(aggregate)
        if history:
            known = NameScreened.of(history[0])
            if known.name != name:
                raise Conflict(f"screening {screening} was of another name")
            return known
        lists = await self._source.lists()
        self._require_fresh(lists.versions)
        fact = NameScreened(
            screening=screening,
            name=name,
            lists=[
                ListUsed(
                    source=v.list, dated=v.dated.isoformat(), digest=v.digest, entries=v.entries
                )
                for v in lists.versions
            ],
            hits=[hit_of(hit) for hit in lists.index.screen(name)],
        )
        await self._records.record(actor, aggregate, [fact], after=0, owner=actor.party)
        return fact

    async def judge(self, actor: Actor, *, screening: str, verdict: str, reason: str) -> Screened:
        """A person clears or confirms an alert, once; the same again: no change.

        Raises Forbidden for a token, Conflict if it was judged otherwise, NotFound, Refused
        (`reason_needed`) for a reason that says nothing.
        """
        MAY_JUDGE.admit(actor)
        if not actor.person:
            raise Forbidden("only a person judges an alert: sign in", code="no_person")
        known = await self.one(actor, screening)
        if known.state == "clear":
            raise Refused("there is no alert to judge", code="no_alert")
        fact = HitJudged(screening=screening, verdict=verdict, reason=reason, person=actor.person)
        if known.judged is None:
            require_reason(reason, "judges an alert")
            aggregate = f"screening/{actor.party}/{parse_id(screening)}"
            await self._records.record(actor, aggregate, [fact], after=1, owner=actor.party)
        elif (known.judged.verdict, known.judged.reason) != (verdict, reason):
            raise Conflict(f"{known.judged.person} judged it before", code="judged_already")
        return await self.one(actor, screening)

    async def one(self, actor: Actor, screening: str) -> Screened:
        """One screening of the actor's party. Raises NotFound."""
        aggregate = f"screening/{actor.party}/{parse_id(screening)}"
        return _fold(await self._records.history(aggregate, actor))

    async def screenings(self, actor: Actor, *, limit: int, after: str = "") -> list[Screened]:
        """What the actor may see, in order of party and id: the audit trail."""
        prefix = "screening/" if actor.viewer is None else f"screening/{actor.party}/"
        start = f"{prefix}{after}" if after else ""
        names = await self._records.aggregates(prefix, actor, limit=limit, after=start)
        return [_fold(await self._records.history(name, actor)) for name in names]

    def _require_fresh(self, versions: Sequence[ListVersion]) -> None:
        today = self._clock.now().to_datetime().date()
        require_fresh(versions, today=today, age_days_max=self._age_days_max)


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


def _fold(history: Sequence[SignedEvent]) -> Screened:
    if not history:
        raise NotFound("no screening of that name")
    judged = HitJudged.of(history[1]) if len(history) > 1 else None
    return Screened(NameScreened.of(history[0]), str(history[0].recorded_at), judged)
