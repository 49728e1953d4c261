"""Deals: money under conditions, opened by a bank, moved on by events, ended by one decision."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final
from uuid import UUID

import msgspec

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Handled, Records
from zhidao.core.money import Currency, Money
from zhidao.devices.events import SubmissionRefused
from zhidao.finance.domain.deals import verdict
from zhidao.finance.domain.deals.deal import (
    DEAL,
    GIVE_BACK,
    MEET_TITLE,
    NEW,
    PAY,
    RELEASE,
    RESERVE_MONEY,
    TITLE,
    Deal,
    fold,
    permit,
)
from zhidao.finance.domain.deals.verdict import Abort, Verdict
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.events import ConditionMet, DealOpened, TitleReserved
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.keyed_locks import KeyedLocks
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.deals.deal_terms import DealTerms, arrival_asked
from zhidao.finance.service.deals.settlement import Settlement
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ports import DealIndex, IndexedDeal
from zhidao.positioning.commands import Arrivals
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.trade.commands import Consignments
from zhidao.trade.events import CustomsReleased, PapersChecked
from zhidao.trust.commands import Titles

MAY_OPEN_DEAL: Final = access(
    Role.PARTY,
    relation=Relation.BANK_OF,
    of="the payer's money",
    parties=lambda opened: (opened.payer_bank,),
)
MAY_RESERVE_TITLE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the deal, its payee",
    parties=lambda opened: (opened.payee,),
)

OPEN: Final = "open_deal"
PAY_DEAL: Final = "pay_deal"
_LOG: Final = logging.getLogger(__name__)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,34}\Z", re.ASCII)
# A passed deadline must be seen this often, a second apart: events written in time are still on
# their way through log and bus, and scenario time may jump.
_DEADLINE_LOOKS: Final = 3
_TICK_S: Final = 1.0
_AT_ONCE: Final = 8

EVENTS: Final = (
    *ArrivalProven.types(),
    *ArrivalNotProven.types(),
    PapersChecked.TYPE,
    CustomsReleased.TYPE,
    SubmissionRefused.TYPE,
)


class Deals:
    """Opens deals, listens for what they wait for, and brings each to its end."""

    def __init__(
        self,
        *,
        records: Records,
        accounts: Accounts,
        settlement: Settlement,
        index: DealIndex,
        titles: Titles,
        arrivals: Arrivals,
        consignments: Consignments,
        scenario_clock: Clock,
        approvals: Approvals | None = None,
        holds: NameHolds | None,
    ) -> None:
        """`approvals`: asks for two persons where an amount needs them; None: never.

        `holds`: looks at payer and payee when a deal is opened and again before it is paid.
        """
        self._holds = holds
        if holds is not None:
            holds.carries_out(PAY_DEAL, self._pay_said)
        self._approvals = approvals
        if approvals is not None:
            approvals.carries_out(OPEN, self._open_said)
        self._terms = DealTerms(
            accounts=accounts,
            settlement=settlement,
            titles=titles,
            arrivals=arrivals,
            consignments=consignments,
            node=records.node,
        )
        self._records = records
        self._accounts = accounts
        self._settlement = settlement
        self._index = index
        self._titles = titles
        self._arrivals = arrivals
        self._consignments = consignments
        self._scenario_clock = scenario_clock
        self._node = Actor(records.node, Role.NODE)
        self._locks = KeyedLocks()
        self._steps: asyncio.Queue[str] = asyncio.Queue()
        self._overdue: dict[str, int] = {}
        self._said: dict[str, str] = {}

    async def open(self, actor: Actor, opened: DealOpened) -> Deal:
        """Opens a deal and reserves its money; again with the same content: the same deal.

        Raises Refused with code `exceeds_credits` if the payer's funds are short or `credit_line`
        if the payee's bank lets the payer's owe it less, Conflict if the name stands for another
        deal or the consignment is awaited in another way.
        """
        await self._accounts.require_bank(actor)
        MAY_OPEN_DEAL.check(actor, opened)
        if not _NAME.match(opened.deal):
            raise Refused("a deal's name has 1 to 35 letters, digits, dots and hyphens")
        async with self._locks.of(opened.deal):
            deal = await self._load(opened.deal)
            if deal is None:
                await self._terms.check(actor, opened)
                if self._holds is not None:
                    said = again(OPEN, opened.payload())
                    await self._holds.demand(opened.payer_bank, **_screened(opened, said))
                async with AsyncExitStack() as stack:
                    if self._approvals is not None:
                        demand = await self._demand(opened)
                        await stack.enter_async_context(self._approvals.allowed(actor, demand))
                    await self._index.add(_indexed(opened))
                    new = Deal(opened, self._scenario_clock.now(), version=0, state=NEW)
                    await self._write(new, [opened], by=actor.party)
            elif deal.opened != opened:
                raise Conflict(f"deal {opened.deal} was opened with other content")
            deal = await self._known(opened.deal)
            if deal.may(RESERVE_MONEY):
                await self._reserve(deal)
            self._steps.put_nowait(opened.deal)
            return await self._known(opened.deal)

    async def reserve_title(self, actor: Actor, name: str, *, signed: bytes = b"") -> Deal:
        """Moves the title from the actor's party into the deal's custody; again: no change.

        `signed`: the transaction, where the party keeps its key at another node.
        """
        MAY_RESERVE_TITLE.admit(actor)
        await self._records.history(f"deal/{name}", actor)
        async with self._locks.of(name):
            deal = await self._known(name)
            MAY_RESERVE_TITLE.check(actor, deal.opened)
            fact = TitleReserved(deal=name, title=deal.opened.title)
            if deal.title_reserved is None:
                permit(deal, [fact])
                title = deal.opened.title
                await self._titles.into_custody(actor, title=title, deal=name, signed=signed)
                by = self._node.party if signed else actor.party
                await self._write(deal, [fact], by=by)
            self._steps.put_nowait(name)
            return await self._known(name)

    async def deal(self, actor: Actor, name: str) -> Deal:
        """A deal as it stands. Raises NotFound for a stranger."""
        deal = fold(await self._records.history(f"deal/{name}", actor))
        if deal is None:
            raise NotFound("no deal of that name")
        return deal

    async def deals(self, actor: Actor, *, limit: int, after: str = "") -> list[Deal]:
        """The deals that the actor may see, in order of name."""
        start = f"deal/{after}" if after else ""
        names = await self._records.aggregates("deal/", actor, limit=limit, after=start)
        found = [fold(each) for each in await self._records.histories(names, actor)]
        return [deal for deal in found if deal is not None]

    async def waiting_for(self, consignment: str) -> tuple[str, ...]:
        """The deals over a consignment that nothing is decided of, in order of name."""
        names = await self._index.of_consignment(consignment)
        found = [(await self._known(name), name) for name in names]
        return tuple(name for deal, name in found if deal.is_open)

    async def handle(self, event: SignedEvent) -> None:
        """Takes in what another room tells; each event counts once for each deal."""
        judge, names = await self._concerned(event)
        for name in names:
            await self._take(name, event, judge)

    async def _concerned(
        self, event: SignedEvent
    ) -> tuple[Callable[[Deal], Verdict], tuple[str, ...]]:
        match event.type:
            case kind if kind in ArrivalProven.types():
                proven = ArrivalProven.of(event)
                names = await self._index.of_consignment(proven.consignment)
                return lambda deal: verdict.of_arrival(deal, proven), names
            case kind if kind in ArrivalNotProven.types():
                failed = ArrivalNotProven.of(event)
                names = await self._index.of_consignment(failed.consignment)
                return lambda deal: verdict.of_no_arrival(deal, failed), names
            case PapersChecked.TYPE:
                checked = PapersChecked.of(event)
                names = await self._index.of_consignment(checked.consignment)
                return lambda deal: verdict.of_papers(deal, checked), names
            case CustomsReleased.TYPE:
                released = CustomsReleased.of(event)
                names = await self._index.of_consignment(released.consignment)
                return lambda deal: verdict.of_customs(deal, released), names
            case SubmissionRefused.TYPE:
                refused = SubmissionRefused.of(event)
                names = await self._index.open_of_terminal(refused.terminal)
                return lambda deal: verdict.of_refusal(deal, refused), names
            case _:
                return lambda _: Verdict(), ()

    async def _take(self, name: str, event: SignedEvent, judge: Callable[[Deal], Verdict]) -> None:
        handled = Handled(f"finance.deals.{name}", event.id)
        before = await self._load(name)
        if before is None or not before.is_open:
            # Nothing more can change a decided deal; its lock may be held while it is applied.
            return
        async with self._locks.of(name):
            deal = await self._load(name)
            if deal is None or not deal.is_open or await self._records.is_handled(handled):
                return
            found = judge(deal)
            if found.abort is not None:
                await self._settlement.abort(deal, found.abort, handled)
            else:
                await self._write(deal, found.facts, by=self._node.party, handled=handled)
            # What follows may take long (the title waits for the log): the bus must not wait.
            self._steps.put_nowait(name)

    async def follow(self) -> None:
        """Takes deals on as soon as something changed, until cancelled."""
        while True:
            await self.step()

    async def step(self) -> None:
        """Takes the next changed deal as far as it can go now."""
        name = await self._steps.get()
        async with self._locks.of(name):
            await self._advance_or_wait(name)

    @property
    def has_steps(self) -> bool:
        """Whether changed deals wait to be taken on."""
        return not self._steps.empty()

    async def run(self) -> None:
        """Goes round all open deals each second, until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(_TICK_S)

    async def tick(self) -> None:
        """Takes every open deal one step on: what a crash or an outage left, and deadlines."""
        try:
            names = await self._index.open()
        except Unavailable as error:
            _LOG.warning("open deals are unknown for now: %s", error)
            return
        few = asyncio.Semaphore(_AT_ONCE)
        # One deal that waits for the world must not hold up the others.
        await asyncio.gather(*(self._look(name, few) for name in names))

    async def _look(self, name: str, few: asyncio.Semaphore) -> None:
        async with few, self._locks.of(name):
            await self._look_alone(name)

    async def _look_alone(self, name: str) -> None:
        try:
            deal = await self._load(name)
            if deal is None:
                return
            if deal.is_open and self._is_overdue(deal):
                await self._settlement.abort(deal, verdict.of_deadline(deal))
        except ZhidaoError as error:
            self._say(name, error)
            return
        await self._advance_or_wait(name)

    def _is_overdue(self, deal: Deal) -> bool:
        if self._scenario_clock.now() <= deal.deadline:
            self._overdue.pop(deal.name, None)
            return False
        looks = self._overdue.get(deal.name, 0) + 1
        self._overdue[deal.name] = looks
        return looks >= _DEADLINE_LOOKS

    async def _advance_or_wait(self, name: str) -> None:
        """One step on; what fails now is tried again at the next tick, never forgotten."""
        try:
            await self._advance(name)
        except ZhidaoError as error:
            self._say(name, error)
        else:
            self._said.pop(name, None)

    def _say(self, name: str, error: ZhidaoError) -> None:
        """Tells an operator once what a deal waits for, not once a second."""
        if self._said.get(name) == str(error):
            return
        self._said[name] = str(error)
        by_itself = isinstance(error, (Unavailable, Conflict))
        how = "tries again by itself" if by_itself else "needs an operator"
        _LOG.warning("deal %s %s: %s", name, how, error)

    async def _advance(self, name: str) -> None:
        """Brings a deal as far as it can go now. Every line may be repeated."""
        deal = await self._known(name)
        if deal.may(RESERVE_MONEY):
            await self._reserve(deal)
            deal = await self._known(name)
        if deal.may(MEET_TITLE):
            fact = ConditionMet(deal=name, name=TITLE, because=f"title {deal.opened.title}")
            await self._write(deal, [fact], by=self._node.party)
            deal = await self._known(name)
        if deal.may(RELEASE) and not await self._is_held(deal):
            await self._release(deal)
            deal = await self._known(name)
        if deal.may(PAY) or deal.may(GIVE_BACK):
            if deal.may(GIVE_BACK) and self._approvals is not None:
                # The decision stands: the payer has it all again.
                demand = await self._demand(deal.opened)
                await self._approvals.came_to_nothing(deal.opened.payer_bank, demand)
            await self._settlement.apply(deal)
            deal = await self._known(name)
        if deal.state in DEAL.ends:
            await self._index.close(_indexed(deal.opened))
            self._overdue.pop(name, None)

    async def _reserve(self, deal: Deal) -> None:
        """Asks for the arrival, reserves the money, and takes in what trade knows already.

        In this order: who waits at another place must not have money held for it.
        """
        opened = deal.opened
        try:
            await self._arrivals.expect(
                Actor(deal.owner, Role.NODE),
                readers=await self._terms.arrival_readers(deal),
                **arrival_asked(opened),
            )
        except Conflict as error:
            # Another deal of the consignment was opened in the same moment.
            await self._settlement.abort(deal, Abort("awaited_otherwise", f"{error.args[0]}."))
            return
        reserved = await self._settlement.reserve(deal)
        if isinstance(reserved, Abort):
            await self._settlement.abort(deal, reserved)
            return
        known = await self._from_trade(deal)
        if known.abort is not None:
            await self._settlement.abort(deal, known.abort)
            return
        # What trade knows comes first: once money is noted as reserved, nobody asks again.
        if known.facts:
            await self._write(deal, known.facts, by=self._node.party)
            deal = await self._known(deal.name)
        await self._write(deal, [reserved], by=deal.owner)

    async def _is_held(self, deal: Deal) -> bool:
        """Whether two persons of the payer's bank look at who is paid, or one of them said no.

        Nothing is decided meanwhile: a deal that is not released in time ends at its deadline.
        """
        if self._holds is None:
            return False
        said = again(PAY_DEAL, {"deal": deal.name})
        return await self._holds.is_held(deal.opened.payer_bank, **_screened(deal.opened, said))

    async def _pay_said(self, actor: Actor, said: Mapping[str, Any]) -> None:
        del actor  # What is paid follows from the deal.
        self._steps.put_nowait(str(said["deal"]))

    async def _release(self, deal: Deal) -> None:
        """Decides to pay, if trade's newest word is still what the conditions rest on."""
        known = await self._from_trade(deal)
        if known.abort is not None:
            await self._settlement.abort(deal, known.abort)
        elif known.facts:
            await self._write(deal, known.facts, by=self._node.party)
        else:
            await self._settlement.release(deal)

    async def _from_trade(self, deal: Deal) -> Verdict:
        """What trade says now: its events before the opening were nobody's business then."""
        seen = await self._consignments.consignment(self._node, deal.opened.consignment)
        verdicts = []
        if seen.papers is not None:
            verdicts.append(verdict.of_papers(deal, seen.papers))
        if seen.customs is not None:
            verdicts.append(verdict.of_customs(deal, seen.customs))
        aborts = [found.abort for found in verdicts if found.abort is not None]
        facts = tuple(fact for found in verdicts for fact in found.facts)
        return Verdict(facts, aborts[0] if aborts else None)

    async def _demand(self, opened: DealOpened) -> Demand:
        """What the opening takes of a caller's word: the payer's money is bound."""
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        amount = Money(opened.amount_minor, Currency(opened.currency))
        held = [(UUID(payer.account).hex, opened.amount_minor)]
        return Demand(OPEN, opened.deal, amount, opened.payload(), held)

    async def _open_said(self, actor: Actor, said: Mapping[str, Any]) -> Deal:
        return await self.open(actor, msgspec.convert(said, DealOpened, strict=True))

    async def _write(
        self,
        deal: Deal,
        facts: Sequence[Fact],
        *,
        by: PartyId,
        handled: Handled | None = None,
    ) -> None:
        permit(deal, facts)
        await self._records.record(
            Actor(by, Role.NODE),
            f"deal/{deal.name}",
            facts,
            after=deal.version,
            owner=deal.owner,
            visible=deal.readers,
            occurred_at=self._scenario_clock.now(),
            handled=handled,
        )

    async def _load(self, name: str) -> Deal | None:
        return fold(await self._records.history(f"deal/{name}"))

    async def _known(self, name: str) -> Deal:
        deal = await self._load(name)
        if deal is None:
            raise NotFound("no deal of that name")
        return deal


def _screened(opened: DealOpened, said: Mapping[str, Any]) -> dict[str, Any]:
    """Whom a deal is between, as `NameHolds.demand` asks it."""
    return {
        "subject": f"deal {opened.deal}",
        "amount": Money(opened.amount_minor, Currency(opened.currency)),
        "parties": {opened.payer, opened.payee, opened.payee_bank},
        "said": said,
    }


def _indexed(opened: DealOpened) -> IndexedDeal:
    # No terminal's name has a slash in it.
    return IndexedDeal(opened.deal, opened.consignment, "/".join(opened.terminals))
