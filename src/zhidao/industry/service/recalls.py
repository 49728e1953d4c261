"""Recalls: a lot and what was made of it called back, and the consignments that hold it flagged.

What a recall writes is one transaction, so a process that dies leaves all of it or nothing. Asked
again it changes nothing but that consignments which have come to name the goods are flagged too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, Forbidden, MalformedInput
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Records, Scribe
from zhidao.industry.domain.recall import (
    Frozen,
    RecallState,
    recall_state,
    series_of,
    things_of,
)
from zhidao.industry.domain.trace import Direction
from zhidao.industry.events import (
    ConsignmentCleared,
    ConsignmentFlagged,
    RecallDrilled,
    RecallLiftAsked,
    RecallLifted,
    RecallOpened,
    RecallRefused,
)
from zhidao.industry.service.epcis import EpcisService
from zhidao.industry.service.ports import AffectedConsignment, HeldConsignments, RecallBook

MAY_RECALL: Final = access(
    Role.PARTY, relation=Relation.OWNER, of="the lot, or an authority that the trust list names"
)
MAY_LIFT: Final = access(
    Role.PARTY, relation=Relation.OWNER, of="the recall", parties=lambda first: (first.owner,)
)
MAY_SEE_LIST: Final = access(
    *(Role.PARTY, Role.AUDITOR),
    relation=Relation.OWNER,
    of="the recall",
    parties=lambda first: (first.owner,),
)
REASON_CHARS_MAX: Final = 500
# So many are flagged at once; who asks again has the next flagged.
FLAGS_MAX: Final = 2_000
# So many recalls has one lot by one party, one after the other.
SERIES_MAX: Final = 1_000
# Signing holds the loop: others have their turn between so many.
_SIGNED_TOGETHER: Final = 50
_ATTEMPTS: Final = 4


class RecallService:
    """Opens, shows, drills and lifts recalls.

    `consignments` finds who holds the goods; wiring sets it once the rooms above stand.
    """

    def __init__(
        self,
        book: RecallBook,
        records: Records,
        scribe: Scribe,
        archive: Archive,
        clock: Clock,
        epcis: EpcisService,
        is_authority: Callable[[PartyId], Awaitable[bool]],
    ) -> None:
        self._book, self._records, self._scribe = book, records, scribe
        self._archive, self._clock, self._epcis = archive, clock, epcis
        self._is_authority = is_authority
        self._node = Actor(records.node, Role.NODE)
        self.consignments: HeldConsignments | None = None

    async def open(self, actor: Actor, *, lot: str, level: int, reason: str) -> RecallState:
        """Calls a lot back; the same again flags consignments that came since, and nothing else.

        Raises NotFound for a lot that the actor does not see, Forbidden for one that it may not
        call back (which is written down), Conflict where it stands with another level.
        """
        MAY_RECALL.admit(actor)
        _check_reason(reason)
        lot, frozen = await self._found(actor, lot)
        speaks_as = await self._speaks_as(actor, lot, level)
        known = await self._newest(actor.party, lot)
        if known is not None and not known.is_over:
            return await self._again(known, level)
        number = 1 if known is None else int(known.opened.recall.rpartition("-")[2]) + 1
        if number > SERIES_MAX:
            raise Conflict(
                f"{SERIES_MAX} recalls of this lot by {actor.party} were lifted before",
                code="recalled_too_often",
                remedy="let an authority on the trust list call it back",
            )
        fact = RecallOpened(
            recall=f"{series_of(actor.party, lot)}-{number:04d}",
            lot=lot,
            level=level,
            reason=reason,
            speaks_as=speaks_as,
            things=await self._archive.put(await asyncio.to_thread(frozen.encode, lot)),
            made=len(frozen.made),
            carried=len(frozen.carried),
            not_told=len(frozen.not_told),
            cut_short=frozen.cut_short,
        )
        held = (await self._held(lot, frozen))[:FLAGS_MAX]
        told = sorted({party for each in held for party in (each.owner, *each.parties)})
        entry = self._entry(
            fact, by=actor.party, aggregate=f"recall/{fact.recall}", owner=actor.party, visible=told
        )
        try:
            flags = await self._flags(fact, held)
            names = [each.consignment for each in held]
            await self._book.write([entry, *flags], fact.recall, names, cleared=None)
        except Conflict:
            # It was opened from elsewhere at the same time.
            known = await self._newest(actor.party, lot)
            if known is None:
                raise
            return await self._again(known, level)
        return recall_state([entry.event])

    async def drill(self, actor: Actor, *, lot: str, level: int) -> RecallDrilled:
        """Finds all that a recall would, and changes nothing; writes down how long it took."""
        MAY_RECALL.admit(actor)
        begun_at = self._clock.now()
        lot, frozen = await self._found(actor, lot)
        speaks_as = await self._speaks_as(actor, lot, level)
        held = await self._held(lot, frozen)
        took_ms = self._clock.now().since_ns(begun_at) // 10**6
        fact = RecallDrilled(
            lot=lot,
            level=level,
            speaks_as=speaks_as,
            made=len(frozen.made),
            carried=len(frozen.carried),
            not_told=len(frozen.not_told),
            cut_short=frozen.cut_short,
            consignments=len(held),
            took_ms=took_ms,
        )
        aggregate = f"recall-drill/{series_of(actor.party, lot)}"
        history = await self._records.history(aggregate)
        await self._records.record(actor, aggregate, [fact], after=len(history), owner=actor.party)
        return fact

    async def recall(self, actor: Actor, recall: str) -> RecallState:
        """A recall that the actor may see. Raises NotFound."""
        return recall_state(await self._records.history(f"recall/{recall}", actor))

    async def recalls(self, actor: Actor, *, limit: int, after: str = "") -> list[RecallState]:
        """The recalls that the actor may see, by name."""
        start = f"recall/{after}" if after else ""
        names = await self._records.aggregates("recall/", actor, limit=limit, after=start)
        return [recall_state(each) for each in await self._records.histories(names, actor)]

    async def things(self, actor: Actor, recall: str) -> Frozen:
        """The list that it froze, for who opened it alone. Raises NotFound, Forbidden."""
        history = await self._records.history(f"recall/{recall}", actor)
        MAY_SEE_LIST.check(actor, history[0])
        return Frozen.decode(await self._archive.get(RecallOpened.of(history[0]).things))

    async def flagged(self, recall: str) -> list[str]:
        """The consignments that a recall flagged, in order."""
        return list(await self._book.flagged(recall))

    async def flags_of(
        self, actor: Actor, consignment: str
    ) -> list[tuple[ConsignmentFlagged, bool]]:
        """The flags of a consignment that the actor may see, each with whether it was cleared."""
        names = [f"recalled/{each}/{consignment}" for each in await self._book.recalls(consignment)]
        histories = await self._records.histories(names, actor)
        return [(ConsignmentFlagged.of(each[0]), len(each) > 1) for each in histories]

    async def lift(self, actor: Actor, recall: str, *, reason: str) -> RecallState:
        """Asks to end a recall; the word of a second person ends it, and clears its flags.

        The same person again changes nothing. Raises Forbidden (`no_person`) for a token, behind
        which anybody may stand.
        """
        history = await self._records.history(f"recall/{recall}", actor)
        MAY_LIFT.check(actor, history[0])
        if not actor.person:
            raise Forbidden("two persons lift a recall, each signed in: sign in", code="no_person")
        _check_reason(reason)
        for _ in range(_ATTEMPTS):
            known = recall_state(history)
            if known.is_over or known.asked_by == actor.person:
                return known
            with suppress(Conflict):  # Another person, or a flag, came in between: look again.
                await self._say(actor, known, history[0], reason)
            history = await self._records.history(f"recall/{recall}", actor)
        return recall_state(history)

    async def _say(self, actor: Actor, known: RecallState, first: SignedEvent, reason: str) -> None:
        """Writes down the word of one person: the first asks, the second ends it."""
        recall, cleared = known.opened.recall, list[Entry]()
        fact: Fact = RecallLiftAsked(recall=recall, person=actor.person, reason=reason)
        if known.asked_by:
            fact = RecallLifted(recall=recall, person=actor.person, asked_by=known.asked_by)
            cleared = await self._cleared(recall)
        entry = self._entry(
            fact,
            by=actor.party,
            aggregate=f"recall/{recall}",
            version=known.version + 1,
            owner=first.owner,
            visible=first.visible,
        )
        count = len(cleared) if known.asked_by else None
        await self._book.write([entry, *cleared], recall, [], cleared=count)

    async def _found(self, actor: Actor, lot: str) -> tuple[str, Frozen]:
        found = await self._epcis.trace(actor, lot, Direction.FORWARD)
        return found.start, await asyncio.to_thread(Frozen.of, found)

    async def _speaks_as(self, actor: Actor, lot: str, level: int) -> str:
        if await self._epcis.maker(lot) == actor.party:
            return "maker"
        if await self._is_authority(actor.party):
            return "authority"
        aggregate = f"recall-refused/{series_of(actor.party, lot)}"
        if not await self._records.history(aggregate):
            fact = RecallRefused(lot=lot, party=actor.party, level=level)
            await self._records.record(
                self._node, aggregate, [fact], after=0, owner=self._node.party
            )
        raise Forbidden(
            "only the lot's maker calls it back, or an authority that the trust list names",
            code="not_the_maker",
        )

    async def _newest(self, party: PartyId, lot: str) -> RecallState | None:
        names = await self._records.aggregates(
            f"recall/{series_of(party, lot)}-", self._node, limit=SERIES_MAX
        )
        if not names:
            return None
        return recall_state(await self._records.history(names[-1]))

    async def _again(self, known: RecallState, level: int) -> RecallState:
        if known.opened.level != level:
            raise Conflict(
                f"the lot is called back with class {known.opened.level} already",
                code="recall_stands",
                remedy="lift it first; a recall is never changed",
            )
        frozen = Frozen.decode(await self._archive.get(known.opened.things))
        before = set(await self._book.flagged(known.opened.recall))
        held = await self._held(known.opened.lot, frozen)
        new = [each for each in held if each.consignment not in before][:FLAGS_MAX]
        if new:
            flags, names = await self._flags(known.opened, new), [each.consignment for each in new]
            with suppress(Conflict):  # Somebody else flags them, or lifted it, just now.
                await self._book.write(flags, known.opened.recall, names, cleared=None)
        return known

    async def _held(self, lot: str, frozen: Frozen) -> list[AffectedConsignment]:
        if self.consignments is None:
            return []
        lots = await self._book.lots_of(things_of(lot, frozen))
        return await self.consignments.holding(lots)

    async def _flags(
        self, opened: RecallOpened, held: Sequence[AffectedConsignment]
    ) -> list[Entry]:
        entries = []
        for number, each in enumerate(held):
            fact = ConsignmentFlagged(
                recall=opened.recall,
                consignment=each.consignment,
                lot=opened.lot,
                level=opened.level,
                lots=list(each.lots),
            )
            entries.append(
                self._entry(
                    fact,
                    by=self._node.party,
                    aggregate=f"recalled/{opened.recall}/{each.consignment}",
                    owner=each.owner,
                    visible=each.parties,
                )
            )
            if number % _SIGNED_TOGETHER == 0:
                await asyncio.sleep(0)
        return entries

    async def _cleared(self, recall: str) -> list[Entry]:
        entries = []
        for number, consignment in enumerate(await self._book.flagged(recall)):
            aggregate = f"recalled/{recall}/{consignment}"
            history: tuple[SignedEvent, ...] = await self._records.history(aggregate)
            entries.append(
                self._entry(
                    ConsignmentCleared(recall=recall, consignment=consignment),
                    by=self._node.party,
                    aggregate=aggregate,
                    version=history[-1].version + 1,
                    owner=history[0].owner,
                    visible=history[0].visible,
                )
            )
            if number % _SIGNED_TOGETHER == 0:
                await asyncio.sleep(0)
        return entries

    def _entry(
        self,
        fact: Fact,
        *,
        by: PartyId,
        aggregate: str,
        owner: PartyId,
        visible: Sequence[PartyId],
        version: int = 1,
    ) -> Entry:
        return self._scribe.write(
            fact,
            by=by,
            aggregate=aggregate,
            version=version,
            owner=owner,
            visible=visible,
            occurred_at=None,
        )


def _check_reason(reason: str) -> None:
    if len(reason) > REASON_CHARS_MAX:
        raise MalformedInput(
            f"a reason has at most {REASON_CHARS_MAX} characters", where="$.reason"
        )
