"""Acts above a limit happen once two persons of the party said so, each signed in as themselves.

A word counts of somebody whose role may do the act and who stands, when it is given and when the
act is done: not of one who was withdrawn, nor of one for whom the party's own word is missing.

Whoever asks, the act is refused and noted until two persons approved exactly it; asking for it as
a person is that person's approval. The second person's word carries it out. That it was is written
down, and stays: nothing more is said to it, whoever leaves and however long ago it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from zhidao.core.access import OWN, Access, Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.journal import Records
from zhidao.core.money import Money
from zhidao.core.text.plain_text import says_something
from zhidao.finance.domain.payments.approval import (
    APPROVE,
    CLEARED,
    LAPSE,
    REFUSE,
    Approval,
    Demand,
    Limits,
)
from zhidao.finance.events.banks import ApprovalAsked
from zhidao.finance.service.control.approval_histories import TRIES, ApprovalHistories
from zhidao.finance.service.control.carried_out import NOT_YET, Act, Became, CarriedOut
from zhidao.finance.service.control.daily_totals import DailyTotals
from zhidao.finance.service.control.keyed_locks import KeyedLocks
from zhidao.finance.service.ports import Persons

MAY_APPROVE: Final = access(
    Role.PARTY,
    # What waits for who runs the node, as `carries_out` says of each act: a bank to be admitted.
    Role.OPERATOR,
    relation=Relation.OWNER,
    of="the approval; a person signed in",
    parties=lambda approval: (approval.party,),
)

SAID_BYTES_MAX: Final = 256 * 1024


class Shown(Protocol):
    """An approval as it is shown. `whole`: alone, and not in a list."""

    def __call__(self, approval: Approval, *, whole: bool) -> Awaitable[Approval]:
        """The same approval with what persons need to read it."""
        ...


class Approvals:
    """Asks for, takes and counts the words of persons."""

    def __init__(
        self, *, records: Records, clock: Clock, limits: Limits, persons: Persons | None = None
    ) -> None:
        """`persons`: who of them still stands when an act is done; None: all do, always."""
        self._persons = persons
        self._histories = ApprovalHistories(records, clock)
        self._limits = limits
        self._totals = DailyTotals(records=records, clock=clock, limits=limits)
        self._acts_one_by_one = KeyedLocks()
        self._ways = CarriedOut()
        self.undone: set[str] = set()
        """The names of what was decided in this process, and whose act is not done."""
        self._asks_why: set[str] = set()
        self._over: dict[str, Callable[[Approval], Awaitable[str]]] = {}
        self._shown: dict[str, Shown] = {}

    def carries_out(
        self,
        act: str,
        how: Act,
        *,
        by: Access[Any] | None = OWN,
        refused: Act | None = None,
        again: bool = False,
        became: Became | None = None,
        lasts: Became | None = None,
    ) -> None:
        """Names what is done once an act of this kind is approved, or refused.

        `by`: whose roles may do it, and so whose word counts; None: those of the act that it holds.
        `again`: it finds what it did, and may be done once more days later. `became`: finds what
        came of it; None: nothing but that it was carried out tells that. `lasts`: the same of what
        takes no new words when the old ones count no more; None: as `became`.
        """
        self._ways.add(act, how, by=by, refused=refused, again=again, became=became, lasts=lasts)

    def asks_why(self, act: str) -> None:
        """From now on whoever refuses an act of this kind gives a reason."""
        self._asks_why.add(act)

    async def carry_out(self, actor: Actor, act: str, asked: Mapping[str, Any]) -> object:
        """Does an act whose names were released; for its sum it may wait for two persons yet."""
        try:
            return await self._ways.acts[act](actor, asked)
        except Refused as error:
            if error.code != "needs_two_persons":
                raise
            return NOT_YET

    @property
    def limits(self) -> Limits:
        """Up to which amount one caller is enough."""
        return self._limits

    @property
    def asks(self) -> bool:
        """Whether there are limits at all."""
        return bool(self._limits.above_minor)

    async def demand(self, actor: Actor, demand: Demand) -> bool:
        """Returns if the actor may do this now: it counts from here on; whether it did not before.

        It counts together with all that one caller did, over today and the day before, whatever
        it was; what two persons approved counts nothing.

        Raises Refused with code `needs_two_persons` (noted; the approval's name is in `where`), or
        `refused_by_person`.
        """
        if not self._limits.above_minor:
            return False
        assert demand.accounts, "what moves no account's money is no way around a limit"
        approval = await self._asked_now(demand.name(actor.party))
        if approval is not None and approval.state != "waits":
            self._answer(approval, demand, None)
            return False
        together, counted = demand.amount, False
        if not self._limits.asks(together):
            together, counted = await self._totals.counted(actor, demand)
        if self._limits.asks(together):
            await self.ask(actor, demand, together=together)
        return counted

    @contextlib.asynccontextmanager
    async def allowed(
        self, actor: Actor, demand: Demand, *, stands: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[bool]:
        """The same for what is done inside: what is refused there does not count.

        One at a time of what counts under one name, and only the request that counted it (what is
        yielded) takes it back: of two for the same, neither undoes what the other's counts.
        Whoever wrote meanwhile (Conflict) may have done it, so that goes on counting; and so does
        what was done in part before it was refused, as `stands` tells.
        """
        if not self._limits.above_minor:
            yield False
            return
        async with self._acts_one_by_one.of(demand.counts_as(actor.party)):
            counted = await self.demand(actor, demand)
            try:
                yield counted
            except Conflict:
                raise
            except Refused:
                if counted and not (stands is not None and await stands()):
                    await self._totals.not_counted(actor.party, demand)
                raise
            if not counted:
                await self.was_done(actor.party, demand)

    async def was_done(self, party: str, demand: Demand) -> None:
        """What two persons approved was done just now: that is kept. Otherwise: no change."""
        approval = await self._histories.find(demand.name(party))
        if approval is not None and approval.state == "approved" and not approval.done:
            became = await self._ways.became(approval)
            await self._histories.end(approval, "approved" if became is None else became)

    async def came_to_nothing(self, party: str, demand: Demand) -> None:
        """What was done is undone, or refused after all: it counts no more. Again: no change."""
        await self._totals.not_counted(party, demand)

    async def follows(self, party: str, demand: Demand) -> None:
        """Counts what a word bound that was given before. Again: no change."""
        await self._totals.add(party, demand)

    async def counts(self, party: str, demand: Demand) -> bool:
        """Whether an act counts now."""
        return await self._totals.counts(party, demand)

    async def ask(self, actor: Actor, demand: Demand, *, together: Money | None = None) -> None:
        """Returns if two persons approved it, whatever the amount. Raises as `demand`.

        `together`: what it comes to with what one caller's word did before.
        """
        if len(jcs(dict(demand.said))) > SAID_BYTES_MAX:
            raise Refused(
                f"more than {SAID_BYTES_MAX} bytes cannot be shown to two persons",
                code="too_many",
                remedy="send a smaller request: two persons must be able to read it",
            )
        name = demand.name(actor.party)
        approval = await self._asked_now(name) or await self._histories.ask(
            actor,
            ApprovalAsked(
                approval=name,
                act=demand.act,
                subject=demand.subject,
                amount_minor=str(demand.amount.minor),
                currency=demand.amount.currency.code,
                said=dict(demand.said),
            ),
        )
        if approval.state == "waits" and await self._speaks(actor, approval):
            approval = await self._give(actor, approval, APPROVE)
        approval = await self._standing(approval)
        self._answer(approval, demand, together)

    def _answer(self, approval: Approval, demand: Demand, together: Money | None) -> None:
        what = f"{demand.act} {demand.subject}"
        if approval.state == "refused":
            raise refused(approval)
        if approval.state == "waits":
            raise Refused(
                f"to {what} over {demand.amount}{_with_others(demand.amount, together)} takes two"
                " persons;"
                f" {len(approval.approved_by)} approved so far"
                + (f"; {approval.reason}" if approval.reason else ""),
                code="needs_two_persons",
                where=f"approval {approval.asked.approval}",
                remedy="another person of the party signs in and approves it",
            )
        if not approval.done and self._ways.may_again(approval):
            self.undone.add(approval.asked.approval)

    async def _asked_now(self, name: str) -> Approval | None:
        """An approval as whoever asks for its act finds it; None if it is to be asked for anew.

        What is done and leaves nothing that stands for it takes new words to be done once more,
        when the old ones would not do for something that is not done.
        """
        approval = await self._histories.find(name)
        if approval is None:
            return None
        approval = await self._found_done(approval)
        if approval.state == CLEARED:
            return None
        if not approval.done:
            return await self._standing(approval)
        if approval.counts and not await self._fallen(approval):
            return approval
        return approval if await self._ways.lasts(approval) == approval.state else None

    async def decide(self, actor: Actor, name: str, *, approve: bool, reason: str = "") -> Approval:
        """Takes a person's word; the second approval carries the act out, again: once more.

        Raises NotFound for a stranger, Forbidden for a token, for a role that may not do the act
        itself and for who does not stand (`person_waits`), Conflict if the person said otherwise
        before, and for another word on what is done (`approved_already`), Refused
        (`reason_needed`) for a no without a word where its reason is asked.
        """
        MAY_APPROVE.admit(actor)
        approval = await self.approval(actor, name)
        if not MAY_APPROVE.relates(actor, approval):
            raise NotFound("no approval of that name")
        actor.require(*sorted(self._ways.roles(approval)))
        await self._require_word(actor, approval)
        approval = await self._found_over(await self._found_done(approval))
        if not approve and approval.asked.act in self._asks_why:
            require_reason(reason, "refuses this")
        approval = await self._give(actor, approval, APPROVE if approve else REFUSE, reason)
        return await self._act(await self._standing(approval))

    async def _require_word(self, actor: Actor, approval: Approval) -> None:
        if not actor.person:
            raise Forbidden(
                "only a person approves: sign in with a name and password of your own",
                code="no_person",
            )
        if not await self._speaks(actor, approval):
            raise Forbidden(
                f"{actor.person} has no word here for now: a new role or password waits for"
                f" {approval.party}",
                code="person_waits",
                remedy=f"a person of {approval.party} agrees to it first",
            )

    async def _speaks(self, actor: Actor, approval: Approval) -> bool:
        """Whether the actor is a person whose word counts now."""
        if not (actor.person and self._may(actor, approval)):
            return False
        return self._persons is None or await self._stands(self._persons, actor.person, approval)

    async def _stands(self, persons: Persons, person: str, approval: Approval) -> bool:
        now = await persons.standing(person)
        return now is not None and self._may(now, approval)

    def _may(self, actor: Actor, approval: Approval) -> bool:
        return actor.role in self._ways.roles(approval) and actor.party == approval.party

    async def _standing(self, approval: Approval) -> Approval:
        """An approval as it stands when it is acted on: whoever may not do the act has no word.

        That is written down, so that it waits for another word and says why. What is done stays.
        """
        by = self._histories.party(approval)
        for _ in range(TRIES):
            if approval.done or approval.state != "approved":
                return approval
            fallen = await self._fallen(approval)
            if not fallen:
                return approval
            why = f"{fallen} approved, and was withdrawn, waits or has another role since"
            approval = await self._histories.say(by, approval, fallen, LAPSE, why)
        raise Conflict("too many at once; ask again")

    async def _fallen(self, approval: Approval) -> str:
        """Who approved and may not do so any more, or ``."""
        if self._persons is None:
            return ""
        for person in approval.approved_by:
            if not await self._stands(self._persons, person, approval):
                return person
        return ""

    async def _act(self, approval: Approval) -> Approval:
        """Carries out what is decided and not done; the approval as it is then."""
        how = self._ways.how(approval)
        if approval.done or how is None:
            return approval
        if self._ways.may_again(approval):
            self.undone.add(approval.asked.approval)
        became = await self._ways.carry_out(approval, how)
        approval = await self._histories.end(approval, became)
        self.undone.discard(approval.asked.approval)
        return approval

    async def _found_done(self, approval: Approval) -> Approval:
        """An approval, kept as done if what its act left says so: a process died, or it is of old.

        Whatever was written since, and however long ago it was decided.
        """
        if approval.done or not approval.once:
            return approval
        return await self._histories.end(approval, await self._ways.became(approval) or "")

    async def find(self, name: str) -> Approval | None:
        """One approval as its words stand, whoever asks."""
        return await self._histories.find(name)

    def every(self) -> AsyncIterator[Approval]:
        """Every approval of the node, in order of name."""
        return self._histories.all()

    async def clear(self, approval: Approval, why: str) -> Approval:
        """Ends one that waits and that nobody need decide any more. Decided: no change."""
        return await self._histories.clear(await self._found_done(approval), why)

    def ends_by(self, act: str, over: Callable[[Approval], Awaitable[str]]) -> None:
        """Names what finds why one of this kind need not be decided any more, or ``."""
        self._over[act] = over

    async def _found_over(self, approval: Approval) -> Approval:
        """An approval, ended if what it asks about went on without it."""
        over = self._over.get(approval.asked.act)
        if over is None or approval.state != "waits":
            return approval
        why = await over(approval)
        return await self.clear(approval, why) if why else approval

    def shows(self, act: str, how: Shown) -> None:
        """Names how one of this kind is shown to those who look at it; that changes nothing."""
        self._shown[act] = how

    async def _seen(self, approval: Approval, *, whole: bool) -> Approval:
        how = self._shown.get(approval.asked.act)
        return approval if how is None else await how(approval, whole=whole)

    async def decided(self) -> list[str]:
        """The names of what was ever decided, is not kept as done, and may be acted on."""
        return [
            one.asked.approval
            async for one in self._histories.all()
            if one.once and not one.done and self._ways.may_again(one)
        ]

    async def act_again(self, name: str) -> None:
        """Acts on what is decided and not done, if the words still count."""
        approval = await self._histories.find(name)
        if approval is not None:
            approval = await self._standing(await self._found_done(approval))
            await self._act(approval)
        self.undone.discard(name)

    async def approval(self, actor: Actor, name: str) -> Approval:
        """One approval. Raises NotFound for a stranger."""
        return await self._seen(await self._histories.seen(actor, name), whole=True)

    async def approvals(self, actor: Actor, *, limit: int, after: str = "") -> list[Approval]:
        """The approvals that the actor may see, in order of name."""
        found = await self._histories.listed(actor, limit=limit, after=after)
        return [await self._seen(one, whole=False) for one in found]

    async def _give(
        self, actor: Actor, approval: Approval, verdict: str, reason: str = ""
    ) -> Approval:
        for _ in range(TRIES):
            if approval.state == CLEARED:
                raise Conflict(f"nobody decides it: {approval.reason}", code="approved_already")
            if actor.person in approval.approved_by:
                if verdict == APPROVE:
                    return approval
                if approval.state == "approved":
                    raise Conflict("it is approved by two persons", code="approved_already")
            if approval.done and approval.state == "approved":
                raise Conflict(
                    f"it is done: {' and '.join(approval.approved_by)} approved it",
                    code="approved_already",
                )
            if approval.refused_by:
                if verdict == REFUSE:
                    return approval
                raise Conflict(f"{approval.refused_by} refused it", code="refused_by_person")
            approval = await self._histories.say(actor, approval, actor.person, verdict, reason)
        return approval


def require_reason(reason: str, does: str) -> None:
    """Raises Refused (`reason_needed`) for a reason without a letter or digit that is seen.

    `does`: what asks for it, such as `refuses this`.
    """
    if not says_something(reason):
        raise Refused(
            f"whoever {does} says why",
            code="reason_needed",
            where="reason",
            remedy="give the reason in a few words; it is kept with what was decided",
        )


def refused(approval: Approval) -> Refused:
    """What is told of an act that a person refused."""
    what = f"{approval.asked.act} {approval.asked.subject}"
    return Refused(f"{approval.refused_by} refused to {what}", code="refused_by_person")


def _with_others(amount: Money, together: Money | None) -> str:
    """Why an amount below the limit is above it after all."""
    if together is None or together == amount:
        return ""
    return f" ({together} with what one word did lately)"
